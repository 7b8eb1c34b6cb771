"""What every command shares: the course's folder, errors in one sentence, exit codes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click


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
