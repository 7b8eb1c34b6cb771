"""What `course export` writes is what the office's programs read, and nothing in it is a formula."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from tiny_course import NAME, hand_in, released, solved

from course import cli
from course.grading.export import FORMATS, export, plain_cell, table
from course.grading.gradebook import course_directory, grade_class
from course.grading.machine_formats import Report, Suite, github_annotations, junit_xml
from course.grading.results import Outcome

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


def book_of(root: Path) -> Gradebook:
    coursedir, _ = course_directory(root)
    return Gradebook(coursedir.db_url)


@pytest.fixture
def graded(tiny: Path, trusting: None) -> Path:
    """Ada: all right, 1.5 of 2 by hand. Bob: half right, late. =Eve: a broken file. Dan: nothing."""
    (tiny / "nbgrader_config.py").touch()
    (tiny / "nbgrader_config.py").write_text(
        "from course.grading.autograde import configure\nc = get_config()\nconfigure(c)\n"
    )
    hand_in(tiny, "ada", solved(released(tiny)))
    hand_in(tiny, "bob", solved(released(tiny), mean_square="def mean_square(x): return 0"))
    hand_in(tiny, "=eve", "no notebook")
    grade_class(tiny, NAME)
    with book_of(tiny) as book:
        ada = book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
        ada.email, ada.lms_user_id = "ada@example.org", "4711"
        book.update_or_create_student("dan")
        grade = book.find_grade("why", "tiny", NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.find_submission_notebook("tiny", NAME, "bob").late_submission_penalty = 1.0
        book.find_submission(NAME, "bob").timestamp = datetime(2026, 11, 2, 8, 0)
        book.db.commit()
    return tiny


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def test_nbgrader_table_has_nbgraders_columns_and_sums(graded: Path, tmp_path: Path) -> None:
    """The same columns and values as `nbgrader export` writes with nbgrader's own plugin."""
    from nbgrader.plugins import CsvExportPlugin

    export(graded, NAME, "nbgrader", tmp_path / "ours.csv")
    stock = CsvExportPlugin()
    stock.to = str(tmp_path / "stock.csv")
    with book_of(graded) as book:
        stock.export(book)
    ours, theirs = rows(tmp_path / "ours.csv"), rows(tmp_path / "stock.csv")
    assert ours[0] == theirs[0]

    def comparable(row: list[str]) -> list[Any]:
        *texts, raw, penalty, score, most = row
        return [
            *texts[:3],
            texts[3].removeprefix("'"),
            *texts[4:],
            *map(float, (raw, penalty, score, most)),
        ]

    assert sorted(map(comparable, ours[1:])) == sorted(map(comparable, theirs[1:]))


