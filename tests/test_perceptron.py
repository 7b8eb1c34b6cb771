"""Lecture 02: the update rule and its runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course import perceptron as p
from course.threshold import gate, truth_table

X = truth_table(2)


def in_plain_python(X, y, max_epochs, lr):
    """The rule once more, sample by sample, as a student would write it."""
    w, b, n_updates = [0.0] * len(X[0]), 0.0, 0
    for _ in range(max_epochs):
        mistakes = 0
        for x, target in zip(X, y, strict=True):
            y_hat = int(sum(wi * xi for wi, xi in zip(w, x, strict=True)) + b >= 0)
            if y_hat != target:
                w = [wi + lr * (target - y_hat) * xi for wi, xi in zip(w, x, strict=True)]
                b += lr * (target - y_hat)
                mistakes += 1
        n_updates += mistakes
        if not mistakes:
            return w, b, n_updates, True
    return w, b, n_updates, False


@pytest.mark.parametrize(
    ("targets", "w", "b", "n_updates"),
    [
        pytest.param([0, 0, 0, 1], [2, 1], -3, 11, id="and"),
        pytest.param([0, 1, 1, 1], [1, 1], -1, 5, id="or"),
        pytest.param([1, 1, 1, 0], [-2, -1], 2, 10, id="nand"),
    ],
)
def test_lecture_02_runs_on_gates(targets, w, b, n_updates) -> None:
    fit = p.perceptron_fit(X, targets, max_epochs=100)
    assert (fit.w.tolist(), fit.b, fit.n_updates, fit.converged) == (w, b, n_updates, True)
    assert p.predict(X, fit.w, fit.b).tolist() == targets


def test_lecture_02_xor_never_stops_398_updates_in_100_epochs() -> None:
    fit = p.perceptron_fit(X, [0, 1, 1, 0], max_epochs=100)
    assert (fit.n_updates, fit.converged) == (398, False)
    assert min(fit.mistakes) > 0


data = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, (n, 3), elements=st.integers(-4, 4).map(float)),
        hnp.arrays(np.int64, n, elements=st.integers(0, 1)),
    )
)


@given(data, st.sampled_from([0.5, 1.0, 2.0]))
def test_fit_makes_the_updates_of_the_rule_one_sample_at_a_time(samples, lr) -> None:
    X, y = samples
    fit = p.perceptron_fit(X, y, max_epochs=20, lr=lr)
    w, b, n_updates, converged = in_plain_python(X.tolist(), y.tolist(), 20, lr)
    assert (fit.w.tolist(), fit.b, fit.n_updates, fit.converged) == (w, b, n_updates, converged)


@pytest.mark.parametrize("seed", range(5))
def test_fit_makes_the_updates_of_the_rule_on_more_samples_than_it_looks_ahead(seed) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-4, 5, (2 * p.AHEAD + 30, 3)).astype(float)
    y = (X @ [1, -2, 1] + rng.integers(-2, 3, len(X)) > 0).astype(int)
    fit = p.perceptron_fit(X, y, max_epochs=4)
    w, b, n_updates, _ = in_plain_python(X.tolist(), y.tolist(), 4, 1.0)
    assert (fit.w.tolist(), fit.b, fit.n_updates) == (w, b, n_updates)


@pytest.mark.parametrize("odd_one", [p.AHEAD - 1, p.AHEAD, p.AHEAD + 1])
def test_a_lone_mistake_is_found_wherever_it_lies(odd_one) -> None:
    y = np.ones(2 * p.AHEAD, dtype=int)  # at the zero start every prediction is 1
    y[odd_one] = 0
    fit = p.perceptron_fit(np.eye(2 * p.AHEAD), y, max_epochs=1)
    assert fit.history[0].sample == odd_one


def test_pocket_keeps_the_best_line_at_the_end_of_an_epoch() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = (X[:, 0] + rng.normal(size=80) > 0).astype(int)
    fit = p.perceptron_fit(X, y, max_epochs=20)
    ends = {update.epoch: update for update in fit.history}.values()
    right = [p.accuracy(y, p.predict(X, end.w, end.b)) for end in ends]
    w, b = fit.pocket(X, y)
    assert p.accuracy(y, p.predict(X, w, b)) == max(right) > min(right)
    solved = p.perceptron_fit(truth_table(2), [0, 0, 0, 1])
    assert solved.pocket(truth_table(2), [0, 0, 0, 1]) == (solved.w, solved.b)


@pytest.mark.parametrize("patience", [0, 3, 10])
def test_patience_counts_the_epochs_without_a_record(patience) -> None:
    fit = p.perceptron_fit(X, [0, 1, 1, 0], max_epochs=100, patience=patience)
    assert len(fit.mistakes) == int(np.argmin(fit.mistakes)) + patience + 1


@given(data)
def test_history_replays_the_fit(samples) -> None:
    X, y = samples
    fit = p.perceptron_fit(X, y, max_epochs=5)
    w, b = np.zeros(3), 0.0
    for update in fit.history:
        i = update.sample
        assert p.predict(X[i : i + 1], w, b)[0] != y[i]
        w, b = p.perceptron_update(X[i], y[i], w, b)
        assert (update.w.tolist(), update.b) == (w.tolist(), b)
    assert (fit.w.tolist(), fit.b, sum(fit.mistakes)) == (w.tolist(), b, len(fit.history))


def test_update_moves_only_after_a_mistake_and_changes_no_argument() -> None:
    x, w = np.array([1.0, -2.0]), np.array([0.5, 0.5])
    assert p.perceptron_update(x, 0, w, 0.0)[0].tolist() == [0.5, 0.5]  # z = -0.5: right
    moved, b = p.perceptron_update(x, 1, w, 0.0, lr=0.1)
    assert (moved.tolist(), b) == ([0.6, 0.3], 0.1)
    assert w.tolist() == [0.5, 0.5]


def test_G_28_at_the_boundary_the_class_is_1() -> None:
    assert p.predict([[1.0, 1.0]], [1.0, -1.0], 0.0).tolist() == [1]
    assert p.decision_function([[1.0, 1.0]], [1.0, -1.0], 0.0).tolist() == [0.0]


def test_signed_distance_is_that_of_geometry() -> None:
    # The line 3x + 4y = 10 is 2 from the origin; (3, 1.5) lies 1 beyond it.
    assert p.signed_distance([[0, 0], [3, 1.5]], [3, 4], -10).tolist() == [-2.0, 1.0]
    with pytest.raises(ValueError, match="w is zero"):
        p.signed_distance([[0, 0]], [0, 0], 1.0)


def test_accuracy_is_the_share_of_equal_entries() -> None:
    assert p.accuracy([0, 1, 1, 0], [0, 1, 0, 0]) == 0.75
    with pytest.raises(ValueError, match=r"y has shape \(2,\) and y_hat has shape \(3,\)"):
        p.accuracy([0, 1], [0, 1, 1])


def test_a_gate_is_a_fixed_point_of_the_rule() -> None:
    w, b = gate("and")
    for x, y in zip(X, [0, 0, 0, 1], strict=True):
        assert p.perceptron_update(x, y, w, b)[0].tolist() == w.tolist()


def test_float32_stays_float32() -> None:
    fit = p.perceptron_fit(X.astype("f4"), [0, 0, 0, 1])
    assert fit.w.dtype == np.float32
    assert fit.w.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("y", "kwargs", "message"),
    [
        ([0, 1], {}, r"X has shape \(4, 2\) and y has shape \(2,\)"),
        ([-1, 1, 1, 1], {}, "class numbers 0..1, got -1"),
        ([0, 0, 0, 1], {"max_epochs": 0}, "max_epochs must be at least 1"),
        ([0, 0, 0, 1], {"lr": -1.0}, "lr must be positive"),
    ],
)
def test_bad_input_is_refused(y, kwargs, message) -> None:
    with pytest.raises(ValueError, match=message):
        p.perceptron_fit(X, y, **kwargs)
