"""What a student is told: the result in the notebook, and the feedback page made from it.

`write_result` puts a `Result` into a rebuilt notebook: each check cell gets its outcome as output,
and the whole goes into the notebook's metadata, from where the gradebook and the page take it.
`FeedbackPage` and the template beside this file turn that notebook into one self-contained page:
no script, nothing loaded from elsewhere, and a content security policy that says so.
"""

from __future__ import annotations

import functools
import html
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from nbgrader.preprocessors import GetGrades
from pygments.formatters import HtmlFormatter

from course.grading.mathematics import Renderer, markdown
from course.grading.results import Outcome, Result
from course.grading.session import one_gradebook, open_gradebook, recorded
from course.grading.template import STUDENT

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_SOURCE = 20_000  # characters of a cell on the page; the grader has read all of it
SHOWN_MESSAGE = 4_000
SHORT = 1_000  # characters of Markdown up to which its HTML is kept

STATUS = {
    "correct": "correct",
    "partly": "partly right",
    "wrong": "not right yet",
    "not done": "not done",
    "error": "stopped with an error",
    "limit": "stopped at a limit",
    "by hand": "marked by hand",
}
COLOUR = {"correct": "#2e7d32", "partly": "#b26a00", "not done": "#757575"}  # else:
NOT_RIGHT = "#c62828"


def points(value: float) -> str:
    """A number of points as people write it.

    >>> points(8.0), points(2.5), points(1 / 3)
    ('8', '2.5', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def grade_cells(notebook: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The check cells of a notebook by the name of their exercise (`check-NAME` without `check-`)."""
    found = {}
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade") and not marks.get("solution"):
            found[marks["grade_id"].removeprefix("check-")] = cell
    return found


def complete(result: Result, notebook: Mapping[str, Any]) -> Result:
    """The result with one outcome for every check cell: zero where grading gave none.

    Points are made finite and cut to what the cell is worth, whatever the result says.
    """
    outcomes = {}
    for name, cell in grade_cells(notebook).items():
        most = float(cell["metadata"]["nbgrader"]["points"])
        outcome = result.outcomes.get(name)
        if outcome is None or result.reason is not None:
            why = f"Not graded. {result.reason or ''}".strip()
            outcome = Outcome(name, 0.0, most, "not done", why)
        worth = outcome.points if math.isfinite(outcome.points) else 0.0
        outcomes[name] = replace(
            outcome,
            points=min(max(worth, 0.0), most),
            max_points=most,
            message=outcome.message[:SHOWN_MESSAGE],
        )
    return replace(result, outcomes=outcomes)


def write_result(notebook: Any, result: Result) -> None:
    """Put a result into a notebook, in place: outputs for people, metadata for the gradebook."""
    for name, cell in grade_cells(notebook).items():
        outcome = result.outcomes[name]
        cell["outputs"] = [outcome_output(outcome)]
    notebook["metadata"]["course"] = {"result": asdict(result)}


def read_result(notebook: Mapping[str, Any]) -> Result | None:
    """The result that `write_result` put into a notebook, or None."""
    stored = notebook["metadata"].get("course", {}).get("result")
    if stored is None:
        return None
    said = stored["outcomes"]  # a stored notebook has its keys sorted; exercises have an order
    outcomes = {name: Outcome(**said[name]) for name in grade_cells(notebook) if name in said}
    return Result(outcomes, stored["reason"], tuple(stored["notes"]))


def outcome_output(outcome: Outcome) -> Any:
    """The output of a check cell: plain text, and HTML made here from plain text."""
    from nbformat.v4 import new_output

    title = f"{outcome.exercise}: {STATUS.get(outcome.status, outcome.status)}"
    worth = f"{points(outcome.points)} / {points(outcome.max_points)} points"
    colour = COLOUR.get(outcome.status, NOT_RIGHT)
    return new_output(
        "display_data",
        {
            "text/plain": f"{title}, {worth}\n{outcome.message}",
            "text/html": (
                f'<div style="border-left: 4px solid {colour}; padding: 0.2em 0.8em">'
                f"<strong>{html.escape(title)}</strong>, {worth}<br>"
                f'<span style="white-space: pre-wrap">{message_html(outcome.message)}</span></div>'
            ),
        },
    )


def message_html(text: str) -> str:
    """A message as HTML: plain text, with names in back-ticks as code.

    >>> message_html("`db` is < 0")
    '<code>db</code> is &lt; 0'
    """
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def attribute_allowed(tag: str, name: str, value: str) -> bool:
    """What an element of a student's Markdown may carry."""
    if tag == "img" and name == "src":
        return re.fullmatch(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]*", value) is not None
    if tag == "a" and name == "href":
        return re.match(r"(https?://|mailto:|#)", value, re.IGNORECASE) is not None
    return (tag, name) in {("img", "alt"), ("a", "title"), ("td", "style"), ("th", "style")} or (
        tag in ("code", "pre", "span", "div") and name == "class"
    )


TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "span", "blockquote"),
    *("a", "b", "i", "s", "em", "strong", "del", "sub", "sup", "code", "pre", "img"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"),
}


