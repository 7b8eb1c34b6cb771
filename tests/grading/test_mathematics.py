"""Formulas of students and graders are typeset on the feedback page, and can do nothing else."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from course.grading.feedback import TAGS, rendered
from course.grading.mathematics import ATTRIBUTES, ELEMENTS, LONGEST, MOST, safe_mathml

PIECES = st.sampled_from(
    [
        "$", "$$", "\\frac{a}{b}", "x_i^2", "\\text{", "}", "{", "<script>alert(1)</script>", "<b>",
        "\\href{javascript:alert(1)}{x}", "\\color{red\" onclick=\"x}", "\\class{a}{b}", "`", "\n\n",
        "![", "](data:image/png;base64,AA==)", "[", "](https://a.org)", "\\begin{align}", "&", "\\\\",
        "\\end{align}", "formula", "0e", '"', "'", ">", "\\mathbf{W}", "&#60;img src=x&#62;", " ",
    ]
)  # fmt: skip


def test_an_answers_formula_is_typeset_where_it_stands() -> None:
    page = BeautifulSoup(
        rendered(r"So $\frac{\partial L}{\partial W}$, hence **two**."), "html.parser"
    )
    assert page.select_one("p math mfrac") is not None
    assert "$" not in page.text
    assert page.strong is not None
    block = BeautifulSoup(rendered("$$\\sum_i x_i$$"), "html.parser").math
    assert block is not None
    assert block["display"] == "block"
    aligned = BeautifulSoup(rendered("\\begin{align}a&=b\\\\c&=d\\end{align}"), "html.parser")
    assert len(aligned.select("mtr")) == 2


def test_a_formula_that_cannot_be_typeset_stays_as_it_was_written() -> None:
    assert r"$\unheard{x}$" in rendered(r"Look: $\unheard{x}$")
    long = "x" * (LONGEST + 1)
    assert long in rendered(f"${long}$")
    many = BeautifulSoup(rendered("$x$ " * (MOST + 5)), "html.parser")
    assert len(many.select("math")) == MOST
    assert many.text.count("$") == 10


def test_code_and_pictures_keep_their_dollars_out_of_it() -> None:
    assert "<code>$x$</code>" in rendered("`$x$`")
    picture = rendered("![a $x$ b](data:image/png;base64,AA==)")
    assert re.search(r'alt="a +b"', picture)
    assert "math" not in picture


@pytest.mark.parametrize(
    "latex",
    [r"\text{<script>x</script>}", r"\text{<img src=x onerror=y>}", r"\text{<!DOCTYPE a>}"],
)
def test_markup_inside_a_formula_is_refused(latex: str) -> None:
    with pytest.raises(ValueError, match=r"MathML|typeset"):
        safe_mathml(latex, False)
    assert "<script" not in rendered(f"${latex}$")
    assert "<img" not in rendered(f"${latex}$")


@pytest.mark.parametrize(
    "latex", [r"\href{javascript:a}{x}", r"\style{color:red}{x}", r"\class{a}{x}"]
)
def test_links_styles_and_classes_of_a_formula_are_dropped(latex: str) -> None:
    assert not re.search("javascript|style=|class=|href", safe_mathml(latex, False))


@given(st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_written_nothing_but_known_markup_comes_out(source: str) -> None:
    for element in BeautifulSoup(rendered(source), "html.parser").find_all(True):
        assert element.name in TAGS | ELEMENTS
        if element.name in ELEMENTS:
            assert set(element.attrs) - {"xmlns"} <= ATTRIBUTES
        for name, value in element.attrs.items():
            assert not name.startswith("on")
            if name in ("href", "src", "xlink:href", "style"):
                assert re.match("https?://|mailto:|#|data:image/png;|text-align", str(value))
