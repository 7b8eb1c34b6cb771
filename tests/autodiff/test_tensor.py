"""The tape: order, sharing, repetition, depth; what it refuses rather than getting it wrong."""

import copy
import gc
import inspect
import pickle
import weakref

import numpy as np
import pytest

from course.autodiff import Constant, Tensor, affine, exp, relu, softmax_cross_entropy, tanh


def test_a_node_used_twice_sums_its_messages():
    a = Tensor(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert (a.grad, b.grad) == (4, 2)


def test_a_second_backward_starts_clean():
    x = Tensor([1.0, 2.0])
    h = exp(x)
    y = (h * h).sum()
    y.backward()
    first = x.grad.copy(), h.grad.copy()
    y.backward()
    np.testing.assert_array_equal((x.grad, h.grad), first)


def test_backward_of_another_result_forgets_the_first():
    x, w = Tensor(3.0), Tensor(2.0)
    f, g = x * w, x + w
    f.backward()
    g.backward()
    assert (x.grad, w.grad) == (1, 1)
    f.backward()
    assert (x.grad, w.grad) == (2, 3)


def test_backward_from_an_inner_node_leaves_later_nodes_alone():
    x = Tensor(3.0)
    inner = x * x
    outer = inner * 2.0
    inner.backward()
    assert x.grad == 6
    assert outer.grad is None


@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_deep_graphs_need_no_recursion(depth):
    x = Tensor(1.0)
    y = x
    for _ in range(depth):
        y = y + 1.0
    y.backward()
    assert x.grad == 1
    del y  # and none to be thrown away


def test_paths_are_not_walked_one_by_one():
    x = Tensor(1.0)
    y = x
    for _ in range(60):  # 2^60 paths
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_graphs_hold_no_reference_cycle():
    class Watched(Tensor):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        leaf = Watched(2.0)
        watch = weakref.ref(leaf)
        y = exp(leaf) * leaf
        y.backward()
        del y, leaf
        assert watch() is None
    finally:
        gc.enable()


def test_gradients_have_the_shape_of_their_values():
    x, w, b = Tensor(np.ones((4, 3))), Tensor(np.ones((3, 2))), Tensor(np.ones(2))
    z = affine(x, w, b)
    loss = (tanh(z) * 2.0).mean()
    loss.backward()
    for node in (x, w, b, z, loss):
        assert np.shape(node.grad) == node.shape


def test_scalars_are_arrays_without_axes():
    x = Tensor(2.0)
    assert (x.data.shape, x.shape, x.ndim, x.size) == ((), (), 0, 1)
    assert float(x) == 2.0
    y = x * x
    y.backward()
    assert (y.shape, y.grad.shape, x.grad.shape) == ((), (), ())


def test_constants_get_no_gradient():
    X, w = Constant([[1.0, 2.0]]), Tensor([[3.0], [4.0]])
    (X @ w).sum().backward()
    assert X.grad is None
    np.testing.assert_array_equal(w.grad, [[1], [2]])


def test_integers_become_floats():
    assert Tensor([1, 2]).dtype == np.float64
    assert Tensor(True).dtype == np.float64


@pytest.mark.parametrize("value", [1j, "1", None, [object()]])
def test_a_tensor_holds_real_numbers_only(value):
    with pytest.raises(TypeError, match="real numbers"):
        Tensor(value)


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 2), (1, 1), (0,)])
def test_backward_refuses_what_is_not_a_scalar(shape):
    y = exp(Tensor(np.ones(shape)))
    with pytest.raises(ValueError, match=r"starts from a scalar.*\.sum\(\)"):
        y.backward()


def test_entries_of_a_tensor_cannot_be_assigned():
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="cannot be assigned"):
        x[0] = 5.0
    with pytest.raises(TypeError, match="cannot be assigned"):
        exp(x)[0] = 5.0


def test_the_value_of_a_computed_node_cannot_change():
    y = exp(Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        y.data -= 1.0
    with pytest.raises(AttributeError, match="computed node"):
        y.data = np.ones(2)
    s = y.sum()
    with pytest.raises(AttributeError, match="computed node"):
        s.data -= 1.0


@pytest.mark.parametrize("how", ["in place", "assigned"])
def test_changing_a_leaf_that_the_graph_still_needs_is_noticed(how):
    w = Tensor([1.0, 2.0], name="w")
    loss = (w * w).sum()
    if how == "in place":
        w.data -= 0.5
    else:
        w.data = [3.0, 4.0]
    with pytest.raises(RuntimeError, match=r"w of shape .* was changed after Multiply"):
        loss.backward()
    (w * w).sum().backward()  # computed again, it is right
    np.testing.assert_array_equal(w.grad, 2 * w.data)


def test_changing_a_leaf_before_or_after_is_allowed():
    w = Tensor([1.0, 2.0])
    w.data -= 0.5
    loss = (w * w).sum()
    loss.backward()
    w.data -= 0.1 * w.grad
    np.testing.assert_allclose(w.data, [0.4, 1.2])


def test_gradients_cannot_be_changed_in_place_because_nodes_may_share_them():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    (a + b).sum().backward()
    with pytest.raises(ValueError, match="read-only"):
        a.grad *= 2
    a.grad = a.grad * 2
    np.testing.assert_array_equal(b.grad, [1, 1])


def test_a_new_value_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) for a leaf of shape \(2,\)"):
        Tensor([1.0, 2.0]).data = np.ones(3)


def test_rows_can_be_looped_over_and_a_scalar_cannot():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    total = Tensor(0.0)
    for row in x:
        total = total + row.sum()
    total.backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))
    with pytest.raises(TypeError):
        list(Tensor(1.0))


def test_a_mistake_in_a_net_does_not_leave_half_a_gradient():
    w = Tensor(np.ones((3, 2)), name="w")
    loss = softmax_cross_entropy(relu(affine(np.ones((4, 3)), w, np.zeros(2))), [0, 1, 0, 1])
    loss.backward()
    before = w.grad
    with pytest.raises(ValueError, match="scalar"):
        relu(affine(np.ones((4, 3)), w, np.zeros(2))).backward()
    assert w.grad is before


def test_numpy_and_tensor_itself_do_not_take_a_tensor_for_an_array():
    x = Tensor([1.0, 2.0])
    for call in (np.asarray, np.sum, lambda t: np.dot(t, np.ones(2))):
        with pytest.raises(TypeError):
            call(x)
    with pytest.raises(TypeError, match="already"):
        Tensor(x)


def test_leaves_can_be_copied_and_pickled_and_get_a_new_number():
    x = Tensor([1.0, 2.0], name="x")
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.index > x.index
        assert twin.name == "x"
        assert twin.data is not x.data
        exp(twin).sum().backward()
        assert x.grad is None
    with pytest.raises(TypeError, match="copy the leaves"):
        copy.deepcopy(exp(x))


def test_repr_names_operation_value_and_name():
    x = Tensor(2.0, name="x")
    assert repr(x) == "Tensor(2., name='x')"
    assert repr(exp(x)) == "Exp(7.389056)"


def test_the_core_fits_on_one_screen():
    lines = inspect.getsource(Tensor).splitlines()
    assert len(lines) <= 90
    for name in ("backward", "begin_backward", "propagate", "vjp"):
        assert any(f"def {name}(" in line for line in lines)
