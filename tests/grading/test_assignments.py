"""The five grading rules, and what every assignment promises, over all assignments in `solutions/`.

1. A stub raises NotImplementedError.
2. An untouched notebook scores 0.
3. The solution scores 100 %.
4. Every misconception loses points and gets its own hint.
5. Two different correct styles both pass.
"""

from __future__ import annotations

import atexit
import functools
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from assignment_files import ROOT, SLUGS, STYLES, Assignment
from nbclient import NotebookClient

from course.grading.grader import Grader
from course.grading.notebook import nbgrader_metadata
from course.grading.release import release
from course.grading.results import Cell, Result

assignment_of = functools.cache(Assignment)
SEED = 20  # of the "hidden" draws in these tests


@functools.cache
def grader(slug: str) -> Grader:
    """A grader with hidden inputs of its own, in a copy of the course."""
    copy = Path(tempfile.mkdtemp(prefix="course-rules-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    shutil.copytree(ROOT / "solutions" / slug, copy / "solutions" / slug)
    return Grader(copy, slug, seed=SEED)


def grade(slug: str, cells: list[Cell]) -> Result:
    """Grade as a class is graded, in the sandbox."""
    result = grader(slug).grade(cells)
    assert result.reason is None
    return result


@pytest.fixture(params=SLUGS)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return assignment_of(request.param)


def with_names(function: Callable[[str, str], None]) -> Callable[[str, str], None]:
    """Parametrize over all exercises of all assignments."""
    pairs = [(slug, name) for slug in SLUGS for name in assignment_of(slug).exercises]
    return pytest.mark.parametrize(("slug", "name"), pairs)(function)


def test_there_is_an_assignment():
    assert SLUGS
    assert all(re.fullmatch(r"\d\d-[a-z-]+", slug) for slug in SLUGS)


# ------------------------------------------------------------------------------- the five rules


@with_names
def test_rule_1_a_stub_raises_NotImplementedError(slug, name):
    cells = {c.grade_id: c.source for c in assignment_of(slug).untouched}
    assert "raise NotImplementedError()" in cells[name]


@pytest.mark.sandbox
def test_rules_1_and_2_an_untouched_notebook_is_not_done_and_scores_0(assignment):
    result = grade(assignment.slug, assignment.untouched)
    assert result.points == 0
    assert {o.status for o in result.outcomes.values()} == {"not done"}
    assert set(result.outcomes) == set(assignment.exercises)


@pytest.mark.sandbox
def test_rule_3_the_solution_scores_100_percent(assignment):
    result = grade(assignment.slug, assignment.solution.cells)
    assert {name: o.status for name, o in result.outcomes.items()} == dict.fromkeys(
        assignment.exercises, "correct"
    )
    assert result.points == result.max_points == 100


MISTAKES = [
    pytest.param(slug, mistake, id=f"{slug}: {mistake.name}")
    for slug in SLUGS
    for mistake in assignment_of(slug).misconceptions
]


@pytest.mark.sandbox
@pytest.mark.parametrize(("slug", "mistake"), MISTAKES)
def test_rule_4_a_misconception_loses_points_and_gets_its_own_hint(slug, mistake):
    assignment = assignment_of(slug)
    result = grade(slug, assignment.solution.mistaken(mistake))
    outcome = result.outcomes[mistake.cell]
    assert outcome.points < outcome.max_points
    assert outcome.misconception == mistake.name
    assert mistake.hint in outcome.message


def test_rule_4_no_two_misconceptions_share_a_name_or_a_hint(assignment):
    mistakes = assignment.misconceptions
    assert len({m.name for m in mistakes}) == len(mistakes)
    assert len({m.hint for m in mistakes}) == len(mistakes)


def test_rule_4_every_exercise_has_a_misconception(assignment):
    assert {m.cell for m in assignment.misconceptions} == set(assignment.exercises)


@pytest.mark.sandbox
def test_rule_5_a_different_correct_style_scores_100_percent(assignment):
    style = assignment.style()
    result = grade(assignment.slug, style)
    assert [o.message for o in result.outcomes.values() if o.status != "correct"] == []
    assert result.points == result.max_points


def test_rule_5_the_second_style_is_another_style(assignment):
    lines = {x.split("#")[0].strip() for c in assignment.style() for x in c.source.splitlines()}
    assert len(assignment.answers & lines) <= 0.05 * len(assignment.answers)


# What else an assignment keeps in styles/ is tried as well.
BY_DIFFERENCES = [slug for slug in SLUGS if (STYLES / f"{slug}-by-differences.py").is_file()]


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("slug", BY_DIFFERENCES)
def test_finite_differences_do_not_finish(slug):
    cells = assignment_of(slug).style("-by-differences")
    tried = {c.grade_id for c in cells if c.grade_id}
    outcomes = grade(slug, cells).outcomes
    assert {name: outcomes[name].status for name in tried} == dict.fromkeys(tried, "limit")
    assert all(outcomes[name].points == 0 for name in tried)


CONSTANTS = [slug for slug in SLUGS if (STYLES / f"{slug}-constants.py").is_file()]


@pytest.mark.sandbox
@pytest.mark.parametrize("slug", CONSTANTS)
def test_constants_of_the_right_shape_score_0(slug):
    result = grade(slug, assignment_of(slug).style("-constants"))
    assert result.points == 0
    assert {o.status for o in result.outcomes.values()} == {"wrong"}


# ------------------------------------------------------------------ the notebook and its exercises


def test_the_notebook_is_valid_and_clean(assignment):
    for notebook in (assignment.notebook, assignment.student_notebook):
        nbformat.validate(notebook)
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(ids) == len(set(ids))
        assert "signature" not in notebook["metadata"]
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == []
                assert cell["execution_count"] is None


def test_each_exercise_has_one_solution_cell_and_the_check_cell_after_it(assignment):
    cells = [c for c in assignment.notebook["cells"] if nbgrader_metadata(c)]
    order = [nbgrader_metadata(c)["grade_id"] for c in cells]
    assert len(order) == len(set(order))
    by_id = dict(zip(order, cells, strict=True))
    for name, exercise in assignment.exercises.items():
        solution, check = by_id[name], by_id[f"check-{name}"]
        assert nbgrader_metadata(solution)["solution"]
        assert not nbgrader_metadata(solution)["grade"]
        source = "".join(solution["source"])
        assert re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE) == [name]
        assert "".join(check["source"]) == f'check("{name}")'
        assert nbgrader_metadata(check)["grade"]
        assert nbgrader_metadata(check)["locked"]
        assert nbgrader_metadata(check)["points"] == exercise.points
        assert order.index(f"check-{name}") == order.index(name) + 1
    graded = {nbgrader_metadata(c)["grade_id"] for c in cells if nbgrader_metadata(c)["grade"]}
    assert graded == {f"check-{name}" for name in assignment.exercises}
    assert all(nbgrader_metadata(c)["schema_version"] == 3 for c in cells)


def test_the_points_of_an_assignment_are_100(assignment):
    assert sum(exercise.points for exercise in assignment.exercises.values()) == 100


@with_names
def test_each_public_name_has_a_docstring_in_the_student_notebook(slug, name):
    cells = {c.grade_id: c.source for c in assignment_of(slug).untouched}
    namespace: dict[str, object] = {"np": np}
    exec(cells[name], namespace)  # our own stub
    assert namespace[name].__doc__


@with_names
def test_inputs_are_float64_finite_and_the_same_for_the_same_seed(slug, name):
    exercise = assignment_of(slug).exercises[name]

    def leaves(value):
        if isinstance(value, dict):
            value = list(value.values())
        return [x for v in value for x in leaves(v)] if isinstance(value, list | tuple) else [value]

    for seed in (0, 1):
        first, again = leaves(exercise.inputs(seed)), leaves(exercise.inputs(seed))
        for a, b in zip(first, again, strict=True):
            assert np.array_equal(a, b)
            if isinstance(a, np.ndarray):
                assert a.dtype in (np.float64, np.int64)
                assert np.isfinite(a).all()
                assert a.dtype != np.float64 or a.size == 1 or np.ptp(a) > 0  # never all ones


def run_in_jupyter(notebook: Path) -> list[str]:
    """Run a notebook as Run All Cells does; what its check cells show, as text."""
    ran = NotebookClient(
        nbformat.read(notebook, 4), resources={"metadata": {"path": notebook.parent}}
    )
    shown = []
    for cell in ran.execute(cwd=str(notebook.parent)).cells:
        if nbgrader_metadata(cell).get("grade_id", "").startswith("check-"):
            shown += [o["data"]["text/plain"] for o in cell.outputs if "data" in o]
    return shown


@pytest.mark.slow
def test_the_solution_runs_from_top_to_bottom_and_its_checks_say_right(assignment):
    shown = run_in_jupyter(assignment.solution.notebook)
    assert len(shown) == len(assignment.exercises)
    assert [text for text in shown if not text.endswith("Right.")] == []


@pytest.mark.slow
def test_the_untouched_notebook_runs_to_its_end_and_its_checks_say_not_done(assignment):
    shown = run_in_jupyter(assignment.released / assignment.solution.notebook.name)
    assert len(shown) == len(assignment.exercises)
    assert [text for text in shown if "Not done yet" not in text] == []


# ------------------------------------------------------------------------------------ the release


def test_no_answer_of_the_solution_is_in_the_student_copy(assignment):
    assert assignment.answers
    files = [p for p in assignment.released.rglob("*") if p.is_file()]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        text = text.replace('\\"', '"') if path.suffix == ".ipynb" else text
        assert [line for line in assignment.answers if line in text] == []
        assert "SOLUTION" not in text


def test_no_misconception_is_in_the_student_copy_as_code(assignment):
    released = "".join(
        p.read_text(encoding="utf-8") for p in assignment.released.rglob("*") if p.is_file()
    )
    for mistake in assignment.misconceptions:
        for text in [*mistake.replace.values(), mistake.source or ""]:
            lines = [line.strip() for line in text.splitlines()]
            assert [x for x in lines if len(x) >= 20 and x in released] == []


@pytest.mark.slow
def test_releasing_again_reproduces_the_student_copy(assignment, tmp_path):
    """Byte for byte; numbers in checks.json may differ in the last digits on another processor."""
    skip = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    solutions = tmp_path / "solutions" / assignment.slug
    shutil.copytree(assignment.solution.folder, solutions, ignore=skip)
    again = release(tmp_path, assignment.slug)
    assert sorted(p.name for p in again.iterdir()) == sorted(
        p.name for p in assignment.released.iterdir() if p.name != "__pycache__"
    )
    for path in again.iterdir():
        committed = (assignment.released / path.name).read_bytes()
        if path.name == "checks.json":
            assert nearly(json.loads(committed), json.loads(path.read_bytes()))
        else:
            assert committed == path.read_bytes(), f"{path.name}: run course release --all"


def nearly(a: Any, b: Any, scale: float = 1.0) -> bool:
    """Whether two JSON trees are the same up to rounding; `scale` is that of an array's numbers."""
    if isinstance(a, dict) and isinstance(b, dict):
        scale = max(1.0, a.get("scale", 1.0)) * max(1.0, math.prod(a.get("shape", [1])))
        return a.keys() == b.keys() and all(nearly(a[k], b[k], scale) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(nearly(x, y, scale) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-9 * scale)
    return bool(a == b)
