"""The instructor's commands around grading: feedback, regrade, receive, export."""

from __future__ import annotations

from pathlib import Path

import click

from course.command import graded_course


@click.command()
@click.argument("name")
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student.")
def feedback(name: str, students: tuple[str, ...]) -> None:
    """Write the feedback pages of assignment NAME again.

    For marks and comments given by hand after grading; `course grade` writes them by itself.
    """
    root = graded_course(name)
    from rich.console import Console

    from course.grading.feedback_pages import write_feedback
    from course.grading.report import class_progress, stepping

    with class_progress(Console()) as bar:
        pages = write_feedback(root, name, list(students) or None, stepping(bar, name))
    click.echo(f"{len(pages)} feedback pages written, such as {pages[0].relative_to(root)}")


@click.command()
@click.argument("name")
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option(
    "--unsandboxed",
    is_flag=True,
    help="Grade without a sandbox: student code can then read and change your files.",
)
def regrade(name: str, students: tuple[str, ...], yes: bool, unsandboxed: bool) -> None:
    """Grade assignment NAME anew after an exercise or its solution was mended.

    Shows whose grade changes before anything is written, then asks. Exit code 1 when nothing was
    written although something differs.
    """
    root = graded_course(name)
    from rich.console import Console

    from course.grading.regrade_report import regrade_and_report

    written = regrade_and_report(
        Console(),
        root,
        name,
        students=list(students) or None,
        sandbox="none" if unsandboxed else "auto",
        agree=lambda question: yes or click.confirm(question),
    )
    raise click.exceptions.Exit(0 if written else 1)


@click.command()
@click.argument("name")
@click.option(
    "--times",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table student,time from the platform that took the submissions.",
)
def receive(name: str, times: Path | None) -> None:
    """Note when the submissions of assignment NAME came in.

    Grading does this by itself. Run it where submissions arrive (by cron, after each collection), or
    with --times when they were downloaded later.
    """
    root = graded_course(name)
    from course.grading.attempts import read_times
    from course.grading.attempts import receive as note
    from course.grading.gradebook import course_directory, submitted_students

    known = read_times(times) if times else {}
    coursedir, _ = course_directory(root)
    there = submitted_students(root, name)
    noted = [attempt for s in there if (attempt := note(coursedir, name, s, known.get(s)))]
    latest = max((a.received for a in noted), default=None)
    click.echo(
        f"{len(noted)} submissions of {name} noted"
        + (f"; the last came in {latest:%Y-%m-%d %H:%M} UTC" if latest else "")
    )
    if strangers := sorted(set(known) - set(there)):
        click.echo(f"No submission of {', '.join(strangers)}, named in {times}.", err=True)


@click.command()
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["nbgrader", "canvas", "moodle", "gradescope", "junit"]),
    default="nbgrader",
    show_default=True,
    help="What will read it.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The file, for gradescope the folder. [default: NAME-FORMAT.csv, .xml or NAME-gradescope/]",
)
@click.option(
    "--title",
    help="What the assignment is called in Canvas or Moodle; for Canvas with its number,"
    " such as 'Backprop (4711)'. [default: NAME]",
)
def export(name: str, form: str, to: Path | None, title: str | None) -> None:
    """Write the grades of assignment NAME for nbgrader, Canvas, Moodle, Gradescope or CI.

    Points are the gradebook's: marks given by hand and late penalties count. Reasons go along where
    the format has room for them.
    """
    root = graded_course(name)
    from course.grading.export import export as export_grades

    suffix = {"gradescope": "", "junit": ".xml"}.get(form, ".csv")
    to = to or Path(f"{name}-{form}{suffix}")
    students = export_grades(root, name, form, to, title)
    handed_in = sum(s.handed_in for s in students)
    click.echo(f"{to}: {handed_in} of {len(students)} students handed in {name}")
    if waiting := sum(s.waiting for s in students):
        click.echo(
            f"{waiting} answers still wait to be marked by hand and count as zero.", err=True
        )


@click.command("export-autograder")
@click.argument("name")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="[default: NAME.zip]")
@click.option("--unsandboxed", is_flag=True, help="For containers in which no sandbox works.")
def export_autograder(name: str, to: Path | None, unsandboxed: bool) -> None:
    """Write assignment NAME as an autograder zip for Gradescope.

    It holds the solution and the seed of the hidden inputs: keep it to yourself.
    """
    from course.grading.autograder_zip import export_autograder as write_zip

    to = to or Path(f"{name}.zip")
    packed = write_zip(graded_course(name), name, to, unsandboxed=unsandboxed)
    click.echo(f"{to}: {len(packed)} files; upload it as the assignment's autograder")


COMMANDS = (feedback, regrade, receive, export, export_autograder)
