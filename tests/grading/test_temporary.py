"""Folders for temporary files go with the process that made them, however it ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from course.grading.temporary import remove, remove_forsaken, temporary_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="locks on folders are Unix'")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All temporary files in a folder of the test, where nothing has been swept yet."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    remove_forsaken.cache_clear()
    return tmp_path


def make_one() -> str:
    folder = temporary_folder("worker")
    (folder / "file").write_text("content")
    return str(folder)


def make_one_and_die(path: str) -> None:
    Path(path).write_text(make_one())
    os.kill(os.getpid(), signal.SIGKILL)


def make_old(folder: Path) -> None:
    os.utime(folder, (0, 0))


def test_the_folder_of_a_pools_process_goes_when_the_pool_is_done() -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        folder = Path(pool.submit(make_one).result())
        assert (folder / "file").is_file()
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_removed_by_the_next_and_no_other(place: Path) -> None:
    said = place / "said"
    process = multiprocessing.get_context("fork").Process(target=make_one_and_die, args=[str(said)])
    process.start()
    process.join()
    forsaken, mine = Path(said.read_text()), temporary_folder("worker")
    new = Path(tempfile.mkdtemp(prefix="course-scratch-"))  # its maker has no lock on it yet
    for folder in (forsaken, mine):
        make_old(folder)
    remove_forsaken.cache_clear()
    scratch = temporary_folder("scratch")
    assert [f.exists() for f in (forsaken, mine, new, scratch)] == [False, True, True, True]
    for folder in (mine, scratch):
        remove(folder)


def test_a_folder_that_resists_is_removed() -> None:
    folder = temporary_folder("scratch")
    deepest = folder
    for _ in range(60):
        deepest = deepest / ("d" * 60)
    deepest.mkdir(parents=True)
    (folder / "locked").mkdir(mode=0)
    remove(folder)
    assert not folder.exists()
