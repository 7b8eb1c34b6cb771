"""Lecture 04, first half: Gaussian classes of one shape and the sigmoid they give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from course import discriminant as d
from course.logistic import sigmoid

MEAN0, MEAN1, COVARIANCE = [0.0, 0.0], [2.0, 1.0], [[2.0, 0.5], [0.5, 1.0]]


def six(value):
    return pytest.approx(value, rel=5e-6)


def test_C_18_lda_weights() -> None:
    w, b = d.lda_weights(MEAN0, MEAN1, COVARIANCE, prior=0.4)
    assert w == six([0.857143, 0.571429])
    assert b == six(-1.54832)


def test_C_18_posterior_at_one_one() -> None:
    w, b = d.lda_weights(MEAN0, MEAN1, COVARIANCE, prior=0.4)
    assert sigmoid(np.array([1.0, 1.0]) @ w + b) == six(0.470098)


def test_C_18_bias_at_equal_priors_and_at_the_opposite_prior() -> None:
    # The values by which a forgotten prior and one of the wrong sign are known (04.3).
    assert d.lda_weights(MEAN0, MEAN1, COVARIANCE)[1] == six(-1.14286)
    assert d.lda_weights(MEAN0, MEAN1, COVARIANCE, prior=0.6)[1] == six(-0.737392)


@st.composite
def gaussians(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    D = draw(st.integers(1, 5))
    A = rng.normal(size=(D, D))
    return rng, rng.normal(size=D), rng.normal(size=D), A @ A.T + np.eye(D), rng.uniform(0.1, 0.9)


@given(gaussians())
def test_C_16_posterior_is_that_of_bayes(case) -> None:
    rng, mean0, mean1, S, prior = case
    X = rng.normal(size=(20, len(mean0)))
    joint0 = (1 - prior) * multivariate_normal.pdf(X, mean0, S)
    joint1 = prior * multivariate_normal.pdf(X, mean1, S)
    w, b = d.lda_weights(mean0, mean1, S, prior)
    assert sigmoid(X @ w + b) == pytest.approx(joint1 / (joint0 + joint1), rel=1e-9)


@given(gaussians())
def test_C_15_log_density_agrees_with_scipy(case) -> None:
    rng, mean, _, S, _ = case
    X = rng.normal(size=(9, len(mean)))
    reference = multivariate_normal.logpdf(X, mean, S)
    assert d.gaussian_log_density(X, mean, S) == pytest.approx(reference, rel=1e-10)


def test_pooled_covariance_divides_by_N_and_weighs_classes_by_size() -> None:
    X = np.array([[0.0], [2.0], [10.0], [10.0], [16.0], [16.0]])
    means, covariance, priors = d.class_statistics(X, [0, 0, 1, 1, 1, 1])
    assert means.tolist() == [[1.0], [13.0]]
    assert covariance == six((2 * 1 + 4 * 9) / 6)  # within variances 1 and 9
    assert priors == six([1 / 3, 2 / 3])


def test_lda_fit_recovers_the_generating_weights() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(200_000) < 0.4).astype(int)
    X = rng.multivariate_normal(MEAN0, COVARIANCE, len(y)) + y[:, None] * MEAN1
    w, b = d.lda_fit(X, y)
    assert w == pytest.approx([0.857143, 0.571429], abs=0.01)
    assert b == pytest.approx(-1.54832, abs=0.02)


def test_a_direction_without_spread_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 20)
    X = rng.normal(size=(40, 2)) + y[:, None]
    w, b = d.lda_fit(X, y)
    w_padded, b_padded = d.lda_fit(np.hstack([X, np.full((40, 1), 7.0)]), y)
    assert w_padded == pytest.approx([*w, 0.0])
    assert b_padded == pytest.approx(b)


def test_units_of_the_features_do_not_change_the_posterior() -> None:
    rng = np.random.default_rng(0)
    y, units = np.repeat([0, 1], 50), np.array([1e-9, 1.0, 1e9])
    X = rng.normal(size=(100, 3)) + y[:, None]
    w, b = d.lda_fit(X, y)
    w_units, b_units = d.lda_fit(X * units, y)
    assert w_units * units == pytest.approx(w, rel=1e-6)
    assert b_units == pytest.approx(b, rel=1e-6)


def test_three_classes_give_softmax_scores() -> None:
    rng = np.random.default_rng(2)
    means, priors = rng.normal(size=(3, 2)), np.array([0.2, 0.3, 0.5])
    X = rng.normal(size=(10, 2))
    W, b = d.class_scores(means, COVARIANCE, priors)
    joint = np.stack(
        [q * multivariate_normal.pdf(X, m, COVARIANCE) for q, m in zip(priors, means, strict=True)]
    )
    posterior = np.exp(X @ W + b)
    posterior /= posterior.sum(axis=1, keepdims=True)
    assert posterior == pytest.approx((joint / joint.sum(axis=0)).T)


def test_float32_stays_float32() -> None:
    X = np.random.default_rng(0).normal(size=(20, 3)).astype("f4")
    w, _ = d.lda_fit(X, np.arange(20) % 2)
    assert w.dtype == np.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: d.lda_fit([[1.0], [2.0]], [1, 1]), "samples in each, got none of class 0"),
        (lambda: d.lda_fit([[1.0], [2.0]], [0, 0]), "got none of class 1"),
        (lambda: d.lda_fit([[1.0], [2.0]], [0, 2]), "0..1, got 2"),
        (lambda: d.lda_weights([0, 0], [1, 1], np.eye(3)), r"covariance has shape \(3, 3\)"),
        (lambda: d.lda_weights([0, 0], [1, 1], [[1, 2], [0, 1]]), "must be symmetric"),
        (lambda: d.lda_weights([0, 0], [1, 1], np.eye(2), 1.0), "strictly between 0 and 1"),
        (lambda: d.gaussian_log_density([[0, 0]], [0, 0], -np.eye(2)), "positive eigenvalues"),
        (lambda: d.gaussian_log_density([[0, 0]], [0], np.eye(2)), r"mean \(1,\)"),
    ],
)
def test_bad_input_is_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
