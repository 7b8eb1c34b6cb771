"""nbgrader's own ways of grading give our results, and nothing a student hands in stops the class."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_course
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from tiny_course import NAME, hand_in, released, solved

from course.grading import autograde, gradebook
from course.grading.gradebook import GradingRefused, course_directory, grade_class
from course.grading.results import Outcome, Result

pytestmark = [
    pytest.mark.usefixtures("trusting"),
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),  # of nbgrader's own queries
]


def scores(root: Path) -> dict[str, float]:
    """What the gradebook says about each student."""
    coursedir, _ = course_directory(root)
    with Gradebook(coursedir.db_url) as book:
        return {s.student.id: s.score for s in book.assignment_submissions(NAME)}


def feedback(root: Path, student: str) -> str:
    return (root / "feedback" / student / NAME / "tiny.html").read_text(encoding="utf-8")


def broken_files(root: Path) -> dict[str, str]:
    """Submissions that cannot be graded, with a word of the reason each must be given."""
    good = json.dumps(solved(released(root)))
    hand_in(root, "malformed", good[:-30])
    hand_in(root, "empty", "")
    hand_in(root, "binary", bytes(range(256)))
    hand_in(root, "huge", b" " * 10_000_001)
    hand_in(root, "picture", b"\x89PNG\r\n", file="photo.png")
    solution = root / "solutions" / NAME / "tiny.ipynb"
    link = hand_in(root, "linked", "")
    link.unlink()
    link.symlink_to(solution)
    pipe = hand_in(root, "piped", "")
    pipe.unlink()
    os.mkfifo(pipe)
    (root / "submitted" / "borrowed").mkdir()
    (root / "submitted" / "borrowed" / NAME).symlink_to(root / "submitted" / "zoe" / NAME)
    return {
        "malformed": "damaged", "empty": "damaged", "binary": "damaged", "huge": "larger than",
        "picture": "no file tiny.ipynb", "linked": "is a link", "piped": "not a regular file",
        "borrowed": "link to another folder",
    }  # fmt: skip


def test_broken_submissions_get_zero_and_a_reason_and_the_class_goes_on(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "zoe", solved(released(tiny)))
    broken = broken_files(tiny)
    results = grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 10, "zoe": 10, **dict.fromkeys(broken, 0.0)}
    for student, word in broken.items():
        assert word in (results[student].reason or "")
        assert word in feedback(tiny, student)
        assert results[student].max_points == 10


def test_no_file_behind_a_link_reaches_the_graded_copy_or_the_feedback(tiny: Path) -> None:
    secret = tiny / "secret.txt"
    secret.write_text("another student's work")
    folder = hand_in(tiny, "eve", solved(released(tiny))).parent
    (folder / "data.txt").symlink_to(secret)
    (folder / "more").symlink_to(tiny / "solutions")
    os.mkfifo(folder / "pipe")
    (folder / "own.txt").write_text("mine")
    grade_class(tiny, NAME)
    for step in ("autograded", "feedback"):
        found = {p.name for p in (tiny / step / "eve" / NAME).rglob("*")}
        assert found <= {"own.txt", "tiny.ipynb", "tiny.html"}
    assert (tiny / "autograded" / "eve" / NAME / "own.txt").read_text() == "mine"


def test_the_instructors_files_do_not_reach_the_feedback(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    for step in ("assignments", "autograded", "feedback"):
        assert not list((tiny / step).rglob("misconceptions.py"))
    assert not list((tiny / "feedback").rglob("*.py"))


@pytest.mark.parametrize("text", ["yesterday", "", "9" * 2000, "\x00", "2026-13-45 99:00:00 UTC"])
def test_a_bad_time_stamp_costs_nothing(tiny: Path, text: str) -> None:
    folder = hand_in(tiny, "ada", solved(released(tiny))).parent
    (folder / "timestamp.txt").write_text(text)
    assert grade_class(tiny, NAME)["ada"].points == 10
    coursedir, _ = course_directory(tiny)
    assert coursedir.get_existing_timestamp(str(folder)) is None


def test_a_good_time_stamp_is_recorded(tiny: Path) -> None:
    folder = hand_in(tiny, "ada", solved(released(tiny))).parent
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC\n")
    grade_class(tiny, NAME)
    coursedir, _ = course_directory(tiny)
    with Gradebook(coursedir.db_url) as book:
        assert book.find_submission(NAME, "ada").timestamp.isoformat() == "2026-03-01T12:00:00"


def test_no_old_points_survive_a_worse_submission(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    emptied = solved(released(tiny))
    emptied["cells"] = emptied["cells"][:1]
    hand_in(tiny, "ada", emptied)
    grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 0}
    hand_in(tiny, "ada", "broken")
    grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 0}


def test_points_given_by_hand_stay_when_a_submission_is_graded_again(tiny: Path) -> None:
    notebook = solved(released(tiny))
    notebook["cells"][-1]["source"] = "Because."
    hand_in(tiny, "ada", notebook)
    grade_class(tiny, NAME)
    coursedir, _ = course_directory(tiny)
    with Gradebook(coursedir.db_url) as book:
        why = book.find_grade("why", "tiny", NAME, "ada")
        assert why.needs_manual_grade
        why.manual_score = 1.5
        book.db.commit()
    grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 11.5}
    assert "11.5 / 12 points" in feedback(tiny, "ada")


@pytest.mark.parametrize("claimed", [float("nan"), float("inf"), -5.0, 1e9])
def test_recorded_points_are_finite_and_within_what_the_cell_is_worth(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, claimed: float
) -> None:
    class Mad:
        def grade(self, cells: Any) -> Result:
            return Result({"double": Outcome("double", claimed, 4.0, "correct", "!")})

    monkeypatch.setattr(autograde, "grader_for", lambda *_: Mad())
    hand_in(tiny, "ada", released(tiny))
    grade_class(tiny, NAME)
    assert scores(tiny)["ada"] in (0.0, 4.0)
    assert (scores(tiny)["ada"] == 4.0) == (claimed == 1e9)


@pytest.mark.parametrize("printed", ["NaN", "-3", "1e9", "full marks", "4"])
def test_a_number_in_a_students_output_is_worth_nothing(tiny: Path, printed: str) -> None:
    notebook = released(tiny)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = printed
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": printed},
                 "metadata": {}, "execution_count": 1},
            ]  # fmt: skip
    hand_in(tiny, "eve", notebook)
    assert grade_class(tiny, NAME)["eve"].points == 0
    assert scores(tiny) == {"eve": 0}


def test_a_failure_of_the_grader_is_said_and_other_students_are_graded(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Faulty(tiny_course.TrustingGrader):
        def grade(self, cells: Any) -> Result:
            if any("fault" in cell.source for cell in cells):
                raise RuntimeError("no space left")
            return super().grade(cells)

    monkeypatch.setattr(autograde, "grader_for", lambda *_: Faulty())
    hand_in(tiny, "ada", solved(released(tiny), double="fault"))
    hand_in(tiny, "zoe", solved(released(tiny)))
    results = grade_class(tiny, NAME)
    assert results["ada"].reason == (
        "The grader failed on this submission. RuntimeError: no space left"
    )
    assert scores(tiny) == {"ada": 0, "zoe": 10}


def test_where_the_grader_fails_no_page_of_an_earlier_time_stays(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a fault of ours")

    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    assert "10 / 12 points" in feedback(tiny, "ada")
    with monkeypatch.context() as patched:
        patched.setattr(tiny_course.TrustingGrader, "grade", fail)
        grade_class(tiny, NAME)
    assert "The grader failed on this submission. RuntimeError: a fault of ours" in feedback(
        tiny, "ada"
    )
    assert scores(tiny) == {"ada": 0}
    grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 10}
    monkeypatch.setattr("course.grading.feedback.FeedbackPage.preprocess", fail)
    assert "a fault of ours" in (grade_class(tiny, NAME)["ada"].reason or "")
    assert not gradebook.feedback_pages(tiny, NAME, "ada")
    assert scores(tiny) == {"ada": 0}


def test_a_notebook_under_another_name_is_taken_with_a_note(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)), file="tiny (1).ipynb")
    result = grade_class(tiny, NAME)["ada"]
    assert result.points == 10
    assert "should be called tiny.ipynb" in result.notes[0]


def test_names_of_students_are_not_patterns(tiny: Path) -> None:
    for student in ("a*", "ab", "[x]"):
        hand_in(tiny, student, solved(released(tiny)))
    assert list(grade_class(tiny, NAME, ["a*"])) == ["a*"]
    assert scores(tiny) == {"a*": 10}


def test_progress_counts_every_submission(tiny: Path) -> None:
    for student in ("ada", "bob"):
        hand_in(tiny, student, solved(released(tiny)))
    seen: list[tuple[int, int, str, float]] = []
    grade_class(
        tiny, NAME, progress=lambda n, of, who, result: seen.append((n, of, who, result.points))
    )
    assert seen == [(1, 2, "ada", 10), (2, 2, "bob", 10)]


def test_nothing_is_graded_without_a_sandbox(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("No sandbox was found.\n Install bubblewrap: apt install bubblewrap")

    monkeypatch.setattr(gradebook, "grader_for", refuse)
    monkeypatch.setattr(autograde, "grader_for", refuse)
    hand_in(tiny, "ada", solved(released(tiny)))
    with pytest.raises(GradingRefused, match="Install bubblewrap"):
        grade_class(tiny, NAME)
    log = api(tiny).autograde(NAME, "ada")
    assert not log["success"]
    assert "Nothing was graded. No sandbox was found. Install bubblewrap" in log["log"]
    assert scores(tiny) == {}


@pytest.mark.parametrize(
    ("name", "students", "said"),
    [
        ("99-none", None, "There is no submission of 99-none"),
        (NAME, ["nobody"], "no submission of 00-tiny by nobody"),
    ],
)
def test_what_is_not_there_is_refused_in_a_sentence(
    tiny: Path, name: str, students: list[str] | None, said: str
) -> None:
    with pytest.raises(GradingRefused, match=said):
        grade_class(tiny, name, students)


def test_an_assignment_that_was_not_released_is_refused(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    shutil.rmtree(tiny / "assignments")
    with pytest.raises(GradingRefused, match=f"course release {NAME}"):
        grade_class(tiny, NAME)


def test_a_fresh_clone_has_no_gradebook_and_can_grade(tiny: Path) -> None:
    (tiny / "gradebook.db").unlink()
    hand_in(tiny, "ada", solved(released(tiny)))
    grade_class(tiny, NAME)
    assert scores(tiny) == {"ada": 10}


def api(root: Path) -> NbGraderAPI:
    """What the formgrader talks to."""
    coursedir, config = course_directory(root)
    return NbGraderAPI(coursedir, config=config)


def test_the_call_behind_the_formgraders_button_grades_safely(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", "broken")
    folder = hand_in(tiny, "cid", released(tiny)).parent
    (folder / "timestamp.txt").write_text("never")
    made = api(tiny)
    for student in ("ada", "bob", "cid"):
        log = made.autograde(NAME, student)
        assert log["success"], log
    assert scores(tiny) == {"ada": 10, "bob": 0, "cid": 0}
    shown = {s["student"]: s["score"] for s in made.get_submissions(NAME)}
    assert shown == {"ada": 10, "bob": 0, "cid": 0}
    assert made.generate_feedback(NAME, "bob")["success"]
    assert "damaged" in feedback(tiny, "bob")


def test_three_lines_in_nbgrader_config_are_enough_for_the_seam(tiny: Path) -> None:
    """Another course, whose configuration is the three lines."""
    (tiny / "nbgrader_config.py").write_text(
        "from course.grading.autograde import configure\nc = get_config()\nconfigure(c)\n"
    )
    code = (
        "from nbgrader.apps import NbGraderApp, api, autogradeapp; import sys;"
        "app = NbGraderApp(); app.initialize([]);"
        "print(autogradeapp.Autograde.__name__, api.Autograde.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["SandboxedAutograde", "SandboxedAutograde"]


def test_exported_cells_are_no_formulas(tiny: Path) -> None:
    for student in ("=cmd|' /C calc'!A0", "@SUM(A1)", "ada, b"):
        hand_in(tiny, student, solved(released(tiny)))
    (tiny / "nbgrader_config.py").write_text(
        "from course.grading.autograde import configure\nc = get_config()\nconfigure(c)\n"
    )
    for student in ("@SUM(A1)", "ada, b"):
        grade_class(tiny, NAME, [student])
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "export"], cwd=tiny, check=True, capture_output=True
    )
    lines = (tiny / "grades.csv").read_text().splitlines()
    assert lines[0].startswith("assignment,duedate,timestamp,student_id,")
    assert lines[1].startswith("00-tiny,,,'@SUM(A1),")
    assert lines[2].startswith('00-tiny,,,"ada, b",')
    assert lines[1].endswith("10.0,0.0,10.0,12.0")
