"""Formulas are typeset without a network, and readable without a mathematical font."""

from __future__ import annotations

import pytest

from course.typeset import mathml


@pytest.mark.parametrize(
    "latex",
    [
        r"\theta_{t+1} = \theta_t - \eta \nabla J(\theta_t)",
        r"\frac{\partial \mathcal L}{\partial \mathbf W^{(1)}}",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin{cases} 1 & z \ge 0 \\ 0 & z < 0 \end{cases}",
        r"\lVert \hat{\mathbf y} - \mathbf y \rVert^2",
        r"\operatorname{softmax}(\mathbf z)_k \quad \text{for all } k",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}^{\mathsf T}",
    ],
)
def test_formulas_become_mathml(latex: str) -> None:
    result = mathml(latex, display=True)
    assert result.startswith("<math")
    assert 'mathvariant="bold"' not in result


def test_a_formula_that_cannot_be_typeset_is_named() -> None:
    with pytest.raises(ValueError, match=r"\\unheard"):
        mathml(r"x + \unheard{y}")


@pytest.mark.parametrize(("latex", "italic"), [(r"\theta", True), (r"\Sigma", False)])
def test_a_greek_letter_is_one_that_every_font_has(latex: str, italic: bool) -> None:
    """A bare `<mi>` would be drawn with U+1D6C0..1D7CB: an empty box in most fonts."""
    result = mathml(latex)
    assert '<mi mathvariant="normal"' in result
    assert ("font-style: italic" in result) is italic
