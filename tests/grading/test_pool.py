"""Processes that die cost their submission one more try, and nobody else anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from fragile_tasks import DEADLY, Unloadable, failing, refusing, work
from nbgrader.api import Gradebook
from test_killed_anywhere import recorded
from tiny_course import NAME, hand_in, released, solved

from course.grading.gradebook import course_directory, feedback_pages, grade_class
from course.grading.pool import Processes, each
from course.grading.results import GradingRefused

LETTERS = list("abcdefgh")


def given_up(item: str, reason: str) -> str:
    return f"given up: {reason}"


def collected(executor: Any, task: Any, items: list[str] = LETTERS) -> dict[str, str]:
    """The results, each seen once."""
    with executor:
        found = list(each(executor, task, items, given_up))
    assert Counter(item for item, _ in found) == Counter(items)
    return dict(found)


def test_a_task_whose_process_is_killed_once_is_run_again(tmp_path: Path) -> None:
    task = partial(work, tmp_path, killers="ceg", once=True)
    assert collected(Processes(2), task) == {x: x.upper() for x in LETTERS}


def test_a_task_that_kills_every_process_is_given_up_and_no_other(tmp_path: Path) -> None:
    found = collected(Processes(2), partial(work, tmp_path, killers="bf"))
    assert [x for x in LETTERS if found[x] != x.upper()] == ["b", "f"]
    assert "died each time" in found["b"]
    assert len((tmp_path / "b").read_text()) <= 3


def test_a_pool_that_cannot_be_mended_is_replaced(tmp_path: Path) -> None:
    stock = ProcessPoolExecutor(2, get_context("spawn"))
    found = collected(stock, partial(work, tmp_path, killers="a", once=True))
    assert found == {x: x.upper() for x in LETTERS}


def test_a_task_that_fails_is_given_up_with_the_reason() -> None:
    found = collected(Processes(2), failing)
    assert found["c"] == "given up: ZeroDivisionError: one of two"
    assert all(found[x] == x for x in LETTERS if x != "c")


def test_a_task_that_refuses_stops_all_others() -> None:
    with Processes(2) as executor, pytest.raises(GradingRefused, match="disk is full"):
        list(each(executor, refusing, LETTERS, given_up))


def test_nobody_gets_a_zero_when_no_process_stays_alive() -> None:
    with Processes(2) as executor, pytest.raises(GradingRefused, match="whether memory is short"):
        list(each(executor, Unloadable(), LETTERS, given_up))


BATCH = """
from fragile_tasks import resting

from course.grading.pool import Processes, each

with Processes(2) as executor:
    list(each(executor, resting, ["a", "b"], lambda item, reason: item))
"""


def test_no_process_outlives_the_one_that_started_the_pool() -> None:
    here = str(Path(__file__).parent)
    batch = subprocess.Popen(
        [sys.executable, "-c", BATCH], stdout=subprocess.PIPE, text=True, cwd=here
    )
    assert batch.stdout is not None
    theirs = [int(batch.stdout.readline()) for _ in "ab"]
    batch.kill()
    batch.wait()
    until = time.monotonic() + 60
    while any(map(running, theirs)):
        assert time.monotonic() < until
        time.sleep(0.02)


def running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_pool_process_killed_during_a_batch_changes_nothing(tiny: Path) -> None:
    for student in "abcdefghij":
        text = f"def double(x):\n    return {ord(student) % 3} * x  # {student}"
        hand_in(tiny, student, solved(released(tiny), double=text))
    serial = grade_class(tiny, NAME)
    undisturbed = recorded(tiny)
    killed = []

    def kill_one(done: int, *_: object) -> None:
        if done in (1, 4):  # the other one is in the middle of a submission

            def later() -> None:
                time.sleep(0.03)
                processes = [p for p in executor._pool._processes.values() if p.is_alive()]
                os.kill(processes[-1].pid, signal.SIGKILL)
                killed.append(student)

            threading.Thread(target=later).start()

    with Processes(2) as executor:
        results = grade_class(tiny, NAME, progress=kill_one, executor=executor)
    assert len(killed) == 2
    assert results == serial
    assert recorded(tiny) == undisturbed


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_submission_that_kills_its_grader_gets_a_zero_and_the_reason(tiny: Path) -> None:
    for student in ("ada", "bob", "eve", "fay"):
        hand_in(tiny, student, solved(released(tiny)))
    assert grade_class(tiny, NAME)["eve"].points == 10
    (tiny / "nbgrader_config.py").write_text(DEADLY)
    with Processes(2) as executor:
        results = grade_class(tiny, NAME, executor=executor)
    assert {s: r.points for s, r in results.items()} == {"ada": 10, "bob": 10, "eve": 0, "fay": 10}
    reason = "The grader failed on this submission. The process that graded it died each time."
    assert results["eve"].reason == reason
    with Gradebook(course_directory(tiny)[0].db_url) as book:
        assert book.find_submission(NAME, "eve").score == 0
    assert reason in feedback_pages(tiny, NAME, "eve")[0].read_text()