def clean_html(text: str) -> str:
    """HTML with nothing left in it that runs, loads or covers the page.

    >>> clean_html('<p onclick="x()">a<script>b</script> <a href="javascript:c">d</a></p>')
    '<p>a&lt;script&gt;b&lt;/script&gt; <a>d</a></p>'
    """
    from bleach.css_sanitizer import CSSSanitizer

    cleaner = Cleaner(
        tags=TAGS,
        attributes=attribute_allowed,
        protocols=["http", "https", "mailto", "data"],
        css_sanitizer=CSSSanitizer(allowed_css_properties=["text-align"]),
    )
    return cleaner.clean(text)


@pass_context
def safe_markdown(context: Any, source: str, attachments: Any = None) -> str:
    """Markdown as HTML, cleaned unless the cell is the instructor's own.

    attachments : the cell's pictures, where the template's context does not name the cell.
    Stands in for nbconvert's `markdown2html` on feedback pages and in the formgrader.
    """
    cell = context.get("cell") or {}
    marks = cell.get("metadata", {})
    trusted = bool(cell) and "course" not in marks and not marks.get("nbgrader", {}).get("solution")
    attachments = attachments or cell.get("attachments")
    if attachments or trusted or len(source) > SHORT:
        return rendered(source, attachments, trusted)
    return rendered_before(source)


def rendered(source: str, attachments: Any = None, trusted: bool = False) -> str:
    """Markdown as HTML; whatever a text can do to a parser, the page must be made."""
    try:
        renderer = Renderer(attachments)
        text = markdown(source, renderer)
        return renderer.put_back(text if trusted else clean_html(text))
    except Exception:
        return f"<pre>{html.escape(source)}</pre>"


# The headings of an assignment stand on every student's page.
rendered_before = functools.lru_cache(256)(rendered)


class FeedbackPage(GetGrades):
    """Prepares a graded notebook for the feedback template.

    It is nbgrader's `GetGrades` first, so that points given by hand are the ones shown.  Keeps
    headings of the released notebook, everything the student wrote, and the outcome of each
    exercise; the rest of the notebook the student has.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        job = resources["nbgrader"]
        with one_gradebook(job["db_url"]):
            self.grades, self.comments = recorded(open_gradebook(job["db_url"]), job)
            nb, resources = super().preprocess(nb, resources)
        result = read_result(nb) or Result()
        rows = [
            self.row(cell.metadata.nbgrader, result.outcomes)
            for cell in nb.cells
            if (marks := cell.metadata.get("nbgrader"))
            and (marks.get("grade") or marks.get("task"))
        ]
        nb.cells = [cell for cell in map(self.shown, nb.cells) if cell is not None]
        resources["feedback"] = {
            "rows": rows,
            "by_anchor": {row["anchor"]: row for row in rows},
            "reason": result.reason,
            "notes": result.notes,
            "score": points(job.get("score") or 0.0),
            "max_score": points(job.get("max_score") or 0.0),
            "late_penalty": points(job.get("late_penalty") or 0.0),
            "light": colours("default"),
            "dark": colours("github-dark"),
        }
        return nb, resources

    def _get_score(self, cell: Any, resources: Any) -> None:
        marks = cell.metadata["nbgrader"]
        grade = self.grades[marks["grade_id"]]
        marks["score"], marks["points"] = grade.score, grade.max_score

    def _get_comment(self, cell: Any, resources: Any) -> None:
        marks = cell.metadata["nbgrader"]
        marks["comment"] = self.comments[marks["grade_id"]].comment

    @staticmethod
    def row(marks: Any, outcomes: Mapping[str, Outcome]) -> dict[str, str]:
        """A line of the page's table: an exercise, or an answer that is marked by hand."""
        name = marks["grade_id"].removeprefix("check-")
        outcome = outcomes.get(name)
        status = outcome.status if outcome else "by hand"
        return {
            "name": name,
            "anchor": marks["grade_id"],
            "points": points(marks.get("score") or 0.0),
            "max_points": points(marks["points"]),
            "status": status,
            "word": STATUS.get(status, status),
            "message": message_html(outcome.message) if outcome else "",
        }

    @staticmethod
    def shown(cell: Any) -> Any | None:
        """The cell as the page shows it, or None."""
        marks = cell.metadata.get("nbgrader", {})
        by_student = cell.metadata.get("course", {}).get("author") == STUDENT
        if marks.get("comment") == "No response.":  # nbgrader's own; the outcome says it better
            del marks["comment"]
        if marks.get("grade") or marks.get("solution") or marks.get("task") or by_student:
            if len(cell.source) > SHOWN_SOURCE:
                cell.source = cell.source[:SHOWN_SOURCE] + "\n# … (cut here on this page)"
            return cell
        if cell.cell_type == "markdown":
            cell.source = "\n\n".join(headings(cell.source))
            return cell if cell.source else None
        return None


@functools.cache
def colours(style: str) -> str:
    """The style sheet of highlighted code."""
    return str(HtmlFormatter(style=style).get_style_defs(".highlight"))


def headings(source: str) -> list[str]:
    """The heading lines of a Markdown text, not those inside code.

    >>> headings("# Title\\ntext\\n```\\n# comment\\n```\\n## Part")
    ['# Title', '## Part']
    """
    found, inside = [], False
    for line in source.splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside and re.match(r"#{1,6} ", line):
            found.append(line)
    return found
