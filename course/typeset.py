"""LaTeX to MathML, so that formulas are typeset without a network."""

from __future__ import annotations

import re

_ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")
# MathML Core has no variant but `normal`: bold letters are characters of their own.
_BARE_BOLD = re.compile(r"\\mathbf\s+([A-Za-z])")
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
    return result
