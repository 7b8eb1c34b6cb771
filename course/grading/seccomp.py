"""A seccomp filter for workers under bubblewrap: threads, but no new processes, no kernel doors.

`RLIMIT_NPROC` does not count for root, and namespaces do not limit processes; this does.  Nor does
any limit count memory in System V segments and message queues: there are none.  The filter is
classic BPF as the kernel takes it (`man 2 seccomp`): pairs of "is it this call?" and an errno.
"""

from __future__ import annotations

import errno
import platform
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
CLONE_THREAD = 0x10000
FORBIDDEN = {
    "x86_64": {
        "shmget": 29, "fork": 57, "vfork": 58, "semget": 64, "msgget": 68, "ptrace": 101,
        "personality": 135, "pivot_root": 155, "chroot": 161, "acct": 163, "mount": 165,
        "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "init_module": 175,
        "delete_module": 176, "quotactl": 179, "mq_open": 240, "kexec_load": 246,
        "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
        "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "finit_module": 313, "bpf": 321, "userfaultfd": 323,
    },
    "aarch64": {
        "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "quotactl": 60, "acct": 89,
        "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105,
        "delete_module": 106, "ptrace": 117, "reboot": 142, "mq_open": 180,
        "msgget": 186, "semget": 190, "shmget": 194, "add_key": 217, "request_key": 218,
        "keyctl": 219, "swapon": 224, "swapoff": 225, "perf_event_open": 241,
        "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "finit_module": 273, "bpf": 280, "userfaultfd": 282,
    },
}  # fmt: skip
# As root a device such as /dev/null is the worker's own file, and the machine's.
ATTRIBUTES = {
    "x86_64": {
        "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132,
        "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197,
        "lremovexattr": 198, "fremovexattr": 199, "utimes": 235, "fchownat": 260,
        "futimesat": 261, "fchmodat": 268, "utimensat": 280,
    },
    "aarch64": {
        "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15,
        "fremovexattr": 16, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "fchown": 55,
        "utimensat": 88,
    },
}  # fmt: skip
FORBIDDEN_EVERYWHERE = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "mount_setattr": 442, "fchmodat2": 452, "setxattrat": 463,
    "removexattrat": 466, "open_tree_attr": 467, "file_setattr": 469,
}  # fmt: skip

LOAD, EQUAL, ANY_BIT, AT_LEAST, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def worker_filter(machine: str | None = None) -> bytes | None:
    """The filter for this machine; None for an architecture whose numbers are not known here.

    machine : as `platform.machine()` gives it.
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return None

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    refuse = step(RETURN, ERRNO | errno.EPERM)
    program = [
        step(LOAD, ARCHITECTURE),
        step(EQUAL, ARCHITECTURES[machine], 1, 0),
        step(RETURN, KILL),
        step(LOAD, NUMBER),
    ]
    if machine == "x86_64":  # the same calls under the numbers of the x32 ABI
        program += [step(AT_LEAST, 0x40000000, 0, 1), refuse]
    tables = (FORBIDDEN[machine], ATTRIBUTES[machine], FORBIDDEN_EVERYWHERE)
    for number in sorted(number for table in tables for number in table.values()):
        program += [step(EQUAL, number, 0, 1), refuse]
    # clone3 hides its flags behind a pointer; without it the C library uses clone.
    program += [step(EQUAL, CLONE3, 0, 1), step(RETURN, ERRNO | errno.ENOSYS)]
    program += [step(EQUAL, CLONE[machine], 0, 3), step(LOAD, FIRST_ARGUMENT)]
    program += [step(ANY_BIT, CLONE_THREAD, 1, 0), step(RETURN, ERRNO | errno.EAGAIN)]
    program += [step(RETURN, ALLOW)]
    return b"".join(program)
