"""Gradient check of a module: its `backward` against central differences of its `forward`."""

from __future__ import annotations

import numpy as np

from course.autodiff.check import GradientCheck, compare
from course.nn.module import Module
from course.validation import floats


def check_module(
    module: Module, X, rng: np.random.Generator, h: float = 1e-6, tolerance: float = 1e-6
) -> GradientCheck:
    """Compare dX and the parameters' gradients with central differences, in float64.

    The upstream gradient dY is drawn from `rng`.  Input 0 of the result is X, the others are the
    parameters in the order of `module.params()`.  Parameters are moved and put back.

    >>> from course.nn import Linear
    >>> rng = np.random.default_rng(0)
    >>> layer = Linear(rng.standard_normal((3, 2)), np.zeros(2))
    >>> bool(check_module(layer, rng.standard_normal((4, 3)), rng))
    True
    """
    X = np.array(floats("X", X), dtype=np.float64)
    dY = rng.standard_normal(module.forward(X).shape)
    analytic = [np.array(module.backward(dY)), *(np.array(dp) for _, dp in module.params())]
    arrays = [X, *(p for p, _ in module.params())]
    result = compare(analytic, arrays, lambda: float(np.sum(module.forward(X) * dY)), h, tolerance)
    module.forward(X)  # what it remembers is again of X itself
    return result
