"""Grading and releasing a tiny assignment, end to end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_course
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course.grading.at_home import ChecksMissing, check, check_file
from course.grading.grader import Grader, hidden_seed
from course.grading.reference import Reference, Solution, SolutionError
from course.grading.release import release
from course.grading.results import Cell, Result

pytestmark = pytest.mark.sandbox
NAME = tiny_course.NAME


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose tiny assignment is released, with the checks."""
    root = tmp_path_factory.mktemp("source")
    write_solution(root)
    release(root, NAME)
    return root


def write_solution(root: Path, **changes: Callable[[str], str]) -> None:
    """The instructor's side of the tiny assignment, with its files changed by these functions."""
    folder = root / "solutions" / NAME
    folder.mkdir(parents=True)
    files = {
        "tiny.ipynb": json.dumps(tiny_course.source_notebook()),
        "exercises.py": tiny_course.EXERCISES,
        "misconceptions.py": tiny_course.MISCONCEPTIONS,
    }
    for name, text in files.items():
        change = changes.get(name.partition(".")[0], str)
        (folder / name).write_text(change(text), encoding="utf-8")


@pytest.fixture(scope="session")
def grader(source: Path) -> Grader:
    return Grader(source, NAME)


def cells(**sources: str) -> list[Cell]:
    """A submission with the right cells, or these."""
    texts = tiny_course.SOLUTIONS | sources
    return [Cell(None, "import numpy as np"), *(Cell(k, v) for k, v in texts.items())]


def messages(result: Result) -> dict[str, str]:
    return {name: outcome.message for name, outcome in result.outcomes.items()}


# ---------------------------------------------------------------------------------------- grading


def test_the_solution_gets_every_point(grader: Grader) -> None:
    result = grader.grade(cells())
    assert (result.points, result.max_points, result.reason) == (10, 10, None)


def test_untouched_gets_nothing_and_is_not_done(grader: Grader, source: Path) -> None:
    from course.grading.notebook import read_cells

    result = grader.grade(read_cells(source / "assignments" / NAME / "tiny.ipynb"))
    assert result.points == 0
    assert {o.status for o in result.outcomes.values()} == {"not done"}


def test_an_empty_submission_gets_nothing(grader: Grader) -> None:
    result = grader.grade([])
    assert result.points == 0
    assert {o.status for o in result.outcomes.values()} == {"not done"}


def test_a_known_mistake_gets_its_hint_and_no_expected_number(grader: Grader) -> None:
    result = grader.grade(cells(mean_square="def mean_square(x):\n    return float(np.sum(x**2))"))
    outcome = result.outcomes["mean_square"]
    assert outcome.misconception == "sum, not mean"
    assert outcome.message.startswith("Your value grows with the number of samples.")
    assert "instead of" not in outcome.message
    assert result.points == 4


def test_a_half_right_exercise_gets_half_its_points(grader: Grader) -> None:
    wrong = "def mean_square(x):\n    m = np.mean(x**2)\n    return m if m < 2.2 else 0.0"
    outcome = grader.grade(cells(mean_square=wrong)).outcomes["mean_square"]
    assert (outcome.points, outcome.status) == (3, "partly")
    assert "Right: `m`." in outcome.message


def test_changing_an_argument_costs_the_exercise(grader: Grader) -> None:
    outcome = grader.grade(cells(double="def double(x):\n    x *= 2\n    return x")).outcomes[
        "double"
    ]
    assert outcome.points == 0
    assert "`x` was changed by your code" in outcome.message


def test_a_helper_in_an_extra_cell_counts_wherever_it_stands(grader: Grader) -> None:
    split = cells(double="def double(x):\n    return twice(x)")
    for extra in (
        [Cell(None, "def twice(x): return 2 * x"), *split],
        [*split, Cell(None, "def twice(x): return 2 * x")],
    ):
        assert grader.grade(extra).points == 10


