"""Several submissions: the one the policy names counts, at the time this side saw it come in."""

from __future__ import annotations

import math
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from tiny_course import NAME, hand_in, released, solved
from traitlets.config import Config

from course.cli import main
from course.grading.attempts import MOST_FILES, attempts, read_times, receive
from course.grading.autograde import SandboxedAutograde, configure
from course.grading.fresh import fresh_result
from course.grading.gradebook import course_directory, grade_class
from course.grading.policy import LatePolicy, policy

pytestmark = [
    pytest.mark.usefixtures("trusting"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]
WRONG = "def mean_square(x): return 0"
DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)


def set_policy(root: Path, **rules: object) -> None:
    """Write the course's configuration with these rules."""
    arguments = ", ".join(f"{key}={value!r}" for key, value in rules.items())
    (root / "nbgrader_config.py").write_text(
        "from course.grading.autograde import configure\n"
        "from course.grading.policy import policy\n"
        f"c = get_config()\nconfigure(c)\npolicy(c, {arguments})\n"
    )


def set_due(root: Path, due: datetime) -> None:
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        book.find_assignment(NAME).duedate = due.replace(tzinfo=None)
        book.db.commit()


def submit(root: Path, student: str, at: datetime | None = None, **sources: str) -> None:
    """Hand in, and have it noted when it came in."""
    hand_in(root, student, solved(released(root), **sources))
    coursedir, _ = course_directory(root)
    receive(coursedir, NAME, student, at)


def final(root: Path, student: str) -> tuple[float, float]:
    """Points and penalty as the gradebook has them."""
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        submission = book.find_submission(NAME, student)
        return submission.score, submission.late_submission_penalty


@pytest.mark.parametrize(("keep", "counts"), [("best", 10), ("last", 4)])
def test_the_best_or_the_last_submission_counts_as_the_policy_says(
    tiny: Path, keep: str, counts: float
) -> None:
    set_policy(tiny, keep=keep)
    hand_in(tiny, "ada", solved(released(tiny)))
    assert grade_class(tiny, NAME)["ada"].points == 10
    hand_in(tiny, "ada", solved(released(tiny), mean_square=WRONG))
    result = grade_class(tiny, NAME)["ada"]
    assert result.points == counts
    assert final(tiny, "ada")[0] == counts
    page = (tiny / "feedback" / "ada" / NAME / "tiny.html").read_text()
    assert ("An earlier submission of yours" in page) == (keep == "best")
    assert fresh_result(tiny, NAME, "ada") == result  # regrading sees the same


def test_a_better_submission_replaces_the_kept_one(tiny: Path) -> None:
    set_policy(tiny, keep="best")
    hand_in(tiny, "ada", solved(released(tiny), mean_square=WRONG))
    grade_class(tiny, NAME)
    hand_in(tiny, "ada", solved(released(tiny)))
    result = grade_class(tiny, NAME)["ada"]
    assert (result.points, result.notes) == (10, ())


def test_a_damaged_resubmission_does_not_cost_the_good_one(tiny: Path) -> None:
    set_policy(tiny, keep="best")
    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    hand_in(tiny, "ada", "{broken")
    assert grade_class(tiny, NAME)["ada"].points == 10


