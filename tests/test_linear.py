"""Lecture 03: derivatives, the cost, the direct solution, features, choosing a degree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import Polynomial

from course import linear

X = np.array([[8, 0, 3, 0], [6, -1, 5, 3], [2, 5, -2, 8]])  # row G-12
W = np.array([0.5, -1.0, 2.0, 1.0])
Y = np.array([10.0, 15.0, 20.0])


def six(value):
    return pytest.approx(value, rel=5e-6)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        pytest.param(lambda x: 3 * x**4, 2.0, 96.0, id="C-30"),
        pytest.param(lambda x: np.exp(x**2 / 3), 1.0, 0.930408, id="C-31 at 1"),
        pytest.param(lambda x: np.exp(x**2 / 3), 2.0, 5.05822, id="C-31 at 2"),
        pytest.param(lambda x: x * np.exp(x), 1.0, 5.43656, id="C-32"),
        pytest.param(lambda x: x**2 / 4, 2.0, 1.0, id="C-34 by x"),
        pytest.param(lambda y: 4 / y, 4.0, -0.25, id="C-34 by y"),
        pytest.param(lambda x: 7.0, 3.0, 0.0, id="C-27 constant"),
        pytest.param(np.log, 4.0, 0.25, id="C-27 log"),
    ],
)
def test_C_26_numeric_derivatives_of_the_refresher(f, x, slope) -> None:
    assert linear.numeric_derivative(f, x) == pytest.approx(slope, rel=5e-6, abs=1e-12)


def test_C_28_C_29_rules_hold_numerically() -> None:
    d, x = linear.numeric_derivative, 1.3
    f, g = np.sin, lambda x: x**3 + 1
    assert d(lambda x: f(x) ** 4, x) == six(4 * f(x) ** 3 * d(f, x))
    assert d(lambda x: np.exp(f(x)), x) == six(np.exp(f(x)) * d(f, x))
    assert d(lambda x: np.log(g(x)), x) == six(d(g, x) / g(x))
    assert d(lambda x: g(x) * f(x), x) == six(d(g, x) * f(x) + g(x) * d(f, x))
    assert d(lambda x: g(x) / f(x), x) == six(d(g, x) / f(x) - g(x) * d(f, x) / f(x) ** 2)


def test_the_difference_is_central_so_exact_on_parabolas() -> None:
    assert linear.numeric_derivative(lambda x: x * x, 3.0, h=0.5) == 6.0
    with pytest.raises(ValueError, match="h must not be 0"):
        linear.numeric_derivative(np.sin, 0.0, h=0)


def test_G_13_predictions_of_the_design_matrix() -> None:
    assert linear.predict(X, W, 1).tolist() == [11, 18, 1]


def test_G_13_cost_of_the_design_matrix() -> None:
    assert linear.cost(linear.predict(X, W, 1), Y) == six(61.8333)


def test_G_14_cost_equals_the_printed_numpy_line() -> None:
    y, N = np.dot(X, W) + 1, 3
    assert linear.cost(y, Y) == np.sum((y - Y) ** 2) / (2.0 * N)


def test_G_17_gradient_of_the_design_matrix() -> None:
    dw, db = linear.gradients(X, Y, W, 1)
    assert dw == six([-4, -32.6667, 18.6667, -47.6667])
    assert db == six(-5)


@given(st.integers(1, 7), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_G_16_G_17_gradient_agrees_with_differences(N, D, seed) -> None:
    rng = np.random.default_rng(seed)
    A, y, w, b = rng.normal(size=(N, D)), rng.normal(size=N), rng.normal(size=D), rng.normal()
    dw, db = linear.gradients(A, y, w, b)
    direction = rng.normal(size=D + 1)

    def along(t: float) -> float:
        return linear.cost(linear.predict(A, w + t * direction[:-1], b + t * direction[-1]), y)

    slope = linear.numeric_derivative(along, 0.0, h=1e-3)  # exact: the cost is quadratic
    assert dw @ direction[:-1] + db * direction[-1] == pytest.approx(slope, rel=1e-8, abs=1e-9)


def test_G_12_E_G2_rank_three_so_the_normal_matrix_is_singular() -> None:
    assert np.linalg.matrix_rank(X) == 3
    assert np.linalg.eigvalsh(X.T @ X)[0] == pytest.approx(0, abs=1e-12)


def test_E_G1_lstsq_returns_four_values() -> None:
    assert len(np.linalg.lstsq(linear.add_ones(X), Y, rcond=None)) == 4


def test_E_G2_least_norm_without_bias() -> None:
    # The erratum's numbers: no ones column, targets 1, 2, 3.
    w = np.linalg.lstsq(X.astype(float), [1.0, 2.0, 3.0], rcond=None)[0]
    assert w == six([0.0845747, 0.0656945, 0.107801, 0.339747])


def test_G_18_direct_solution_of_the_design_matrix_is_exact_and_of_least_norm() -> None:
    w, b = linear.fit_direct(X, Y)
    assert linear.predict(X, w, b) == pytest.approx(Y)
    # Of all exact solutions, the shortest is a combination of the rows of [X, 1].
    A = linear.add_ones(X)
    assert np.append(w, b) == pytest.approx(A.T @ np.linalg.solve(A @ A.T, Y))


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_direct_solution_is_the_pseudo_inverse_at_any_rank(N, D, rank, seed) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(N, rank)) @ rng.normal(size=(rank, D))
    y = rng.normal(size=N)
    w, b = linear.fit_direct(A, y)
    assert np.append(w, b) == pytest.approx(
        np.linalg.pinv(linear.add_ones(A), rcond=1e-12) @ y, rel=1e-5, abs=1e-7
    )
    dw, db = linear.gradients(A, y, w, b)
    assert dw == pytest.approx(0, abs=1e-8)
    assert db == pytest.approx(0, abs=1e-8)


def test_G_24_powers_of_x() -> None:
    assert linear.poly_features([2, -3], 3).tolist() == [[1, 2, 4, 8], [1, -3, 9, -27]]
    assert linear.poly_features([0.0], 0).tolist() == [[1]]


def test_G_25_degree_nine_passes_through_ten_points_and_generalises_worst() -> None:
    rng = np.random.default_rng(1)
    x, x_new = np.linspace(0, 1, 10), np.linspace(0.02, 0.98, 60)
    y = np.sin(2 * np.pi * x) + 0.2 * rng.normal(size=10)
    y_new = np.sin(2 * np.pi * x_new) + 0.2 * rng.normal(size=60)
    curve = linear.validation_curve(x, y, x_new, y_new, range(10))
    assert curve.train[9] == pytest.approx(0, abs=1e-12)
    assert (np.diff(curve.train) <= 1e-12).all()  # more freedom never fits the data worse
    assert curve.best in (3, 4, 5)
    assert linear.choose_degree(x, y, x_new, y_new, range(10))[0] == curve.best
    assert linear.choose_degree(x, y, x, y, range(10))[0] == 9  # misconception 03.7


def test_choose_degree_reports_the_validation_cost_of_each_degree() -> None:
    x = np.linspace(-1, 1, 8)
    best, errors = linear.choose_degree(x, x**2, x / 2, x**2 / 4, [0, 2, 1])
    assert best == 2
    assert list(errors) == [0, 2, 1]
    assert errors[0] == pytest.approx(np.mean((x**2 / 4 - np.mean(x**2)) ** 2) / 2)


def test_polynomial_fit_agrees_with_numpy() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, 30), rng.normal(size=30)
    reference = Polynomial.fit(x, y, 4).convert().coef
    assert linear.fit_polynomial(x, y, 4) == pytest.approx(reference, rel=1e-8)


def test_float32_stays_float32_and_arguments_stay_as_they_are() -> None:
    A, y = X.astype("f4"), Y.copy()
    w, _ = linear.fit_direct(A, y)
    dw, _ = linear.gradients(A, y.astype("f4"), W.astype("f4"), 1)
    assert {w.dtype, dw.dtype, linear.predict(A, w, 1).dtype} == {np.dtype("f4")}
    assert (X == A).all()
    assert (y == Y).all()


def test_broadcasting_column_against_row_is_refused() -> None:
    with pytest.raises(ValueError, match=r"y_hat must have 1 axis, got shape \(3, 1\)"):
        linear.cost(np.ones((3, 1)), np.ones(3))
    with pytest.raises(ValueError, match=r"y_hat has shape \(3,\) and y has shape \(1,\)"):
        linear.cost(np.ones(3), np.ones(1))


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="as many rows"):
        linear.fit_direct(X, Y[:2])
    with pytest.raises(ValueError, match="degree must be at least 0"):
        linear.poly_features([1.0], -1)
    with pytest.raises(ValueError, match="degrees is empty"):
        linear.choose_degree([1.0], [1.0], [1.0], [1.0], [])
