"""Every operation: its gradient against finite differences, its shapes, dtypes and manners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import course.autodiff as ad
from course.autodiff import activations, costs, operations
from course.autodiff.tensor import Operation, Tensor, as_tensor

quick = settings(max_examples=25)


def away_from(kinks, low=-3.0, high=3.0):
    """Numbers at least 0.01 from every kink."""
    return st.floats(low, high, width=32).filter(lambda v: all(abs(v - k) > 0.01 for k in kinks))


def arrays(shape, elements):
    return hnp.arrays(np.float64, shape, elements=elements)


POSITIVE = away_from([], 0.125, 3.0)
ANY = away_from([0.0])
UNARY = {
    "exp": (ad.exp, ANY),
    "log": (ad.log, POSITIVE),
    "sqrt": (ad.sqrt, POSITIVE),
    "sin": (ad.sin, ANY),
    "cos": (ad.cos, ANY),
    "negative": (lambda x: -x, ANY),
    "square": (lambda x: x**2, ANY),
    "reciprocal": (lambda x: 1 / x, POSITIVE),
    "power -1.5": (lambda x: x**-1.5, POSITIVE),
    "2 ** x": (lambda x: 2.0**x, ANY),
    "tanh": (ad.tanh, ANY),
    "sigmoid": (ad.sigmoid, ANY),
    "relu": (ad.relu, ANY),
    "leaky_relu": (lambda x: ad.leaky_relu(x, 0.2), ANY),
    "softplus": (ad.softplus, ANY),
    "elu": (ad.elu, ANY),
    "step": (ad.step, ANY),
    "linear": (lambda x: activations.Identity(x), ANY),
    "any h": (lambda x: activations.Elementwise(x, np.sinh, np.cosh), ANY),
    "sum": (lambda x: x.sum(), ANY),
    "mean": (lambda x: x.mean(), ANY),
    "flatten": (lambda x: x.reshape(-1), ANY),
    "T": (lambda x: x.T, ANY),
}
BINARY = {
    "a + b": (lambda a, b: a + b, POSITIVE),
    "a - b": (lambda a, b: a - b, POSITIVE),
    "a * b": (lambda a, b: a * b, ANY),
    "a / b": (lambda a, b: a / b, POSITIVE),
    "a ** b": (lambda a, b: a**b, POSITIVE),
    "shared": (lambda a, b: a * a * b + a / b, POSITIVE),
}
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)


@pytest.mark.parametrize("name", UNARY)
@quick
@given(data=st.data())
def test_gradient_of_one_operand_is_that_of_finite_differences(name, data):
    function, elements = UNARY[name]
    x = data.draw(arrays(data.draw(SHAPES), elements))
    check = ad.check_gradients(function, x, rng=np.random.default_rng(x.size))
    assert check, str(check)


@pytest.mark.parametrize("name", BINARY)
@quick
@given(
    data=st.data(), shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)
)
def test_gradient_of_two_broadcast_operands_is_that_of_finite_differences(name, data, shapes):
    function, elements = BINARY[name]
    a, b = (data.draw(arrays(shape, elements)) for shape in shapes.input_shapes)
    check = ad.check_gradients(function, a, b, rng=np.random.default_rng(a.size))
    assert check, str(check)


@quick
@given(st.data())
def test_gradient_of_sum_and_mean_over_any_axes(data):
    x = data.draw(arrays(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)), ANY))
    axes = data.draw(
        st.lists(st.integers(-x.ndim, x.ndim - 1), min_size=1, unique_by=lambda a: a % x.ndim)
    )
    axis = axes[0] if len(axes) == 1 else tuple(axes)
    keep = data.draw(st.booleans())
    for function in (lambda t: t.sum(axis, keep), lambda t: t.mean(axis, keep)):
        check = ad.check_gradients(function, x)
        assert check, str(check)


@pytest.mark.parametrize(
    "shapes",
    [
        [(3,), (3,)],
        [(3,), (3, 2)],
        [(4, 3), (3,)],
        [(4, 3), (3, 2)],
        [(2, 4, 3), (3, 2)],
        [(4, 3), (5, 3, 2)],
        [(3,), (2, 3, 4)],
        [(2, 4, 3), (3,)],
        [(1, 4, 3), (5, 3, 2)],
    ],
)
def test_gradient_of_matmul_for_vectors_matrices_and_stacks(shapes):
    rng = np.random.default_rng(1)
    check = ad.check_gradients(lambda a, b: a @ b, *(rng.standard_normal(s) for s in shapes))
    assert check, str(check)


@pytest.mark.parametrize(
    ("call", "shapes"),
    [
        (lambda a, b: a @ b, [(3, 4), (3, 4)]),
        (lambda a, b: a @ b, [(3,), (4,)]),
        (lambda a, b: a @ b, [(), (4,)]),
        (lambda a, b: a + b, [(3, 2), (4,)]),
        (lambda a, b: a - b, [(3,), (4,)]),
        (lambda a, b: a * b, [(3,), (4,)]),
        (lambda a, b: a / b, [(3,), (4,)]),
        (lambda a, b: a**b, [(3,), (4,)]),
        (ad.maximum, [(3,), (4,)]),
        (ad.euclidean_cost, [(3, 1), (3,)]),
        (ad.binary_cross_entropy, [(3, 1), (3,)]),
        (lambda Z, y: ad.softmax_cross_entropy(Z, np.zeros(y.shape, int)), [(3, 2), (4,)]),
        (lambda X, W: ad.affine(X, W, np.zeros(2)), [(3, 4), (5, 2)]),
        (lambda x, w: ad.convolve1d(x, w), [(2, 3, 8), (1, 2, 3)]),
    ],
)
def test_shapes_that_do_not_fit_are_both_named(call, shapes):
    operands = [Tensor(np.ones(shape)) for shape in shapes]
    with pytest.raises(ValueError, match=r"\(") as error:
        call(*operands)
    for shape in shapes:
        assert str(shape).replace(" ", "") in str(error.value).replace(" ", "")


@quick
@given(n=st.integers(1, 5), d=st.integers(1, 5), h=st.integers(1, 5), seed=st.integers(0, 99))
def test_gradient_of_affine(n, d, h, seed):
    rng = np.random.default_rng(seed)
    X, W, b = (rng.standard_normal(s) for s in [(n, d), (d, h), (h,)])
    check = ad.check_gradients(ad.affine, X, W, b)
    assert check, str(check)


@quick
@given(n=st.integers(1, 5), k=st.integers(1, 5), seed=st.integers(0, 99))
def test_gradient_of_the_costs(n, k, seed):
    rng = np.random.default_rng(seed)
    Z, Y, labels = rng.standard_normal((n, k)), rng.random((n, k)), rng.integers(0, k, n)
    for cost, targets in [
        (ad.softmax_cross_entropy, labels),
        (ad.euclidean_cost, Y),
        (ad.binary_cross_entropy, Y),
    ]:
        check = ad.check_gradients(lambda z, c=cost, t=targets: c(z, t) * 1.7, Z)
        assert check, f"{cost.__name__}: {check}"


@pytest.mark.parametrize(
    "index",
    [1, -1, slice(1, 3), (slice(None), 0), (0, 2), [2, 0, 2, 2], ([0, 1], [2, 2]), ..., None],
)
def test_gradient_of_indexing_even_when_entries_repeat(index):
    x = np.random.default_rng(0).standard_normal((3, 4))
    check = ad.check_gradients(lambda t: t[index], x)
    assert check, str(check)


@pytest.mark.parametrize("axes", [(), (1, 0, 2), ((2, 0, 1),), (-1, 0, 1)])
def test_gradient_of_transpose_with_any_order_of_axes(axes):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    check = ad.check_gradients(lambda t: t.transpose(*axes), x)
    assert check, str(check)
    assert Tensor(x).transpose(*axes).shape == x.transpose(*axes).shape


def test_gradient_of_maximum_goes_to_the_larger_and_to_the_first_of_two_equal():
    a, b = Tensor([1.0, 5.0, 2.0]), Tensor([[2.0], [2.0]])
    ad.maximum(a, b).sum().backward()
    np.testing.assert_array_equal(a.grad, [0, 2, 2])
    np.testing.assert_array_equal(b.grad, [[1], [1]])


def in_every_layout(x):
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, axis=0)[::2]
    yield x[::-1].copy()[::-1]


@pytest.mark.parametrize("name", [*UNARY, "affine", "matmul", "softmax", "euclidean", "bce"])
def test_non_contiguous_input_gives_what_contiguous_input_gives(name):
    rng = np.random.default_rng(7)
    x = rng.uniform(0.2, 2.0, (4, 3))
    W, b, labels, Y = rng.random((3, 2)), rng.random(2), np.array([0, 2, 1, 0]), rng.random((4, 3))
    function = {
        "affine": lambda t: ad.affine(t, W, b),
        "matmul": lambda t: t @ W,
        "softmax": lambda t: ad.softmax_cross_entropy(t, labels),
        "euclidean": lambda t: ad.euclidean_cost(t, Y),
        "bce": lambda t: ad.binary_cross_entropy(t, Y),
    }.get(name) or UNARY[name][0]

    def run(array):
        leaf = Tensor(array)
        out = function(leaf)
        (out * np.cos(np.arange(out.size)).reshape(out.shape)).sum().backward()
        return out.data, leaf.grad

    expected = run(x)
    for layout in in_every_layout(x):
        for got, want in zip(run(layout), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.parametrize("name", [*UNARY, *BINARY, "affine", "softmax", "euclidean", "bce"])
def test_float32_stays_float32_and_inputs_are_not_changed(name):
    rng = np.random.default_rng(8)
    x = rng.uniform(0.2, 2.0, (4, 3)).astype(np.float32)
    if name in BINARY:
        function, inputs = BINARY[name][0], [x, x[:1].copy()]
    elif name == "affine":
        function, inputs = ad.affine, [x, x.T.copy(), np.ones(4, np.float32)]
    else:
        function = {
            "softmax": lambda t: ad.softmax_cross_entropy(t, np.array([0, 2, 1, 0])),
            "euclidean": lambda t: ad.euclidean_cost(t, np.ones((4, 3))),
            "bce": lambda t: ad.binary_cross_entropy(t, np.ones((4, 3))),
        }.get(name) or UNARY[name][0]
        inputs = [x]
    kept = [a.copy() for a in inputs]
    tensors = [Tensor(a) for a in inputs]
    out = function(*tensors)
    out.sum().backward()
    assert out.dtype == np.float32
    for tensor, before, given_ in zip(tensors, kept, inputs, strict=True):
        assert tensor.grad.dtype == np.float32
        np.testing.assert_array_equal(given_, before)
        assert given_.flags.writeable


def test_H_42_E_X2_E_X3_conventions_at_zero():
    zero = Tensor([0.0])
    assert ad.step(zero).data[0] == 1
    for function, slope in [(ad.relu, 0), (ad.leaky_relu, 0.01), (ad.elu, 1), (ad.softplus, 0.5)]:
        function(zero).sum().backward()
        assert zero.grad[0] == pytest.approx(slope)


def test_H_34_G_43_activations_at_known_points():
    z = np.array([-2.0, 0.0, 3.0])
    known = {
        "linear": z,
        "step": [0, 1, 1],
        "sigmoid": [0.119203, 0.5, 0.952574],
        "tanh": [-0.964028, 0, 0.995055],
        "relu": [0, 0, 3],
        "leaky_relu": [-0.02, 0, 3],
        "softplus": [0.126928, 0.693147, 3.048587],
        "elu": [-0.864665, 0, 3],
    }
    assert set(known) == set(activations.ACTIVATIONS)
    for name, values in known.items():
        got = activations.ACTIVATIONS[name](Tensor(z)).data
        np.testing.assert_allclose(got, values, rtol=5e-6, atol=1e-12)


@pytest.mark.parametrize("function", [ad.sigmoid, ad.tanh, ad.softplus, ad.elu, ad.relu])
def test_activations_bear_huge_pre_activations_without_a_warning(function):
    z = Tensor([-1e4, 1e4])
    with np.errstate(all="raise", under="ignore"):
        function(z).sum().backward()
    assert np.isfinite(z.grad).all()


def test_costs_bear_huge_scores_without_a_warning():
    Z = Tensor([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4]])
    with np.errstate(all="raise", under="ignore"):
        loss = ad.softmax_cross_entropy(Z, np.array([0, 0]))
        loss.backward()
    assert loss.data == pytest.approx(1e4)
    np.testing.assert_allclose(Z.grad, [[0, 0, 0], [-0.5, 0, 0.5]], atol=1e-300)
    z = Tensor([800.0, -800.0])
    loss = ad.binary_cross_entropy(z, [0.0, 0.0])
    loss.backward()
    assert loss.data == 400
    np.testing.assert_allclose(z.grad, [0.5, 0], atol=1e-300)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ad.affine(np.ones((4, 3)), np.ones((2, 5)), np.ones(5)), r"\(4, 3\).*\(2, 5\)"),
        (lambda: ad.affine(np.ones((4, 3)), np.ones((3, 5)), np.ones(4)), r"b is \(4,\)"),
        (lambda: ad.affine(np.ones(3), np.ones((3, 5)), np.ones(5)), r"X is \(3,\)"),
        (lambda: ad.affine(np.ones((4, 3)), np.ones((3, 5)), np.ones((4, 5))), r"b is \(4, 5\)"),
        (lambda: Tensor(np.ones((2, 3))) + np.ones(2), r"\(2,3\) \(2,\)"),
        (
            lambda: Tensor(np.ones((2, 3))) @ np.ones((2, 3)),
            "as many columns in a as there are rows in b",
        ),
        (lambda: ad.softmax_cross_entropy(np.ones((2, 3)), [0, 3]), r"0\.\.2: found 0\.\.3"),
        (lambda: ad.softmax_cross_entropy(np.ones((2, 3)), [0, -1]), r"0\.\.2: found -1\.\.0"),
        (lambda: ad.softmax_cross_entropy(np.ones((2, 3)), [0]), r"\(2, 3\) and \(1,\)"),
        (lambda: ad.softmax_cross_entropy(np.ones((0, 3)), np.zeros(0, int)), r"N >= 1"),
        (lambda: ad.euclidean_cost(np.ones((2, 3)), np.ones((3, 2))), r"\(2, 3\).*\(3, 2\)"),
        (lambda: ad.binary_cross_entropy(np.ones((2, 1)), np.ones(2)), r"\(2, 1\).*\(2,\)"),
        (lambda: ad.binary_cross_entropy(np.ones(0), np.ones(0)), "at least one"),
        (lambda: ad.binary_cross_entropy(np.ones(2), [0.0, 2.0]), "between 0 and 1"),
        (lambda: Tensor(np.ones((0, 3))).mean(), "empty"),
    ],
)
def test_operands_that_do_not_fit_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "i4", "u4", "i8", "u8"])
def test_class_numbers_of_any_integer_type_are_taken_and_checked(dtype):
    Z = np.eye(3)
    expected = ad.softmax_cross_entropy(Z, [2, 1, 0]).data
    assert ad.softmax_cross_entropy(Z, np.array([2, 1, 0], dtype)).data == expected
    with pytest.raises(ValueError, match="class numbers"):
        ad.softmax_cross_entropy(Z, np.array([2, 1, 3], dtype))
    if dtype.startswith("i"):
        with pytest.raises(ValueError, match="class numbers"):
            ad.softmax_cross_entropy(Z, np.array([2, 1, -1], dtype))


def test_class_numbers_that_are_not_integers_are_refused():
    with pytest.raises(TypeError, match="integers, not float64"):
        ad.softmax_cross_entropy(np.ones((2, 3)), [0.0, 1.0])


def test_numpy_functions_do_not_swallow_tensors():
    x = Tensor([1.0, 2.0])
    assert isinstance(np.ones(2) + x, Tensor)
    assert isinstance(np.ones((3, 2)) @ x, Tensor)
    with pytest.raises(TypeError):
        np.exp(x)


def test_every_operation_is_slim_and_has_its_own_derivative():
    modules = (operations, activations, costs)
    found = [
        c
        for m in modules
        for c in vars(m).values()
        if isinstance(c, type) and issubclass(c, Operation)
    ]
    for cls in set(found) - {Operation}:
        assert "__slots__" in vars(cls), cls
        assert "vjp" in vars(cls), cls
        assert cls.symbol, cls
        assert not hasattr(object.__new__(cls), "__dict__"), cls


def test_a_number_becomes_a_constant_without_a_gradient():
    x = Tensor(2.0)
    y = x * 3
    y.backward()
    (_, three) = y.parents
    assert three.grad is None
    assert as_tensor(x) is x
