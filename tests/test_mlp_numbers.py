"""Lecture 07: the worked forward pass, collapse, folding, and units that imitate the threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import threshold
from course.logistic import sigmoid, softplus
from course.nn import (
    MLP,
    Linear,
    Pointwise,
    Sequential,
    activation,
    activation_slope,
    collapse_linear,
    linear_pieces,
    tent_network,
)
from course.nn.statistics import layer_outputs, linear_layers


def six(value):
    """Equal to 6 significant digits (half a unit of the sixth)."""
    return pytest.approx(np.asarray(value), rel=5.001e-6)


@pytest.mark.parametrize(
    ("x4", "Z1", "H1", "Z2", "y_hat"),
    [
        pytest.param(
            -2.0, [4, 4.5, -1], [0.982014, 0.989013, 0.268941], -0.261942, 0.434886, id="printed"
        ),
        pytest.param(
            2.0, [4, 0.5, 1], [0.982014, 0.622459, 0.731059], -1.09061, 0.251503, id="E-H1"
        ),
    ],
)
def test_H_14_E_H1_forward_pass_of_the_4_3_1_net(x4, Z1, H1, Z2, y_hat) -> None:
    W1 = np.array([[1, 0, 1, 0], [0, -1, 0.5, -1], [-1, -1, 0, 0.5]]).T
    first, second = Linear(W1, np.zeros(3)), Linear(np.array([[-1.0], [1], [-1]]), np.zeros(1))
    net = Sequential([first, Pointwise("sigmoid"), second, Pointwise("sigmoid")])
    hidden, output = layer_outputs(net, np.array([[1.0, -1.0, 3.0, x4]]))
    assert hidden.Z[0] == six(Z1)
    assert hidden.H[0] == six(H1)
    assert output.Z[0] == six([Z2])
    assert output.H[0] == six([y_hat])


def test_G_43_lecture_07_soft_plus_at_zero_and_its_slope() -> None:
    assert softplus(0.0) == six(0.693147)
    assert activation("softplus", 0.0) == six(0.693147)
    z = np.array([-3.0, 0.0, 2.0])
    np.testing.assert_allclose(activation_slope("softplus", z), sigmoid(z), rtol=1e-12)


@pytest.mark.parametrize(
    ("k", "slope", "at_1", "worst"),
    [
        (1, 0.25, 0.731059, 0.377541),
        (5, 1.25, 0.993307, 0.0758582),
        (20, 5.0, 1.0, 4.53979e-5),
    ],
)
def test_G_54_a_scaled_logistic_imitates_the_threshold(k, slope, at_1, worst) -> None:
    assert k * activation_slope("sigmoid", 0.0) == six(slope)
    assert sigmoid(k * 1.0) == six(at_1)
    x = np.linspace(-4, 4, 801)
    x = x[np.abs(x) >= 0.5]
    assert 0.5 in x
    assert np.abs(sigmoid(k * x) - threshold.step(x)).max() == six(worst)


@given(st.floats(-300, 300))
def test_P_18_H_34_tanh_is_a_stretched_and_shifted_logistic(z) -> None:
    assert activation("tanh", z) == pytest.approx(2 * sigmoid(2 * z) - 1, rel=1e-9, abs=1e-15)


@given(st.floats(-30, 30))
def test_H_42_T_35_slopes_from_the_outputs(z) -> None:
    s, t = activation("sigmoid", z), activation("tanh", z)
    assert activation_slope("sigmoid", z) == pytest.approx(s * (1 - s), rel=1e-9, abs=1e-15)
    assert activation_slope("tanh", z) == pytest.approx(1 - t**2, rel=1e-9, abs=1e-15)
    assert activation_slope("softplus", z) == pytest.approx(s, rel=1e-12)


def test_P_19_E_P7_leaky_relu_with_a_slope_above_one() -> None:
    # max(z, 2 z) would give -1 and 2.
    assert activation("leaky_relu", [-1.0, 1.0], slope=2.0).tolist() == [-2, 1]


def test_P_21_two_linear_hidden_units_collapse_to_the_printed_weights() -> None:
    # P's tables have the bias in row 0: w0~ = w2_0 + w1_01 w2_1 + w1_02 w2_2, and so on.
    w1, w2 = np.array([[0.5, -1.0], [2.0, 3.0], [-4.0, 1.5]]), np.array([[0.25], [-2.0], [7.0]])
    W, b = collapse_linear([(w1[1:], w1[0]), (w2[1:], w2[0])])
    assert b.tolist() == [0.25 + 0.5 * -2.0 + -1.0 * 7.0]
    assert W.tolist() == [[2.0 * -2.0 + 3.0 * 7.0], [-4.0 * -2.0 + 1.5 * 7.0]]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(0, 2**32 - 1))
def test_P_22_G_51_any_stack_of_affine_layers_is_one(dims, seed) -> None:
    rng = np.random.default_rng(seed)
    net = MLP(dims, rng, "linear")
    for layer in net.layers:
        layer.b = rng.standard_normal(layer.b.shape)
    X = rng.standard_normal((7, dims[0]))
    W, b = collapse_linear([(layer.W, layer.b) for layer in net.layers])
    assert (W.shape, b.shape) == ((dims[0], dims[-1]), (dims[-1],))
    np.testing.assert_allclose(X @ W + b, net.forward(X), rtol=1e-10, atol=1e-10)


def test_G_51_a_narrow_inner_layer_caps_the_rank() -> None:
    rng = np.random.default_rng(0)
    for width in (1, 2, 3):
        net = MLP([5, width, 4], rng, "linear")
        W, _ = collapse_linear([(layer.W, layer.b) for layer in net.layers])
        assert np.linalg.matrix_rank(W) == width


@pytest.mark.parametrize(("k", "pieces"), [(1, 2), (2, 4), (3, 8), (5, 32), (8, 256)])
def test_P_24_the_k_fold_tent_map_has_2_to_the_k_pieces_from_2k_relus(k, pieces) -> None:
    net = tent_network(k)
    assert sum(layer.W.shape[1] for layer in linear_layers(net)[:-1]) == 2 * k
    assert linear_pieces(net, 0, 1) == pieces
    corners = np.arange(pieces + 1) / pieces
    assert net.forward(corners[:, None]).ravel().tolist() == [i % 2 for i in range(pieces + 1)]


@settings(max_examples=50)
@given(m=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_P_24_one_hidden_layer_of_m_relus_has_at_most_m_plus_1_pieces(m, seed) -> None:
    rng = np.random.default_rng(seed)
    net = MLP([1, m, 2], rng, "relu")
    net.layers[0].b = rng.standard_normal(m)
    kinks = -net.layers[0].b / net.layers[0].W[0]
    inside = int((np.abs(kinks) < 3).sum())
    assert linear_pieces(net, -3, 3) == inside + 1 <= m + 1


def test_kinks_of_several_units_at_one_place_are_one() -> None:
    first = Linear(np.array([[1.0, 3.0, -2.0]]), np.array([-0.3, -0.9, 0.6]))
    for weights, pieces in [([1.0, 1.0, 1.0], 2), ([0.0, 0.0, 0.0], 1), ([2.0, 0.0, -1.0], 1)]:
        net = Sequential([first, Pointwise("relu"), Linear(np.array([weights]).T, np.ones(1))])
        assert linear_pieces(net, 0, 1) == pieces


@pytest.mark.parametrize("D", [1, 2, 5, 12])
def test_P_25_E_P2_parity_with_one_hidden_layer_of_D_relus(D) -> None:
    # relu(s) - 2 relu(s - 1) + 2 relu(s - 2) - … zigzags between 0 and 1 at whole s.
    k = np.arange(D)
    signs = np.where(k == 0, 1.0, 2.0 * (-1.0) ** k)[:, None]
    first, second = Linear(np.ones((D, D)), -1.0 * k), Linear(signs, np.zeros(1))
    X = threshold.truth_table(D)
    Y = Sequential([first, Pointwise("relu"), second]).forward(X.astype(float))
    assert Y.ravel().tolist() == (X.sum(axis=1) % 2).tolist()


def test_what_cannot_be_collapsed_or_counted_is_refused() -> None:
    with pytest.raises(ValueError, match="params is empty"):
        collapse_linear([])
    with pytest.raises(ValueError, match=r"W has shape \(3, 2\): expected one weight per column"):
        collapse_linear([(np.ones((2, 4)), np.ones(4)), (np.ones((3, 2)), np.ones(2))])
    with pytest.raises(ValueError, match=r"b has shape \(3,\) beside W \(2, 4\)"):
        collapse_linear([(np.ones((2, 4)), np.ones(3))])
    with pytest.raises(ValueError, match="k must be at least 1"):
        tent_network(0)
    with pytest.raises(ValueError, match="low < high"):
        linear_pieces(tent_network(1), 1, 0)
    with pytest.raises(ValueError, match="linear modules and ReLUs only"):
        linear_pieces(MLP([1, 2, 1], np.random.default_rng(0), "tanh"), 0, 1)
