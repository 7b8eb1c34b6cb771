"""`course demo`: a small class, honest and hostile, graded for real.

Builds a course in a folder of its own: the assignment as it is in this one, and a submission for
every way in which it can go: solved, untouched, half done, each misconception, a syntax error,
attacks, a damaged file.  Then it grades them as `course grade` would.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from course.grading.exercise import load_module
from course.grading.hostile import HOSTILE, is_code, marks
from course.grading.misconception import Misconception
from course.grading.report import class_progress, describe, number, stepping
from course.grading.results import Result
from course.grading.template import text_of

SHOWN_ATTACKS = (
    "patched-testing", "always-equal", "forged-reply", "reads-solution", "gradebook", "detached",
    "endless", "memory", "claims-points", "scripts-the-page",
)  # fmt: skip


@dataclass(frozen=True)
class Submission:
    """One student of the demo.

    kind : 'honest', 'misconception', 'hostile' or 'broken'.
    file : the notebook as JSON, or the text of a file that is none.
    """

    student: str
    kind: str
    file: dict[str, Any] | str
    misconception: Misconception | None = None


@dataclass(frozen=True)
class Row:
    """One line of the demo's table."""

    submission: Submission
    result: Result


def run(
    console: Console,
    keep: Path | None = None,
    name: str = "09-backprop",
    course_root: Path | None = None,
) -> list[Row]:
    """Make the class, grade it with a progress bar, print what came out.

    keep : folder to make it in (new or empty); None for a temporary one.
    course_root : where the assignment comes from; None for the course this file belongs to.

    Raises FileExistsError if `keep` is not empty, FileNotFoundError if the assignment is missing,
    GradingRefused if there is no sandbox.
    """
    from course.grading.gradebook import feedback_pages, grade_class, local_executor

    source = course_root or Path(__file__).resolve().parents[2]
    root = new_folder(keep)
    submissions = make_class(source, root, name)
    console.print(
        f"{len(submissions)} submissions of {name}: solved, untouched, half done, every"
        " misconception, attacks, a damaged file."
    )
    with class_progress(console) as bar, local_executor() as executor:
        results = grade_class(
            root,
            name,
            [submission.student for submission in submissions],
            executor=executor,
            progress=stepping(bar, name),
        )
    rows = [Row(submission, results[submission.student]) for submission in submissions]
    console.print(demo_table(rows))
    page = feedback_pages(root, name, submissions[0].student)[0]
    console.print(Text(f"\nFeedback pages: {root / 'feedback'}/STUDENT/{name}/{page.name}"))
    return rows


def demo_table(rows: list[Row]) -> Table:
    """Who, points, and what the feedback said; a section for each kind of submission."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), collapse_padding=True, expand=True)
    table.add_column("student", no_wrap=True, max_width=36, min_width=24)
    table.add_column("points", justify="right", no_wrap=True, min_width=10)
    table.add_column("what the feedback says", no_wrap=True, ratio=1)
    kind = rows[0].submission.kind
    for row in rows:
        if row.submission.kind != kind:
            table.add_section()
            kind = row.submission.kind
        result = row.result
        table.add_row(
            Text(row.submission.student),
            f"{number(result.points)} / {number(result.max_points)}",
            Text(describe(result, 400)),
        )
    return table


def new_folder(keep: Path | None) -> Path:
    """An empty folder to make the class in."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="course-demo-"))
    if keep.exists() and any(keep.iterdir()):
        raise FileExistsError(f"{keep} is not empty: name a new folder for the demo's class.")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def make_class(source: Path, root: Path, name: str) -> list[Submission]:
    """Write a course with one assignment and its class into `root`; returns the class in order."""
    for step in ("solutions", "assignments"):
        folder = source / step / name
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is missing: the demo needs the released assignment.")
        shutil.copytree(folder, root / step / name)
    if (source / "nbgrader_config.py").is_file():
        shutil.copyfile(source / "nbgrader_config.py", root / "nbgrader_config.py")
    file = next(iter(sorted((root / "assignments" / name).glob("*.ipynb"))))
    submissions = list(submitted(root, name, file))
    for submission in submissions:
        target = root / "submitted" / submission.student / name / file.name
        target.parent.mkdir(parents=True)
        text = submission.file if isinstance(submission.file, str) else json.dumps(submission.file)
        target.write_text(text, encoding="utf-8")
    return submissions


def submitted(root: Path, name: str, file: Path) -> Iterator[Submission]:
    """The class: one submission for every way in which it can go."""
    released = json.loads(file.read_text(encoding="utf-8"))
    solutions = solution_cells(root / "solutions" / name / file.name)
    last = list(solutions)[-1]
    half = dict(list(solutions.items())[: (len(solutions) + 1) // 2])
    yield Submission("solution", "honest", filled(released, solutions))
    yield Submission("untouched", "honest", released)
    yield Submission("half-done", "honest", filled(released, half))
    typo = solutions[last].replace(":", "", 1)
    yield Submission("syntax-error", "honest", filled(released, {**solutions, last: typo}))
    for misconception in misconceptions(root / "solutions" / name / "misconceptions.py"):
        wrong = misconception.apply(solutions[misconception.cell])
        notebook = filled(released, {**solutions, misconception.cell: wrong})
        yield Submission(slug(misconception.name), "misconception", notebook, misconception)
    for attack in HOSTILE:
        if attack.name in SHOWN_ATTACKS:
            notebook = attack.submission(released, root)
            yield Submission(f"hostile-{attack.name}", "hostile", notebook)
    yield Submission("broken-file", "broken", json.dumps(filled(released, solutions))[:-100])


def misconceptions(file: Path) -> list[Misconception]:
    """The misconceptions of an assignment, in the order of its file."""
    found: dict[str, Misconception] = {}
    for value in vars(load_module(file)).values():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(each, Misconception):
                found.setdefault(each.name, each)
    return list(found.values())


def solution_cells(notebook: Path) -> dict[str, str]:
    """The solution cells of the instructor's notebook by name, without the markers."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return {
        marks(cell)["grade_id"]: re.sub(r"(?m)^\s*### (BEGIN|END) SOLUTION\n?", "", text_of(cell))
        for cell in cells
        if marks(cell).get("solution") and is_code(cell)
    }


def filled(released: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    """A released notebook with these texts in its solution cells."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        if marks(cell).get("solution") and marks(cell)["grade_id"] in sources:
            cell["source"] = sources[marks(cell)["grade_id"]]
    return notebook


def slug(name: str) -> str:
    """A name as a student's folder.

    >>> slug("db not summed over the batch")
    'db-not-summed-over-the-batch'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