def test_canvas_table_is_what_the_importer_of_canvas_reads(graded: Path, tmp_path: Path) -> None:
    """Guide and importer (see `export.py`): five columns in this order, then assignments; the row of
    possible points; people by ID, SIS User ID or SIS Login ID, never by an empty one of each."""
    export(graded, NAME, "canvas", tmp_path / "grades.csv", title="Tiny (4711)")
    text = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    header, possible, *students = rows(tmp_path / "grades.csv")
    assert header[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert header[5:] == ["Tiny (4711)"]  # the number says to which assignment the grades go
    assert "Points Possible" in possible[0]
    assert possible[1:] == ["", "", "", "", "12"]
    assert students == [  # Dan handed nothing in: an empty cell would empty what is there
        ["'=eve", "", "", "'=eve", "", "0"],
        ["Lovelace, Ada", "4711", "", "ada", "", "11.5"],
        ["bob", "", "", "bob", "", "3"],
    ]
    # It guesses comma or semicolon from the first three lines, cut at line breaks.
    counts = {len(next(csv.reader([line]))) for line in text.splitlines()[:3]}
    assert counts == {6}


def test_a_title_that_canvas_takes_for_its_own_column_is_refused(
    graded: Path, tmp_path: Path
) -> None:
    for title in ("Final Score", "Lab: Current Grade", "Override Status (12)"):
        with pytest.raises(ValueError, match="Canvas ignores"):
            export(graded, NAME, "canvas", tmp_path / "grades.csv", title=title)
    assert not (tmp_path / "grades.csv").exists()
    with pytest.raises(ValueError, match="for Canvas and Moodle"):
        export(graded, NAME, "junit", tmp_path / "grades.xml", title="Lab")


def test_moodle_table_is_what_the_importer_of_moodle_reads(graded: Path, tmp_path: Path) -> None:
    """Documentation and importer (see `export.py`): every row has as many cells as the header, none
    that identifies is empty, grades are numbers, and the feedback (HTML there) comes with them."""
    export(graded, NAME, "moodle", tmp_path / "grades.csv", title="Tiny")
    header, *students = rows(tmp_path / "grades.csv")
    grade, feedback = "Assignment: Tiny (Real)", "Assignment: Tiny (Feedback)"
    assert header == ["First name", "Last name", "ID number", grade, feedback]
    assert {len(row) for row in students} == {len(header)}
    found = {row[2]: dict(zip(header, row, strict=True)) for row in students}
    assert set(found) == {"ada", "bob", "'=eve"}  # not Dan, and no addresses: Bob has none
    assert {name: float(row[grade]) for name, row in found.items()} == {
        "ada": 11.5, "bob": 3.0, "'=eve": 0.0,
    }  # fmt: skip
    assert found["ada"]["Last name"] == "Lovelace"
    assert "mean_square: 0 of 6. Not &lt;b&gt;right&lt;/b&gt;." in found["bob"][feedback]
    assert "Handed in late: 1 points taken off." in found["bob"][feedback]
    assert "damaged" in found["'=eve"][feedback]


def test_moodle_gets_addresses_when_everybody_has_one(graded: Path, tmp_path: Path) -> None:
    with book_of(graded) as book:
        for student in book.students:
            student.email = f"{student.id.strip('=')}@example.org"
        book.db.commit()
    export(graded, NAME, "moodle", tmp_path / "grades.csv")
    header, *students = rows(tmp_path / "grades.csv")
    place = header.index("Email address")
    assert {row[place] for row in students} == {f"{n}@example.org" for n in ("ada", "bob", "eve")}


def check_gradescope(results: dict[str, Any]) -> None:
    """Gradescope's "Autograder Specifications", section "Output format", for the fields we write:
    a score at the top counts instead of the sum of the tests; times in whole seconds; visibility and
    formats from fixed lists; each test has its score, maximum, status and output."""
    visibilities = {"hidden", "after_due_date", "after_published", "visible"}
    formats = {"text", "html", "simple_format", "md", "ansi"}
    known = {
        "score", "execution_time", "output", "output_format", "test_output_format",
        "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests", "leaderboard",
    }  # fmt: skip
    assert set(results) <= known
    assert isinstance(results["score"], int | float)
    assert isinstance(results.get("execution_time", 0), int)
    assert {results["visibility"], results["stdout_visibility"]} <= visibilities
    for key in ("output_format", "test_output_format", "test_name_format"):
        assert results[key] in formats
    for test in results["tests"]:
        assert set(test) == {"name", "score", "max_score", "status", "output", "visibility"}
        assert test["status"] in {"passed", "failed"}
        assert test["visibility"] in visibilities
        assert 0 <= test["score"] <= test["max_score"]


def test_gradescope_results_follow_the_specification(graded: Path, tmp_path: Path) -> None:
    export(graded, NAME, "gradescope", tmp_path / "out")
    found = {
        path.parent.name: json.loads(path.read_text())
        for path in (tmp_path / "out").glob("*/results.json")
    }
    assert {student: results["score"] for student, results in found.items()} == {
        "ada": 11.5, "bob": 3, "=eve": 0,
    }  # fmt: skip
    for results in found.values():
        check_gradescope(results)
        assert [test["name"] for test in results["tests"]] == ["double", "mean_square", "why"]
        assert results["stdout_visibility"] == "hidden"
    assert "damaged" in found["=eve"]["output"]


# Jenkins' schema `junit-10.xsd`, the strictest that is in wide use: what an element may hold, the
# attributes that it must have, and those that it may have (of those that we could want).
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"skipped", "time", "timestamp", "hostname", "id", "package", "file", "url", "group"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
}