def test_check_cells_plots_magics_and_crashing_experiments_do_no_harm(grader: Grader) -> None:
    extra = [
        "from course.grading import check\ncheck('double')",
        "%matplotlib inline\n!ls",
        "import matplotlib.pyplot as plt\nplt.plot([1])",
        "from sklearn.datasets import load_digits",
        "raise RuntimeError",
        "exit()",
        "import warnings, sys\nwarnings.warn('x')\nprint('x', file=sys.stderr)",
        "display(1)",
    ]
    result = grader.grade([*cells(), *(Cell(None, source) for source in extra)])
    assert result.points == 10


def test_a_syntax_error_costs_its_exercise_and_is_quoted(grader: Grader) -> None:
    result = grader.grade(cells(double="def double(x)\n    return 2 * x"))
    assert result.points == 6
    assert "SyntaxError" in messages(result)["double"]
    assert "line 1" in messages(result)["double"]


def test_a_hang_names_the_exercise_and_the_limit_and_later_ones_count(grader: Grader) -> None:
    result = grader.grade(cells(double="def double(x):\n    while True: pass"))
    assert result.points == 6
    assert result.outcomes["double"].status == "limit"
    assert (
        "`double` did not finish within its limit of 2 s of CPU time" in messages(result)["double"]
    )


def test_tests_left_in_a_solution_cell_may_fail_after_the_definition(grader: Grader) -> None:
    source = tiny_course.SOLUTIONS["double"] + "\nassert double(1) == 3"
    assert grader.grade(cells(double=source)).points == 10


def test_constants_and_values_seen_at_home_earn_nothing(grader: Grader, source: Path) -> None:
    text = (source / "assignments" / NAME / "checks.json").read_text()
    seen = Reference.loads(text).expected["mean_square"].cases[0].values
    result = grader.grade(cells(mean_square=f"def mean_square(x):\n    return {seen['m']!r}"))
    assert result.outcomes["mean_square"].points == 0


def test_a_notebook_without_end_is_refused_with_a_reason(grader: Grader) -> None:
    for many in ([Cell(None, "")] * 2000, [Cell("double", "#" * 3_000_000)]):
        result = grader.grade(many)
        assert result.points == 0
        assert "too large" in (result.reason or "")


ANY_TEXT = st.text(max_size=200) | st.sampled_from(
    ["def double(x):", "\x00", "\ud800", "import np", "%%", "!", "é = 1", "\t x", "1/0", "return"]
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.none() | st.sampled_from(["double", "x", ""]), ANY_TEXT), max_size=6))
def test_no_text_in_any_cell_raises_or_earns_points(
    grader: Grader, texts: list[tuple[str | None, str]]
) -> None:
    result = grader.grade([Cell(grade_id, text) for grade_id, text in texts])
    assert result.points == 0
    assert all(outcome.message for outcome in result.outcomes.values())


def test_both_sandboxes_and_none_agree(source: Path, grader: Grader) -> None:
    submission = cells(double="def double(x):\n    return x * x")
    expected = grader.grade(submission)
    for name in ("bubblewrap", "sandlock", "none"):
        assert Grader(source, NAME, sandbox=name).grade(submission) == expected


# ----------------------------------------------------------------------------- the hidden side


def test_the_hidden_seed_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    seed = hidden_seed(tmp_path / ".grading")
    assert seed == hidden_seed(tmp_path / ".grading")
    assert os.stat(tmp_path / ".grading" / "seed").st_mode & 0o077 == 0
    assert os.stat(tmp_path / ".grading").st_mode & 0o077 == 0
    assert seed != hidden_seed(tmp_path / "other")
    assert os.listdir(tmp_path / ".grading") == ["seed"]


