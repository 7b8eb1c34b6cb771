"""The system calls with which a forked worker gives up everything: Linux only, through the C library.

They run in trusted code, inside the container, before any student code is read; each either does
what it says or raises OSError, and then there is no worker.
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal

NEW_MOUNTS, NEW_IPC, NEW_PIDS, NEW_NETWORK = 0x00020000, 0x08000000, 0x20000000, 0x40000000
READ_ONLY, NO_SUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8
RECURSIVE, PRIVATE = 1 << 14, 1 << 18
SET_DEATH_SIGNAL, SET_DUMPABLE, SET_SECCOMP, DROP_BOUNDING = 1, 4, 22, 24
SET_NO_NEW_PRIVILEGES, AMBIENT, CLEAR_ALL, FILTER = 38, 47, 4, 2
CAPABILITY_VERSION = 0x20080522
INODES = 10_000  # files and folders in a scratch space


@functools.cache
def library() -> ctypes.CDLL:
    """The C library that this interpreter uses."""
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """Call a function of the C library that returns 0 or sets errno."""
    if getattr(library(), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def control(option: int, *arguments: int | ctypes.c_void_p) -> None:
    """`prctl`, whose arguments are all as wide as a pointer."""
    wide = [a if isinstance(a, ctypes.c_void_p) else ctypes.c_ulong(a) for a in arguments]
    call("prctl", option, *wide, *[ctypes.c_ulong(0)] * (4 - len(wide)))


def new_namespaces() -> None:
    """Mounts, IPC objects, network and (for the next child) process numbers of one's own."""
    call("unshare", NEW_MOUNTS | NEW_IPC | NEW_PIDS | NEW_NETWORK)


def fresh_scratch(folder: str, size: int) -> None:
    """Mount an empty file system in memory over a folder, of so many bytes, and go there."""
    call("mount", b"none", b"/", None, RECURSIVE | PRIVATE, None)
    options = f"size={size},nr_inodes={INODES},mode=0700".encode()
    call("mount", b"scratch", folder.encode(), b"tmpfs", NO_SUID | NO_DEVICES, options)
    os.chdir(folder)


def drop_capabilities() -> None:
    """Give up every capability, for good: nothing that is run later gets one back."""
    control(SET_NO_NEW_PRIVILEGES, 1)
    control(AMBIENT, CLEAR_ALL)
    for number in range(64):
        try:
            control(DROP_BOUNDING, number)
        except OSError:  # this kernel has no capability of that number
            if number < 38:
                raise
            break
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def filter_system_calls(rules: bytes) -> None:
    """Install a seccomp filter in this thread and all that it starts."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_char_p)]

    program = Program(len(rules) // 8, rules)
    control(SET_SECCOMP, FILTER, ctypes.cast(ctypes.byref(program), ctypes.c_void_p))


def die_with_parent() -> None:
    """Be killed when the process that started this one ends."""
    control(SET_DEATH_SIGNAL, signal.SIGKILL)


def stay_private() -> None:
    """No debugger, no core file: not even other processes of the same user look into this one."""
    control(SET_DUMPABLE, 0)
