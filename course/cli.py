"""The `course` command: open the lectures, release and grade assignments, check one's own work.

Exit codes: 0 all is well; 1 it ran, and the answer is no (a check failed, something is missing);
2 it could not run (wrong arguments, a refusal, a file that cannot be read).
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from course import __version__


class Refusal(click.ClickException):
    """It could not run; the message says why, in one sentence."""

    exit_code = 2


class CourseGroup(click.Group):
    """A group whose commands fail in one sentence; `--debug` shows the traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            text = " ".join(str(error).split()) or type(error).__name__
            raise Refusal(text) from error


@click.group(cls=CourseGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="course")
@click.option("--debug", is_flag=True, help="Show the traceback when something fails.")
def main(debug: bool) -> None:
    """Neurons, neural networks and back-propagation: the course's own tools.

    Run them in the folder of the course (the one with lectures/ and solutions/).
    """


def course_root(start: Path | None = None) -> Path:
    """The folder of the course: the nearest one upwards that has `nbgrader_config.py`."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    raise Refusal(
        f"{start} is not inside a course: no nbgrader_config.py here or above."
        " Change to the folder of the course and try again."
    )


def assignment_names(root: Path) -> list[str]:
    """The assignments that have a solution, in order."""
    return sorted(p.name for p in (root / "solutions").glob("[0-9]*") if p.is_dir())


def needs_nbgrader() -> None:
    """Stop with one sentence when the extra `grade` is not installed."""
    if find_spec("nbgrader") is None:
        raise Refusal(
            "nbgrader is not installed: run  pip install 'course[grade]'"
            "  (in a checkout: pip install -c constraints.txt -e '.[grade]')."
        )


def known_assignment(root: Path, name: str) -> str:
    """The name itself, or an error that lists the names there are."""
    names = assignment_names(root)
    if name not in names:
        there = ", ".join(names) or "none"
        raise Refusal(f"There is no assignment {name!r}. There are: {there}.")
    return name


def graded_course(name: str) -> Path:
    """The folder of the course, where nbgrader is installed and the assignment exists."""
    needs_nbgrader()
    root = course_root()
    known_assignment(root, name)
    return root


def before(first: str, rest: str | None) -> str:
    """A search path that starts with `first`."""
    return first if not rest else os.pathsep.join([first, rest])


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(jupyter_options: tuple[str, ...]) -> None:
    """Open JupyterLab on the lectures.

    Options that JupyterLab knows (--no-browser, --port 8889, ...) are handed on to it.
    """
    root = course_root()
    command = [sys.executable, "-m", "jupyterlab", "--LabApp.default_url=/lab/tree/lectures"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container; the server listens on this machine only
    # course/jupyter holds settings for the server: no question about news, no look-up of updates.
    settings = str(Path(__file__).parent / "jupyter")
    # Kernels and nbgrader's own commands are found beside this Python, also when it is not active.
    scripts = str(Path(sys.executable).parent)
    env = os.environ | {
        "JUPYTER_CONFIG_PATH": before(settings, os.environ.get("JUPYTER_CONFIG_PATH")),
        "PATH": before(scripts, os.environ.get("PATH")),
    }
    command += jupyter_options
    if os.name == "posix":  # become the server, so that signals reach it
        os.chdir(root)
        os.execve(command[0], command, env)
    raise click.exceptions.Exit(subprocess.run(command, cwd=root, env=env, check=False).returncode)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Release every assignment.")
def release(names: tuple[str, ...], everything: bool) -> None:
    """Make the student version of assignments: solutions/NAME becomes assignments/NAME.

    The solution must pass its own checks and every misconception must be told apart; otherwise
    nothing is written and the exercise at fault is named.
    """
    needs_nbgrader()
    if everything == bool(names):
        raise click.UsageError("Give the names of assignments, or --all.")
    root = course_root()
    chosen = assignment_names(root) if everything else [known_assignment(root, n) for n in names]
    from course.grading.release import release as release_assignment

    for name in chosen:
        release_assignment(root, name)
        click.echo(f"{name}: released into {(root / 'assignments' / name).relative_to(root)}/")


@main.command()
@click.argument("name")
@click.option("--student", "students", multiple=True, metavar="ID", help="Only this student.")
@click.option(
    "--unsandboxed",
    is_flag=True,
    help="Grade without a sandbox: student code can then read and change your files.",
)
def grade(name: str, students: tuple[str, ...], unsandboxed: bool) -> None:
    """Grade the submissions of assignment NAME and write the feedback pages.

    Submissions lie under submitted/STUDENT/NAME/. Points go to nbgrader's gradebook, feedback to
    feedback/STUDENT/NAME/.
    """
    root = graded_course(name)
    from rich.console import Console

    from course.grading.report import grade_and_report

    grade_and_report(
        Console(),
        root,
        name,
        students=list(students) or None,
        sandbox="none" if unsandboxed else "auto",
    )


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
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
def export(name: str, form: str, to: Path | None) -> None:
    """Write the grades of assignment NAME for nbgrader, Canvas, Moodle, Gradescope or CI.

    Points are the gradebook's: marks given by hand and late penalties count. Reasons go along where
    the format has room for them.
    """
    root = graded_course(name)
    from course.grading.export import export as export_grades

    suffix = {"gradescope": "", "junit": ".xml"}.get(form, ".csv")
    to = to or Path(f"{name}-{form}{suffix}")
    students = export_grades(root, name, form, to)
    handed_in = sum(s.handed_in for s in students)
    click.echo(f"{to}: {handed_in} of {len(students)} students handed in {name}")
    if waiting := sum(s.waiting for s in students):
        click.echo(
            f"{waiting} answers still wait to be marked by hand and count as zero.", err=True
        )


@main.command("export-autograder")
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


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "junit", "github"]),
    default="text",
    show_default=True,
    help="For people, as JUnit XML, or as annotations of a GitHub workflow.",
)
def check(file: Path, form: str) -> None:
    """Check your own notebook FILE, as `check(...)` does inside it.

    Exit code 0 when every exercise is right, 1 when not yet, 2 when FILE cannot be read.
    """
    from course.grading.at_home import check_file

    result = check_file(file)
    if form == "text":
        from rich.console import Console

        from course.grading.report import print_result

        print_result(Console(), result)
    else:
        from course.grading import machine_formats as machine

        report = machine.Report.of(file.stem, result)
        if form == "junit":
            click.echo(machine.junit_xml(file.stem, [machine.Suite(file.stem, report)]), nl=False)
        else:
            for line in machine.github_annotations(report, str(file)):
                click.echo(line)
            if page := os.environ.get("GITHUB_STEP_SUMMARY"):
                with open(page, "a", encoding="utf-8") as summary:
                    summary.write(machine.github_summary(report))
    if result.reason is not None:
        raise click.exceptions.Exit(2)
    raise click.exceptions.Exit(0 if result.points == result.max_points else 1)


@main.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Make the class in this folder instead of a temporary one.",
)
def demo(keep: Path | None) -> None:
    """See it grade: a small class, honest and hostile, is graded for real."""
    needs_nbgrader()
    from rich.console import Console

    from course.grading.demo import run

    run(Console(), keep=keep)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Where the pages go.",
)
def site(names: tuple[str, ...], folder: Path) -> None:
    """Export lectures as pages that stay live without a kernel or a network.

    NAME is the start of a lecture's file name, such as 06; without one, all lectures.
    """
    lectures = sorted((course_root() / "lectures").glob("*.ipynb"))
    chosen = [p for p in lectures if not names or any(p.name.startswith(n) for n in names)]
    if not chosen:
        there = ", ".join(p.stem for p in lectures)
        raise Refusal(f"No lecture starts with {' or '.join(names)}. There are: {there}.")
    from course.explore.site import export

    for page in export(chosen, folder):
        click.echo(page)


@main.command()
def doctor() -> None:
    """Look whether this machine has what the course needs, and say how to get what is missing."""
    from rich.console import Console

    from course.doctor import report

    raise click.exceptions.Exit(0 if report(Console()) else 1)