def test_the_reference_is_kept_and_made_anew_when_the_solution_changes(
    source: Path, tmp_path: Path
) -> None:
    root = tmp_path / "course"
    shutil.copytree(source, root, ignore=shutil.ignore_patterns(".grading"))
    Grader(root, NAME, seed=3)
    (kept,) = (root / ".grading").glob("*.json")
    stamp = kept.stat().st_mtime_ns
    Grader(root, NAME, seed=3)
    assert kept.stat().st_mtime_ns == stamp
    path = root / "solutions" / NAME / "exercises.py"
    path.write_text(path.read_text().replace("(50)", "(51)"))
    Grader(root, NAME, seed=3)
    assert not kept.exists()


# ---------------------------------------------------------------------------------------- release


def test_a_release_holds_what_students_need_and_no_answer(source: Path) -> None:
    folder = source / "assignments" / NAME
    assert sorted(p.name for p in folder.iterdir()) == ["checks.json", "exercises.py", "tiny.ipynb"]
    everything = "".join(p.read_text() for p in folder.iterdir())
    for answer in ("return 2 * x", "np.mean(x**2)", "np.sum", "x * x", "BEGIN SOLUTION"):
        assert answer not in everything
    assert "raise NotImplementedError" in everything
    assert not (source / "gradebook.db").exists()


def test_a_second_release_gives_the_same_bytes(source: Path) -> None:
    folder = source / "assignments" / NAME
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    (folder / "left-over.txt").touch()
    release(source, NAME)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tiny": replaced("return float(np.mean(x**2))", "return np.nope")}, "'mean_square'.*nope"),
        ({"tiny": replaced("return 2 * x", "raise NotImplementedError")}, "'double'.*solution failed"),
        ({"tiny": replaced('"grade_id": "check-double"', '"grade_id": "c"')}, "'double' has no check"),
        ({"tiny": replaced('"points": 4', '"points": 5')}, "'double' is worth 4 points"),
        ({"tiny": replaced('"grade_id": "double"', '"grade_id": "twice"')}, "'double' has no solution"),
        ({"tiny": replaced("### BEGIN SOLUTION", "# nothing hidden")}, "must raise NotImplementedError; instead: NotDefined"),
        ({"misconceptions": replaced('{"2 * x": "x * x"}', '{"2 * x": "x + x"}')}, "gets all points"),
        ({"misconceptions": replaced('"2 * x"', '"3 * x"')}, "does not contain '3"),
        ({"misconceptions": replaced('"double", "Your', '"treble", "Your')}, "no solution cell"),
        (
            {
                "misconceptions": replaced(
                    "]\n",
                    '    Misconception("twin", "double", "Hm.", {"2 * x": "x**2"}),\n]\n',
                )
            },
            "cannot be told apart",
        ),
        (
            {"misconceptions": replaced('"squared, not doubled"', '"sum, not mean"')},
            "two misconceptions are called",
        ),
        ({"exercises": lambda text: "x = 1"}, "defines no exercise"),
        ({"exercises": replaced("y=student.double(x)", "")}, "'double'.*no values"),
    ],
)  # fmt: skip
def test_a_release_that_is_not_in_order_is_refused_and_writes_nothing(
    tmp_path: Path, changes: dict[str, Callable[[str], str]], says: str
) -> None:
    write_solution(tmp_path, **changes)
    with pytest.raises(SolutionError, match=says):
        release(tmp_path, NAME)
    assert not (tmp_path / "assignments").exists()


def test_an_assignment_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SolutionError, match="99-none"):
        Solution.load(tmp_path, "99-none")


# ---------------------------------------------------------------------------------------- at home


