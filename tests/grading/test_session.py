"""One session of the gradebook for a submission: the same rows, fewer openings and commits."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy
from nbgrader.api import Gradebook, MissingEntry
from tiny_course import NAME, hand_in, released, solved

from course.grading import autograde
from course.grading.gradebook import course_directory, grade_class, grade_one
from course.grading.session import one_gradebook, open_gradebook, recorded, together

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own


@pytest.fixture
def url(tmp_path: Path) -> str:
    autograde.install()
    return f"sqlite:///{tmp_path}/gradebook.db"


def students(url: str) -> list[str]:
    """What another program sees."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("select id from student order by id"))
        return [row.id for row in rows]


def test_in_a_block_everybody_gets_the_same_session_and_outside_their_own(url: str) -> None:
    with one_gradebook(url):
        first = open_gradebook(url)
        with first:
            pass
        with one_gradebook(url):
            assert open_gradebook(url) is first
        assert open_gradebook(url) is first
        assert open_gradebook(url.replace("book.db", "book2.db")) is not first
    with open_gradebook(url) as outside:
        assert outside is not first


def test_a_step_that_does_not_commit_leaves_nothing_to_the_next(url: str) -> None:
    with one_gradebook(url):
        with open_gradebook(url) as gradebook:
            gradebook.update_or_create_student("ada", first_name="Ada")
            gradebook.find_student("ada").first_name = "forgotten"
        with open_gradebook(url) as gradebook:
            assert gradebook.find_student("ada").first_name == "Ada"


def test_between_steps_another_program_can_write(url: str) -> None:
    with one_gradebook(url):
        with open_gradebook(url) as gradebook:
            gradebook.update_or_create_student("ada")
        with Gradebook(url) as other:
            other.update_or_create_student("bob")
        with open_gradebook(url) as gradebook:
            assert [s.id for s in gradebook.students] == ["ada", "bob"]


def test_commits_together_are_one_and_all_or_nothing(url: str) -> None:
    with one_gradebook(url), open_gradebook(url) as gradebook:
        with together(gradebook):
            gradebook.update_or_create_student("ada")
            with open_gradebook(url) as again:  # closing ends no transaction here
                again.update_or_create_student("bob")
            assert students(url) == []
        assert students(url) == ["ada", "bob"]
        with pytest.raises(MissingEntry), together(gradebook):
            gradebook.update_or_create_student("cid") and gradebook.find_student("nobody")
        assert students(url) == ["ada", "bob"]
        gradebook.update_or_create_student("dan")
        assert students(url) == ["ada", "bob", "dan"]


@pytest.mark.usefixtures("trusting")
def test_recorded_is_what_nbgrader_finds_cell_by_cell(tiny: Path) -> None:
    hand_in(tiny, "ada", solved(released(tiny), double="wrong"))
    hand_in(tiny, "bob", solved(released(tiny)))
    grade_class(tiny, NAME)
    coursedir, _ = course_directory(tiny)
    with open_gradebook(coursedir.db_url) as gradebook:
        for student in ("ada", "bob"):
            job = {"notebook": "tiny", "assignment": NAME, "student": student}
            grades, comments = recorded(gradebook, job)
            assert set(grades) == {"check-double", "check-mean_square", "why"}
            assert set(comments) == {"double", "mean_square", "why"}
            for name, grade in grades.items():
                assert grade is gradebook.find_grade(name, "tiny", NAME, student)
            for name, comment in comments.items():
                assert comment is gradebook.find_comment(name, "tiny", NAME, student)


@pytest.mark.usefixtures("trusting")
def test_a_submission_is_opened_once_and_waits_for_the_disk_twice(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", solved(released(tiny)))
    grade_class(tiny, NAME, ["ada"])
    opened: list[str] = []
    written: list[int] = []
    opening, commit = Gradebook.__init__, sqlalchemy.engine.default.DefaultDialect.do_commit

    def count_opening(self: Gradebook, url: str, *more: str) -> None:
        opened.append(url)
        opening(self, url, *more)

    def count_commit(self: sqlalchemy.engine.Dialect, connection: sqlalchemy.Connection) -> None:
        written.append(int(connection.in_transaction))  # type: ignore[call-overload]
        commit(self, connection)

    monkeypatch.setattr(Gradebook, "__init__", count_opening)
    monkeypatch.setattr(sqlalchemy.engine.default.DefaultDialect, "do_commit", count_commit)
    assert grade_one(str(tiny), NAME, "bob").points == 10
    assert len(opened) == 1
    assert sum(written) == 2  # zero first; then the grades
