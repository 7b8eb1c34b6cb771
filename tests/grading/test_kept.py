"""Results kept by content: found again, seen on their own basis only, bounded in size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from course.grading.kept import DAY, Kept
from course.grading.results import Cell, Outcome, Result

CELLS = [Cell(None, "import numpy as np"), Cell("double", "def double(x): ...")]


def result(status: str = "wrong", message: str = "Not “right”.") -> Result:
    return Result({"double": Outcome("double", 1.0, 4.0, status, message, "x")}, None, ("note",))


def test_a_result_is_found_for_the_same_cells_on_the_same_basis_only(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "one basis, by whatever digest")
    assert kept.find(CELLS) is None
    kept.keep(CELLS, result())
    assert kept.find(CELLS) == result()
    assert kept.find(CELLS[1:]) is None
    assert kept.find([Cell("double", CELLS[0].source), CELLS[1]]) is None
    assert Kept(tmp_path, "another basis, by whatever digest").find(CELLS) is None


@pytest.mark.parametrize("status", ["limit", "error"])
def test_what_may_be_the_machines_fault_is_run_again(tmp_path: Path, status: str) -> None:
    kept = Kept(tmp_path, "basis")
    kept.keep(CELLS, result(status))
    assert kept.find(CELLS) is None


def test_a_damaged_file_is_no_result(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "basis")
    kept.keep(CELLS, result())
    for text in ("", "{", "[]", '{"outcomes": {"double": {"points": 4}}}'):
        kept.path(CELLS).write_text(text)
        assert kept.find(CELLS) is None


def test_results_on_a_basis_that_nobody_used_for_a_day_are_removed(tmp_path: Path) -> None:
    now = time.time()
    for basis, age in (("old", DAY + 60), ("of a batch that may be running", 3600), ("new", 0)):
        kept = Kept(tmp_path, basis)
        kept.keep(CELLS, result())
        os.utime(kept.folder, (now - age, now - age))
    Kept(tmp_path, "new").tidy()
    assert not Kept(tmp_path, "old").folder.exists()
    assert Kept(tmp_path, "of a batch that may be running").find(CELLS) == result()
    assert Kept(tmp_path, "new").find(CELLS) == result()


def test_an_old_basis_that_is_taken_up_again_is_in_use(tmp_path: Path) -> None:
    old = Kept(tmp_path, "old")
    old.keep(CELLS, result())
    os.utime(old.folder, (0, 0))
    old.tidy()
    Kept(tmp_path, "new").tidy()
    assert old.find(CELLS) == result()


def test_the_newest_results_stay_when_there_is_no_room_for_all(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "basis")
    for age in range(10):
        kept.keep([Cell(None, str(age))], result())
        os.utime(kept.path([Cell(None, str(age))]), (1e9 - age, 1e9 - age))
    size = kept.path([Cell(None, "0")]).stat().st_size
    (kept.folder / ".left-by-a-kill").write_bytes(b"x" * 10 * size)
    os.utime(kept.folder / ".left-by-a-kill", (1e8, 1e8))
    kept.tidy(room=4 * size)
    there = [age for age in range(10) if kept.find([Cell(None, str(age))]) is not None]
    assert there == [0, 1, 2, 3]
    assert len(list(kept.folder.iterdir())) == 4


def test_a_batch_whose_results_are_removed_goes_on(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "basis")
    kept.keep(CELLS, result())
    os.utime(kept.folder, (0, 0))
    Kept(tmp_path, "another").tidy()
    assert kept.find(CELLS) is None
    kept.keep(CELLS, result())
    assert kept.find(CELLS) == result()
