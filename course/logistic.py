"""Logistic regression: keep the sigmoid of a linear score, choose it by maximum likelihood.

The mean negative log-likelihood is the binary cross-entropy. It is computed from the logit
`z = X @ w + b`, never from `log(sigmoid(z))`, which is `log(0)` where it matters most:

>>> bce_with_logits([-800.0], [1])
800.0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from course import formulas
from course.linear import add_ones
from course.validation import (
    Array,
    affine_inputs,
    floats,
    labels,
    number,
    same_rows,
    same_shape,
    whole,
)


def sigmoid(z: ArrayLike) -> Array:
    """Return `1 / (1 + exp(-z))` of an array of any shape (row C-17).

    >>> sigmoid([-800.0, 0.0, 1.0]).round(6)
    array([0.      , 0.5     , 0.731059])
    """
    return formulas.sigmoid(floats("z", z))


def d_sigmoid(z: ArrayLike) -> Array:
    """Return the slope of the sigmoid at the pre-activation z: `s * (1 - s)` (row H-08)."""
    # s(z)·s(-z), because 1 - s loses every digit where s is nearly 1.
    z = floats("z", z)
    return sigmoid(z) * sigmoid(-z)


def softplus(z: ArrayLike) -> Array:
    """Return `log(1 + exp(z))` of an array of any shape; its slope is the sigmoid."""
    return formulas.softplus(floats("z", z))


def _targets(name: str, value: ArrayLike) -> Array:
    y = floats(name, value)
    if (y < 0).any() or (y > 1).any():
        raise ValueError(
            f"{name} must lie in 0..1, got {y[(y < 0) | (y > 1)][0]:g} "
            "(for labels -1 and 1 use logistic_loss_signed)"
        )
    return y


def bce_with_logits(z: ArrayLike, y: ArrayLike) -> float:
    """Return the mean binary cross-entropy of logits z (N,) with targets y (N,) (row G-31).

    A sample costs `-y log s(z) - (1 - y) log(1 - s(z)) = softplus(z) - y z`. Targets may be
    probabilities.
    """
    z, y = floats("z", z, 1), _targets("y", y)
    same_shape("z", z, "y", y)
    return float(formulas.binary_cross_entropy(z, y))


def bce_with_logits_grad(z: ArrayLike, y: ArrayLike) -> Array:
    """Return the derivative (N,) of `bce_with_logits` by the logits: `(s(z) - y) / N`."""
    z, y = floats("z", z, 1), _targets("y", y)
    same_shape("z", z, "y", y)
    return formulas.binary_cross_entropy_grad(z, y).astype(z.dtype, copy=False)


def logistic_gradients(
    X: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike
) -> tuple[Array, float]:
    """Return `(dw (D,), db)` of the mean cross-entropy: prediction minus target (row H-10).

    X (N, D), y (N,), w (D,), b one number.
    """
    X, w, b = affine_inputs(X, w, b)
    same_rows("X", X, "y", np.asarray(y))
    dz = bce_with_logits_grad(X @ w + b, y)
    return X.T @ dz, float(dz.sum())


def to_signed(y: ArrayLike) -> Array:
    """Return labels -1 and 1 for labels 0 and 1: `2y - 1`.

    >>> to_signed([0, 1])
    array([-1,  1])
    """
    return 2 * labels("y", y, 2) - 1


def logistic_loss_signed(z: ArrayLike, s: ArrayLike) -> float:
    """Return the mean of `-log sigmoid(s z)`, z (N,), labels s (N,) of -1 and 1 (row C-24).

    Equal to `bce_with_logits(z, y)` with `s = to_signed(y)`, because `1 - s(z) = s(-z)`.
    """
    z, s = floats("z", z, 1), floats("s", s, 1)
    same_shape("z", z, "s", s)
    if not np.isin(s, (-1, 1)).all():
        raise ValueError("s must hold -1 and 1 only (for labels 0 and 1 use to_signed)")
    return float(np.mean(softplus(-s * z)))


class LogisticFit(NamedTuple):
    """Weights `w` (D,), bias `b`, the objective at the start and after each step, and its end.

    `converged` is False where `max_iter` steps were too few.
    """

    w: Array
    b: float
    history: list[float]
    converged: bool


def logistic_fit(
    X: ArrayLike, y: ArrayLike, l2: float = 0.0, max_iter: int = 100, tol: float = 1e-8
) -> LogisticFit:
    """Minimise `bce + l2/2 * |w|**2` by Newton's method from a zero start.

    The cost has no closed-form minimum (row C-25), but it is convex and its curvature is known,
    so a handful of Newton steps do. A step that would not lower the objective is halved.

    Parameters
    ----------
    X : (N, D); y : (N,) of 0 and 1, both occurring.
    l2 : strength of the penalty, on the weights and not on the bias.
    tol : stop when no derivative is larger, each feature measured by its root mean square.

    Raises
    ------
    ValueError : without a penalty, data that a line separates have no best weights: the longer
        the better.
    """
    X, y = floats("X", X, 2), labels("y", y, 2)
    same_rows("X", X, "y", y)
    if number("l2", l2) < 0:
        raise ValueError(f"l2 must not be negative, got {l2}")
    if y.min() == y.max():
        raise ValueError(f"y holds only class {y[0]}: expected samples of both classes")
    # Features of unit size, so that their units decide neither the accuracy nor the stop.
    size_of = np.append(np.sqrt((X**2).mean(axis=0)), 1).astype(X.dtype)
    size_of[size_of == 0] = 1
    X1 = add_ones(X) / size_of
    penalty = np.append(np.full(X.shape[1], l2), 0).astype(X.dtype) / size_of**2

    def objective(theta: Array) -> float:
        return bce_with_logits(X1 @ theta, y) + float(penalty @ theta**2) / 2

    theta = np.zeros(X1.shape[1], dtype=X.dtype)
    history = [objective(theta)]
    converged = False
    for _ in range(whole("max_iter", max_iter, 1) + 1):
        z = X1 @ theta
        gradient = X1.T @ bce_with_logits_grad(z, y) + penalty * theta
        converged = bool(np.abs(gradient).max() <= tol)
        if converged or len(history) > max_iter:
            break
        if l2 == 0 and (np.where(y == 1, z, -z) > 0).all():
            raise ValueError(
                "a line separates the classes, so without a penalty the weights grow for ever: "
                "give l2 > 0"
            )
        curvature = (X1.T * (d_sigmoid(z) / len(X))) @ X1 + np.diag(penalty)
        newton = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        size = 1.0
        while size > 1e-10 and objective(theta - size * newton) > history[-1]:
            size /= 2
        if size <= 1e-10:  # the objective cannot be lowered any more in this precision
            converged = True
            break
        theta = (theta - size * newton).astype(X.dtype, copy=False)
        history.append(objective(theta))
    theta = theta / size_of
    return LogisticFit(theta[:-1], float(theta[-1]), history, converged)
