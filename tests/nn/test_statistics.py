"""Lecture 10: signals through deep nets, dead units, slices of the landscape."""

import numpy as np
import pytest

from course.autodiff import sigmoid, tanh
from course.autodiff.tensor import Tensor
from course.nn import MLP, Conv1d, EuclideanCost, Flatten, Linear, Sequential, SoftmaxCrossEntropy
from course.nn.inspection import input_gradient
from course.nn.statistics import (
    dead_fraction,
    error_signal_norms,
    filter_normalised_direction,
    forward_statistics,
    gradient_norms,
    layer_outputs,
    loss_plane,
    loss_slice,
    path_in_plane,
)


@pytest.mark.parametrize(
    ("function", "at_4"), [(sigmoid, 0.0176627), (tanh, 0.00134095)], ids=["sigmoid", "tanh"]
)
def test_H_37_slopes_at_4(function, at_4):
    z = Tensor(4.0)
    function(z).backward()
    assert z.grad == pytest.approx(at_4, rel=5e-6)


def test_H_41_slopes_of_the_sigmoid():
    z = Tensor([0.0, 1, 2, 4, 6, 10])
    sigmoid(z).sum().backward()
    expected = [0.25, 0.196612, 0.104994, 0.0176627, 0.00246651, 4.53958e-5]
    np.testing.assert_allclose(z.grad, expected, rtol=5e-6)


def test_H_37_E_H13_ten_sigmoids_at_their_steepest_leave_a_millionth():
    net = MLP([1] * 12, np.random.default_rng(0), "sigmoid")
    for layer in net.layers:
        layer.W[...], layer.b[...] = 1.0, -0.5
    x = np.array([0.5])  # so every pre-activation is 0 and every output 1/2
    assert all(Z.item() == 0 for Z, _ in layer_outputs(net, x[None]))
    assert input_gradient(net, x, 0) == pytest.approx([0.25**10], rel=1e-12)
    assert input_gradient(net, x, 0) == pytest.approx([9.53674e-7], rel=5e-6)


@pytest.mark.parametrize(
    ("activation", "scheme", "scale", "printed"),
    [
        ("sigmoid", "fan_in", 1, 2.2e-6),
        ("tanh", "normal", 1, 741),
        ("tanh", "fan_in", 1, 0.28),
        ("relu", "normal", 1, 6.0e6),
        ("relu", "fan_in_relu", 1, 1.17),
        ("relu", "normal", 0.01, 5.9e-12),
    ],
)
def test_H_12_E_H18_error_signal_of_layer_1_over_layer_10_has_the_printed_size(
    activation, scheme, scale, printed
):
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        net = MLP([64] * 11, rng, activation, scheme)
        for layer in net.layers:
            layer.W = layer.W * scale
        X, Y = rng.standard_normal((2, 32, 64))
        norms = error_signal_norms(net, EuclideanCost(), X, Y)
        ratios.append(norms[0] / norms[-1])
    assert abs(np.log10(np.median(ratios) / printed)) < 1  # one random draw was printed


def test_weight_gradients_can_hide_an_exploding_error_signal():
    rng = np.random.default_rng(0)
    net = MLP([64] * 11, rng, "relu", "normal")
    X, Y = rng.standard_normal((2, 32, 64))
    weights = gradient_norms(net, EuclideanCost(), X, Y)
    signals = error_signal_norms(net, EuclideanCost(), X, Y)
    assert weights.shape == signals.shape == (10,)
    assert signals[0] / signals[-1] > 1e6
    assert 0.1 < weights[0] / weights[-1] < 10


def test_forward_statistics_follow_each_layer():
    rng = np.random.default_rng(0)
    net = MLP([50, 40, 30], rng, "tanh")
    X = rng.standard_normal((200, 50))
    (Z1, H1), (Z2, H2) = layer_outputs(net, X)
    np.testing.assert_allclose(H1, np.tanh(Z1))
    np.testing.assert_allclose(H2, net.forward(X))
    assert Z2 is H2
    assert forward_statistics(net, X)[0] == pytest.approx((H1.mean(), H1.std()))