@pytest.fixture
def home(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A student's folder, the current one."""
    folder = tmp_path / "home"
    shutil.copytree(source / "assignments" / NAME, folder)
    monkeypatch.chdir(folder)
    return folder


def names(**sources: str) -> dict[str, object]:
    namespace: dict[str, object] = {}
    for cell in cells(**sources):
        exec(cell.source, namespace)
    return namespace


def test_check_says_right_and_counts_as_true(home: Path) -> None:
    checked = check("double", names())
    assert checked
    assert checked.outcome.points == 4
    assert "4 of 4 points" in repr(checked)


def test_check_gives_the_hint_and_both_numbers(home: Path) -> None:
    checked = check(
        "mean_square", names(mean_square="def mean_square(x): return float(np.sum(x**2))")
    )
    assert not checked
    assert checked.outcome.misconception == "sum, not mean"
    assert "instead of" in repr(checked)


def test_check_finds_the_names_of_its_caller(home: Path) -> None:
    namespace = names()
    exec("from course.grading import check\nanswer = check('double')", namespace)
    assert namespace["answer"]


def test_what_check_shows_is_escaped(home: Path) -> None:
    source = "def double(x): raise ValueError('<script>alert(1)</script>')"
    shown = check("double", names(double=source))._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<code>double</code>" in shown


def test_check_never_raises_for_wrong_work(home: Path) -> None:
    for source in (
        "def double(x): raise KeyError",
        "double = None",
        "def double(): pass",
        "def double(x): return object()",
        "def double(x): return lambda: 1",
        "import sys\ndef double(x): sys.exit()",
        "def double(x):\n    while True: pass",
    ):
        assert not check("double", names(double=source))


def test_an_unknown_exercise_is_answered_with_those_there_are(home: Path) -> None:
    with pytest.raises(ValueError, match="there are: double, mean_square"):
        check("duoble", {})


def test_missing_or_damaged_checks_are_explained(home: Path) -> None:
    (home / "checks.json").write_text("{")
    with pytest.raises(ChecksMissing, match="damaged"):
        check("double", {})
    (home / "checks.json").write_text('{"format": 999}')
    with pytest.raises(ChecksMissing, match="another version"):
        check("double", {})
    (home / "checks.json").unlink()
    with pytest.raises(ChecksMissing, match=r"no checks\.json"):
        check("double", {})
    (home / "exercises.py").unlink()
    with pytest.raises(ChecksMissing, match=r"no exercises\.py"):
        check("double", {})


def test_a_machine_that_draws_other_inputs_blames_nobody(home: Path) -> None:
    path = home / "exercises.py"
    path.write_text(path.read_text().replace("standard_normal(50)", "standard_normal(50) + 1e-3"))
    checked = check("double", names())
    assert not checked
    assert "draws other random numbers" in checked.outcome.message


def notebook(home: Path, **sources: str) -> Path:
    path = home / "tiny.ipynb"
    path.write_text(json.dumps(tiny_course.solved(json.loads(path.read_text()), **sources)))
    return path


def test_check_file_agrees_with_grading(home: Path, grader: Grader) -> None:
    for sources in (
        {},
        {"double": "def double(x):\n    return x * x"},
        {"double": "def double(x:"},
        {"mean_square": "def mean_square(x):\n    while True: pass"},
    ):
        at_home = check_file(notebook(home, **sources))
        graded = grader.grade(cells(**sources))
        assert at_home.reason is None
        for name, outcome in at_home.outcomes.items():
            assert outcome.points == graded.outcomes[name].points
            assert outcome.status == graded.outcomes[name].status
            assert outcome.misconception == graded.outcomes[name].misconception


def test_check_file_needs_no_sandbox_and_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from course.grading import sandbox

    monkeypatch.setattr(sandbox, "why_not", lambda name: "not installed")
    result = check_file(notebook(home))
    assert result.points == 10
    assert "no sandbox" in result.notes[0]


def test_a_submission_is_checked_with_the_released_files_not_with_those_handed_in(
    source: Path, home: Path, tmp_path: Path
) -> None:
    submitted = source / "submitted" / "eve" / NAME
    submitted.mkdir(parents=True)
    (submitted / "exercises.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    handed_in = notebook(home).rename(submitted / "tiny.ipynb")
    assert check_file(handed_in).points == 10
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 1}', "\x00"])
def test_a_file_that_is_no_notebook_is_named(home: Path, text: str) -> None:
    (home / "tiny.ipynb").write_text(text)
    result = check_file(home / "tiny.ipynb")
    assert "tiny.ipynb" in (result.reason or "")
