"""Formulas in what students and graders write: typeset as MathML that can do nothing else.

A page must not run scripts, so TeX is turned into MathML where the page is made.  The converter
passes markup in a formula on as it is (`\\text{<script>}`); what it makes is therefore parsed, and
only known elements and attributes are written again.  A formula that does not pass stays as TeX.
"""

from __future__ import annotations

import functools
import re
import secrets
import xml.etree.ElementTree as ET

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from course.typeset import mathml

LONGEST = 1_000  # characters of a formula
MOST = 200  # formulas of a text
DEEPEST = 60  # elements in one another
SPACE = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = {
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
    *("msup", "msub", "msubsup", "mover", "munder", "munderover", "mfrac", "msqrt", "mroot"),
    *("mtable", "mtr", "mtd"),
}
WORDS = re.compile(r"[A-Za-z0-9 .+-]{1,40}")
ATTRIBUTES = {
    *("display", "mathvariant", "stretchy", "fence", "form", "separator", "accent", "accentunder"),
    *("width", "height", "depth", "lspace", "rspace", "minsize", "maxsize", "linethickness"),
    *("columnalign", "rowspacing", "columnspacing", "displaystyle", "scriptlevel", "movablelimits"),
}
# A tag as the cleaner writes it: a formula inside one is in a picture's description.
TAG = re.compile(r"<[a-zA-Z/][^\s>]*(?:\s+[\w-]+(?:=\"[^\"]*\")?)*\s*/?>")


@functools.lru_cache(512)
def safe_mathml(latex: str, display: bool) -> str:
    """A formula as MathML of known elements and attributes only.

    Raises ValueError if it is too long, cannot be typeset, or holds anything else.

    >>> safe_mathml(r"\\text{<script>x</script>}", False)
    Traceback (most recent call last):
    ...
    ValueError: not MathML: script
    """
    if len(latex) > LONGEST:
        raise ValueError("the formula is too long")
    made = mathml(latex, display=display)
    if "<!" in made or "<?" in made:
        raise ValueError("not MathML")
    try:
        root = ET.fromstring(made)
    except ET.ParseError as error:
        raise ValueError(f"not MathML: {error}") from error
    keep_known(root)
    ET.register_namespace("", SPACE[1:-1])
    return ET.tostring(root, encoding="unicode")


def keep_known(element: ET.Element, depth: int = 0) -> None:
    """Drop attributes that are not known, in place; ValueError for an element that is not."""
    name = element.tag.removeprefix(SPACE)
    if not element.tag.startswith(SPACE) or name not in ELEMENTS or depth > DEEPEST:
        raise ValueError(f"not MathML: {name}")
    for key, value in list(element.attrib.items()):
        if key not in ATTRIBUTES or not WORDS.fullmatch(value):
            del element.attrib[key]
    for child in element:
        keep_known(child, depth + 1)


class Renderer(IPythonRenderer):
    """Markdown to HTML with a mark in the place of each formula, for `put_back` after cleaning."""

    def __init__(self, attachments: dict[str, dict[str, str]] | None = None) -> None:
        super().__init__(escape=False, attachments=attachments or {}, exclude_anchor_links=True)
        self.mark = f"formula{secrets.token_hex(8)}n"  # no student can write it
        self.formulas: list[str] = []

    def kept(self, latex: str, display: bool, source: str) -> str:
        if len(self.formulas) >= MOST:
            return source
        try:
            element = safe_mathml(latex, display)
        except (ValueError, RecursionError):
            return source
        self.formulas.append(element)
        return f"{self.mark}{len(self.formulas) - 1}e"

    def inline_math(self, body: str) -> str:
        return self.kept(body, False, super().inline_math(body))

    def block_math(self, body: str) -> str:
        return self.kept(body, True, super().block_math(body))

    def latex_environment(self, name: str, body: str) -> str:
        source = super().latex_environment(name, body)
        return self.kept(rf"\begin{{{name}}}{body}\end{{{name}}}", True, source)

    def put_back(self, text: str) -> str:
        """The formulas in the places of their marks; in the attribute of a tag, nothing."""
        marks = re.compile(rf"{self.mark}(\d+)e")
        parts, end = [], 0
        for tag in TAG.finditer(text):
            parts += [marks.sub(self.formula, text[end : tag.start()]), marks.sub("", tag[0])]
            end = tag.end()
        return "".join([*parts, marks.sub(self.formula, text[end:])])

    def formula(self, found: re.Match[str]) -> str:
        return self.formulas[int(found[1])]


def markdown(source: str, renderer: Renderer) -> str:
    """Markdown as HTML that was not cleaned yet, with marks for formulas."""
    return str(MarkdownWithMath(renderer=renderer).render(source))
