"""Gradient check: the gradients of the engine against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from course.autodiff.tensor import Tensor, as_floats, as_tensor


@dataclass(frozen=True)
class GradientCheck:
    """The result of a gradient check; true where it passed.

    `error` is the largest |analytic - numeric| / max(1, |analytic|, |numeric|) over all entries,
    found in input number `input` at position `entry`.
    """

    passed: bool
    error: float
    input: int
    entry: tuple[int, ...]
    analytic: float
    numeric: float

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        verdict = "gradients agree" if self.passed else "gradients differ"
        return (
            f"{verdict}; the worst entry is {list(self.entry)} of input {self.input}: "
            f"{self.analytic:.9g} by backward(), {self.numeric:.9g} by central difference "
            f"(relative error {self.error:.2g})"
        )


def check_gradients(
    function: Callable[..., Tensor],
    *inputs,
    rng: np.random.Generator | None = None,
    h: float = 1e-6,
    tolerance: float = 1e-6,
) -> GradientCheck:
    """Compare the gradients of `function(*tensors)` with central differences of step `h`.

    The value may have any shape: it is reduced to a number with random weights, drawn from `rng`,
    because an upstream gradient of ones hides mistakes (a sum over the wrong axis, for one).
    Inputs are numbers or float64 arrays; keep them `h` away from kinks.  Copies are used.

    >>> print(bool(check_gradients(lambda x, y: x * y + x, 3.0, np.array([1.0, 2.0]))))
    True
    """
    rng = rng or np.random.default_rng(0)
    arrays = [np.array(as_floats(x), dtype=np.float64) for x in inputs]
    leaves = [Tensor(a) for a in arrays]
    output = as_tensor(function(*leaves))
    weights = rng.standard_normal(output.shape)
    for node in (output * weights).sum().begin_backward():  # backward() would refuse a NaN
        node.propagate()

    def value() -> float:
        return float(np.sum(function(*map(Tensor, arrays)).data * weights))

    gradients = [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad for leaf in leaves]
    return compare(gradients, arrays, value, h, tolerance)


def compare(
    gradients: Sequence[np.ndarray],
    arrays: Sequence[np.ndarray],
    value: Callable[[], float],
    h: float = 1e-6,
    tolerance: float = 1e-6,
) -> GradientCheck:
    """Compare gradients with central differences of `value()`, which depends on the arrays.

    Each entry of the arrays is moved by `h` both ways and put back.
    """
    worst = GradientCheck(True, -1.0, 0, (), 0.0, 0.0)
    for i, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        if np.shape(gradient) != array.shape:
            raise ValueError(
                f"the gradient of input {i} has shape {np.shape(gradient)}, the input {array.shape}"
            )
        for entry in np.ndindex(array.shape):
            kept = array[entry]
            array[entry] = kept + h
            above = value()
            array[entry] = kept - h
            below = value()
            array[entry] = kept
            numeric, exact = (above - below) / (2 * h), float(gradient[entry])
            error = abs(exact - numeric) / max(1.0, abs(exact), abs(numeric))
            if not error <= worst.error:  # a NaN is the worst of all
                passed = bool(error <= tolerance)
                worst = GradientCheck(passed, error, i, entry, exact, numeric)
                if np.isnan(error):
                    return worst
    return worst
