"""bubblewrap: a worker in Linux namespaces of its own, with nothing mounted but what it needs."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
from collections.abc import Iterator

from course.grading.process import (
    ENVIRONMENT,
    HIDDEN,
    SCRATCH,
    ProcessLimits,
    Subprocess,
    python,
)
from course.grading.runtime import Runtime
from course.grading.seccomp import worker_filter


class Bubblewrapped(Subprocess):
    """A worker under bubblewrap: new namespaces, nothing mounted but the runtime."""

    def __init__(self, files: Runtime, limits: ProcessLimits) -> None:
        rules = worker_filter()
        arguments = bubblewrap_arguments(files, limits)
        with bubblewrap_command(arguments, python(files, *PATH), rules) as (command, descriptors):
            super().__init__(command, {}, pass_fds=descriptors)

    def end(self, patience: float = 0.0) -> int:
        code = super().end(patience)
        return 128 - code if code > 128 else code  # bubblewrap reports a signal as 128 + number


@contextlib.contextmanager
def bubblewrap_command(
    arguments: list[str], program: list[str], rules: bytes | None
) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The command that runs a program under bubblewrap, and the descriptors it inherits.

    rules : a seccomp filter, or None.
    """
    with contextlib.ExitStack() as stack:
        text = "\0".join(arguments).encode()
        options = ["--args", str(stack.enter_context(in_memory(text)))]
        if rules is not None:
            options += ["--seccomp", str(stack.enter_context(in_memory(rules)))]
        yield ["bwrap", *options, *program], tuple(int(number) for number in options[1::2])


@contextlib.contextmanager
def in_memory(content: bytes) -> Iterator[int]:
    """A file descriptor to read this from; not the command line, which a worker could read."""
    descriptor = os.memfd_create("options")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


PATH = ("/course", "/packages")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@functools.cache
def bubblewrap_help() -> str:
    """What this version of bubblewrap says that it can do."""
    return subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout


def bubblewrap_arguments(files: Runtime, limits: ProcessLimits) -> list[str]:
    """The namespaces and mounts of a worker."""
    options = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    if "--disable-userns" in bubblewrap_help():
        options += ["--unshare-user", "--disable-userns"]
    options += ["--cap-drop", "ALL", "--hostname", "worker", "--uid", "65534", "--gid", "65534"]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    for link in ("/lib", "/lib64"):
        if os.path.islink(link):
            options += ["--symlink", os.readlink(link), link]
    options += ["--ro-bind", str(files.stdlib), str(files.stdlib)]
    hidden = [str(files.stdlib / name) for name in HIDDEN if (files.stdlib / name).is_dir()]
    for folder in hidden:
        options += ["--tmpfs", folder]
    options += ["--ro-bind", str(files.executable), str(files.executable)]
    for path, real in files.libraries.items():
        options += ["--ro-bind", str(real), path]
    for name, real in files.packages.items():
        options += ["--ro-bind", str(real), f"/packages/{name}"]
    options += ["--ro-bind", str(files.home / "course"), "/course/course"]
    # No /proc, no terminals: nothing honest needs them, and as root /proc/sys could be written.
    for device in filter(os.path.exists, DEVICES):
        options += ["--dev-bind", device, device]
    options += ["--size", str(limits.scratch), "--tmpfs", SCRATCH]
    for mount in (*hidden, "/"):  # such a file system in memory has no limit
        options += ["--remount-ro", mount]
    return [*options, "--chdir", SCRATCH]
