"""What the terminal shows of `course regrade`: whose grade changes, then the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.grading.grades import penalties
from course.grading.regrade import Change, changes, write
from course.grading.report import class_progress, number, stepping
from course.grading.results import Outcome, Result


def points(what: Outcome | Result | None) -> str:
    """Points of an exercise, or of all; a dash if it did not or does not exist."""
    return "–" if what is None else f"{number(what.points)} / {number(what.max_points)}"


def change_table(found: Sequence[Change]) -> Table:
    """Per student the exercises whose points change, old and new, and the sum."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("student", no_wrap=True)
    table.add_column("exercise", no_wrap=True)
    table.add_column("old", justify="right", no_wrap=True)
    table.add_column("new", justify="right", no_wrap=True)
    for change in found:
        for difference in change.differences:
            table.add_row(
                escape(change.student),
                escape(difference.exercise),
                points(difference.old),
                points(difference.new),
            )
        style, mark = ("green", "▲") if change.gain > 0 else ("red", "▼")
        if abs(change.gain) < 1e-9:
            style, mark = "", "="
        table.add_row(
            "",
            f"[bold {style}]{mark} all[/]",
            f"[bold]{points(change.old)}[/]",
            f"[bold {style}]{points(change.new)}[/]",
            end_section=True,
        )
    return table


def regrade_and_report(
    console: Console,
    root: Path,
    name: str,
    *,
    students: list[str] | None = None,
    sandbox: str = "auto",
    agree: Callable[[str], bool],
) -> bool:
    """Grade anew, show whose grade changes, ask with `agree`, write; whether all is written."""
    with class_progress(console) as bar:
        found = changes(root, name, students, stepping(bar, name), sandbox=sandbox)
    late = bool(penalties(root, name))
    failed = [c for c in found if c.failed is not None]
    differing = [c for c in found if c.grade_changes]
    words = sum(c.only_words_change for c in found)
    if differing:
        console.print(change_table(differing))
    up = sum(c.gain > 0 for c in differing)
    down = sum(c.gain < 0 for c in differing)
    stay = len(found) - len(differing) - words - len(failed)
    same = len(differing) - up - down
    console.print(
        f"{len(differing)} of {len(found)} grades change ({up} up, {down} down"
        + (f", {same} with the same points, counted otherwise" if same else "")
        + f"); {words} keep their points and get other words; {stay} stay as they are."
        " Marks given by hand are kept"
        + ("; what lateness costs is computed anew." if late else "."),
        highlight=False,
    )
    for change in failed:
        console.print(
            f"[red]Not graded anew:[/] {escape(change.student)}. {escape(str(change.failed))}"
        )
    concerned = len(differing) + words
    if not concerned:
        return not failed
    if not agree(f"Write {'it' if concerned == 1 else f'these {concerned}'}?"):
        console.print("Nothing was written.")
        return False
    with class_progress(console) as bar:
        write(root, name, found, stepping(bar, name), sandbox=sandbox)
    console.print(f"{concerned} written, with feedback pages.", highlight=False)
    return not failed
