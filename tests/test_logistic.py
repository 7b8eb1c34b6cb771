"""Lecture 04, second half: the sigmoid, its likelihood loss, and the fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from course import logistic
from course.linear import numeric_derivative

logits = hnp.arrays(np.float64, st.integers(1, 9), elements=st.floats(-900, 900))


def six(value):
    return pytest.approx(value, rel=5e-6)


def labelled(seed: int, N: int = 40, D: int = 3):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, D))
    y = (X @ rng.normal(size=D) + rng.normal(size=N) > 0).astype(int)
    y[:2] = 0, 1
    return X, y


def test_C_17_sigmoid_values() -> None:
    assert logistic.sigmoid([0.0, 1.0, 5.0]) == six([0.5, 0.731059, 0.993307])


def test_H_08_slope_of_the_sigmoid() -> None:
    assert logistic.d_sigmoid([0.0, 1.0, 4.0, 10.0]) == six([0.25, 0.196612, 0.0176627, 4.53958e-5])


@given(logits)
def test_sigmoid_softplus_and_slope_agree_with_scipy_and_never_warn(z) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert logistic.sigmoid(z) == pytest.approx(special.expit(z), rel=1e-12, abs=1e-300)
        assert logistic.softplus(z) == pytest.approx(np.logaddexp(0, z), rel=1e-12, abs=1e-300)
        slope = logistic.d_sigmoid(z)
    assert slope == pytest.approx(special.expit(z) * special.expit(-z), rel=1e-12, abs=1e-300)


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3), elements=st.floats(-9, 9)))
def test_H_08_slope_agrees_with_differences_at_any_shape(z) -> None:
    h = 1e-5
    numeric = (logistic.sigmoid(z + h) - logistic.sigmoid(z - h)) / (2 * h)
    assert logistic.d_sigmoid(z) == pytest.approx(numeric, rel=1e-4, abs=1e-9)


def test_G_31_being_surely_wrong_costs_twice_as_much_as_being_fairly_wrong() -> None:
    surely, fairly = np.log(99.0), np.log(9.0)  # logits of 0.99 and 0.90
    assert logistic.bce_with_logits([surely], [0]) == six(4.60517)
    assert logistic.bce_with_logits([fairly], [0]) == six(2.30259)
    assert logistic.sigmoid([surely, fairly]) ** 2 / 2 == six([0.490050, 0.405000])


def test_G_33_loss_is_a_straight_line_for_very_wrong_logits() -> None:
    assert logistic.bce_with_logits([-5.0], [1]) == six(5.00672)
    assert logistic.bce_with_logits([-800.0], [1]) == 800.0
    assert logistic.bce_with_logits([40.0], [0]) == 40.0  # log(1 - sigmoid(40)) is -inf


def test_G_29_accuracy_has_slope_zero_where_cross_entropy_has_not() -> None:
    X, y = labelled(0)
    w = np.array([0.3, -0.2, 0.5])

    def wrong(t: float) -> float:
        return float(np.mean((X @ (w + t) >= 0) != y))

    def surrogate(t: float) -> float:
        return logistic.bce_with_logits(X @ (w + t), y)

    assert numeric_derivative(wrong, 0.0) == 0.0
    assert abs(numeric_derivative(surrogate, 0.0)) > 0.01


@given(logits, st.integers(0, 2**32 - 1))
def test_C_22_cross_entropy_agrees_with_the_likelihood(z, seed) -> None:
    z = np.clip(z, -30, 30)
    y = np.random.default_rng(seed).integers(0, 2, len(z))
    p = special.expit(z)
    likelihood = np.where(y == 1, p, special.expit(-z))
    assert logistic.bce_with_logits(z, y) == pytest.approx(-np.mean(np.log(likelihood)), rel=1e-9)


@given(logits, st.integers(0, 2**32 - 1))
def test_C_24_signed_labels_give_the_same_loss(z, seed) -> None:
    y = np.random.default_rng(seed).integers(0, 2, len(z))
    signed = logistic.logistic_loss_signed(z, logistic.to_signed(y))
    assert signed == pytest.approx(logistic.bce_with_logits(z, y), rel=1e-12)


def test_C_24_to_signed() -> None:
    assert logistic.to_signed([0, 1, 1]).tolist() == [-1, 1, 1]


def test_H_10_gradient_is_prediction_minus_target_times_input() -> None:
    # Row H-19's unit: x = (-1, -2), weights (2, -3), bias -3, so z = 1; target 1.
    dw, db = logistic.logistic_gradients([[-1.0, -2.0]], [1], [2.0, -3.0], -3.0)
    assert dw == six([0.268941, 0.537883])
    assert db == six(-0.268941)


@given(st.integers(0, 2**32 - 1))
def test_H_10_gradient_agrees_with_differences(seed) -> None:
    X, y = labelled(seed, N=7)
    rng = np.random.default_rng(seed)
    w, b, direction = rng.normal(size=3), rng.normal(), rng.normal(size=4)
    dw, db = logistic.logistic_gradients(X, y, w, b)
    slope = numeric_derivative(
        lambda t: logistic.bce_with_logits(X @ (w + t * direction[:3]) + b + t * direction[3], y),
        0.0,
        h=1e-5,
    )
    assert dw @ direction[:3] + db * direction[3] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_targets_may_be_probabilities() -> None:
    z = np.array([0.7, -1.2])
    slope = logistic.bce_with_logits_grad(z, [0.2, 0.9])
    assert slope == pytest.approx((special.expit(z) - [0.2, 0.9]) / 2)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.1, 1.0]))
@settings(max_examples=30)
def test_C_21_fit_ends_where_all_derivatives_vanish(seed, l2) -> None:
    X, y = labelled(seed)
    w, b, history, converged = logistic.logistic_fit(X, y, l2=l2)
    assert converged
    dw, db = logistic.logistic_gradients(X, y, w, b)
    assert dw + l2 * w == pytest.approx(0, abs=1e-8)
    assert db == pytest.approx(0, abs=1e-8)
    assert history[0] == pytest.approx(np.log(2))
    assert (np.diff(history) <= 0).all()


def test_C_21_fit_of_one_binary_feature_is_the_log_odds() -> None:
    # Among x = 0 a quarter is 1, among x = 1 two thirds: b = log(1/3), b + w = log 2.
    X, y = np.array([[0.0]] * 4 + [[1.0]] * 3), np.array([1, 0, 0, 0, 1, 1, 0])
    w, b, *_ = logistic.logistic_fit(X, y)
    assert (w[0], b) == pytest.approx((np.log(6), np.log(1 / 3)))


def test_fit_copes_with_features_of_very_different_size_and_a_doubled_column() -> None:
    X, y = labelled(3, N=200)
    scaled = X * [1e-4, 1.0, 1e4]
    w, b, *_ = logistic.logistic_fit(X, y)
    w_scaled, b_scaled, *_ = logistic.logistic_fit(scaled, y)
    assert w_scaled * [1e-4, 1.0, 1e4] == pytest.approx(w, rel=1e-4)
    assert b_scaled == pytest.approx(b, rel=1e-4)
    w_doubled, *_ = logistic.logistic_fit(np.hstack([X, X[:, :1]]), y)
    assert w_doubled[0] == pytest.approx(w_doubled[3], rel=1e-6)
    assert w_doubled[0] + w_doubled[3] == pytest.approx(w[0], rel=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_fit_converges_on_heavy_tails_where_full_newton_steps_diverge(seed) -> None:
    rng = np.random.default_rng(seed)
    X = 3 * rng.standard_t(1, size=(10, 4))
    y = np.arange(10) % 3 == 0
    w, b, history, converged = logistic.logistic_fit(X, y, l2=1e-4)
    assert converged
    assert (np.diff(history) <= 0).all()
    dw, db = logistic.logistic_gradients(X, y, w, b)
    assert (dw + 1e-4 * w) / np.sqrt((X**2).mean(axis=0)) == pytest.approx(0, abs=1e-7)
    assert db == pytest.approx(0, abs=1e-7)


def test_a_feature_that_is_always_zero_gets_weight_zero() -> None:
    X, y = labelled(0)
    padded = logistic.logistic_fit(np.hstack([X, np.zeros((40, 1))]), y)
    assert padded.w == pytest.approx([*logistic.logistic_fit(X, y).w, 0.0])


def test_too_few_steps_are_said() -> None:
    X, y = labelled(0)
    fits = [logistic.logistic_fit(X, y, l2=0.1, max_iter=steps) for steps in (1, 2, 50)]
    assert [fit.converged for fit in fits] == [False, False, True]
    assert [len(fit.history) for fit in fits[:2]] == [2, 3]


def test_separable_data_without_penalty_have_no_fit_and_with_one_they_have() -> None:
    X, y = [[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1]
    with pytest.raises(ValueError, match="give l2 > 0"):
        logistic.logistic_fit(X, y)
    assert logistic.logistic_fit(X, y, l2=0.1).w[0] > 0


def test_float32_stays_float32_and_arguments_stay_as_they_are() -> None:
    X, y = labelled(1)
    X32 = X.astype("f4")
    kept = X32.copy()
    w, *_ = logistic.logistic_fit(X32, y, l2=0.1)
    dw, _ = logistic.logistic_gradients(X32, y, w, 0.0)
    assert {w.dtype, dw.dtype, logistic.sigmoid(X32).dtype, logistic.softplus(X32).dtype} == {
        np.dtype("f4")
    }
    assert (kept == X32).all()
    assert w == pytest.approx(logistic.logistic_fit(X, y, l2=0.1).w, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: logistic.bce_with_logits([1.0], [-1]), "must lie in 0..1, got -1"),
        (lambda: logistic.bce_with_logits([1.0, 2.0], [1]), r"z has shape \(2,\) and y has"),
        (lambda: logistic.logistic_loss_signed([1.0], [0]), "s must hold -1 and 1 only"),
        (lambda: logistic.logistic_gradients([[1.0]], [1, 0], [1.0], 0.0), "as many rows"),
        (lambda: logistic.logistic_fit([[1.0], [2.0]], [1, 1]), "y holds only class 1"),
        (lambda: logistic.logistic_fit([[1.0], [2.0]], [0, 1], l2=-1), "l2 must not be negative"),
        (lambda: logistic.sigmoid([np.nan]), "NaN or infinite"),
    ],
)
def test_bad_input_is_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
