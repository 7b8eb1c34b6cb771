"""Results as other programs read them: JUnit XML, Gradescope's results.json, GitHub annotations.

Texts may come from a student's program, so none may break out of its place: XML gets only the
characters that XML 1.0 allows, and an annotation is one line that cannot hold another command.
"""

from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from course.grading.report import number
from course.grading.results import Result

ALLOWED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Graded(Protocol):
    """An exercise with its points and the reason for them: an `Outcome` or a gradebook's cell."""

    @property
    def exercise(self) -> str: ...
    @property
    def points(self) -> float: ...
    @property
    def max_points(self) -> float: ...
    @property
    def status(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True)
class Report:
    """One submission as machines read it.

    score : what counts, late penalty included.
    """

    assignment: str
    cells: Sequence[Graded]
    score: float
    reason: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, assignment: str, result: Result) -> Report:
        """A result as it came from grading or checking."""
        cells = tuple(result.outcomes.values())
        return cls(assignment, cells, result.points, result.reason, result.notes)


@dataclass(frozen=True)
class Suite:
    """A submission under the name that it has in a JUnit file."""

    name: str
    report: Report


# --------------------------------------------------------------------------------------- Gradescope


def gradescope_results(report: Report, seconds: float | None = None) -> dict[str, Any]:
    """The results.json of Gradescope's "Autograder Specifications" (see `export.py`).

    The score at the top is what counts there; it is ours, so that a late penalty stays in it.  What
    lateness costs in Gradescope itself is set there: `submission_metadata.json` is not read.  What a
    student's program printed is never shown there; the reasons are.
    """
    texts = [report.reason or "", *report.notes]
    results: dict[str, Any] = {
        "score": rounded(report.score),
        "output": "\n".join(filter(None, texts)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": cell.exercise,
                "score": rounded(cell.points),
                "max_score": rounded(cell.max_points),
                "status": "passed" if cell.points >= cell.max_points else "failed",
                "output": cell.message,
                "visibility": "visible",
            }
            for cell in report.cells
        ],
    }
    if seconds is not None:
        results["execution_time"] = round(seconds)
    return results


def rounded(points: float) -> float:
    """Points to six digits after the point, so that 2.1 + 0.2 is 2.3."""
    return round(float(points), 6)


# -------------------------------------------------------------------------------------------- JUnit


def clean(text: str) -> str:
    """Text with the characters that XML 1.0 allows.

    >>> clean("a\\x00b\\x1b[31m")
    'a\\ufffdb\\ufffd[31m'
    """
    return ALLOWED.sub("\ufffd", text)


def junit_xml(assignment: str, suites: Iterable[Suite]) -> str:
    """A JUnit file: a test suite for each submission, a test case for each exercise.

    Not done is 'skipped', raised or stopped at a limit is 'error', other lost points are 'failure'.
    """
    root = ET.Element("testsuites", name=clean(assignment))
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        element = ET.SubElement(root, "testsuite", name=clean(suite.name))
        counts = dict.fromkeys(totals, 0)
        properties = ET.SubElement(element, "properties")
        most = sum(cell.max_points for cell in suite.report.cells)
        for key, value in (("points", suite.report.score), ("max_points", most)):
            ET.SubElement(properties, "property", name=key, value=number(value))
        if suite.report.reason is not None:
            counts["tests"] += 1
            counts["errors"] += 1
            case = ET.SubElement(element, "testcase", name="notebook", classname=clean(assignment))
            problem(case, "error", suite.report.reason)
        for cell in suite.report.cells:
            counts["tests"] += 1
            case = ET.SubElement(
                element, "testcase", name=clean(cell.exercise), classname=clean(assignment)
            )
            if cell.points >= cell.max_points:
                continue
            kind, count = {
                "not done": ("skipped", "skipped"),
                "error": ("error", "errors"),
                "limit": ("error", "errors"),
            }.get(cell.status, ("failure", "failures"))
            counts[count] += 1
            problem(
                case,
                kind,
                cell.message,
                f"{number(cell.points)} of {number(cell.max_points)} points",
            )
        if suite.report.notes:
            ET.SubElement(element, "system-out").text = clean("\n".join(suite.report.notes))
        for key, value in counts.items():
            element.set(key, str(value))
            totals[key] += value
    for key in ("tests", "failures", "errors"):  # Jenkins' schema has no `skipped` here
        root.set(key, str(totals[key]))
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8").decode() + "\n"


def problem(case: ET.Element, kind: str, message: str, points: str = "") -> None:
    """Why a test case did not pass: the first line as `message`, everything as text."""
    text = clean(message)
    first = text.strip().split("\n")[0] if text.strip() else "no reason given"
    element = ET.SubElement(case, kind, message=": ".join(filter(None, [points, first])))
    if kind != "skipped":
        element.set("type", "points")
        element.text = text


# ------------------------------------------------------------------------------------------- GitHub


def annotation_text(text: str) -> str:
    """Text of a workflow command, escaped as the runner's toolkit does.

    >>> annotation_text("50%\\n::error::x")
    '50%25%0A::error::x'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_property(text: str) -> str:
    """A property of a workflow command (`file=...`), escaped as the runner's toolkit does."""
    return annotation_text(text).replace(":", "%3A").replace(",", "%2C")


def github_annotations(report: Report, file: str) -> Iterator[str]:
    """Lines that GitHub shows beside a file: an error for each wrong exercise, then the points."""
    where = f"file={annotation_property(file)}"
    if report.reason is not None:
        yield f"::error {where},title=Not graded::{annotation_text(clean(report.reason))}"
    for cell in report.cells if report.reason is None else ():
        if cell.points >= cell.max_points:
            continue
        kind = "warning" if cell.status == "not done" else "error"
        title = f"{cell.exercise}: {number(cell.points)} of {number(cell.max_points)} points"
        yield (
            f"::{kind} {where},title={annotation_property(clean(title))}"
            f"::{annotation_text(clean(cell.message))}"
        )
    for note in report.notes:
        yield f"::notice {where}::{annotation_text(clean(note))}"
    most = sum(cell.max_points for cell in report.cells)
    title = f"{number(report.score)} of {number(most)} points"
    yield f"::notice {where},title={title}::{title}"


def github_summary(report: Report) -> str:
    """A Markdown table for the page of a workflow run (`GITHUB_STEP_SUMMARY`)."""
    most = sum(cell.max_points for cell in report.cells)
    lines = [
        f"### {markdown_text(report.assignment)}: {number(report.score)} of {number(most)} points"
    ]
    if report.reason is not None:
        lines += ["", markdown_text(report.reason)]
    elif report.cells:
        lines += ["", "| exercise | points | why |", "|---|---:|---|"]
        for cell in report.cells:
            why = "" if cell.points >= cell.max_points else markdown_text(cell.message)
            points = f"{number(cell.points)} / {number(cell.max_points)}"
            lines.append(f"| {markdown_text(cell.exercise)} | {points} | {why} |")
    lines += [line for note in report.notes for line in ("", markdown_text(note))]
    return "\n".join(lines) + "\n"


def markdown_text(text: str) -> str:
    """Text in one line that Markdown shows as it is.

    >>> markdown_text("a|b\\n<img src=x> `db`")
    'a\\\\|b &lt;img src=x&gt; \\\\`db\\\\`'
    """
    plain = html.escape(" ".join(clean(text).split()), quote=False)
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain)
