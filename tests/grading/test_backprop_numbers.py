"""Assignment 09 gives the numbers of the lecture, and its misconceptions give the wrong ones there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from assignment_files import Assignment, names

MISCONCEPTIONS = {m.name: m for m in Assignment("09-backprop").misconceptions}


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return Assignment("09-backprop")


@pytest.fixture(scope="module")
def solution(assignment: Assignment) -> SimpleNamespace:
    return names(assignment.solution.cells)


def exercise_of_the_slides(student: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, float]:
    W0 = np.array([[1.0, -3.0], [0.2, 1.0]]).T  # the slides write (out, in)
    return student.one_iteration(W0, np.array([1.0, -1.0]), np.array([1.0, 0.1]), 0.5, 0.2)


def test_one_iteration_gives_the_new_weights_and_loss_of_T57_and_T58(solution):
    W0, W1, loss = exercise_of_the_slides(solution)
    np.testing.assert_allclose(W0.T, [[1.02373, -2.99763], [0.165784, 0.996578]], rtol=5e-6)
    np.testing.assert_allclose(W1, [1.02260, -0.989108], rtol=5e-6)
    assert loss == pytest.approx(0.00758858, rel=5e-6)


def test_twenty_iterations_bring_the_loss_to_7_7e_10(solution):
    W0, W1 = np.array([[1.0, -3.0], [0.2, 1.0]]).T, np.array([1.0, -1.0])
    for _ in range(20):
        W0, W1, loss = solution.one_iteration(W0, W1, np.array([1.0, 0.1]), 0.5, 0.2)
    assert loss == pytest.approx(7.7e-10, rel=0.01)


@pytest.mark.parametrize(
    ("name", "loss", "W0"),
    [
        ("update of W0 transposed", 0.0126295, [[1.02373, -3.03422], [0.202373, 0.996578]]),
        ("plus sign in the update", 0.0313750, None),
        ("W1 updated before W0's gradient", None, [[1.02427, -2.99757], [0.166157, 0.996616]]),
    ],
)
def test_a_misconception_gives_the_wrong_numbers_that_lecture_09_lists(assignment, name, loss, W0):
    wrong = exercise_of_the_slides(names(assignment.solution.mistaken(MISCONCEPTIONS[name])))
    if W0 is not None:
        np.testing.assert_allclose(wrong[0].T, W0, rtol=5e-6)
    if loss is not None:
        assert wrong[2] == pytest.approx(loss, rel=5e-6)


def test_the_slope_at_the_output_gives_minus_0_132401_and_0_171936(assignment):
    mistake = MISCONCEPTIONS["slope at the output (one iteration)"]
    W0, _, _ = exercise_of_the_slides(names(assignment.solution.mistaken(mistake)))
    dz = (np.array([1.0, 0.2]) - W0[0]) / 0.2  # the first input is 1
    np.testing.assert_allclose(dz, [-0.132401, 0.171936], rtol=5e-6)


@pytest.mark.parametrize(
    ("dims", "counts", "ratio"),
    [
        ([784, 256, 10], (203264, 205824), 1.01259),
        ([784, 128, 64, 10], None, 1.08089),
        ([100] * 10, (90000, 170000), 1.88889),
    ],
)
def test_multiply_count_gives_the_ratios_of_G69(solution, dims, counts, ratio):
    forward, backward = solution.multiply_count(dims)
    assert counts is None or (forward, backward) == counts
    assert backward / forward == pytest.approx(ratio, rel=5e-6)
    assert solution.multiply_count(dims, input_grad=True) == (forward, 2 * forward)


def test_the_4_3_1_net_of_H27_has_the_gradients_that_lecture_09_lists(solution):
    """Sigmoid hidden layer and cross-entropy there; here its linear steps through the modules."""
    x = np.array([[1.0, -1.0, 3.0, 2.0]])
    W1 = np.array([[1, 0, 1, 0], [0, -1, 0.5, -1], [-1, -1, 0, 0.5]]).T
    W2 = np.array([[-1.0, 1.0, -1.0]]).T

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    lower, upper = solution.Linear(W1, np.zeros(3)), solution.Linear(W2, np.zeros(1))
    net = solution.Sequential(
        [lower, solution.Pointwise(sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))), upper]
    )
    delta = sigmoid(net.forward(x)) - 1
    net.backward(delta)
    assert delta.item() == pytest.approx(-0.748497, rel=2e-6)
    np.testing.assert_allclose(upper.dW.ravel(), [-0.735035, -0.465909, -0.547195], rtol=2e-6)
    np.testing.assert_allclose(lower.db, [0.0132205, -0.175900, 0.147163], rtol=5e-6)


def test_the_backward_of_every_module_agrees_with_finite_differences(solution):
    rng = np.random.default_rng(3)
    params = [(rng.standard_normal(s), rng.standard_normal(s[1])) for s in ((4, 3), (3, 5), (5, 2))]
    X, Y = rng.standard_normal((6, 4)), rng.standard_normal((6, 2))
    y = np.array([0, 1, 1, 0, 1, 0])
    for cost, target in ((solution.EuclideanCost(), Y), (solution.SoftmaxCrossEntropy(), y)):
        layers = [solution.Linear(W, b) for W, b in params]
        tanh = [solution.Pointwise(np.tanh, lambda z: 1 / np.cosh(z) ** 2) for _ in range(2)]
        net = solution.Sequential([layers[0], tanh[0], layers[1], tanh[1], layers[2]])

        def loss(net=net, cost=cost, target=target):
            return cost.forward(net.forward(X), target)

        loss()
        dX = net.backward(cost.backward())
        for array, gradient in [*net.params(), (X, dX)]:
            numeric = solution.numeric_gradient(loss, array)
            np.testing.assert_allclose(gradient, numeric, atol=1e-8)
        if target is Y:
            whole, grads = solution.mlp_gradients(X, Y, params)
            assert whole == pytest.approx(loss(), rel=1e-12)
            for (_, gradient), other in zip(net.params(), sum(grads, ()), strict=True):
                np.testing.assert_allclose(other, gradient, rtol=1e-10, atol=1e-14)
