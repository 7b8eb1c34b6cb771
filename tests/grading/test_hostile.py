"""No attack earns points, changes anything outside its own folder, or touches anyone else's grade."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attacked_course
import pytest
from attacked_course import HINT, SECRET, Outside
from tiny_course import NAME, hand_in, released, solved

from course.grading import grader as grader_module
from course.grading import supervise
from course.grading.exercise import ExerciseSet
from course.grading.gradebook import grade_class, grade_one
from course.grading.grader import Grader
from course.grading.hostile import HOSTILE, THEMES, Hostile
from course.grading.process import ProcessLimits
from course.grading.results import Cell, Result
from course.grading.sandbox import find
from course.grading.supervise import Ran, run_submission

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
SANDBOXES = ("bubblewrap", "sandlock")
# What an attack dies of when it is badly written, not when it is refused.
MISTAKES = (
    r"NameError|AttributeError|TypeError|SyntaxError|KeyError|IndexError|UnboundLocal|ImportError"
)
LIMITS = {name: getattr(supervise, name) for name in ("IDLE", "OVER", "ENDING")}
BY_NAME = {attack.name: attack for attack in HOSTILE}


class Sums:
    """Checksums of a tree; a file is read again when anything about it has changed."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], str] = {}

    def of(self, root: Path, but: str) -> dict[str, str]:
        """Every entry but a student's own and the gradebook (whose grades are compared)."""
        found = {}
        for path in root.rglob("*"):
            inside = path.relative_to(root)
            if but in inside.parts or inside.name.startswith("gradebook.db"):
                continue
            about = path.lstat()
            key = (path, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
            if stat.S_ISREG(about.st_mode) and key not in self.known:
                self.known[key] = hashlib.sha256(path.read_bytes()).hexdigest()
            if not stat.S_ISDIR(about.st_mode):
                # Named by a digest of the grading code; its content is what must not change.
                name = re.sub(r"^\.grading/00-tiny-\w+", ".grading/reference", str(inside))
                found[name] = f"{about.st_mode:o} {about.st_uid} {self.known.get(key)}"
        return found


def grades(root: Path) -> dict[str, dict[str, float]]:
    """Every grade in the gradebook, by student: what counts, whoever gave it."""
    with sqlite3.connect(f"file:{root / 'gradebook.db'}?mode=ro", uri=True) as book:
        rows = book.execute(
            "SELECT s.student_id, c.name, coalesce(g.manual_score, g.auto_score) + coalesce(g.extra_credit, 0)"
            " FROM grade g JOIN submitted_notebook n ON g.notebook_id = n.id"
            " JOIN submitted_assignment s ON n.assignment_id = s.id"
            " JOIN grade_cells t ON g.cell_id = t.id JOIN base_cell c ON t.id = c.id"
        ).fetchall()
    found: dict[str, dict[str, float]] = {}
    for student, cell, score in rows:
        found.setdefault(student, {})[cell] = score
    return found


@pytest.fixture(scope="module")
def attacked_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return attacked_course.make(tmp_path_factory.mktemp("source"))


class Attacked:
    """A class with two honest students, graded, and a world around it."""

    def __init__(self, root: Path, world: Outside) -> None:
        self.root = root
        self.world = world
        self.sums = Sums()
        self.ran = Ran()
        self.scratch = Path(tempfile.gettempdir())

    def submit(self, attack: Hostile, student: str, sandbox: str) -> Result:
        """Hand an attack in, grade it, and see that nothing else has changed."""
        file = self.root / "submitted" / student / NAME / "tiny.ipynb"
        facts = self.world.facts | {"student": student}
        attack.hand_in(file, released(self.root), self.root, **facts)
        before = self.snapshot(student)
        result = grade_one(str(self.root), NAME, student, sandbox)
        after = self.snapshot(student)
        for was, now in zip(before, after, strict=True):
            changed = {k: (was.get(k), now.get(k)) for k in was | now if was.get(k) != now.get(k)}
            assert not changed
        assert self.world.heard() == []
        assert self.world.clock_is_right()
        assert result.points == 0
        assert set(grades(self.root)[student].values()) == {0}
        assert [p.name for p in self.scratch.glob("course-scratch-*")] == []
        self.look_at_what_comes_back(student)
        return result

    def snapshot(self, but: str) -> tuple[dict[str, Any], ...]:
        """The files, the grades, and the world, but for one student's own."""
        others = {student: found for student, found in grades(self.root).items() if student != but}
        sums = self.sums.of(self.root, but)
        kept = {name for name in sums if name.startswith(".grading/results/")}
        return {k: v for k, v in sums.items() if k not in kept}, others, self.world.state()

    def look_at_what_comes_back(self, student: str) -> None:
        """Nothing secret is copied to where the student sees it, and no script is live there."""
        page = self.root / "feedback" / student / NAME / "tiny.html"
        assert page.is_file()
        text = page.read_text()
        assert "<script>document" not in text
        assert not re.search(r"<(img|iframe)[^>]*(onerror|192\.0\.2\.1)|href=.?javascript", text)
        for place in ("autograded", "feedback"):
            for path in (self.root / place / student).rglob("*"):
                assert not path.is_symlink()
                if path.is_file() and path.stat().st_size < 10**7 and path.suffix != ".ipynb":
                    assert SECRET.encode() not in path.read_bytes()
                    assert HINT.encode() not in path.read_bytes()

    def forget(self, student: str) -> None:
        """Take a submission away, so that looking stays quick; its grades stay in the gradebook."""
        for place in ("submitted", "autograded", "feedback"):
            folder = self.root / place / student
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def attacked(attacked_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="at-") as place:
        root = Path(place, "course")
        shutil.copytree(attacked_source, root)
        hand_in(root, "ada", honest(root))
        hand_in(root, "bob", honest(root, double="def double(x):\n    return x"))
        grade_class(root, NAME)
        (scratch := Path(place, "tmp")).mkdir()
        patch.setattr(tempfile, "tempdir", str(scratch))
        for limit in LIMITS:
            patch.setattr(supervise, limit, 1.0)
        patch.setattr(
            grader_module, "ProcessLimits", functools.partial(ProcessLimits, cell_seconds=1.0)
        )
        library = signatures()
        with attacked_course.outside(Path(place, "out")) as world:
            scene = Attacked(root, world)
            remember = Grader.result

            def result(self: Grader, cells: Any, ran: Ran, *more: Any) -> Result:
                scene.ran = ran
                return remember(self, cells, ran, *more)

            patch.setattr(Grader, "result", result)
            yield scene
            # Whatever an attack left behind has had the whole run to show itself.
            assert world.heard() == []
            assert not list(Path(place).rglob("planted.txt"))
            assert signatures() == library


def honest(root: Path, **sources: str) -> dict[str, Any]:
    notebook = solved(released(root), **sources)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "report":
            cell["source"] = "def report():\n    return {'solution': 'yes'}"
    return notebook


def signatures() -> dict[str, tuple[int, ...]]:
    """The modules that every worker imports: nobody can change one and keep its ctime."""
    import numpy

    found = {}
    for folder in (Path(os.__file__).parent, Path(numpy.__file__).parent):
        for pattern in ("*.py", "*.pth", "*/*.py", "*/*.so"):
            for path in folder.glob(pattern):
                if "site-packages" not in path.relative_to(folder).parts:
                    about = path.lstat()
                    found[str(path)] = (about.st_mode, about.st_size, about.st_ctime_ns)
    return found


def failures(ran: Ran) -> str:
    """All failures that the grader saw, as a text."""
    found = [*ran.cells.values(), *(run.failure for run in ran.runs.values())]
    return "\n".join(f"{f.kind} {f.type} {f.message}" for f in found if f is not None)


def told_by(ran: Ran) -> dict[str, str]:
    """What the attack reported of its steps."""
    run = ran.runs.get("report")
    told = run.cases[0].values.get("told") if run is not None and run.cases else None
    return told if isinstance(told, dict) else {}


def assert_it_got_as_far_as_it_meant_to(attack: Hostile, ran: Ran) -> None:
    """Every step was reached; no `attempt` succeeded; none died of a mistake of its author's."""
    told, failed = told_by(ran), failures(ran)
    if attack.ends:
        assert re.search(attack.ends, failed), (attack.ends, failed)
        if not told:
            return
    for kind, step in attack.steps:
        assert step in told, (step, told, failed)
        assert not re.match(f"refused ({MISTAKES})", told[step]), (step, told[step])
        if kind == "attempt":
            assert told[step].startswith("refused"), (step, told[step])


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.name)
def test_an_attack_gets_nothing_and_changes_nothing(
    attacked: Attacked, attack: Hostile, sandbox: str
) -> None:
    students = [f"{attack.name}-{sandbox}-{n}" for n in range(2 if attack.twice else 1)]
    for student in students:
        attacked.ran = Ran()
        result = attacked.submit(attack, student, sandbox)
        if attack.reason:
            assert re.search(attack.reason, result.reason or "")
        else:
            assert result.reason is None
        if attack.steps or attack.ends:
            assert_it_got_as_far_as_it_meant_to(attack, attacked.ran)
    for student in students:
        attacked.forget(student)


