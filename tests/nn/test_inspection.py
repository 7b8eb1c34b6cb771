"""Lecture 12: weight images, input gradients, activation maximisation, examples, probes."""

import numpy as np
import pytest

from course.nn import MLP, Linear, Pointwise, Sequential
from course.nn.inspection import (
    input_gradient,
    linear_probe_accuracy,
    maximise_activation,
    top_examples,
    weight_images,
)


def exercise():
    """The 2-2-1 tanh net of T-48, T-49."""
    first = Linear(np.array([[1.0, 0.2], [-3.0, 1.0]]), np.zeros(2))
    return Sequential([first, Pointwise("tanh"), Linear(np.array([[1.0], [-1.0]]), np.zeros(1))])


def six(value):
    return pytest.approx(np.asarray(value), rel=5.001e-6)


def test_T_41_input_gradient_of_the_exercise():
    net = exercise()
    assert input_gradient(net, [1.0, 0.1], 0) == six([0.451712, -2.81936])
    hidden = input_gradient(net, [1.0, 0.1], unit=1, layer=0)
    np.testing.assert_allclose(hidden, [0.2, 1.0])  # of the pre-activation: its weights


def test_T_43_one_step_of_ascent_on_the_exercise():
    net, x0 = exercise(), np.array([1.0, 0.1])
    x, scores = maximise_activation(net, 0, x0, lr=0.1, n_steps=1)
    assert x == six([1.04517, -0.181936])
    assert scores == six([0.313055, 0.893207])
    np.testing.assert_array_equal(x0, [1.0, 0.1])


def test_lecture_12_descent_instead_of_ascent_lowers_the_output():
    net, x = exercise(), np.array([1.0, 0.1])  # misconception 12.1
    down = x - 0.1 * input_gradient(net, x, 0)
    assert net.forward(down[None])[0] == six([-0.706176])


def test_T_44_the_penalty_holds_the_input_back():
    net = exercise()
    free = maximise_activation(net, 0, [1.0, 0.1], 0.1, 50)
    held = maximise_activation(net, 0, [1.0, 0.1], 0.1, 50, lam=0.5)
    assert np.linalg.norm(held.x) < np.linalg.norm(free.x)
    assert len(held.scores) == 51
    assert (np.diff(held.scores) > -1e-9).all()
    z = net.forward(held.x[None])[0, 0]
    assert held.scores[-1] == pytest.approx(z - 0.25 * held.x @ held.x)


def test_looking_changes_neither_weights_nor_gradients():
    net = exercise()
    net.forward(np.ones((3, 2)))
    net.backward(np.ones((3, 1)))
    kept = [(p.data.copy(), p.grad) for p in net.parameters]
    maximise_activation(net, 0, [1.0, 0.1], 0.1, 3)
    input_gradient(net, [1.0, 0.1], 0)
    for p, (value, grad) in zip(net.parameters, kept, strict=True):
        np.testing.assert_array_equal(p.data, value)
        assert p.grad is grad


def test_input_gradients_of_a_batch_are_those_of_its_samples():
    rng = np.random.default_rng(0)
    net = MLP([6, 5, 3], rng)
    X = rng.standard_normal((4, 6))
    together = input_gradient(net, X, 2)
    for x, row in zip(X, together, strict=True):
        np.testing.assert_allclose(input_gradient(net, x, 2), row, rtol=1e-12)


def test_the_output_is_asked_unless_a_layer_is_named():
    rng = np.random.default_rng(0)
    net, x = MLP([4, 5, 6, 3], rng), rng.standard_normal(4)
    numeric = [
        (net.forward((x + e)[None])[0, 1] - net.forward((x - e)[None])[0, 1]) / 2e-6
        for e in 1e-6 * np.eye(4)
    ]
    np.testing.assert_allclose(input_gradient(net, x, 1), numeric, rtol=1e-6)
    np.testing.assert_array_equal(input_gradient(net, x, 1, 2), input_gradient(net, x, 1))
    np.testing.assert_array_equal(input_gradient(net, x, 1, 0), input_gradient(net, x, 1, -3))
    with pytest.raises(ValueError, match="3 linear modules"):
        input_gradient(net, x, 1, -4)


def test_G_49_weight_images_are_the_columns_of_W():
    W = np.arange(12.0).reshape(6, 2)
    images = weight_images(W, (2, 3))
    np.testing.assert_array_equal(images[1], [[1, 3, 5], [7, 9, 11]])
    with pytest.raises(ValueError, match="6"):
        weight_images(W, (2, 2))


def test_top_examples_come_largest_first_and_ties_in_order():
    net = Sequential([Linear(np.array([[1.0]]), np.zeros(1))])
    X = np.array([[1.0], [5.0], [2.0], [5.0], [-9.0]])
    np.testing.assert_array_equal(top_examples(net, X, 0, 3), [1, 3, 2])


def test_a_probe_reads_linear_classes_and_not_random_ones():
    rng = np.random.default_rng(0)
    H = rng.standard_normal((400, 5))
    y = np.array([7, 9])[(H[:, 0] > 0).astype(int)]
    assert linear_probe_accuracy(H, y) > 0.95
    assert abs(linear_probe_accuracy(H, rng.permutation(y)) - 0.5) < 0.1


def test_a_probe_is_fitted_on_even_rows_and_judged_on_odd_ones():
    H = np.array([[0.0], [0.0], [1.0], [1.0], [0.0], [0.0], [1.0], [1.0]])
    assert linear_probe_accuracy(H, [0, 0, 1, 1, 0, 0, 1, 1]) == 1
    assert linear_probe_accuracy(H, [0, 1, 1, 0, 0, 1, 1, 0]) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: input_gradient(exercise(), [1.0, 0.1], 1), r"units 0\.\.0"),
        (lambda: input_gradient(exercise(), [1.0, 0.1], 0, layer=2), "2 linear modules"),
        (lambda: top_examples(exercise(), np.ones((3, 2)), 0, 4), "between 1 and"),
        (lambda: linear_probe_accuracy(np.ones((3, 2)), [0, 1]), r"\(3, 2\)"),
    ],
)
def test_impossible_questions_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
