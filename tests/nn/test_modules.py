"""Modules by hand and on the tape: shapes, numbers of the rows, refusals."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.autodiff import Tensor, check_gradients
from course.nn import (
    MLP,
    BinaryCrossEntropy,
    EuclideanCost,
    Linear,
    Pointwise,
    Sequential,
    SoftmaxCrossEntropy,
    activation,
    activation_slope,
    check_module,
    count_parameters,
    init_layer,
    multiply_count,
)

ACTIVATIONS = ["linear", "step", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu"]


def six(value):
    return pytest.approx(np.asarray(value), rel=5.001e-6)


def exercise():
    """The net of T-48 to T-50 in the course's layout."""
    first = Linear(np.array([[1.0, 0.2], [-3.0, 1.0]]), np.zeros(2))
    second = Linear(np.array([[1.0], [-1.0]]), np.zeros(1))
    return Sequential([first, Pointwise("tanh"), second]), EuclideanCost()


def test_T_53_to_T_58_E_T2_E_T11_one_iteration_by_hand():
    net, cost = exercise()
    first, _, second = net.modules
    X, Y = np.array([[1.0, 0.1]]), np.array([[0.5]])
    assert cost.forward(net.forward(X), Y) == six(0.0174742)
    dX = net.backward(cost.backward())
    assert first.dW == six([[-0.118661, 0.171080], [-0.0118661, 0.0171080]])
    assert second.dW[:, 0] == six([-0.112983, -0.0544594])
    assert dX[0] == six([-0.0844453, 0.527064])  # lecture 12
    for layer in (first, second):
        layer.W -= 0.2 * layer.dW
    assert six([[1.02373, -2.99763], [0.165784, 0.996578]]) == first.W.T
    assert second.W[:, 0] == six([1.02260, -0.989108])
    assert cost.forward(net.forward(X), Y) == six(0.00758858)


def test_T_54_slopes_of_the_hidden_layer_and_T_56_E_T1_the_printed_factor():
    assert activation_slope("tanh", [0.7, 0.3]) == six([0.634740, 0.915137])
    net, _ = exercise()
    net.forward(np.array([[1.0, 0.1]]))
    second = net.modules[2]
    second.backward(np.array([[-0.1186]]))
    assert second.dW[:, 0] == six([-0.0716780, -0.0345497])


def test_T_18_E_T4_T_20_jacobians_of_a_chain_are_1_by_2_times_2_by_4():
    rng = np.random.default_rng(0)
    first, second = Linear(rng.random((4, 2)), np.zeros(2)), Linear(rng.random((2, 1)), np.zeros(1))
    net, x = Sequential([first, Pointwise("tanh"), second]), rng.random((1, 4))
    net.forward(x)
    dz_du = second.backward(np.ones((1, 1)))
    du_dx = activation_slope("tanh", x @ first.W).T * first.W.T
    dz_dx = net.backward(np.ones((1, 1)))
    assert (dz_dx.shape, dz_du.shape, du_dx.shape) == ((1, 4), (1, 2), (2, 4))
    np.testing.assert_allclose(dz_dx, dz_du @ du_dx)


@settings(max_examples=30)
@given(
    dims=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    activation=st.sampled_from(ACTIVATIONS),
    n=st.integers(1, 5),
    seed=st.integers(0, 999),
)
def test_by_hand_and_on_the_tape_give_identical_gradients(dims, activation, n, seed):
    rng = np.random.default_rng(seed)
    net = MLP(dims, rng, activation)
    X, y = rng.standard_normal((n, dims[0])), rng.integers(0, dims[-1], n)
    cost = SoftmaxCrossEntropy()
    loss = cost.forward(net.forward(X), y)
    dX = net.backward(cost.backward())
    by_hand = [np.array(dp) for _, dp in net.params()]
    leaf = Tensor(X)
    tape = cost(net(leaf), y)
    tape.backward()
    assert float(tape.data) == loss
    np.testing.assert_array_equal(leaf.grad, dX)
    for (_, dp), expected in zip(net.params(), by_hand, strict=True):
        np.testing.assert_array_equal(dp, expected)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus", "elu"])
def test_gradients_of_a_net_are_those_of_finite_differences(activation):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((4, 3)), np.array([0, 1, 1, 0])
    start = [p.data for p in MLP([3, 5, 2], rng, activation).parameters]

    def loss(W1, b1, W2, b2):
        from course.autodiff.activations import ACTIVATIONS

        H = ACTIVATIONS[activation](Tensor(X) @ W1 + b1)
        return SoftmaxCrossEntropy()(H @ W2 + b2, y)

    check = check_gradients(loss, *start)
    assert check, str(check)


def test_T_29_to_T_32_the_linear_module():
    rng = np.random.default_rng(0)
    W, b, X, dY = (rng.standard_normal(s) for s in [(3, 2), (2,), (5, 3), (5, 2)])
    layer = Linear(W, b)
    np.testing.assert_allclose(layer.forward(X), X @ W + b)
    np.testing.assert_allclose(layer.backward(dY), dY @ W.T)
    np.testing.assert_allclose(layer.dW, sum(np.outer(x, dy) for x, dy in zip(X, dY, strict=True)))
    np.testing.assert_allclose(layer.db, dY.sum(axis=0))
    assert (layer.dW.shape, layer.db.shape) == (W.shape, b.shape)


