"""Folders that go when the process that made them has ended, also when it was killed.

A process holds a lock on each of its folders, which the kernel lets go with it; whoever makes the
next folder removes those that nobody holds any more.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
import time
from multiprocessing.util import Finalize
from pathlib import Path

KINDS = ("worker", "scratch")
NEW = 60.0  # seconds in which a folder may have no lock yet
_held: dict[str, int] = {}  # the descriptors that hold the locks, by folder


def temporary_folder(kind: str) -> Path:
    """A new empty folder of this process, of one of KINDS."""
    remove_forsaken()
    folder = Path(tempfile.mkdtemp(prefix=f"course-{kind}-")).resolve()
    if (lock := locked(folder)) is not None:
        _held[str(folder)] = lock
    # Unlike atexit's, this one is also called at the end of a pool's processes.
    Finalize(None, remove, (folder,), exitpriority=0)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder, also one that was made so that it could not be removed."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder) and os.name != "nt":
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, str(folder)], stderr=subprocess.DEVNULL, check=False)
    if (lock := _held.pop(str(folder), None)) is not None:
        os.close(lock)


@functools.cache
def remove_forsaken() -> None:
    """Remove what processes left behind that were killed; once in a process."""
    place = Path(tempfile.gettempdir())
    for folder in (f for kind in KINDS for f in place.glob(f"course-{kind}-*")):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime < NEW:
                continue
            if (lock := locked(folder)) is not None:
                remove(folder)
                os.close(lock)


def locked(folder: Path) -> int | None:
    """A descriptor that holds the lock on a folder; None if another process does, or on Windows."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
