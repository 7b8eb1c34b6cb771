"""Gradient descent and its relatives: the numbers of lecture 06, and what is refused or said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import optim
from course.autodiff import Tensor, affine
from course.nn import MLP, SoftmaxCrossEntropy
from course.optim import (
    SGD,
    DivergenceError,
    DivergenceWarning,
    gradient_descent,
    max_stable_lr,
    minibatches,
    numeric_gradient,
    sgd,
    train,
)


def J(theta):
    return theta**4 / 4 - theta**2 + 0.3 * theta


def dJ(theta):
    return theta**3 - 2 * theta + 0.3


@pytest.mark.parametrize(
    ("start", "lr", "end", "cost"),
    [(2.0, 0.1, 1.33222, -0.587656), (-0.2, 0.05, -1.48397, -1.43497)],
)
def test_C_42_C_43_which_minimum_depends_on_the_start(start, lr, end, cost):
    path = gradient_descent(dJ, start, lr, 500)
    assert path[0, 0] == start
    assert path[-1, 0] == pytest.approx(end, rel=5e-6)
    assert J(path[-1, 0]) == pytest.approx(cost, rel=5e-6)


def test_C_43_the_maximum_between_the_valleys():
    hilltop = gradient_descent(lambda theta: -dJ(theta), 0.0, 0.1, 500)[-1, 0]
    assert hilltop == pytest.approx(0.151747, rel=5e-6)
    left, right = (gradient_descent(dJ, hilltop + d, 0.05, 900)[-1, 0] for d in (-1e-3, 1e-3))
    assert (left, right) == pytest.approx((-1.48397, 1.33222), rel=5e-6)


@pytest.mark.parametrize("lr", [0.03, 0.4])
def test_C_40_a_step_minimises_the_linear_model_with_its_proximity_term(lr):
    start = np.array([1.0, -2.0])
    dL = np.array([3.0, 0.5])
    step = gradient_descent(lambda theta: dL, start, lr, 1)[1] - start
    slope = numeric_gradient(lambda e: float(e @ dL + e @ e / (2 * lr)), step)
    np.testing.assert_allclose(slope, 0, atol=1e-8)


def test_C_44_divergence_is_shown_and_said():
    with pytest.warns(DivergenceWarning, match=r"diverged: step \d+ .* lr=0\.5"):
        path = gradient_descent(dJ, 2.5, 0.5, 12)
    assert path.shape == (13, 1)
    np.testing.assert_allclose(path[1:4, 0], [-2.9625, 6.9251, -152.35], rtol=2e-5)
    assert path[4, 0] == pytest.approx(1.77e6, rel=3e-3)
    assert np.isnan(path[-1, 0])
    known = np.isfinite(path[:, 0])
    assert known[: known.sum()].all()  # no finite number after the first that is not


def test_C_44_largest_stable_rate_at_the_local_minimum():
    minimum = gradient_descent(dJ, 2.0, 0.1, 500)[-1, 0]
    limit = max_stable_lr(3 * minimum**2 - 2)
    assert 3 * minimum**2 - 2 == pytest.approx(3.32444, rel=5e-6)
    assert limit == pytest.approx(0.601606, rel=5e-6)
    below = gradient_descent(dJ, minimum + 1e-3, 0.99 * limit, 400)[-1, 0]
    above = gradient_descent(dJ, minimum + 1e-3, 1.01 * limit, 400)[-1, 0]
    assert abs(below - minimum) < 1e-3 < abs(above - minimum)


@pytest.mark.parametrize(
    ("lr", "size"), [(0.1, 0.107374), (0.9, 0.107374), (1.0, 1), (1.1, 6.19174)]
)
def test_lecture_06_ten_steps_on_the_parabola(lr, size):
    path = gradient_descent(lambda theta: 2 * theta, 1.0, lr, 10)
    assert abs(path[-1, 0]) == pytest.approx(size, rel=5e-6)


def test_gradient_descent_keeps_every_point_and_changes_no_argument():
    start = np.array([1.0, -2.0])

    def meddling(theta):
        gradient = 2 * theta
        theta[:] = 99
        return gradient

    path = gradient_descent(meddling, start, 0.25, 3)
    np.testing.assert_allclose(path, np.outer([1, 0.5, 0.25, 0.125], start))
    np.testing.assert_array_equal(start, [1, -2])


def test_C_38_numeric_gradient():
    gradient = numeric_gradient(lambda v: v[0] ** 2 / v[1], [3.0, 2.0])
    np.testing.assert_allclose(gradient, [3.0, -2.25], rtol=1e-8)


@settings(max_examples=50)
@given(N=st.integers(1, 200), size=st.integers(1, 60), seed=st.integers(0, 99))
def test_minibatches_visit_every_sample_once(N, size, seed):
    batches = minibatches(N, size, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(N))
    assert [len(b) for b in batches[:-1]] == [size] * (len(batches) - 1)
    order = np.random.default_rng(seed).permutation(N)
    np.testing.assert_array_equal(np.concatenate(batches), order)


def regression(N=60, seed=0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.standard_normal((N, 2)), np.ones(N)])
    return X, X @ [2.0, -1.0, 0.5]


def residual_gradient(theta, X, y):
    return X.T @ (X @ theta - y) / len(y)


def test_C_49_T_08_batch_of_all_is_gradient_descent_and_single_samples_are_unbiased():
    X, y = regression()
    full = sgd(residual_gradient, np.zeros(3), X, y, 0.1, 60, 5, np.random.default_rng(0))
    path = gradient_descent(lambda t: residual_gradient(t, X, y), np.zeros(3), 0.1, 5)
    np.testing.assert_allclose(full["history"], path, rtol=1e-12)
    theta = np.array([1.0, 1.0, 1.0])
    single = [residual_gradient(theta, X[i : i + 1], y[i : i + 1]) for i in range(60)]
    np.testing.assert_allclose(np.mean(single, axis=0), residual_gradient(theta, X, y), atol=1e-14)


def test_sgd_finds_the_least_squares_solution_and_records_every_update():
    X, y = regression()
    result = sgd(residual_gradient, np.zeros(3), X, y, 0.1, 8, 60, np.random.default_rng(1))
    np.testing.assert_allclose(result["theta"], [2, -1, 0.5], atol=1e-6)
    assert result["history"].shape == (60 * 8 + 1, 3)
    np.testing.assert_array_equal(result["history"][0], np.zeros(3))


def test_sgd_says_when_it_diverges():
    X, y = regression()
    with pytest.raises(DivergenceError, match=r"update \d+ with lr=100"):
        sgd(residual_gradient, np.zeros(3), X, y, 100.0, 8, 500, np.random.default_rng(1))


def test_momentum_follows_its_recursion():
    p = Tensor(1.0)
    optimiser = SGD([p], lr=0.1, momentum=0.9)
    theta, v = 1.0, 0.0
    for _ in range(20):
        (p * p).backward()
        optimiser.step()
        v = 0.9 * v + 2 * theta
        theta -= 0.1 * v
        assert float(p.data) == pytest.approx(theta, rel=1e-12)


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (optim.constant(0.2), {0: 0.2, 99: 0.2}),
        (optim.inverse_time(0.2, 10), {0: 0.2, 10: 0.1, 30: 0.05}),
        (optim.exponential(0.2, 10), {0: 0.2, 10: 0.1, 30: 0.025}),
        (optim.step_decay(0.2, 10, 0.5), {0: 0.2, 9: 0.2, 10: 0.1, 29: 0.05}),
        (optim.cosine(0.2, 10), {0: 0.2, 5: 0.1, 10: 0.0, 20: 0.0}),
    ],
)
def test_schedules_have_their_values_and_drive_sgd(schedule, values):
    for step, value in values.items():
        assert schedule(step) == pytest.approx(value)
    p = Tensor(1.0)
    optimiser = SGD([p], schedule)
    for step in range(3):
        before = float(p.data)
        (3.0 * p).backward()
        optimiser.step()
        assert before - float(p.data) == pytest.approx(3 * schedule(step))


def test_a_step_without_a_new_gradient_is_refused_and_changes_nothing():
    p, q = Tensor(1.0, name="p"), Tensor(1.0, name="q")
    optimiser = SGD([p, q], lr=0.1)
    (p * p).backward()
    with pytest.raises(RuntimeError, match=r"q of shape .* has no gradient"):
        optimiser.step()
    assert float(p.data) == 1
    (p * q).backward()
    optimiser.step()
    with pytest.raises(RuntimeError, match=r"p of shape .* has no gradient"):
        optimiser.step()


def test_all_parameters_move_from_the_same_backward_pass():
    W1, W2 = Tensor(np.array([[2.0]])), Tensor(np.array([[3.0]]))
    loss = affine(affine(np.array([[1.0]]), W1, np.zeros(1)), W2, np.zeros(1)).sum()
    loss.backward()
    SGD([W2, W1], lr=0.1).step()
    assert (W1.data[0, 0], W2.data[0, 0]) == pytest.approx((2 - 0.3, 3 - 0.2))


def digits():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return X / 16, y


def test_a_small_net_learns_handwritten_digits():
    X, y = digits()
    rng = np.random.default_rng(0)
    net = MLP([64, 32, 10], rng, "relu")
    history = train(
        net, SoftmaxCrossEntropy(), X[:1500], y[:1500],
        optimiser=SGD(net.parameters, 0.2, momentum=0.9), batch_size=32, epochs=20, rng=rng,
    )  # fmt: skip
    assert len(history) == 21
    assert history[-1] < 0.02 < 2 < history[0]
    assert (net.forward(X[1500:]).argmax(axis=1) == y[1500:]).mean() > 0.9


def test_training_says_when_it_diverges():
    X, y = digits()
    rng = np.random.default_rng(0)
    net = MLP([64, 32, 10], rng, "relu")
    with pytest.raises(DivergenceError, match=r"epoch \d+.*smaller than 1e\+30"):
        train(
            net, SoftmaxCrossEntropy(), X, y,
            optimiser=SGD(net.parameters, 1e30), batch_size=32, epochs=20, rng=rng,
        )  # fmt: skip


def test_training_on_nan_is_refused():
    rng = np.random.default_rng(0)
    X, net, broken = np.ones((4, 3)), MLP([3, 2], rng), MLP([3, 2], rng)
    broken.layers[0].W[0, 0] = np.nan
    for model, batch, words in [
        (net, X * np.nan, "X has NaN"),
        (broken, X, "before training is nan"),
    ]:
        with pytest.raises(ValueError, match=words):
            train(
                model, SoftmaxCrossEntropy(), batch, np.zeros(4, int),
                optimiser=SGD(net.parameters), batch_size=2, epochs=1, rng=rng,
            )  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        lambda: gradient_descent(dJ, 1.0, -0.1, 3),
        lambda: gradient_descent(dJ, 1.0, float("nan"), 3),
        lambda: gradient_descent(lambda t: np.ones(3), [1.0, 2.0], 0.1, 3),
        lambda: max_stable_lr(-1.0),
        lambda: max_stable_lr(0.0),
        lambda: minibatches(0, 4, np.random.default_rng(0)),
        lambda: minibatches(4, 0, np.random.default_rng(0)),
        lambda: SGD([], lr=0.0),
        lambda: SGD([], lr=0.1, momentum=1.0),
        lambda: train(None, None, [1], [1, 2], optimiser=None, batch_size=1, epochs=1, rng=None),
    ],
)
def test_impossible_settings_are_refused(call):
    with pytest.raises(ValueError, match=r"\d|learning rate|momentum"):
        call()


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "g"])
@pytest.mark.parametrize("shape", [(), (3,), (3, 4), (0, 2)])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_step_is_p_minus_lr_dp_in_every_dtype_shape_and_order_of_memory(dtype, shape, momentum):
    rng = np.random.default_rng(0)
    start = np.asarray(rng.standard_normal(shape), dtype)
    weights = np.asarray(rng.standard_normal(shape[::-1]), dtype)
    for p, part in [(Tensor(start.T), lambda t: t), (Tensor(start), lambda t: t.T)]:
        right, optimiser = p.data.astype("f8"), SGD([p], lr=0.25, momentum=momentum)
        for factor in (1, 1 + momentum):
            (part(p) * weights).sum().backward()
            right = right - 0.25 * factor * p.grad.astype("f8")
            optimiser.step()
        assert p.data.dtype == np.dtype(dtype)
        np.testing.assert_allclose(p.data.astype("f8"), right, rtol=5e-3 if dtype == "f2" else 1e-5)