def test_weights_are_copied_and_backward_overwrites_gradients():
    W = np.ones((3, 2))
    layer = Linear(W, np.zeros(2))
    layer.forward(np.ones((4, 3)))
    layer.backward(np.ones((4, 2)))
    layer.backward(np.ones((4, 2)))
    np.testing.assert_array_equal(layer.dW, np.full((3, 2), 4))
    layer.W -= 0.5
    np.testing.assert_array_equal(layer.W, np.full((3, 2), 0.5))
    np.testing.assert_array_equal(W, np.ones((3, 2)))


def test_T_34_the_derivative_is_taken_at_the_pre_activation():
    module = Pointwise(np.sin, np.cos)
    Z, dH = np.array([[0.3, 2.0]]), np.array([[1.0, -2.0]])
    np.testing.assert_allclose(module.forward(Z), np.sin(Z))
    np.testing.assert_allclose(module.backward(dH), dH * np.cos(Z))


def test_a_module_does_not_change_what_it_is_given():
    net, cost = MLP([3, 4, 2], np.random.default_rng(0), "relu"), SoftmaxCrossEntropy()
    X, y = np.random.default_rng(1).standard_normal((5, 3)), np.array([0, 1, 0, 1, 0])
    kept = X.copy(), y.copy()
    cost.forward(net.forward(X), y)
    dY = np.array(cost.backward())
    dY_kept = dY.copy()
    net.backward(dY)
    for now, before in zip((X, y, dY), (*kept, dY_kept), strict=True):
        np.testing.assert_array_equal(now, before)
        assert now.flags.writeable


def test_costs_are_means_over_the_samples():
    Y_hat, Y = np.array([[1.0, 2.0], [3.0, 5.0]]), np.zeros((2, 2))
    cost = EuclideanCost()
    assert cost.forward(Y_hat, Y) == pytest.approx((5 + 34) / 4)
    np.testing.assert_allclose(cost.backward(), Y_hat / 2)
    cost = SoftmaxCrossEntropy()
    assert cost.forward(np.zeros((3, 4)), [0, 1, 2]) == pytest.approx(np.log(4))
    np.testing.assert_allclose(cost.backward(), (np.full((3, 4), 0.25) - np.eye(4)[:3]) / 3)
    cost = BinaryCrossEntropy()
    assert cost.forward(np.array([[0.0], [0.0]]), [[1], [0]]) == pytest.approx(np.log(2))
    np.testing.assert_allclose(cost.backward(), [[-0.25], [0.25]])


def test_params_lists_weights_before_biases_from_input_to_output():
    net = MLP([4, 3, 2], np.random.default_rng(0))
    assert [p.shape for p, _ in net.params()] == [(4, 3), (3,), (3, 2), (2,)]
    assert all(dp is None for _, dp in net.params())
    assert [p.name for p in net.parameters] == ["W1", "b1", "W2", "b2"]


def test_a_net_that_was_pickled_elsewhere_can_be_trained(tmp_path):
    code = (
        "import pickle, sys, numpy as np\n"
        "from course.nn import MLP\n"
        "tensors = [MLP([2, 2], np.random.default_rng(0)) for _ in range(1000)]\n"
        "net = MLP([4, 3, 2], np.random.default_rng(0), 'relu')\n"
        "net.forward(np.ones((1, 4)))\n"
        f"pickle.dump(net, open({str(tmp_path / 'net')!r}, 'wb'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    net, cost = pickle.loads((tmp_path / "net").read_bytes()), SoftmaxCrossEntropy()
    cost(net(np.ones((1, 4))), [1]).backward()
    assert net.layers[0].dW.shape == (4, 3)
    with pytest.raises(RuntimeError, match="forward pass"):
        net.modules[0].backward(np.ones((1, 3)))


def test_float32_nets_stay_float32():
    net = MLP([4, 3, 2], np.random.default_rng(0), "tanh", dtype=np.float32)
    cost = SoftmaxCrossEntropy()
    cost.forward(net.forward(np.ones((5, 4), np.float32)), np.zeros(5, int))
    assert net.backward(cost.backward()).dtype == np.float32
    assert {dp.dtype for _, dp in net.params()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "make", [lambda: Linear(np.ones((2, 2)), np.ones(2)), lambda: Pointwise("relu")]
)
def test_backward_before_forward_is_refused(make):
    with pytest.raises(RuntimeError, match="forward pass before"):
        make().backward(np.ones((1, 2)))
    with pytest.raises(RuntimeError, match="forward pass before"):
        EuclideanCost().backward()


def test_a_gradient_of_the_wrong_shape_is_refused():
    layer = Linear(np.ones((3, 2)), np.ones(2))
    layer.forward(np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"shape \(3, 2\).*had \(4, 2\)"):
        layer.backward(np.ones((3, 2)))


def test_the_gradient_at_the_input_can_be_left_out():
    rng = np.random.default_rng(0)
    net, cost = MLP([4, 3, 2], rng), SoftmaxCrossEntropy()
    cost.forward(net.forward(rng.random((5, 4))), [0, 1, 0, 1, 1])
    dX = net.backward(cost.backward())
    full = [np.array(dp) for _, dp in net.params()]
    assert net.backward(cost.backward(), input_grad=False) is None
    for (_, dp), expected in zip(net.params(), full, strict=True):
        np.testing.assert_array_equal(dp, expected)
    np.testing.assert_array_equal(net.backward(cost.backward()), dX)  # asked again, it is there


class HalfForgotten(Linear):
    """A linear module whose db is averaged over the batch."""

    def backward(self, dY, input_grad=True):
        dX = super().backward(dY, input_grad)
        self.bias.grad = np.mean(dY, axis=0)
        return dX


def test_check_module_passes_right_modules_and_names_the_wrong_entry():
    rng = np.random.default_rng(0)
    X, W, b = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), np.zeros(2)
    kept = W.copy()
    for module in (Linear(W, b), Pointwise("tanh"), MLP([3, 4, 2], rng)):
        assert check_module(module, X, rng)
    wrong = check_module(HalfForgotten(W, b), X, rng)
    assert not wrong
    assert wrong.input == 2
    np.testing.assert_array_equal(W, kept)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_for_plots_are_those_of_finite_differences(name):
    z = np.array([[-2.0, -0.5], [0.5, 3.0]])
    numeric = (activation(name, z + 1e-6) - activation(name, z - 1e-6)) / 2e-6
    np.testing.assert_allclose(activation_slope(name, z), numeric, atol=1e-8)


