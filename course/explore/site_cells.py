"""The cells of an executed notebook as HTML: prose, highlighted code, outputs, figures."""

from __future__ import annotations

import base64
import re
from html import escape
from io import BytesIO
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from course.typeset import mathml

STILL_AT_MOST = 8_000  # bytes
VIEW = "application/vnd.jupyter.widget-view+json"
_COLOURS = re.compile("\x1b\\[[0-9;]*m")
_MATH = re.compile(r"^\s*\$(?:\\displaystyle)?(.*?)\$\s*$", re.DOTALL)


class _Prose(IPythonRenderer):
    """Markdown as Jupyter reads it, with formulas as MathML and notebooks as pages."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return mathml(body, display=True)

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if "://" not in url and url.endswith(".ipynb"):
            url = url.removesuffix(".ipynb") + ".html"
        return super().link(text, url, title)


def prose(source: str) -> str:
    """A Markdown cell as HTML."""
    return MarkdownWithMath(renderer=_Prose()).render(source)


def code(source: str) -> str:
    """A code cell's source, highlighted."""
    return highlight(source, PythonLexer(), HtmlFormatter(cssclass="code"))


def code_styles() -> str:
    """Colours for highlighted code, light and dark, at 4.5:1 on their backgrounds."""
    light, dark = (_rules(name) for name in ("xcode", "github-dark"))
    return (
        f":root{{--page-code:#f6f6f6}}{light}"
        f"@media (prefers-color-scheme:dark){{:root{{--page-code:#1d1d1d}}{dark}}}"
    )


def _rules(style: str) -> str:
    lines = HtmlFormatter(style=style, cssclass="code").get_style_defs(".code").splitlines()
    plain = (line.split("/*")[0].strip() for line in lines)
    return "".join(line for line in plain if line.startswith(".code ."))


def output(each: Any, models: dict[str, Any]) -> tuple[str, list[str]]:
    """One output as HTML, and the ids of the widgets it shows."""
    if each.output_type == "stream":
        return _pre(each.text), []
    if each.output_type == "error":
        raise RuntimeError(f"{each.ename}: {_COLOURS.sub('', each.evalue)}")
    data = each.data
    if VIEW in data:
        model = data[VIEW]["model_id"]
        if model not in models:
            return "", []
        still = noscript(data["image/png"], alt(each)) if "image/png" in data else ""
        return f'<div class="figure" data-model="{model}"></div>{still}', [model]
    if "text/html" in data:
        return f'<div class="html">{data["text/html"]}</div>', []
    if "text/markdown" in data:
        return prose(data["text/markdown"]), []
    if "text/latex" in data and (found := _MATH.match(data["text/latex"])):
        return mathml(found[1].strip("$"), display=True), []
    if "image/svg+xml" in data:
        return f'<div role="img" aria-label="{escape(alt(each))}">{data["image/svg+xml"]}</div>', []
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            source = f"data:{kind};base64,{data[kind].strip()}"
            return f'<img alt="{escape(alt(each))}" src="{source}">', []
    return _pre(data.get("text/plain", "")), []


def alt(each: Any) -> str:
    """The description of a picture: from its metadata, or its plain text."""
    for values in (each.metadata.get("image/png", {}), each.metadata):
        if isinstance(values, dict) and values.get("alt"):
            return str(values["alt"])
    return str(each.data.get("text/plain", "Figure"))


def noscript(png: str, words: str) -> str:
    """The still picture of a figure, small, for browsers without JavaScript."""
    from PIL import Image

    drawn = Image.open(BytesIO(base64.b64decode(png))).convert("RGB")
    drawn.thumbnail((640, 10_000))
    for quality in (30, 15, 5):
        buffer = BytesIO()
        drawn.save(buffer, "webp", quality=quality, method=6)
        if buffer.tell() < STILL_AT_MOST:
            break
    picture = base64.b64encode(buffer.getvalue()).decode()
    source = f"data:image/webp;base64,{picture}"
    return f'<noscript><img alt="{escape(words)}" src="{source}"></noscript>'


def _pre(text: str) -> str:
    return f"<pre>{escape(_COLOURS.sub('', text))}</pre>" if text.strip() else ""
