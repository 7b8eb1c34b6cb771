"""A change between forward and backward: noticed, refused, or without effect; never a wrong gradient."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import course.autodiff as ad
from course.autodiff import Constant, Tensor
from course.autodiff.activations import ACTIVATIONS, Elementwise
from course.autodiff.leaf import LeafArray
from course.nn import MLP, BinaryCrossEntropy, EuclideanCost, Linear, SoftmaxCrossEntropy
from course.optim import SGD

# Each maker takes arrays a (3, 4) and c (3, 4), entries in 0.2..0.8, and gives a node.
WITH_ARRAYS = {
    "a + c": lambda a, c: Tensor(a) + c,
    "c - a": lambda a, c: c - Tensor(a),
    "a * c": lambda a, c: Tensor(a) * c,
    "a / c": lambda a, c: Tensor(a) / c,
    "c / a": lambda a, c: c / Tensor(a),
    "a ** c": lambda a, c: Tensor(a) ** c,
    "c ** a": lambda a, c: c ** Tensor(a),
    "a @ c.T": lambda a, c: Tensor(a) @ c.T,
    "c.T @ a": lambda a, c: c.T @ Tensor(a),
    "c.T @ a, a constant": lambda a, c: Tensor(c).T @ Constant(a),
    "maximum": lambda a, c: ad.maximum(Tensor(a), c),
    "affine": lambda a, c: ad.affine(c, Tensor(a).T, c[:, 0]),
    "affine of arrays": lambda a, c: ad.affine(Tensor(a), c.T, a[:, 0]),
    "sum of squares": lambda a, c: (Tensor(a) ** 2).sum(),
    "reshaped": lambda a, c: Tensor(a).reshape(4, 3) ** 2 * c.reshape(4, 3),
    "transposed": lambda a, c: Tensor(a).T ** 2 * c.T,
    "part": lambda a, c: Tensor(a)[1:] ** 2 * c[1:],
    "convolution": lambda a, c: ad.convolve1d(a[0], Tensor(c[0, :3])),
    "convolution, kernel": lambda a, c: ad.convolve1d(Tensor(a[0]), c[0, :3]),
    "pooling": lambda a, c: ad.max_pool1d(Tensor(a) * c, 2, 1),
    "Euclidean cost": lambda a, c: ad.euclidean_cost(Tensor(a), c),
    "binary cross-entropy": lambda a, c: ad.binary_cross_entropy(Tensor(a), c),
    "any h": lambda a, c: Elementwise(Tensor(a) * c, np.sinh, np.cosh),
    **{
        f"{name} of a product": lambda a, c, make=make: make(Tensor(a) * c)
        for name, make in ACTIVATIONS.items()
    },
}


def leaves(node):
    return [n for n in ad.nodes_in_order(node) if not n.parents and n.requires_grad]


@pytest.mark.parametrize("name", WITH_ARRAYS)
@settings(max_examples=10)
@given(seed=st.integers(0, 999))
def test_changing_the_arrays_that_went_in_changes_no_gradient(name, seed):
    rng = np.random.default_rng(seed)
    a, c = rng.uniform(0.2, 0.8, (2, 3, 4))
    expected = WITH_ARRAYS[name](a.copy(), c.copy())
    node = WITH_ARRAYS[name](a, c)
    upstream = rng.standard_normal(node.shape)
    loss = (node * upstream).sum()
    (expected * upstream.copy()).sum().backward()
    a[...], c[...], upstream[...] = rng.standard_normal((3, 4)), 7.0, 8.0
    loss.backward()
    for ours, right in zip(leaves(node), leaves(expected), strict=True):
        np.testing.assert_array_equal(ours.grad, right.grad)


def test_positions_that_change_after_they_were_used_change_no_gradient():
    for index in (np.array([0, 0, 2]), [0, 0, 2]):
        x = Tensor([1.0, 2.0, 3.0])
        y = x[index].sum()
        index[0] = 1
        y.backward()
        np.testing.assert_array_equal(x.grad, [2, 0, 1])


@pytest.mark.parametrize("cost", [SoftmaxCrossEntropy, EuclideanCost, BinaryCrossEntropy])
def test_targets_that_change_after_the_forward_pass_change_no_gradient(cost):
    Z = np.random.default_rng(0).standard_normal((4, 3))
    targets = np.array([0, 1, 2, 1]) if cost is SoftmaxCrossEntropy else np.full((4, 3), 0.5)
    module, before = cost(), cost()
    before.forward(Z.copy(), targets.copy())
    module.forward(Z, targets)
    Z[...], targets[...] = 9.0, 0
    np.testing.assert_array_equal(module.backward(), before.backward())


def test_a_batch_that_changes_after_the_forward_pass_changes_no_gradient():
    rng = np.random.default_rng(0)
    net, X, dY = MLP([3, 4, 2], rng), rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    twin = copy.deepcopy(net)
    twin.forward(X.copy())
    dX = twin.backward(dY)
    net.forward(X)
    X *= 3
    np.testing.assert_array_equal(net.backward(dY), dX)
    np.testing.assert_array_equal(net.layers[0].dW, twin.layers[0].dW)


def item(x):
    x.data[0] = 5.0


def row(x):
    x.data[[0]] = 5.0


def augmented_item(x):
    x.data[0] += 1.0


def augmented(x):
    x.data -= 1.0


def scaled(x):
    x.data *= 2.0


def kept_view(x):
    view = x.data
    view += 1.0


def assigned(x):
    x.data = [5.0, 6.0]


CHANGES = [item, row, augmented_item, augmented, scaled, kept_view, assigned]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", [Tensor, Constant])
def test_every_change_of_a_leaf_is_noticed(change, kind):
    x, w = kind([1.0, 2.0], name="x"), Tensor([3.0, 4.0])
    loss = (x * x * w).sum()
    before = x.data.copy()
    change(x)
    assert (x.data != before).any()
    with pytest.raises(RuntimeError, match=r"x of shape \(2,\) was changed after Multiply"):
        loss.backward()
    (x * x * w).sum().backward()  # computed again, it is right
    np.testing.assert_array_equal(w.grad, x.data**2)


def through_a_slice(x):
    x.data[:1][0] = 5.0


def through_a_transposed_view(x):
    x.data.T[0] = 5.0


def through_out(x):
    np.add(x.data, 1.0, out=x.data)


def through_copyto(x):
    np.copyto(x.data, 5.0)


def through_fill(x):
    x.data.fill(5.0)


def through_sort(x):
    x.data.sort()


def through_asarray(x):
    np.asarray(x.data)[0] = 5.0


def through_power(x):
    x.data **= 2


def through_a_computed_node(x):
    (x * 1.0).data[0] = 5.0


def through_a_reshaped_node(x):
    x.reshape(-1, 1).data[0] = 5.0


@pytest.mark.parametrize(
    "change",
    [
        through_a_slice,
        through_a_transposed_view,
        through_out,
        through_copyto,
        through_fill,
        through_sort,
        through_asarray,
        through_power,
        through_a_computed_node,
        through_a_reshaped_node,
    ],
)
def test_what_cannot_be_noticed_is_refused(change):
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        change(x)
    np.testing.assert_array_equal(x.data, [1, 2])


def test_the_array_that_a_leaf_was_made_from_is_not_the_leaf():
    for make in (Tensor, Constant, lambda a: Linear(a, a[0]).weight):
        a = np.ones((2, 2))
        leaf = make(a)
        a[0, 0] = 5.0
        np.testing.assert_array_equal(leaf.data, np.ones((2, 2)))
        leaf.data[1, 1] = 7.0
        assert a[1, 1] == 1.0


def test_a_value_handed_from_one_graph_to_another_stays_what_it_was():
    p, q = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    loss = (q * p.data).sum()
    p.data -= 1.0
    loss.backward()
    np.testing.assert_array_equal(q.grad, [1, 2])


def test_a_step_of_sgd_between_forward_and_backward_is_noticed():
    p = Tensor([1.0, 2.0], name="p")
    first, second = (p * p).sum(), (p * 3.0).sum()
    first.backward()
    SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="p of shape"):
        second.backward()


def test_the_array_of_a_leaf_is_an_array_like_any_other_to_those_who_read_it():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert repr(x.data) == repr(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert type(x.data * 2) is type(x.data @ x.data) is type(np.exp(x.data)) is np.ndarray
    assert type(x.data.sum()) is type(np.add.reduce(x.data, axis=None)) is np.float64
    assert type(Tensor(2.0).data ** 2) is np.float64
    assert f"{Tensor(2.0).data:.2f}" == "2.00"
    changed = x.data.copy()
    alias = changed
    changed -= 1
    changed[0, 0] = 9.0
    assert alias[0, 0] == 9.0
    np.testing.assert_array_equal(x.data, [[1, 2], [3, 4]])
    assert type(pickle.loads(pickle.dumps(x.data))) is np.ndarray
    assert isinstance(x.data, LeafArray)


def test_a_leaf_is_changed_in_its_own_dtype_and_memory():
    x = Tensor(np.ones(3, np.float32))
    view = x.data
    x.data = np.arange(3)
    x.data -= np.full(3, 0.5)
    assert x.data.dtype == np.float32
    np.testing.assert_array_equal(view, [-0.5, 0.5, 1.5])
    with pytest.raises(TypeError, match="real numbers"):
        x.data = [1j, 0, 0]
    with pytest.raises(TypeError, match="Tensor"):
        x.data -= Tensor(np.ones(3))


def test_a_number_in_a_formula_can_be_changed_and_this_is_noticed():
    x = Tensor([1.0, 2.0])
    y = (x * 3.0).sum()
    three = y.parents[0].parents[1]
    three.data = 4
    with pytest.raises(RuntimeError, match="was changed after Multiply"):
        y.backward()
    assert three.data == 4.0


def test_a_gradient_that_is_set_is_copied_and_has_the_shape_and_dtype_of_the_value():
    x, g = Tensor(np.ones(2, np.float32)), np.array([1.0, 2.0])
    x.grad = g
    g[0] = 9.0
    np.testing.assert_array_equal(x.grad, [1, 2])
    assert x.grad.dtype == np.float32
    with pytest.raises(ValueError, match=r"gradient of shape \(3,\) for a value of shape \(2,\)"):
        x.grad = np.ones(3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_gradients_of_what_is_not_finite_are_refused(bad):
    x = Tensor([1.0, bad])
    with np.errstate(invalid="ignore"), pytest.raises(FloatingPointError, match="finite value"):
        (x * 2.0).sum().backward()
    net, cost = MLP([2, 3], np.random.default_rng(0)), SoftmaxCrossEntropy()
    with np.errstate(invalid="ignore"):
        cost.forward(net.forward([[1.0, bad]]), np.array([0]))
    with pytest.raises(FloatingPointError, match="finite value"):
        cost.backward()