def test_leaky_relu_takes_its_slope():
    np.testing.assert_allclose(activation("leaky_relu", [-2.0, 2.0], slope=0.3), [-0.6, 2])
    np.testing.assert_allclose(activation_slope("leaky_relu", [-2.0, 2.0], slope=0.3), [0.3, 1])


def test_the_update_p_minus_lr_dp_over_params_changes_the_net_and_is_noticed():
    rng = np.random.default_rng(0)
    net, X, dY = MLP([3, 4, 2], rng), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    net.forward(X)
    net.backward(dY)
    expected = [p - 0.1 * dp for p, dp in net.params()]
    for p, dp in net.params():
        p -= 0.1 * dp
    for (p, _), right in zip(net.params(), expected, strict=True):
        np.testing.assert_array_equal(p, right)
    with pytest.raises(RuntimeError, match="was changed"):
        net.backward(dY)


def test_weights_changed_between_forward_and_backward_are_noticed():
    layer = Linear(np.ones((3, 2)), np.ones(2))
    layer.forward(np.ones((4, 3)))
    layer.W -= 0.1
    with pytest.raises(RuntimeError, match=r"W of shape .* was changed"):
        layer.backward(np.ones((4, 2)))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Linear(np.ones((3, 2)), np.ones(3)), ValueError, r"W is \(3, 2\) and b is \(3,\)"),
        (lambda: Linear(np.ones(3), np.ones(3)), ValueError, r"W is \(3,\)"),
        (lambda: Pointwise("swish"), ValueError, "choose from linear"),
        (lambda: Pointwise(np.tanh), TypeError, "derivative dh"),
        (lambda: MLP([3], np.random.default_rng(0)), ValueError, "at least two"),
        (lambda: MLP([3, 0, 2], np.random.default_rng(0)), ValueError, "positive"),
        (lambda: init_layer(3, 2, "xavier", np.random.default_rng(0)), ValueError, "choose from"),
        (lambda: init_layer(0, 2, "fan_in", np.random.default_rng(0)), ValueError, "at least one"),
        (lambda: count_parameters([5]), ValueError, "at least two"),
    ],
)
def test_impossible_modules_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("scheme", "std"),
    [("zeros", 0), ("normal", 1), ("fan_in", 1 / 20), ("fan_in_relu", 2**0.5 / 20)],
)
def test_initialisations_have_their_standard_deviation(scheme, std):
    W, b = init_layer(400, 300, scheme, np.random.default_rng(0))
    assert W.std() == pytest.approx(std, rel=0.01)
    assert W.shape == (400, 300)
    np.testing.assert_array_equal(b, np.zeros(300))


def test_G_69_E_G9_cost_ratios():
    def ratio(dims, **kw):
        forward, backward = multiply_count(dims, **kw)
        return backward / forward

    assert multiply_count([784, 256, 10]) == (203264, 205824)
    assert ratio([784, 256, 10]) == six(1.01259)
    assert ratio([784, 128, 64, 10]) == six(1.08089)
    assert ratio([100] * 10) == six(1.88889)
    assert ratio([784, 256, 10], input_grad=True) == 2


def test_lecture_07_number_of_parameters():
    assert count_parameters([784, 256, 10]) == 203530
    net = MLP([7, 5, 3], np.random.default_rng(0))
    assert count_parameters(net.dims) == sum(p.size for p, _ in net.params())
