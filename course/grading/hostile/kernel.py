"""Attacks on the machine itself: what root may do, and the kernel's less travelled doors.

Each step would change nothing if it got through: it sets what is there already, or names what is not.
"""

from __future__ import annotations

from course.grading.hostile.attack import KERNEL, Hostile

PROC_SYS = """
import os
def same(path):
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        return file.write(text)
attempt("set which program takes core dumps", lambda: same("/proc/sys/kernel/core_pattern"))
attempt("set what a panic does", lambda: same("/proc/sys/kernel/panic"))
attempt("set how memory is used", lambda: same("/proc/sys/vm/swappiness"))
attempt("set how many processes there may be", lambda: same("/proc/sys/kernel/pid_max"))
attempt("press the magic key", lambda: open("/proc/sysrq-trigger", "a").close())
attempt("change transparent pages", lambda: same("/sys/kernel/mm/transparent_hugepage/enabled"))
attempt("leave my control group", lambda: open("/sys/fs/cgroup/cgroup.procs", "a").close())
attempt("write the first process's memory", lambda: open("/proc/1/mem", "r+b").close())
"""

DEVICES = """
import os
for device in ("/dev/mem", "/dev/kmsg", "/dev/port", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/proc/kcore"):
    attempt("open a device", lambda: open(device, "rb"))
attempt("make a device", lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)))
attempt("read the kernel's addresses", lambda: open("/proc/kallsyms").readline().split()[0].strip("0")[0])
"""

ROOT_CALLS = (
    KERNEL
    + """
import socket, struct, time
attempt("set the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))
def turn():
    call("adjtimex", room)
    struct.pack_into("I", room, 0, 0x4000)  # the tick, to what it is
    return call("adjtimex", room)
attempt("turn the clock", turn)
attempt("name the machine", lambda: socket.sethostname(socket.gethostname()))
attempt("name its domain", lambda: call("setdomainname", b"(none)", 6))
attempt("read the kernel's log", lambda: call("syslog", 10, None, 0))
attempt("keep accounts", lambda: call("acct", b"/nonexistent/accounts"))
attempt("take swap away", lambda: call("swapoff", b"/nonexistent/swap"))
attempt("watch all files", lambda: call("fanotify_init", 0, 0))
attempt("become somebody else", lambda: os.setresuid(12345, 12345, 12345))
attempt("become somebody else's group", lambda: os.setgroups([0, 27]))
"""
)

MOUNTS = (
    KERNEL
    + """
attempt("mount", lambda: call("mount", b"none", b".", b"tmpfs", 0, None))
attempt("mount in a new way", lambda: call("fsopen", b"tmpfs", 0))
attempt("copy the tree of mounts", lambda: call("open_tree", -100, b"/", 1))
attempt("make a mount writable", lambda: call("mount_setattr", -100, b"/", 0, bytes(32), 32))
attempt("change the root", lambda: os.chroot("."))
attempt("swap the root", lambda: call("pivot_root", b".", b"."))
handle = ctypes.create_string_buffer(b"\\x80" + bytes(200), 208)
def by_handle():
    call("name_to_handle_at", -100, OUTSIDE["secret"].encode(), handle, ctypes.byref(ctypes.c_int()), 0)
    return os.read(call("open_by_handle_at", os.open("/", os.O_RDONLY), handle, 0), 100)
attempt("open a file by its handle", by_handle)
attempt("open any file by a handle", lambda: call("open_by_handle_at", -100, handle, 0))
"""
)

NAMESPACES = (
    KERNEL
    + """
for kind in (0x10000000, 0x00020000, 0x40000000, 0x20000000):
    attempt("make a namespace to be root in", lambda: call("unshare", kind))
attempt("enter another namespace", lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0))
attempt("clone into one", lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else call("unshare", 0x10000000))
"""
)

DOORS = (
    KERNEL
    + """
attempt("load a program into the kernel", lambda: call("bpf", 0, bytes(128), 128))
attempt("count what others do", lambda: call("perf_event_open", bytes(112), 0, -1, -1, 0))
attempt("ask by a ring that no filter sees", lambda: call("io_uring_setup", 1, room))
attempt("handle page faults", lambda: call("userfaultfd", 1))
attempt("keep a key", lambda: call("add_key", b"user", b"hostile", b"x", 1, -4))
attempt("look at keys", lambda: call("keyctl", 0, -4, 1))
def ask():
    folder = os.open(os.path.dirname(os.__file__), os.O_RDONLY)
    return call("ioctl", folder, 0x80087601, room)  # FS_IOC_GETVERSION, next to those that freeze it
attempt("ask a file system behind a folder one may read", ask)
"""
)

ATTACKS = (
    Hostile("proc-sys", "changes the kernel's settings", PROC_SYS,
            source="found here: root in a user namespace may write /proc/sys unless it is read-only"),
    Hostile("devices", "opens or makes devices", DEVICES),
    Hostile("root-calls", "sets the clock, reads the log, names the machine", ROOT_CALLS,
            source="found here: root keeps its capabilities under Landlock"),
    Hostile("mounts", "mounts, changes the root, opens files by handle", MOUNTS,
            source="Docker's shocker.c: open_by_handle_at"),
    Hostile("namespaces", "makes a namespace in which it is root", NAMESPACES),
    Hostile("kernel-doors", "uses calls that few programs need", DOORS),
)  # fmt: skip
