"""The feedback page says what happened, beside the exercise, and nothing in it runs or loads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters import Highlight2HTML, markdown2html
from tiny_course import NAME, hand_in, released, solved, words

from course.grading.feedback import clean_html, complete, outcome_output, read_result, write_result
from course.grading.gradebook import feedback_pages, grade_class
from course.grading.hostile import SCRIPT
from course.grading.results import Outcome, Result
from course.grading.template import inert_markdown
from course.grading.warm import highlighted

HARMLESS = ("http:", "https:", "mailto:", "attachment:")
WRONG = "def double(x):\n    return x"


def page(root: Path, notebook: Any, student: str = "ada") -> BeautifulSoup:
    """The feedback page that a student gets for a file."""
    hand_in(root, student, notebook)
    grade_class(root, NAME, [student])
    (file,) = feedback_pages(root, NAME, student)
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def runs_or_loads(soup: BeautifulSoup) -> list[str]:
    """Whatever on a page could run, load, send or cover something."""
    found = [
        str(tag) for tag in soup.select("script, iframe, object, embed, link, form, base, svg")
    ]
    found += [str(tag) for tag in soup.select("body style")]
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            if name.startswith("on") or name in ("srcset", "background", "formaction"):
                found.append(str(tag))
            if name == "src" and not value.startswith("data:image/"):
                found.append(str(tag))
            scheme = re.match(
                r"[A-Za-z][A-Za-z0-9+.-]*:", re.sub(r"[\x00-\x20]", "", str(value))
            )  # as browsers do
            if name == "href" and scheme and scheme[0] not in HARMLESS:
                found.append(str(tag))
    return found


@pytest.mark.usefixtures("trusting")
def test_each_outcome_stands_right_after_the_code_it_is_about(tiny: Path) -> None:
    soup = page(tiny, solved(released(tiny), double=WRONG))
    assert soup.select_one(".total").text == "6 / 12 points"
    (outcome,) = soup.select("section.outcome#check-double")
    assert "Not <b>right</b>." in outcome.text
    assert "0 / 4 points" in outcome.text
    assert "return x" in outcome.find_previous(class_="code").text
    lines = [" ".join(row.text.split()) for row in soup.select("tbody tr")]
    assert lines == [
        "double0 / 4not right yet", "mean_square6 / 6correct", "why0 / 2marked by hand",
    ]  # fmt: skip


@pytest.mark.usefixtures("trusting")
def test_the_reason_stands_on_top_of_the_page_of_a_broken_file(tiny: Path) -> None:
    soup = page(tiny, "not a notebook")
    assert "damaged" in soup.select_one("[role=alert]").text
    assert soup.select_one(".total").text == "0 / 12 points"
    assert soup.select("section.outcome") == []


@pytest.mark.usefixtures("trusting")
def test_remarks_about_the_file_are_shown(tiny: Path) -> None:
    notebook = solved(released(tiny))
    notebook["cells"] = [c for c in notebook["cells"] if c["id"] != "c-double"]
    assert "check-double" in page(tiny, notebook).select_one(".notes").text


@pytest.mark.usefixtures("trusting")
def test_nothing_a_student_writes_runs_or_loads_on_the_page(tiny: Path) -> None:
    notebook = solved(released(tiny), double=f"'''{SCRIPT}'''")
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] += f"\n\n{SCRIPT}\n\n```mermaid\n{SCRIPT}\n```\n"
        else:
            cell["outputs"] = [
                {"output_type": "display_data", "data": {"text/html": SCRIPT}, "metadata": {}}
            ]
    notebook["cells"].append(words("x", "[a](java&#115;cript:alert(1)) <javascript:alert(1)> [b][c]"
                                        "\n\n[c]: <javascript:alert(1)>"))  # fmt: skip
    notebook["cells"].append({"cell_type": "raw", "metadata": {}, "source": SCRIPT})
    soup = page(tiny, notebook)
    assert runs_or_loads(soup) == []
    policy = soup.select_one("meta[http-equiv]")["content"]
    assert policy.startswith("default-src 'none'")


@pytest.mark.usefixtures("trusting")
def test_a_student_id_is_text_on_the_page(tiny: Path) -> None:
    soup = page(tiny, solved(released(tiny)), student="<b onclick=x>eve")
    assert soup.select_one("p.who").text == "<b onclick=x>eve"
    assert runs_or_loads(soup) == []


@pytest.mark.usefixtures("trusting")
def test_a_picture_that_is_missing_does_not_cost_the_page(tiny: Path) -> None:
    notebook = solved(released(tiny))
    notebook["cells"][-1]["source"] = "![gone](attachment:gone.png) and an answer"
    assert "and an answer" in page(tiny, notebook).text


@pytest.mark.usefixtures("trusting")
def test_a_picture_of_the_students_own_is_shown_and_others_cells_get_none_of_it(tiny: Path) -> None:
    notebook = solved(released(tiny))
    for name in ("a.png", "b.png"):
        notebook["cells"].append(
            words(f"x-{name}", f"![drawn](attachment:{name})")
            | {"attachments": {"a.png": {"image/png": "iVBORw0KGgo="}}}
        )
    pictures = page(tiny, notebook).select("img")
    assert [picture["src"] for picture in pictures] == ["data:image/png;base64,iVBORw0KGgo="]


@pytest.mark.parametrize("language", ["python", "ipython3", "no such language"])
@pytest.mark.parametrize("metadata", [None, {"magics_language": "bash"}])
@pytest.mark.filterwarnings("ignore:No lexer found")
def test_code_is_coloured_as_nbconvert_colours_it(
    language: str, metadata: dict[str, str] | None
) -> None:
    theirs = Highlight2HTML(pygments_lexer=language)
    for source in ("", "def f(x):\n    return '<b>' + x  # ü", "%matplotlib inline\n!ls | wc"):
        assert highlighted(source, language, metadata) == theirs(source, metadata=metadata)


@pytest.mark.usefixtures("trusting")
def test_the_stored_notebook_is_inert_for_any_viewer(tiny: Path) -> None:
    notebook = solved(released(tiny))
    notebook["cells"].append(words("x", SCRIPT))
    page(tiny, notebook)
    stored = json.loads((tiny / "autograded" / "ada" / NAME / "tiny.ipynb").read_text())
    text = "".join("".join(c["source"]) for c in stored["cells"] if c["cell_type"] == "markdown")
    student_text = text[text.index("document.title") - 40 :]
    assert re.search(r"<[a-z/!]", student_text) is None
    assert "![" not in student_text


def test_the_outcome_in_a_check_cell_is_text_of_ours() -> None:
    outcome = Outcome("f", 1.5, 3.0, "partly", "a < b & <script>x</script>\nsecond line")
    data = outcome_output(outcome)["data"]
    assert data["text/plain"].startswith("f: partly right, 1.5 / 3 points\na < b")
    assert "<script>" not in data["text/html"]
    assert "a &lt; b &amp; &lt;script&gt;" in data["text/html"]


def check_cell(name: str, worth: float) -> dict[str, Any]:
    marks = {"grade": True, "solution": False, "grade_id": f"check-{name}", "points": worth}
    return {"cell_type": "code", "metadata": {"nbgrader": marks}, "outputs": [], "source": ""}


@given(
    st.dictionaries(st.sampled_from("abcd"), st.floats(allow_nan=True)),
    st.dictionaries(st.sampled_from("abcd"), st.floats(0, 100)),
)
def test_a_result_is_made_to_fit_the_notebook(
    claimed: dict[str, float], worth: dict[str, float]
) -> None:
    notebook = {"metadata": {}, "cells": [check_cell(n, w) for n, w in worth.items()]}
    outcomes = {n: Outcome(n, p, 1e9, "correct", "") for n, p in claimed.items()}
    result = complete(Result(outcomes), notebook)
    assert set(result.outcomes) == set(worth)
    for name, outcome in result.outcomes.items():
        assert 0 <= outcome.points <= outcome.max_points == worth[name]
    write_result(notebook, result)
    assert read_result(json.loads(json.dumps(notebook))) == result


def test_a_result_with_a_reason_is_worth_nothing() -> None:
    notebook = {"metadata": {}, "cells": [check_cell("a", 3.0)]}
    full = Result({"a": Outcome("a", 3.0, 3.0, "correct", "")}, reason="stopped")
    assert complete(full, notebook).points == 0


HARM = ["[a](", "]: ", "[b][c]", "\n\n[c", "javascript:x", "JavaScript\t:x", "java&#115;cript:x",
        "data:text/html,x", "vbscript:x", "<", ">", "<javascript:x>", "![", "](", ")", "http://e.org",
        "<script>", "<img src=x onerror=y>", "`", "```mermaid\n", "\n```\n", "\\", "&lt;", " ", "a",
        "$", "<!--", "-->", "<a href='javascript:x'>", "](attachment:a.png)"]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(HARM), max_size=8).map("".join))
def test_stored_markdown_neither_runs_nor_loads_in_nbconverts_own_rendering(text: str) -> None:
    rendered = markdown2html(inert_markdown(text))
    assert runs_or_loads(BeautifulSoup(rendered, "html.parser")) == []


@given(st.text(alphabet="<>\"'/=:;&# abimgsrconlodataxjvpt()", max_size=80))
def test_cleaned_html_neither_runs_nor_loads(text: str) -> None:
    assert runs_or_loads(BeautifulSoup(clean_html(text), "html.parser")) == []
