"""sandlock: a worker under Landlock rules and a seccomp filter, without namespaces and without root."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import IO

from course.grading.process import (
    ENVIRONMENT,
    HIDDEN,
    ProcessLimits,
    close,
    python,
    size_of,
)
from course.grading.runtime import Runtime
from course.grading.temporary import remove, temporary_folder

# What Landlock does not look at, but which changes or shows something outside the scratch space all
# the same; as root also the machine's clock, log, mounts and priorities.
NOT_LANDLOCKED = [
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
    *("utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr"),
    *("setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat", "getxattr"),
    *("lgetxattr", "getxattrat", "file_setattr", "flock", "chroot", "mknod", "mknodat", "ptrace"),
    *("io_uring_setup", "inotify_add_watch", "fanotify_init", "open_tree", "open_tree_attr"),
    *("fsopen", "fspick", "fsmount", "move_mount", "mount_setattr", "pidfd_open", "setpriority"),
    *("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set"),
    *("clock_settime", "clock_adjtime", "adjtimex", "settimeofday", "syslog", "vhangup"),
    *("setuid", "setresuid", "setreuid", "setfsuid", "listen"),
]


class Sandlocked:
    """A worker under sandlock: Landlock rules, a seccomp filter, a supervisor in this process."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        from sandlock import Sandbox as Sandlock
        from sandlock.sandbox import StdioMode

        self.scratch = str(temporary_folder("scratch"))
        readable = [
            str(files.home),
            str(files.executable),
            str(files.stdlib),
            *(str(p) for p in set(files.libraries.values())),
            *(str(p) for p in files.packages.values()),
            *(p for p in ("/etc/ld.so.cache", "/dev/urandom") if os.path.exists(p)),
        ]
        environment = ENVIRONMENT | dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), self.scratch)
        self.sandbox = Sandlock(
            fs_readable=readable,
            fs_writable=[self.scratch, "/dev/null"],
            fs_denied=[str(files.stdlib / name) for name in HIDDEN],
            clean_env=True,
            env=environment,
            cwd=self.scratch,
            max_processes=1,  # none but itself: sandlock ends a process group, not a tree
            max_open_files=limits.open_files,
            extra_deny_syscalls=NOT_LANDLOCKED,
            net_allow=[],
            no_coredump=True,
        )
        command = python(files, files.home, files.home / "packages")
        self.process = self.sandbox.popen(
            command, stdin=StdioMode.PIPED, stdout=StdioMode.PIPED, stderr=StdioMode.NULL
        )
        self.pid = self.process.pid or 0
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout

    def written(self) -> int:
        return size_of(self.scratch)

    def end(self, patience: float = 0.0) -> int:
        result = self.process.wait(timeout=max(patience, 0.001))  # kills it then
        close(self.stdin, self.stdout)
        remove(Path(self.scratch))
        if result.signal and result.signal > 0:
            return -result.signal
        return -signal.SIGKILL if result.exit_code < 0 else result.exit_code