WORKING = [attack for attack in HOSTILE if attack.works]


@pytest.mark.parametrize("attack", WORKING, ids=lambda attack: attack.name)
def test_the_same_attack_succeeds_where_nothing_holds_it_back(
    attack: Hostile, attacked_source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the list above is no list of typing errors.  These harm only what the test made."""
    with tempfile.TemporaryDirectory(prefix="at-") as place:
        root = Path(place, "course")
        shutil.copytree(attacked_source, root)
        hand_in(root, "ada", honest(root))
        grade_class(root, NAME, sandbox="bubblewrap")
        (scratch := Path(place, "tmp")).mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        exercises = ExerciseSet.load(root / "solutions" / NAME / "exercises.py")
        inputs = {exercise.name: exercise.inputs(7) for exercise in exercises.values()}
        with attacked_course.outside(Path(place, "out")) as world:
            notebook = attack.submission(released(root), root, **world.facts)
            cells = [
                Cell(None, "".join(cell["source"]))
                for cell in notebook["cells"]
                if cell["cell_type"] == "code" and "check(" not in "".join(cell["source"])
            ]
            ran = run_submission(cells, exercises, inputs, find("none"))
            told = told_by(ran)
            for step in attack.works:
                assert told.get(step, "").startswith("did"), (step, told, failures(ran))
            if attack.name == "reads-solution":
                expected = [2 * given["x"] for given in inputs["double"]]
                values = [case.values["y"] for case in ran.runs["double"].cases]
                assert all((y == e).all() for y, e in zip(values, expected, strict=True))


def test_at_least_ten_attacks_are_seen_to_work() -> None:
    assert len(WORKING) >= 10


@pytest.mark.parametrize("sandbox", SANDBOXES)
@pytest.mark.parametrize(
    ("name", "says"),
    [("endless", "CPU time"), ("sleeps", "3 s of waiting"), ("memory", ""), ("flood", "")],
)
def test_with_the_limits_of_real_classes(
    attacked_source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    says: str,
    sandbox: str,
) -> None:
    """Above, limits are short, so that many attacks can be tried; these are those that ship."""
    for limit, value in LIMITS.items():
        monkeypatch.setattr(supervise, limit, value)
    monkeypatch.setattr(grader_module, "ProcessLimits", ProcessLimits)
    root = tmp_path / "course"
    shutil.copytree(attacked_source, root)
    program = BY_NAME[name].submission(released(root), root)
    sources = {c["metadata"].get("nbgrader", {}).get("grade_id"): c for c in program["cells"]}
    cells = [Cell(each, "".join(sources[each]["source"])) for each in ("double", "mean_square")]
    result = Grader(root, NAME, sandbox=sandbox).grade(cells)
    assert result.points == 0
    assert says in result.outcomes["double"].message


def test_honest_students_keep_their_points_after_all_attacks(attacked: Attacked) -> None:
    points = {s: grade_one(str(attacked.root), NAME, s).points for s in ("ada", "bob")}
    assert points == {"ada": 11, "bob": 7}


def graded_alone(attacked: Attacked, student: str, **sources: str) -> Result:
    hand_in(attacked.root, student, honest(attacked.root, **sources))
    return grade_one(str(attacked.root), NAME, student)


def test_an_attack_that_also_solves_an_exercise_keeps_what_it_earned(attacked: Attacked) -> None:
    """Points are for right values: shouting 'I am an attack' does not lose them."""
    loud = "import os\ntry:\n    os.fork()\nexcept OSError:\n    pass\ndef double(x):\n    return x + x"
    assert graded_alone(attacked, "honest", double=loud).points == 11


def test_a_warning_on_stderr_costs_nothing(attacked: Attacked) -> None:
    loud = (
        "import sys, warnings\ndef double(x):\n    warnings.warn('old')\n"
        "    print('!', file=sys.stderr)\n    return 2 * x"
    )
    assert graded_alone(attacked, "loud", double=loud).points == 11


def test_a_hint_reaches_the_page_and_hidden_values_do_not(attacked: Attacked) -> None:
    wrong = "def mean_square(x):\n    return float(np.sum(x**2))"
    result = graded_alone(attacked, "cid", mean_square=wrong)
    assert result.outcomes["mean_square"].misconception == "sum, not mean"
    page = (attacked.root / "feedback" / "cid" / NAME / "tiny.html").read_text()
    assert "Your value grows with the number of samples." in page
    hidden = Grader(attacked.root, NAME).reference.expected["mean_square"]
    numbers = [value for case in hidden.cases for value in case.values.values()]
    assert len(numbers) == 6
    assert [n for n in numbers if f"{n:.4g}" in page] == []


def test_a_student_whose_name_is_a_formula_is_neutralised_in_every_table(
    attacked: Attacked, tmp_path: Path
) -> None:
    from course.grading.export import export

    name = "=HYPERLINK('http:' & 'x')"
    hand_in(attacked.root, name, honest(attacked.root))
    grade_one(str(attacked.root), NAME, name)
    for form in ("nbgrader", "canvas", "moodle"):
        export(attacked.root, NAME, form, tmp_path / f"{form}.csv")
        text = (tmp_path / f"{form}.csv").read_text()
        assert "HYPERLINK" in text
        assert not re.search(r"(^|[,\n])\"?=", text)


def test_the_list_in_the_security_page_is_the_list_that_is_tested() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    assert f"{len(HOSTILE)} attacks" in page
    assert len(HOSTILE) == len(BY_NAME) >= 60
    for theme, attacks in THEMES.items():
        row = re.search(rf"(?m)^\| {theme} \| (\d+) \|", page)
        assert row, theme
        assert int(row[1]) == len(attacks), theme
