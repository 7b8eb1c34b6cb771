"""The last step before student code runs: the worker gives up what no sandbox above takes from it.

A program that runs as root keeps root's capabilities under Landlock, and some system calls reach out
of any sandbox by an argument: another process's number, a request to the file system behind a file
that may only be read, the target of a link.  So the worker drops every capability and installs a seccomp filter of its
own, as classic BPF (`man 2 seccomp`), on top of the sandbox's.  Both hold for all that follows.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {"ioctl": 16, "fcntl": 72, "prlimit64": 302},
    "aarch64": {"ioctl": 29, "fcntl": 25, "prlimit64": 261},
}
# sandlock 0.9 opens files itself, and follows a link that points at nothing yet to make the file
# there, wherever that is; names of sockets are the whole machine's.
REFUSED = {
    "x86_64": {"bind": 49, "link": 86, "symlink": 88, "linkat": 265, "symlinkat": 266},
    "aarch64": {"symlinkat": 36, "linkat": 37, "bind": 200},
}
# What Python asks of terminals, pipes and sockets; other requests can freeze a file system (FIFREEZE)
# or mark a file that is not one's own as immutable (FS_IOC_SETFLAGS).
REQUESTS = {
    "TCGETS": 0x5401, "TIOCGWINSZ": 0x5413, "FIONREAD": 0x541B, "FIONBIO": 0x5421,
    "FIONCLEX": 0x5450, "FIOCLEX": 0x5451,
}  # fmt: skip
SENDS_SIGNALS = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETLEASE": 1024}
WATCHES = {"F_NOTIFY": 1026}
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
SET_SECCOMP, FILTER, NO_NEW_PRIVILEGES = 22, 2, 38
CAPABILITIES_VERSION = 0x20080522


def arguments_filter(machine: str) -> bytes | None:
    """The filter for this machine; None for one whose numbers are not known here."""
    if machine not in NUMBERS:
        return None
    numbers = NUMBERS[machine]

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    def rule(call: str, offset: int, values: list[int], among: int, others: int) -> list[bytes]:
        """For one call: what to answer if the argument is among these values, and if it is not."""
        checks = [step(EQUAL, v, len(values) - i, 0) for i, v in enumerate(values)]
        body = [step(LOAD, offset), *checks, step(RETURN, others), step(RETURN, among)]
        return [step(EQUAL, numbers[call], 0, len(body)), *body]

    refuse = ERRNO | errno.EPERM
    return b"".join(
        [
            step(LOAD, ARCHITECTURE),
            step(EQUAL, ARCHITECTURES[machine], 1, 0),
            step(RETURN, refuse),
            step(LOAD, NUMBER),
            *(
                s
                for n in REFUSED[machine].values()
                for s in (step(EQUAL, n, 0, 1), step(RETURN, refuse))
            ),
            *rule("prlimit64", FIRST, [0], ALLOW, refuse),
            *rule("ioctl", SECOND, list(REQUESTS.values()), ALLOW, ERRNO | errno.ENOTTY),
            *rule("fcntl", SECOND, [*SENDS_SIGNALS.values(), *WATCHES.values()], refuse, ALLOW),
            step(RETURN, ALLOW),
        ]
    )


def confine() -> None:
    """Drop every capability and install the filter; does nothing where there is no Linux.

    Raises OSError if the kernel refuses: then no student code may run.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = struct.pack("<6I", *[0] * 6)
    checked(libc.capset(struct.pack("<Ii", CAPABILITIES_VERSION, 0), nothing))
    rules = arguments_filter(os.uname().machine)
    if rules is None:
        return
    program = ctypes.create_string_buffer(rules, len(rules))
    described = struct.pack("@HP", len(rules) // 8, ctypes.addressof(program))
    checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    checked(libc.prctl(SET_SECCOMP, FILTER, described, 0, 0))


def checked(answer: int) -> None:
    """Raise what the C library says went wrong."""
    if answer != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