def check_junit(text: str) -> ET.Element:
    """Valid by Jenkins' schema, with the counts that the common format explains."""
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        children, needed, optional = SCHEMA[element.tag]
        assert {child.tag for child in element} <= children
        assert needed <= set(element.attrib) <= needed | optional
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", -1)) == len(cases)
        for case in cases:
            assert case.get("name")
            assert case.get("classname")
            assert len(case) <= 1
        for count, tag in kinds.items():
            assert int(suite.get(count, -1)) == len(suite.findall(f"testcase/{tag}"))
    for count in ("tests", "failures", "errors"):
        assert int(root.get(count, -1)) == sum(int(suite.get(count, 0)) for suite in root)
    return root


def test_junit_counts_what_passed_failed_and_could_not_be_graded(
    graded: Path, tmp_path: Path
) -> None:
    export(graded, NAME, "junit", tmp_path / "grades.xml")
    root = check_junit((tmp_path / "grades.xml").read_text(encoding="utf-8"))
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"ada", "bob", "=eve"}
    failed = suites["bob"].find("testcase[@name='mean_square']/failure")
    assert failed is not None
    assert failed.get("message") == "0 of 6 points: Not <b>right</b>."
    assert "damaged" in (suites["=eve"].findtext("testcase/error") or "")
    points = suites["ada"].find("properties/property[@name='points']")
    assert points is not None
    assert points.get("value") == "11.5"


@given(st.text())
def test_no_text_breaks_out_of_junit_or_an_annotation(text: str) -> None:
    outcome = Outcome("double", 0.0, 4.0, "wrong", text)
    report = Report("a", [outcome], 0.0, reason=None, notes=(text,))
    check_junit(junit_xml(text, [Suite(text or "x", report)]) if text else junit_xml("a", []))
    for line in github_annotations(report, text):
        assert not set(line) & {"\n", "\r"}
        assert line.startswith(("::error ", "::notice "))


@given(st.text(alphabet="=+-@\t\r\n ,\"'a1;", max_size=8))
def test_no_cell_of_a_table_is_a_formula_and_texts_survive(text: str) -> None:
    (read,) = csv.reader(io.StringIO(table([[text, 1.5, -2]]), newline=""), strict=True)
    assert not read[0].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not read[0].strip().startswith(("=", "+", "-", "@"))
    assert read[0].removeprefix("'") == text.removeprefix("'")
    assert read[1:] == ["1.5", "-2"]


@pytest.mark.parametrize("text", ["＝1+1", "\t=1", "\r\n=1", "@SUM(A1)", "-1+cmd|'/C calc'!A0"])
def test_known_tricks_of_formulas_become_text(text: str) -> None:
    assert plain_cell(text) == "'" + text


def test_the_command_says_what_it_wrote_and_what_still_waits(
    graded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(graded)
    with book_of(graded) as book:
        grade = book.find_grade("why", "tiny", NAME, "bob")
        grade.auto_score, grade.needs_manual_grade = None, True
        book.db.commit()
    done = CliRunner().invoke(cli.main, ["export", NAME, "--format", "canvas"])
    assert done.exit_code == 0, done.output
    assert f"{NAME}-canvas.csv: 3 of 4 students handed in" in done.output
    assert "1 answers still wait" in done.output
    assert (graded / f"{NAME}-canvas.csv").is_file()


def test_exporting_what_was_never_graded_is_refused(tiny: Path, tmp_path: Path) -> None:
    for form in FORMATS:
        with pytest.raises(LookupError, match="grade it first"):
            export(tiny, NAME, form, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="canvas"):
        export(tiny, NAME, "excel", tmp_path / "out")


def test_a_graders_comment_stands_before_the_reason(graded: Path, tmp_path: Path) -> None:
    with book_of(graded) as book:
        comment = book.find_comment("double", "tiny", NAME, "bob")
        comment.manual_comment = "Nicely done."
        book.db.commit()
    export(graded, NAME, "gradescope", tmp_path / "out")
    results = json.loads((tmp_path / "out" / "bob" / "results.json").read_text())
    assert results["tests"][0]["output"].startswith("Nicely done.")
