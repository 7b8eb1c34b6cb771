"""Linear regression: a cost turns fitting into minimising; features make linear models bend.

>>> import numpy as np
>>> X = np.array([[8, 0, 3, 0], [6, -1, 5, 3], [2, 5, -2, 8]])
>>> y_hat = predict(X, w=[0.5, -1, 2, 1], b=1)
>>> y_hat
array([11., 18.,  1.])
>>> round(cost(y_hat, [10, 15, 20]), 4)
61.8333
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from course import formulas
from course.validation import Array, affine_inputs, floats, number, same_rows, same_shape, whole


def predict(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> Array:
    """Return `X @ w + b` (N,): X (N, D), w (D,), b one number (row G-13)."""
    X, w, b = affine_inputs(X, w, b)
    return X @ w + b


def cost(y_hat: ArrayLike, y: ArrayLike) -> float:
    """Return the mean over samples of half the squared residual (rows G-09, G-10).

    `y_hat` and `y` are (N,) both: (N, 1) against (N,) would be N×N residuals.
    """
    y_hat, y = floats("y_hat", y_hat, 1), floats("y", y, 1)
    same_shape("y_hat", y_hat, "y", y)
    return float(formulas.half_mean_square(y_hat - y))


def gradients(X: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> tuple[Array, float]:
    """Return the derivatives `(dw (D,), db)` of the cost by weights and bias (row G-17).

    >>> gradients([[1.0, 2.0]], [0.0], w=[1.0, 1.0], b=0.0)
    (array([3., 6.]), 3.0)
    """
    X, w, b = affine_inputs(X, w, b)
    y = floats("y", y, 1)
    same_rows("X", X, "y", y)
    residual = X @ w + b - y
    return X.T @ residual / len(X), float(residual.mean())


def add_ones(X: ArrayLike) -> Array:
    """Return X (N, D) with a column of ones behind it (N, D + 1): its weight is the bias."""
    X = floats("X", X, 2)
    return np.hstack([X, np.ones((len(X), 1), dtype=X.dtype)])


def fit_direct(X: ArrayLike, y: ArrayLike) -> tuple[Array, float]:
    """Return the `(w (D,), b)` of least cost; of several, the one of least norm, b included.

    Setting all derivatives to zero gives linear equations. They are solved by orthogonal
    factorisation: forming and inverting `X.T @ X` fails without an error where columns depend
    on each other (row G-18, erratum E-G2).
    """
    X, y = floats("X", X, 2), floats("y", y, 1)
    same_rows("X", X, "y", y)
    theta = np.linalg.lstsq(add_ones(X), y.astype(X.dtype, copy=False), rcond=None)[0]
    return theta[:-1], float(theta[-1])


# ---------------------------------------------------------------- features and degrees


def poly_features(x: ArrayLike, degree: int) -> Array:
    """Return the powers `1, x, …, x**degree` (N, degree + 1) of x (N,) (row G-24).

    >>> poly_features([2.0, 3.0], 2)
    array([[1., 2., 4.],
           [1., 3., 9.]])
    """
    x = floats("x", x, 1)
    return x[:, None] ** np.arange(whole("degree", degree, 0) + 1, dtype=x.dtype)


def fit_polynomial(x: ArrayLike, y: ArrayLike, degree: int) -> Array:
    """Return coefficients (degree + 1,), constant first, of least cost and then least norm.

    The constant feature is the bias: no other is added.
    """
    features, y = poly_features(x, degree), floats("y", y, 1)
    same_rows("x", features, "y", y)
    return np.linalg.lstsq(features, y.astype(features.dtype, copy=False), rcond=None)[0]


class ValidationCurve(NamedTuple):
    """Costs by degree: `degrees`, and `train` and `validation` (n_degrees,) beside them."""

    degrees: list[int]
    train: Array
    validation: Array

    @property
    def best(self) -> int:
        """The degree of least validation cost; of equal ones the smallest."""
        return min(zip(self.validation, self.degrees, strict=True))[1]


def validation_curve(
    x_tr: ArrayLike, y_tr: ArrayLike, x_va: ArrayLike, y_va: ArrayLike, degrees: Sequence[int]
) -> ValidationCurve:
    """Fit a polynomial of each degree on (x_tr, y_tr); return the costs on both sets (G-27)."""
    if not len(degrees):
        raise ValueError("degrees is empty: expected at least one degree")
    train, validation = [], []
    for degree in degrees:
        w = fit_polynomial(x_tr, y_tr, degree)
        train.append(cost(poly_features(x_tr, degree) @ w, y_tr))
        validation.append(cost(poly_features(x_va, degree) @ w, y_va))
    return ValidationCurve([int(d) for d in degrees], np.array(train), np.array(validation))


def choose_degree(
    x_tr: ArrayLike, y_tr: ArrayLike, x_va: ArrayLike, y_va: ArrayLike, degrees: Sequence[int]
) -> tuple[int, dict[int, float]]:
    """Return the degree of least validation cost, and `{degree: validation cost}`."""
    curve = validation_curve(x_tr, y_tr, x_va, y_va, degrees)
    return curve.best, dict(zip(curve.degrees, curve.validation.tolist(), strict=True))


# ---------------------------------------------------------------- derivatives by hand


def numeric_derivative(f: Callable[[float], float], x: float, h: float = 1e-6) -> float:
    """Return the central difference `(f(x + h) - f(x - h)) / (2h)`.

    Its error falls with `h**2` until rounding, about 1e-16/h, takes over.

    >>> round(numeric_derivative(lambda x: 3 * x**4, 2.0), 4)
    96.0
    """
    x, h = number("x", x), number("h", h)
    if h == 0:
        raise ValueError("h must not be 0: the difference needs two points")
    return float((f(x + h) - f(x - h)) / (2 * h))
