"""After grading, the instructor sees what to teach again: shares, counts, misconceptions, a picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from nbgrader.api import Gradebook
from PIL import Image
from rich.console import Console
from tiny_course import NAME, hand_in, released, solved

from course.grading import gradebook
from course.grading.report import (
    LINES,
    class_progress,
    counts_line,
    exercise_table,
    grade_and_report,
    stepping,
)
from course.grading.results import Outcome, Result
from course.grading.summary import LOOKS, plot, summarise


def outcome(exercise: str, status: str, misconception: str | None = None) -> Outcome:
    points = {"correct": 4.0, "partly": 2.0}.get(status, 0.0)
    return Outcome(exercise, points, 4.0, status, "why", misconception)


def result(*statuses: str, misconception: str | None = None) -> Result:
    made = [outcome(f"task{i}", s, misconception) for i, s in enumerate(statuses)]
    return Result({o.exercise: o for o in made})


CLASS = [
    result("correct", "correct"),
    result("correct", "wrong", misconception="sum, not mean"),
    result("not done", "not done"),
    Result({"task0": outcome("task0", "not done")}, reason="damaged"),
]


def text_of(table: object) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(table)
    return console.file.getvalue()


def test_a_submission_that_could_not_be_read_is_no_untried_exercise() -> None:
    summary = summarise(CLASS)
    assert summary.submissions == {
        "all right": 1, "some points": 1, "no points": 1, "not graded": 1,
    }  # fmt: skip
    assert summary.exercises["task0"].passed == pytest.approx(2 / 3)
    assert summary.exercises["task1"].statuses == {"correct": 1, "wrong": 1, "not done": 1}


def test_a_misconception_that_spreads_is_one_submission() -> None:
    spread = result("wrong", "partly", misconception="db averaged")
    assert summarise([spread]).misconceptions == [("db averaged", "task0, task1", 1)]


def test_misconceptions_come_with_their_exercise_the_commonest_first() -> None:
    results = [
        *(result("wrong", misconception="b"),) * 2,
        *(result("wrong", misconception="a"),) * 3,
    ]
    assert summarise(results).misconceptions == [("a", "task0", 3), ("b", "task0", 2)]


@given(st.lists(st.lists(st.sampled_from(list(LOOKS)), min_size=2, max_size=2), max_size=20))
def test_every_graded_outcome_is_counted_once(statuses: list[list[str]]) -> None:
    summary = summarise(result(*each) for each in statuses)
    assert summary.submissions.total() == len(statuses)
    assert sum(e.graded for e in summary.exercises.values()) == 2 * len(statuses)
    for place, exercise in enumerate(summary.exercises.values()):
        right = [each[place] == "correct" for each in statuses]
        assert exercise.passed == pytest.approx(np.mean(right))


def test_the_table_and_the_line_say_the_shares_and_counts() -> None:
    shown = text_of(exercise_table(CLASS))
    assert "67%" in shown
    assert "1 × sum, not mean" in shown
    assert counts_line(CLASS) == (
        "4 submissions: 1 all right, 1 some points, 1 no points, 1 not graded;"
        " 50 % of the points on average"
    )


def test_the_progress_bar_counts_outcomes_as_they_come() -> None:
    bar = class_progress(Console(file=io.StringIO()))
    step = stepping(bar, NAME)
    for done, one in enumerate([*CLASS, CLASS[0]], 1):
        step(done, 5, "ada", one)
    task = bar.tasks[0]
    assert (task.completed, task.total) == (5, 5)
    assert task.description == (f"{NAME}: 2 all right, 1 some points, 1 no points, 1 not graded")


def test_the_picture_shows_each_status_in_its_colour(tmp_path: Path) -> None:
    path = plot(summarise([result(*LOOKS)] * 3), "a class", tmp_path / "new" / "summary.png")
    pixels = (imread(path)[..., :3] * 255).round().astype(int).reshape(-1, 3)
    for _, colour, _ in LOOKS.values():
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == wanted).all(axis=1).sum() > 500, colour
    assert {p.name for p in path.parent.iterdir()} == {"summary.png", "summary.txt"}


def test_the_picture_is_described_in_words_inside_and_beside_it(tmp_path: Path) -> None:
    path = plot(summarise(CLASS), "09", tmp_path / "09-summary.png")
    words = (tmp_path / "09-summary.txt").read_text(encoding="utf-8")
    assert "09: 3 submissions graded, 50 % of the points on average." in words
    assert "- task0: 67%; 1 not done" in words
    assert "- 1 × sum, not mean (task0, task1)" in words
    assert Image.open(path).info["Description"] == words


def test_nothing_graded_gives_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing was graded"):
        plot(summarise([Result(reason="damaged")]), "a class", tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("trusting")
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
def test_grading_prints_the_class_and_leaves_the_picture_beside_the_feedback(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", "broken")
    console = Console(file=io.StringIO(), width=120)
    grade_and_report(console, tiny, NAME)
    printed = console.file.getvalue()
    assert "10 / 10" in printed
    assert "late" not in printed
    assert "2 submissions: 1 all right, 1 not graded; 100 % of the points" in printed
    assert str(tiny / "feedback" / f"{NAME}-summary.png") in printed
    assert (tiny / "feedback" / f"{NAME}-summary.png").read_bytes().startswith(b"\x89PNG")

    with Gradebook(f"sqlite:///{tiny / 'gradebook.db'}") as book:
        book.find_submission_notebook("tiny", NAME, "ada").late_submission_penalty = 2.5
        book.db.commit()
    monkeypatch.setattr(gradebook, "grade_class", lambda *_, **__: {"ada": CLASS[0]})
    console = Console(file=io.StringIO(), width=120)
    grade_and_report(console, tiny, NAME)
    assert "− 2.5 late" in console.file.getvalue()
    assert "1 of them late" in console.file.getvalue()

    many = {f"s{i:03}": result("correct") for i in range(LINES + 1)} | {"zoe": CLASS[-1]}
    monkeypatch.setattr(gradebook, "grade_class", lambda *_, **__: many)
    console = Console(file=io.StringIO(), width=120)
    grade_and_report(console, tiny, NAME)
    printed = console.file.getvalue()
    assert "s000" not in printed  # a long list helps nobody; who could not be graded does
    assert "damaged" in printed
    assert f"course export {NAME}" in printed
