"""Convolution with every padding, pooling, flattening: the numbers of lecture 11 and their manners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.autodiff import Tensor, check_gradients, conv_matrix, convolve1d, max_pool1d
from course.nn import (
    Conv1d,
    Flatten,
    Linear,
    MaxPooling1d,
    Pointwise,
    Sequential,
    SoftmaxCrossEntropy,
)
from course.optim import SGD, train

X5, W3 = np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 2, -1])
PADDINGS = ["zero", "replicate", "reflect", "circular", "valid"]
quick = settings(max_examples=40)


@pytest.mark.parametrize(
    ("pad", "expected"),
    [
        ("zero", [0, 2, 4, 6, 14]),
        ("replicate", [1, 2, 4, 6, 9]),
        ("reflect", [2, 2, 4, 6, 10]),
        ("circular", [5, 2, 4, 6, 13]),
        ("valid", [2, 4, 6]),
    ],
)
def test_T_38_T_39_forward_with_every_padding(pad, expected):
    np.testing.assert_array_equal(convolve1d(X5, W3, pad=pad).data, expected)


def test_T_39_flipped_kernel_is_true_convolution():
    got = convolve1d(X5, W3[::-1]).data
    np.testing.assert_array_equal(got, [4, 6, 8, 10, 6])
    np.testing.assert_allclose(got, np.convolve(X5, W3, mode="same"))


def test_T_38_backward():
    x, w, b = Tensor(X5), Tensor(W3), Tensor(0.0)
    (convolve1d(x, w, b) * np.array([1.0, 0, 2, 0, -1])).sum().backward()
    np.testing.assert_array_equal(x.grad, [2, 1, 4, -3, -2])
    np.testing.assert_array_equal(w.grad, [0, 2, 10])
    assert b.grad == 2


@pytest.mark.parametrize(
    ("x", "size", "stride", "y", "dy", "dx"),
    [
        ([1, 3, 2, 2, 5, -1], 2, 2, [3, 2, 5], [10, 20, 30], [0, 10, 20, 0, 30, 0]),
        ([1, 4, 2, 0, 3], 3, 1, [4, 4, 3], [1, 1, 1], [0, 2, 0, 0, 1]),
        ([1, 2, 3, 4, 5], 2, 2, [2, 4], [1, 1], [0, 1, 0, 1, 0]),  # the last window is not full
    ],
)
def test_T_40_max_pooling(x, size, stride, y, dy, dx):
    t = Tensor(np.array(x, float))
    out = max_pool1d(t, size, stride)
    np.testing.assert_array_equal(out.data, y)
    (out * np.array(dy, float)).sum().backward()
    np.testing.assert_array_equal(t.grad, dx)


NUMPY_PAD = {"zero": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}


@quick
@given(
    shape=st.tuples(*[st.integers(1, 3)] * 3),
    N=st.integers(5, 9),
    M=st.integers(1, 5),
    pad=st.sampled_from(PADDINGS),
    seed=st.integers(0, 99),
)
def test_values_follow_the_definition_and_gradients_the_differences(shape, N, M, pad, seed):
    (B, C, O), rng = shape, np.random.default_rng(seed)
    X, W, b = (rng.standard_normal(s) for s in [(B, C, N), (O, C, M), (O,)])
    P = M // 2
    padded = X if pad == "valid" else np.pad(X, [(0, 0), (0, 0), (P, M - 1 - P)], NUMPY_PAD[pad])
    expected = np.array(
        [[[(W[o] * padded[s, :, i : i + M]).sum() + b[o] for i in range(padded.shape[2] - M + 1)]
          for o in range(O)] for s in range(B)]
    )  # fmt: skip
    np.testing.assert_allclose(convolve1d(X, W, b, pad).data, expected, rtol=1e-9, atol=1e-12)
    check = check_gradients(lambda *a: convolve1d(*a, pad=pad), X, W, b)
    assert check, str(check)


@quick
@given(N=st.integers(1, 9), M=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_banded_matrix_is_the_zero_padded_convolution(N, M, seed):
    rng = np.random.default_rng(seed)
    w, x = rng.standard_normal(M), rng.standard_normal(N)
    np.testing.assert_allclose(conv_matrix(w, N) @ x, convolve1d(x, w).data, atol=1e-12)


@quick
@given(
    N=st.integers(1, 9), size=st.integers(1, 4), stride=st.integers(1, 4), seed=st.integers(0, 99)
)
def test_gradient_of_pooling_is_that_of_finite_differences(N, size, stride, seed):
    X = np.random.default_rng(seed).permutation(2 * max(N, size)).reshape(2, -1) / 2.0
    check = check_gradients(lambda t: max_pool1d(t, size, stride), X)
    assert check, str(check)


def test_modules_by_hand_and_on_the_tape_agree_and_float32_stays():
    rng = np.random.default_rng(0)
    f = np.float32
    net = Sequential(
        [
            Conv1d(rng.standard_normal((3, 1, 3)).astype(f), np.zeros(3, f), "circular"),
            Pointwise("relu"),
            MaxPooling1d(2),
            Flatten(),
            Linear(rng.standard_normal((12, 2)).astype(f), np.zeros(2, f)),
        ]
    )
    X, y, cost = (
        rng.standard_normal((4, 1, 8)).astype(f),
        np.array([0, 1, 1, 0]),
        SoftmaxCrossEntropy(),
    )
    kept = X.copy()
    cost.forward(net.forward(X), y)
    dX = net.backward(cost.backward())
    by_hand = [np.array(dp) for _, dp in net.params()]
    leaf = Tensor(X)
    cost(net(leaf), y).backward()
    np.testing.assert_array_equal(leaf.grad, dX)
    assert dX.dtype == f
    for (_, dp), expected in zip(net.params(), by_hand, strict=True):
        assert dp.dtype == f
        np.testing.assert_array_equal(dp, expected)
    np.testing.assert_array_equal(X, kept)


def test_a_convolutional_net_finds_a_bump_wherever_it_is():
    rng = np.random.default_rng(0)
    bump = np.array([1.0, -2.0, 1.0])

    def signals(n):
        X, y = 0.3 * rng.standard_normal((n, 1, 32)), rng.integers(0, 2, n)
        for i in range(n):
            start = rng.integers(0, 30)
            X[i, 0, start : start + 3] += bump if y[i] else -bump
        return X, y

    (X, y), (X_test, y_test) = signals(200), signals(200)
    net = Sequential(
        [
            Conv1d(0.5 * rng.standard_normal((4, 1, 3)), np.zeros(4)),
            Pointwise("relu"),
            MaxPooling1d(32),
            Flatten(),
            Linear(0.5 * rng.standard_normal((4, 2)), np.zeros(2)),
        ]
    )
    train(
        net,
        SoftmaxCrossEntropy(),
        X,
        y,
        optimiser=SGD(net.parameters, 0.2, 0.9),
        batch_size=20,
        epochs=20,
        rng=rng,
    )
    assert (net.forward(X_test).argmax(axis=1) == y_test).mean() > 0.95


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: convolve1d(X5, W3, pad="same"), "choose from zero"),
        (lambda: convolve1d(X5[:2], W3, pad="valid"), "length 3 does not fit .* length 2"),
        (lambda: convolve1d(X5[:2], np.ones(5), pad="reflect"), "longer than 2"),
        (lambda: convolve1d(np.ones((2, 3, 8)), np.ones((4, 2, 3))), r"\(2, 3, 8\).*\(4, 2, 3\)"),
        (lambda: convolve1d(np.ones(0), W3), "empty"),
        (lambda: max_pool1d(X5, 6), r"window of 6 does not fit into shape \(5,\)"),
        (lambda: max_pool1d(X5, 2, 0), "at least 1"),
        (lambda: Conv1d(np.ones((2, 1, 3)), np.ones(3)), r"b is \(3,\)"),
        (lambda: Conv1d(np.ones((2, 1, 3)), np.ones(2), "same"), "choose from zero"),
        (lambda: Flatten().forward(1.0), "batch"),
    ],
)
def test_impossible_convolutions_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