def test_dead_units_are_those_that_are_zero_for_every_sample():
    assert dead_fraction([[0.0, 1.0, 0.0, -1.0], [0.0, 0.0, 2.0, 3.0]]) == 0.25
    with pytest.raises(ValueError, match="H is empty"):
        dead_fraction(np.empty((0, 3)))


def test_loss_slice_indexes_the_first_direction_first_and_changes_nothing():
    theta, grid = np.array([1.0, 2.0]), [-1.0, 0.0, 2.0]
    kept = theta.copy()
    got = loss_slice(lambda t: t[0] ** 2 + 10 * t[1], theta, [1.0, 0.0], [0.0, 1.0], grid)
    np.testing.assert_allclose(got, [[(1 + a) ** 2 + 10 * (2 + b) for b in grid] for a in grid])
    np.testing.assert_array_equal(theta, kept)
    for d1, d2 in [(np.ones(3), np.ones(2)), (np.ones(2), np.ones(3))]:
        with pytest.raises(ValueError, match=r"\(3,\)"):
            loss_slice(lambda t: 0.0, theta, d1, d2, grid)


def small_net():
    rng = np.random.default_rng(1)
    net = MLP([4, 5, 3], rng)
    return rng, net, rng.standard_normal((20, 4)), rng.integers(0, 3, 20)


def test_directions_are_normalised_unit_by_unit():
    rng, net, *_ = small_net()
    d = filter_normalised_direction(net, rng)
    for layer, dW, db in zip(net.layers, d[::2], d[1::2], strict=True):
        np.testing.assert_allclose(np.linalg.norm(dW, axis=0), np.linalg.norm(layer.W, axis=0))
        assert not db.any()
    conv = Sequential(
        [Conv1d(rng.random((3, 2, 5)), np.ones(3)), Flatten(), Linear(np.ones((6, 1)), np.ones(1))]
    )
    dW = filter_normalised_direction(conv, rng)[0]
    np.testing.assert_allclose(
        np.linalg.norm(dW, axis=(1, 2)), np.linalg.norm(conv.modules[0].W, axis=(1, 2))
    )


def test_loss_plane_has_the_loss_in_the_middle_and_restores_the_parameters():
    rng, net, X, y = small_net()
    cost = SoftmaxCrossEntropy()
    d1, d2 = (filter_normalised_direction(net, rng) for _ in range(2))
    before = [np.array(p.data) for p in net.parameters]
    plane = loss_plane(net, cost, X, y, d1, d2, [-0.5, 0.0, 1.0])
    assert plane[1, 1] == pytest.approx(cost.forward(net.forward(X), y), rel=1e-12)
    for p, kept in zip(net.parameters, before, strict=True):
        np.testing.assert_array_equal(p.data, kept)
    for p, kept, a, b in zip(net.parameters, before, d1, d2, strict=True):
        p.data = kept + 1.0 * a - 0.5 * b
    assert plane[2, 0] == pytest.approx(cost.forward(net.forward(X), y), rel=1e-12)


def test_loss_plane_restores_the_parameters_after_an_error():
    rng, net, X, _ = small_net()
    d = filter_normalised_direction(net, rng)
    before = [np.array(p.data) for p in net.parameters]
    with pytest.raises(ValueError, match="class numbers"):
        loss_plane(net, SoftmaxCrossEntropy(), X, np.full(20, 7), d, d, [1.0])
    for p, kept in zip(net.parameters, before, strict=True):
        np.testing.assert_array_equal(p.data, kept)


def test_a_path_in_the_plane_has_its_coordinates():
    rng, net, *_ = small_net()
    d1, d2 = (filter_normalised_direction(net, rng) for _ in range(2))
    end = [np.array(p.data) for p in net.parameters]
    path = [
        [e + a * u + b * v for e, u, v in zip(end, d1, d2, strict=True)]
        for a, b in [(2, 1), (1, -1), (0, 0)]
    ]
    np.testing.assert_allclose(path_in_plane(path, d1, d2), [[2, 1], [1, -1], [0, 0]], atol=1e-12)
