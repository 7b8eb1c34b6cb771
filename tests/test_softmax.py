"""Lecture 05: softmax, cross-entropy, and which loss belongs to which output unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

from course import softmax as s
from course.logistic import sigmoid

Z_BATCH, Y_BATCH = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 0.5]]), np.array([2, 0])

logits = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-800, 800)
)
mild = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-9, 9)
)


def six(value):
    return pytest.approx(value, rel=5e-6)


def test_C_35_softmax_of_1_2_3_and_one_entry_of_its_jacobian() -> None:
    p = s.softmax([[1, 2, 3]])[0]
    assert p == six([0.0900306, 0.244728, 0.665241])
    assert s.softmax_jacobian(p)[1, 0] == six(-0.0220330)


@given(mild)
def test_C_35_jacobian_agrees_with_differences(Z) -> None:
    z, h = Z[0], 1e-5
    numeric = np.stack(
        [(s.softmax([z + h * e])[0] - s.softmax([z - h * e])[0]) / (2 * h) for e in np.eye(len(z))],
        axis=1,
    )
    assert s.softmax_jacobian(s.softmax([z])[0]) == pytest.approx(numeric, rel=1e-5, abs=1e-9)


@given(logits)
def test_C_53_softmax_agrees_with_scipy_and_never_warns(Z) -> None:
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        p, log_p = s.softmax(Z), s.log_softmax(Z)
    assert p == pytest.approx(special.softmax(Z, axis=1), rel=1e-12, abs=1e-300)
    assert log_p == pytest.approx(special.log_softmax(Z, axis=1), rel=1e-12, abs=1e-12)
    assert p.sum(axis=1) == pytest.approx(1)


@given(mild, st.floats(-500, 500))
def test_G_36_softmax_does_not_change_when_a_row_is_shifted(Z, shift) -> None:
    assert s.softmax(Z + shift) == pytest.approx(s.softmax(Z), rel=1e-9)


def test_G_36_large_logits_are_no_nan() -> None:
    assert s.softmax([[1000.0, 1001.0]])[0] == six([0.268941, 0.731059])


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_G_37_two_classes_are_the_logistic_of_the_difference(z1, z2) -> None:
    assert s.softmax([[z1, z2]])[0, 0] == pytest.approx(sigmoid(z1 - z2), rel=1e-12)


def test_H_30_three_class_example() -> None:
    z = np.log([[0.25, 0.25, 0.5]])
    assert s.cross_entropy(z, [1]) == six(1.38629)
    assert s.cross_entropy(z, [1]) / np.log(2) == six(2)  # bits
    assert s.cross_entropy_grad(z, [1])[0] == six([0.25, -0.75, 0.5])


def test_lecture_05_batch_losses_and_mean() -> None:
    each = [s.cross_entropy(Z_BATCH[i : i + 1], Y_BATCH[i : i + 1]) for i in range(2)]
    assert each == six([0.407606, 1.46437])
    assert s.cross_entropy(Z_BATCH, Y_BATCH) == six(0.935987)


def test_lecture_05_values_of_the_common_mistakes_differ() -> None:
    # The printed values by which misconceptions 05.1 and 05.3 are known.
    assert s.softmax(Z_BATCH.T).T[0] == six([0.5, 0.5, 0.924142])
    assert s.cross_entropy(s.softmax(Z_BATCH), Y_BATCH) == six(1.01061)


def test_G_38_a_probability_that_rounds_to_zero_has_a_finite_loss() -> None:
    assert s.cross_entropy([[0.0, 2000.0]], [0]) == 2000.0


@given(mild, st.integers(0, 2**32 - 1))
def test_G_39_gradient_is_prediction_minus_target(Z, seed) -> None:
    rng = np.random.default_rng(seed)
    N, K = Z.shape
    y, direction = rng.integers(0, K, N), rng.normal(size=Z.shape)
    grad = s.cross_entropy_grad(Z, y)
    assert grad == pytest.approx((special.softmax(Z, axis=1) - np.eye(K)[y]) / N, abs=1e-12)
    h = 1e-5
    along = s.cross_entropy(Z + h * direction, y) - s.cross_entropy(Z - h * direction, y)
    assert (grad * direction).sum() == pytest.approx(along / (2 * h), rel=1e-5, abs=1e-8)


def test_G_35_gradients_of_softmax_regression_agree_with_differences() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    W, b, V, v = (rng.normal(size=shape) for shape in ((4, 3), 3, (4, 3), 3))
    dW, db = s.softmax_gradients(X, y, W, b)
    h = 1e-5
    up, down = (s.cross_entropy(X @ (W + t * V) + b + t * v, y) for t in (h, -h))
    assert (dW * V).sum() + db @ v == pytest.approx((up - down) / (2 * h), rel=1e-8)


def test_G_34_one_hot() -> None:
    assert s.one_hot([2, 0, 1], 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match=r"class numbers 0\.\.2, got 3"):
        s.one_hot([0, 3], 3)


def test_H_33_multilabel_loss() -> None:
    assert s.multilabel_bce([[1, 2, 0.5]], [[1, 0, 1]]) == six(2.91427)
    twice = s.multilabel_bce([[1, 2, 0.5]] * 2, [[1, 0, 1]] * 2)
    assert twice == six(2.91427)  # a mean over samples


def test_H_31_two_classes_are_the_binary_loss() -> None:
    z = np.array([[0.3], [-1.7]])
    two = s.cross_entropy(np.hstack([np.zeros((2, 1)), z]), [1, 0])
    assert s.multilabel_bce(z, [[1], [0]]) == pytest.approx(two)


def test_H_32_squared_error_is_half_the_squared_distance() -> None:
    assert s.squared_error([[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 4.0]]) == (2.5 + 8) / 2


def test_H_35_softmax_sums_to_one_and_sigmoids_need_not() -> None:
    z = np.array([[1, 2, 0.5]])
    assert s.output("multiclass").unit(z)[0] == six([0.231224, 0.628532, 0.140244])
    assert s.output("multilabel").unit(z).sum() == six(2.23431)
    assert s.output("multilabel").unit([[0.0, 0.0]]).sum() == 1.0  # E-H8


def test_H_35_output_unit_and_loss_by_task() -> None:
    assert {task: s.output_for(task) for task in s.OUTPUTS} == {
        "regression": ("linear", "squared error"),
        "binary": ("sigmoid", "binary cross-entropy"),
        "multiclass": ("softmax", "cross-entropy"),
        "multilabel": ("sigmoid", "binary cross-entropy"),
    }
    with pytest.raises(ValueError, match="unknown task 'ranking': expected one of regression"):
        s.output_for("ranking")


@pytest.mark.parametrize("task", list(s.OUTPUTS))
@given(Z=mild, seed=st.integers(0, 2**32 - 1))
def test_a_matched_pair_has_gradient_prediction_minus_target(task, Z, seed) -> None:
    rng = np.random.default_rng(seed)
    out, (N, K), h = s.output(task), Z.shape, 1e-5
    y = rng.integers(0, K, N) if task == "multiclass" else rng.integers(0, 2, Z.shape)
    Y = np.eye(K)[y] if task == "multiclass" else y
    grad = out.grad(Z, y)
    assert grad == pytest.approx((out.unit(Z) - Y) / N, abs=1e-12)
    direction = rng.normal(size=Z.shape)
    along = out.loss(Z + h * direction, y) - out.loss(Z - h * direction, y)
    assert (grad * direction).sum() == pytest.approx(along / (2 * h), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_G_32_log_and_squared_scores_are_least_at_the_truth_and_absolute_is_not(p) -> None:
    q = np.linspace(0.01, 0.99, 99)
    assert q[s.expected_score(p, q, "log").argmin()] == pytest.approx(p)
    assert q[s.expected_score(p, q, "squared").argmin()] == pytest.approx(p)
    absolute = s.expected_score(p, q, "absolute")
    if p != 0.5:
        assert q[absolute.argmin()] == pytest.approx(0.99 if p > 0.5 else 0.01)


def test_C_23_expected_log_score_is_the_cross_entropy() -> None:
    p, q = 0.3, 0.6
    assert s.expected_score(p, q) == pytest.approx(-0.3 * np.log(0.6) - 0.7 * np.log(0.4))
    assert s.expected_score(1.0, 1.0) == 0.0


def test_float32_stays_float32_and_arguments_stay_as_they_are() -> None:
    Z = Z_BATCH.astype("f4")
    assert {f(Z).dtype for f in (s.softmax, s.log_softmax)} == {np.dtype("f4")}
    assert s.cross_entropy_grad(Z, Y_BATCH).dtype == np.float32
    assert s.multilabel_bce_grad(Z, (Z > 1).astype("f4")).dtype == np.float32
    assert (Z == Z_BATCH).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: s.cross_entropy(Z_BATCH, [0, 3]), "class numbers 0..2, got 3"),
        (lambda: s.cross_entropy(Z_BATCH, [0]), r"Z has shape \(2, 3\) and y has shape \(1,\)"),
        (lambda: s.softmax([1.0, 2.0]), r"Z must have 2 axes, got shape \(2,\)"),
        (lambda: s.multilabel_bce(Z_BATCH, [[1, 0], [0, 1]]), "expected the same shape"),
        (lambda: s.softmax_jacobian([0.5, 0.6]), "sum to 1, got sum 1.1"),
        (lambda: s.expected_score(0.5, 0.0), "costs infinity"),
        (lambda: s.expected_score(0.5, 1.5), "expected values in 0..1"),
        (lambda: s.expected_score(0.5, 0.5, "brier"), "score must be 'log'"),
    ],
)
def test_bad_input_is_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