def test_late_points_are_taken_off_by_the_time_on_our_side(tiny: Path) -> None:
    """Whatever the student's own timestamp.txt claims."""
    set_policy(tiny, percent_per_day=10, grace_minutes=15)
    late_by = {"ada": timedelta(), "ben": timedelta(minutes=15), "cid": timedelta(hours=1),
                  "dan": timedelta(days=2, hours=1)}  # fmt: skip
    for student, late in late_by.items():
        submit(tiny, student, DUE + late)
        folder = tiny / "submitted" / student / NAME
        (folder / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    set_due(tiny, DUE)
    grade_class(tiny, NAME)
    assert {s: final(tiny, s) for s in late_by} == {
        "ada": (10, 0), "ben": (10, 0), "cid": (10, 1), "dan": (10, 3),
    }  # fmt: skip


def test_an_early_submission_beats_a_late_one_that_the_penalty_makes_worse(tiny: Path) -> None:
    set_policy(tiny, keep="best", percent_per_day=50)
    submit(tiny, "ada", DUE - timedelta(hours=1), double="def double(x): return 0")
    submit(tiny, "ada", DUE + timedelta(hours=30))
    submit(tiny, "ben", DUE - timedelta(hours=1), mean_square=WRONG)
    submit(tiny, "ben", DUE + timedelta(hours=1))
    set_due(tiny, DUE)
    grade_class(tiny, NAME)
    assert final(tiny, "ada") == (6, 0)  # 10 - 100 % < 6
    assert final(tiny, "ben") == (10, 5)  # 10 - 50 % > 4
    coursedir, _ = course_directory(tiny)
    with Gradebook(coursedir.db_url) as book:
        noted = book.find_submission(NAME, "ada").timestamp
    assert noted == (DUE - timedelta(hours=1)).replace(tzinfo=None)


def test_a_student_cannot_set_back_the_time_of_a_file(tiny: Path) -> None:
    path = hand_in(tiny, "ada", solved(released(tiny)))
    os.utime(path, (0, 0))
    coursedir, _ = course_directory(tiny)
    attempt = receive(coursedir, NAME, "ada")
    assert attempt is not None
    assert abs(datetime.now(UTC) - attempt.received) < timedelta(minutes=1)


def test_the_same_content_again_keeps_its_first_time_and_is_stored_once(tiny: Path) -> None:
    first = DUE - timedelta(days=1)
    submit(tiny, "ada", first)
    submit(tiny, "ada")
    submit(tiny, "ada", mean_square=WRONG)
    submit(tiny, "ada")
    found = attempts(tiny, NAME, "ada")
    assert found[0].received == first
    assert len(found) == 2


def test_decoys_hide_no_late_change(tiny: Path) -> None:
    for number in range(MOST_FILES + 1):
        hand_in(tiny, "eve", "{}", file=f"a{number:02}.ipynb")
    submit(tiny, "eve", DUE - timedelta(hours=1), mean_square=WRONG)
    submit(tiny, "eve", DUE + timedelta(hours=1))
    first, second = attempts(tiny, NAME, "eve")
    assert (first.received, second.received) == (DUE - timedelta(hours=1), DUE + timedelta(hours=1))
    assert len(list(second.folder.iterdir())) == MOST_FILES


def test_times_of_the_platform_are_read_and_replace_ours(tiny: Path, tmp_path: Path) -> None:
    table = tmp_path / "times.csv"
    table.write_text("student,time\nada,2026-11-20T13:00:00+01:00\n")
    times = read_times(table)
    assert times == {"ada": DUE}
    submit(tiny, "ada")
    submit(tiny, "ada", times["ada"])
    assert [a.received for a in attempts(tiny, NAME, "ada")] == [DUE]
    table.write_text("ada,yesterday\n")
    with pytest.raises(ValueError, match=r"line 1: expected student,time"):
        read_times(table)


def test_receive_says_what_was_noted_and_who_is_unknown(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_policy(tiny)
    monkeypatch.chdir(tiny)
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", "", file="notes.txt")
    table = tmp_path / "times.csv"
    table.write_text("student,time\nada,2026-11-20T13:00:00+01:00\nzoe,2026-11-20T13:00\n")
    done = CliRunner().invoke(main, ["receive", NAME, "--times", str(table)])
    assert done.exit_code == 0, done.output
    assert "1 submissions of 00-tiny noted; the last came in 2026-11-20 12:00 UTC" in done.output
    assert "No submission of zoe, named in" in done.output
    table.write_text("ada\n")
    failed = CliRunner().invoke(main, ["receive", NAME, "--times", str(table)])
    assert failed.exit_code == 2
    assert "line 1: expected student,time" in failed.output


def test_processes_that_grade_side_by_side_lose_no_attempt(tiny: Path) -> None:
    set_policy(tiny, keep="best")
    students = [f"s{number}" for number in range(6)]
    for sources in ({}, {"mean_square": WRONG}):
        for student in students:
            hand_in(tiny, student, solved(released(tiny), **sources))
        context = multiprocessing.get_context("fork")  # the stand-in for the grader goes along
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            results = grade_class(tiny, NAME, executor=executor)
    assert {student: result.points for student, result in results.items()} == dict.fromkeys(
        students, 10.0
    )
    assert all(len(attempts(tiny, NAME, student)) == 2 for student in students)


def shown(root: Path) -> dict[str, tuple[str, float]]:
    """What the formgrader's list shows: whether a submission waits to be graded, and its points."""
    coursedir, config = course_directory(root)
    listed = NbGraderAPI(coursedir, config=config).get_submissions(NAME)
    return {s["student"]: (s["autograded"], s["score"]) for s in listed}


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_formgrader_tells_what_is_graded_from_what_came_in_since(tiny: Path, keep: str) -> None:
    set_policy(tiny, keep=keep)
    submit(tiny, "ada")
    hand_in(tiny, "bob", "broken")
    hand_in(tiny, "cid", "", file="notes.txt")
    grade_class(tiny, NAME)
    assert shown(tiny) == {"ada": (True, 10), "bob": (True, 0), "cid": (True, 0)}
    submit(tiny, "ada", mean_square=WRONG)
    assert shown(tiny)["ada"][0] is False
    grade_class(tiny, NAME, ["ada"])
    assert shown(tiny)["ada"] == (True, 10 if keep == "best" else 4)


def test_nbgrader_autograde_grades_again_what_came_in_since(tiny: Path) -> None:
    set_policy(tiny)
    submit(tiny, "ada", DUE, mean_square=WRONG)
    grade_class(tiny, NAME)
    submit(tiny, "ada", DUE + timedelta(hours=1))
    coursedir, config = course_directory(tiny)
    coursedir.assignment_id = NAME
    SandboxedAutograde(coursedir=coursedir, config=config, log=coursedir.log).start()
    assert final(tiny, "ada")[0] == 10


@given(
    st.floats(0, 100), st.floats(0, 1e7), st.floats(0, 100), st.floats(0, 100), st.floats(0, 600)
)
def test_a_penalty_never_exceeds_the_points_or_the_limit_and_grows_with_time(
    score: float, seconds: float, daily: float, most: float, grace: float
) -> None:
    late = LatePolicy(percent_per_day=daily, at_most=most, grace_minutes=grace)
    taken = late.late_submission_penalty("ada", score, seconds) or 0.0
    assert math.isfinite(taken)
    assert 0 <= taken <= score * most / 100 + 1e-9
    assert taken <= (late.late_submission_penalty("ada", score, seconds + 3600) or 0.0) + 1e-9


def test_a_policy_that_means_nothing_is_refused() -> None:
    c = Config()
    with pytest.raises(ValueError, match="call configure"):
        policy(c)
    configure(c)
    with pytest.raises(ValueError, match="'last' or 'best'"):
        policy(c, keep="first")
    with pytest.raises(ValueError, match=r"0\.\.100"):
        policy(c, percent_per_day=120)
