"""What the terminal shows of grading: one submission, or a class with its commonest mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from course.grading.results import Result
from course.grading.summary import LOOKS, kind_of, plot, summarise

FEW = 8  # students up to which further processes would take longer to start than to grade
LINES = 60  # students up to which everybody is listed after grading

# One mark and one colour per status, so that the table can be read without colours too.
STATUS = {
    "correct": ("✓", "green"),
    "partly": ("~", "yellow"),
    "wrong": ("✗", "red"),
    "not done": ("·", "dim"),
    "error": ("!", "red"),
    "limit": ("⏱", "red"),
}


def number(points: float) -> str:
    """Points without needless decimals.

    >>> number(8.0), number(2.5), number(10 / 3)
    ('8', '2.5', '3.33')
    """
    return f"{points:.2f}".rstrip("0").rstrip(".")


def print_result(console: Console, result: Result) -> None:
    """Print how one submission went, exercise by exercise."""
    if result.reason is not None:
        console.print(f"[red]Nothing could be checked:[/] {escape(result.reason)}")
        return
    table = Table(box=None, padding=(0, 1), show_edge=False)
    table.add_column("")
    table.add_column("exercise", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for outcome in result.outcomes.values():
        mark, style = STATUS[outcome.status]
        table.add_row(
            f"[{style}]{mark}[/]",
            outcome.exercise,
            f"{number(outcome.points)} / {number(outcome.max_points)}",
            "" if outcome.status == "correct" else escape(outcome.message),
        )
    console.print(table)
    for note in result.notes:
        console.print(f"[yellow]note:[/] {escape(note)}")
    console.print(f"\n[bold]{number(result.points)} of {number(result.max_points)} points[/]")


def describe(result: Result, width: int = 100) -> str:
    """What the feedback says, in a line: the reason, or the first exercises that lost points."""
    if result.reason is not None:
        return result.reason
    lost = [o for o in result.outcomes.values() if o.points < o.max_points]
    if not lost:
        return "everything right"
    if all(o.status == "not done" for o in result.outcomes.values()):
        return "nothing done yet"
    # An exercise that was tried says more than one that was left out.
    lost.sort(key=lambda o: o.status == "not done")
    text = "; ".join(f"{o.exercise}: {' '.join(o.message.split()).rstrip('.')}" for o in lost)
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def class_progress(console: Console) -> Progress:
    """The progress bar of a class being graded."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        speed_estimate_period=300,
        console=console,
        transient=True,
    )


def stepping(bar: Progress, name: str) -> Callable[..., None]:
    """A task of the bar that is moved by what it returns: `step(done, total, student, result)`.

    With results (they may be left out) it also counts how the submissions went.
    """
    task = bar.add_task(name, total=None)
    kinds: Counter[str] = Counter()

    def step(done: int, total: int, student: str, result: Result | None = None) -> None:
        if result is not None:
            kinds[kind_of(result)] += 1
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        text = f"{name}: {counts}" if counts else f"{name} {student}"
        bar.update(task, completed=done, total=total, description=text)

    return step


def class_table(results: Mapping[str, Result], late: Mapping[str, float] | None = None) -> Table:
    """Who has how many points, and what the feedback said.

    late : points taken off for being late, by student; marks given by hand are not in this table.
    """
    table = Table(box=None, padding=(0, 1))
    table.add_column("student", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("what the feedback says", overflow="fold")
    for student, result in results.items():
        table.add_row(
            escape(student),
            f"{number(result.points)} / {number(result.max_points)}"
            + (f"\n− {number(late[student])} late" if late and student in late else ""),
            escape(describe(result)),
        )
    return table


def exercise_table(results: Iterable[Result]) -> Table:
    """Per exercise the share that got it right, how the others went, the commonest misconceptions."""
    summary = summarise(results)
    seen = [s for s in LOOKS if any(e.statuses[s] for e in summary.exercises.values())]
    table = Table(box=None, padding=(0, 1))
    table.add_column("exercise", no_wrap=True)
    table.add_column("right", justify="right", no_wrap=True)
    for status in seen:
        if status != "correct":
            table.add_column(status, justify="right", no_wrap=True)
    table.add_column("commonest misconceptions", overflow="fold", ratio=1)
    for exercise in summary.exercises.values():
        common = exercise.misconceptions.most_common(3)
        table.add_row(
            escape(exercise.exercise),
            f"{exercise.passed:.0%}",
            *(str(exercise.statuses[s] or "") for s in seen if s != "correct"),
            "\n".join(f"{n} × {escape(m)}" for m, n in common),
        )
    return table


def counts_line(results: Iterable[Result]) -> str:
    """How many submissions went how, in a line."""
    summary = summarise(results)
    graded = len(summary.percents)
    text = ", ".join(f"{count} {kind}" for kind, count in summary.submissions.most_common())
    mean = f"; {sum(summary.percents) / graded:.0f} % of the points on average" if graded else ""
    return f"{summary.submissions.total()} submissions: {text}{mean}"


def grade_and_report(
    console: Console,
    root: Path,
    name: str,
    *,
    students: list[str] | None = None,
    sandbox: str = "auto",
    scheduler: str | None = None,
) -> dict[str, Result]:
    """Grade the submissions of an assignment with a progress bar, then print what came out.

    scheduler : address of a Dask scheduler whose workers grade; None for processes of this machine.
    """
    from course.grading.cluster import cluster
    from course.grading.gradebook import grade_class, local_executor, submitted_students
    from course.grading.grades import penalties

    processes: AbstractContextManager[Executor | None]
    if scheduler is not None:
        processes = cluster(scheduler, root, sandbox, console.print)
    elif len(students or submitted_students(root, name)) <= FEW:
        processes = nullcontext()
    else:
        processes = local_executor()
    with class_progress(console) as bar, processes as executor:
        step = stepping(bar, name)
        results = grade_class(
            root, name, students=students, progress=step, sandbox=sandbox, executor=executor
        )
    late = {s: p for s, p in penalties(root, name).items() if s in results}
    small = len(results) <= LINES
    shown = results if small else {s: r for s, r in results.items() if r.reason is not None}
    if shown:
        console.print(class_table(shown, late))
    if not small:
        console.print(f"Everybody's points: course export {name}", highlight=False)
    console.print()
    console.print(exercise_table(results.values()))
    console.print(f"\n{counts_line(results.values())}", highlight=False)
    if late:
        console.print(f"{len(late)} of them late, with points taken off.", highlight=False)
    console.print(f"Feedback pages: {root / 'feedback'}", soft_wrap=True, highlight=False)
    if any(r.reason is None for r in results.values()) and students is None:
        picture = root / "feedback" / f"{name}-summary.png"
        plot(summarise(results.values()), name, picture)
        console.print(f"Summary: {picture}", soft_wrap=True, highlight=False)
    return results
