"""The `course` command: open the lectures, release and grade assignments, check one's own work.

Exit codes: 0 all is well; 1 it ran, and the answer is no (a check failed, something is missing);
2 it could not run (wrong arguments, a refusal, a file that cannot be read).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from course import __version__, office
from course.command import (
    CourseGroup,
    Refusal,
    assignment_names,
    course_root,
    graded_course,
    known_assignment,
    needs_nbgrader,
)


@click.group(cls=CourseGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="course")
@click.option("--debug", is_flag=True, help="Show the traceback when something fails.")
def main(debug: bool) -> None:
    """Neurons, neural networks and back-propagation: the course's own tools.

    Run them in the folder of the course (the one with lectures/ and solutions/).
    """


for command in office.COMMANDS:
    main.add_command(command)


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
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Grade on the workers of a Dask scheduler, such as tcp://10.0.0.5:8786.",
)
def grade(name: str, students: tuple[str, ...], unsandboxed: bool, scheduler: str | None) -> None:
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
        scheduler=scheduler,
    )


@main.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "junit", "github"]),
    default="text",
    show_default=True,
    help="For people, as JUnit XML, or as annotations of a GitHub workflow.",
)
@click.option("--shown-as", metavar="PATH", help="The path that annotations name. [default: FILE]")
def check(file: Path, form: str, shown_as: str | None) -> None:
    """Check your own notebook FILE, as `check(...)` does inside it.

    FILE may be the folder that holds it. Exit code 0 when every exercise is right, 1 when not yet, 2 when FILE cannot be read.
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
            for line in machine.github_annotations(report, shown_as or str(file)):
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
