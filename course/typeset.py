"""LaTeX to MathML, so that formulas are typeset without a network."""

from __future__ import annotations

import html
import re

_ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")
# MathML Core has no variant but `normal`: bold letters are characters of their own.
_BARE_BOLD = re.compile(r"\\mathbf\s+([A-Za-z])")
# Browsers slant a single letter by taking another character, which few fonts have for Greek: without
# a mathematical font it would be an empty box.
_GREEK = re.compile(r"<mi>(&#x0?03[7-9A-F][0-9A-F];|[\u0370-\u03ff])</mi>")
_ROMAN = re.compile(r"\\(?:mathrm|mathsf)\s*(?:\{([^{}]*)\}|([A-Za-z]))")


def mathml(latex: str, *, display: bool = False) -> str:
    """One formula as a `<math>` element; ValueError names what could not be typeset.

    >>> mathml(r"x^2").startswith("<math")
    True
    """
    from latex2mathml.converter import convert

    text = _ALIGNED.sub(r"\\\1{align*}", latex.strip())
    text = _BARE_BOLD.sub(r"\\mathbf{\1}", text)
    text = _ROMAN.sub(lambda found: r"\text{" + (found[1] or found[2] or "") + "}", text)
    try:
        result = convert(text, display="block" if display else "inline")
    except Exception as error:
        raise ValueError(f"this formula cannot be typeset: {latex}") from error
    if "\\" in result or "<mi>&</mi>" in result:
        raise ValueError(f"this formula has a command that cannot be typeset: {latex}")
    return _GREEK.sub(_slanted, result)


def _slanted(found: re.Match[str]) -> str:
    """A Greek letter as itself, slanted by the style sheet: small ones only, as TeX does."""
    style = ' style="font-style: italic"' if html.unescape(found[1]).islower() else ""
    return f'<mi mathvariant="normal"{style}>{found[1]}</mi>'
