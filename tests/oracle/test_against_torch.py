"""Values and gradients of every operation and module against PyTorch in float64, rtol 1e-9."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import course.autodiff as ad
from course.autodiff import activations, convolution, costs, operations
from course.autodiff.activations import ACTIVATIONS
from course.autodiff.tensor import Tensor
from course.nn import (
    MLP,
    Conv1d,
    Flatten,
    Linear,
    MaxPooling1d,
    Pointwise,
    Sequential,
    SoftmaxCrossEntropy,
)
from course.optim import SGD

torch.set_num_threads(1)
many = settings(max_examples=25)
ANY = st.floats(0.0625, 3, width=32) | st.floats(-3, -0.0625, width=32)
POSITIVE = st.floats(0.125, 3, width=32)


def test_H_42_E_X3_slope_of_relu_at_zero_is_0_here_and_in_torch():
    ours, theirs = Tensor([0.0]), torch.zeros(1, requires_grad=True)
    ad.relu(ours).sum().backward()
    torch.relu(theirs).sum().backward()
    assert (ours.grad[0], theirs.grad.item()) == (0, 0)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_H_43_E_H6_E_H7_the_printed_activation_fails_and_has_slope_1_at_zero():
    class Printed(torch.autograd.Function):
        def forward(self, x):
            return x.clamp(min=0)

    class Static(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return torch.where(x < 0, 0.0, grad)

    x = torch.zeros(1, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"static|instantiat"):
        Printed()(x)
    Static.apply(x).sum().backward()
    assert x.grad.item() == 1


UNARY = {
    "exp": (ad.exp, torch.exp, ANY),
    "log": (ad.log, torch.log, POSITIVE),
    "sqrt": (ad.sqrt, torch.sqrt, POSITIVE),
    "sin": (ad.sin, torch.sin, ANY),
    "cos": (ad.cos, torch.cos, ANY),
    "negative": (lambda x: -x, lambda x: -x, ANY),
    "tanh": (ad.tanh, torch.tanh, ANY),
    "sigmoid": (ad.sigmoid, torch.sigmoid, ANY),
    "relu": (ad.relu, torch.relu, ANY),
    "leaky_relu": (ad.leaky_relu, F.leaky_relu, ANY),
    "softplus": (ad.softplus, F.softplus, ANY),
    "elu": (ad.elu, F.elu, ANY),
    "power 3": (lambda x: x**3, lambda x: x**3, ANY),
    "power -0.5": (lambda x: x**-0.5, lambda x: x**-0.5, POSITIVE),
    "1 - 2 / x": (lambda x: 1 - 2 / x, lambda x: 1 - 2 / x, POSITIVE),
    "sum": (lambda x: x.sum(), lambda x: x.sum(), ANY),
    "mean": (lambda x: x.mean(), lambda x: x.mean(), ANY),
    "reshape": (lambda x: x.reshape(-1), lambda x: x.reshape(-1), ANY),
    "linear": (activations.Identity, lambda x: x * 1, ANY),
    "any h": (lambda x: activations.Elementwise(x, np.sinh, np.cosh), torch.sinh, ANY),
    "step": (ad.step, lambda x: (x >= 0).to(x.dtype) + 0 * x, ANY),
    "last axis first": (
        lambda x: x.transpose(*np.roll(range(x.ndim), 1)) if x.ndim else x * 1,
        lambda x: x.permute(*np.roll(range(x.ndim), 1).tolist()) if x.ndim else x * 1,
        ANY,
    ),
    "T": (lambda x: x.T, lambda x: x.permute(tuple(range(x.ndim))[::-1]), ANY),
}
BINARY = {
    "+": (lambda a, b: a + b, ANY),
    "-": (lambda a, b: a - b, ANY),
    "*": (lambda a, b: a * b, ANY),
    "/": (lambda a, b: a / b, POSITIVE),
    "**": (lambda a, b: a**b, POSITIVE),
}
OTHERS = {  # compared in tests of their own below
    *(operations.Affine, operations.MatMul, operations.Index, operations.Maximum),
    *(costs.SoftmaxCrossEntropy, costs.EuclideanCost, costs.BinaryCrossEntropy),
    *(convolution.Convolve1d, convolution.MaxPool1d),
}


# How an operand comes into an operation: as a leaf, or as a part of one whose entries do not lie
# side by side in memory; and where its gradient is found then.
WAYS = {
    "leaf": (lambda a: a, lambda leaf: leaf, lambda grad: grad),
    "transposed": (lambda a: a.T, lambda leaf: leaf.T, lambda grad: grad.T),
    "reversed": (
        lambda a: a[::-1] if a.ndim else a,
        lambda leaf: leaf[::-1] if leaf.ndim else leaf,
        lambda grad: grad[::-1] if grad.ndim else grad,
    ),
}


def same(ours, theirs, arrays):
    """Same value and, under a random upstream gradient, same gradients, in each of the ways."""
    variables = [torch.from_numpy(np.array(a)).requires_grad_() for a in arrays]
    ref = theirs(*variables)
    value = ref.detach().numpy()
    upstream = np.asarray(np.random.default_rng(value.size).standard_normal(value.shape))
    (ref * torch.from_numpy(upstream)).sum().backward()
    for store, operand, gradient in WAYS.values():
        leaves = [Tensor(store(a)) for a in arrays]
        out = ours(*map(operand, leaves))
        assert out.shape == value.shape
        np.testing.assert_allclose(out.data, value, rtol=1e-9, atol=1e-12)
        (out * upstream).sum().backward()
        for leaf, variable in zip(leaves, variables, strict=True):
            assert leaf.grad.shape == leaf.shape
            np.testing.assert_allclose(
                gradient(leaf.grad), variable.grad.numpy(), rtol=1e-9, atol=1e-12
            )


def drawn(data, shape, elements):
    """An array of this shape in a drawn memory layout."""
    array = data.draw(hnp.arrays(np.float64, shape, elements=elements))
    layout = data.draw(st.sampled_from(["C", "F", "strided", "reversed"]))
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed" and array.ndim:
        return array[::-1].copy()[::-1]
    return array


@pytest.mark.parametrize("name", UNARY)
@many
@given(data=st.data())
def test_operations_on_one_operand(name, data):
    ours, theirs, elements = UNARY[name]
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))
    same(ours, theirs, [drawn(data, shape, elements)])


@pytest.mark.parametrize("name", BINARY)
@many
@given(
    data=st.data(), shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4)
)
def test_operations_on_two_broadcast_operands(name, data, shapes):
    function, elements = BINARY[name]
    same(function, function, [drawn(data, shape, elements) for shape in shapes.input_shapes])


@many
@given(
    data=st.data(),
    shapes=hnp.mutually_broadcastable_shapes(
        signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, max_side=4
    ),
)
def test_matmul(data, shapes):
    same(lambda a, b: a @ b, torch.matmul, [drawn(data, s, ANY) for s in shapes.input_shapes])


@many
@given(data=st.data(), shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_side=3))
def test_maximum_where_nothing_ties(data, shapes):
    a, b = (drawn(data, shape, ANY) for shape in shapes.input_shapes)
    same(ad.maximum, torch.maximum, [a, b + np.pi])


@many
@given(data=st.data(), n=st.integers(1, 5), d=st.integers(1, 5), h=st.integers(1, 5))
def test_affine(data, n, d, h):
    arrays = [drawn(data, shape, ANY) for shape in [(n, d), (d, h), (h,)]]
    same(ad.affine, lambda X, W, b: X @ W + b, arrays)


@many
@given(
    data=st.data(), n=st.integers(1, 6), k=st.integers(1, 5), scale=st.sampled_from([1, 30, 400])
)
def test_softmax_cross_entropy(data, n, k, scale):
    labels = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
    Z = drawn(data, (n, k), ANY) * scale
    same(
        lambda z: ad.softmax_cross_entropy(z, labels),
        lambda z: F.cross_entropy(z, torch.from_numpy(labels)),
        [Z],
    )


@many
@given(data=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=2, max_side=5))
def test_euclidean_and_binary_cross_entropy(data, shape):
    Z, Y = (
        drawn(data, shape, ANY),
        data.draw(hnp.arrays(np.float64, shape, elements=st.floats(0, 1))),
    )
    T = torch.from_numpy(Y)
    same(lambda z: ad.euclidean_cost(z, Y), lambda z: ((z - T) ** 2).sum() / 2 / len(Y), [Z])
    same(
        lambda z: ad.binary_cross_entropy(z, Y),
        lambda z: F.binary_cross_entropy_with_logits(z, T),
        [Z],
    )


@many
@given(data=st.data())
def test_sum_and_mean_over_axes_and_indexing(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    x = drawn(data, shape, ANY)
    axis, keep = data.draw(st.integers(-len(shape), len(shape) - 1)), data.draw(st.booleans())
    same(lambda t: t.sum(axis, keep), lambda t: t.sum(axis, keepdim=keep), [x])
    same(lambda t: t.mean(axis, keep), lambda t: t.mean(axis, keepdim=keep), [x])
    same(lambda t: t[..., -1], lambda t: t[..., -1], [x])
    same(lambda t: t[:-1, None], lambda t: t[:-1, None], [x])
    index = data.draw(st.lists(st.integers(0, shape[0] - 1), min_size=1, max_size=5))
    same(lambda t: t[index], lambda t: t[index], [x])


@many
@given(
    data=st.data(),
    N=st.integers(5, 8),
    M=st.sampled_from([1, 3, 5]),
    B=st.integers(1, 3),
    C=st.integers(1, 3),
    O=st.integers(1, 3),
)
def test_convolution_with_every_padding_and_pooling(data, N, M, B, C, O):
    arrays = [drawn(data, shape, ANY) for shape in [(B, C, N), (O, C, M), (O,)]]
    modes = {
        "zero": "constant",
        "replicate": "replicate",
        "reflect": "reflect",
        "circular": "circular",
    }
    for pad, mode in modes.items():
        same(
            lambda x, w, b, pad=pad: ad.convolve1d(x, w, b, pad),
            lambda x, w, b, mode=mode: F.conv1d(F.pad(x, (M // 2, M // 2), mode), w, b),
            arrays,
        )
    same(lambda x, w, b: ad.convolve1d(x, w, b, "valid"), F.conv1d, arrays)
    size, stride = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    same(
        lambda x: ad.max_pool1d(x, size, stride),
        lambda x: F.max_pool1d(x, size, stride),
        arrays[:1],
    )


TORCH_ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "softplus": lambda z: F.softplus(z, threshold=700),  # not z itself above 20, off by 2e-9
    "elu": F.elu,
}


@pytest.mark.parametrize("activation", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_net_trained_for_ten_steps_has_the_same_weights(activation, momentum):
    rng = np.random.default_rng(0)
    net = MLP([6, 5, 4, 3], rng, activation)
    X, y = rng.standard_normal((16, 6)), rng.integers(0, 3, 16)
    params = [torch.from_numpy(p.data.copy()).requires_grad_() for p in net.parameters]
    ours, theirs = (
        SGD(net.parameters, 0.1, momentum),
        torch.optim.SGD(params, 0.1, momentum=momentum),
    )
    for _ in range(10):
        SoftmaxCrossEntropy()(net(X), y).backward()
        ours.step()
        H = torch.from_numpy(X)
        for i in range(0, 4, 2):
            H = TORCH_ACTIVATIONS[activation](H @ params[i] + params[i + 1])
        theirs.zero_grad()
        F.cross_entropy(H @ params[4] + params[5], torch.from_numpy(y)).backward()
        theirs.step()
    for p, q in zip(net.parameters, params, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_the_oracle_covers_every_activation_with_a_slope():
    assert set(TORCH_ACTIVATIONS) == set(ACTIVATIONS) - {"step"}


def by_torch(module, activation, X, W, b):
    """What a module computes, in PyTorch's words."""
    if isinstance(module, Conv1d):
        return F.conv1d(F.pad(X, (W.shape[2] // 2,) * 2, "replicate"), W, b)
    if isinstance(module, Linear):
        return X @ W + b
    if isinstance(module, MaxPooling1d):
        return F.max_pool1d(X, module.size, module.stride)
    if isinstance(module, Flatten):
        return X.flatten(1)
    return TORCH_ACTIVATIONS[activation](X)


def convolutional_net(data, activation):
    """A net in which every kind of module occurs, for signals (N, 2, 8)."""
    O, K, H = (data.draw(st.integers(1, 3)) for _ in range(3))
    return Sequential(
        [
            Conv1d(drawn(data, (O, 2, 3), ANY), drawn(data, (O,), ANY), "replicate"),
            Pointwise(activation),
            MaxPooling1d(2, 2),
            Flatten(),
            Linear(drawn(data, (O * 4, H), ANY), drawn(data, (H,), ANY)),
            Pointwise(activation),
            Linear(drawn(data, (H, K), ANY), drawn(data, (K,), ANY)),
        ]
    )


@pytest.mark.parametrize("activation", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("way", ["by hand", "on the tape"])
@settings(max_examples=6)
@given(data=st.data())
def test_every_module_by_hand_and_on_the_tape(way, activation, data):
    net = convolutional_net(data, activation)
    X = drawn(data, (data.draw(st.integers(1, 3)), 2, 8), ANY)
    x = torch.from_numpy(np.array(X)).requires_grad_()
    variables = [torch.from_numpy(np.array(p.data)).requires_grad_() for p in net.parameters]
    Y, rest = x, iter(variables)
    for module in net.modules:
        W, b = (next(rest), next(rest)) if module.parameters else (None, None)
        Y = by_torch(module, activation, Y, W, b)
    dY = np.random.default_rng(X.size).standard_normal(Y.shape)
    (Y * torch.from_numpy(dY)).sum().backward()
    if way == "by hand":
        np.testing.assert_allclose(net.forward(X), Y.detach().numpy(), rtol=1e-9, atol=1e-9)
        dX = net.backward(dY)
    else:
        leaf = Tensor(X)
        (net(leaf) * dY).sum().backward()
        dX = leaf.grad
    pairs = [(dX, x), *((p.grad, v) for p, v in zip(net.parameters, variables, strict=True))]
    for ours, theirs in pairs:
        right = theirs.grad.numpy()
        np.testing.assert_allclose(ours, right, rtol=1e-9, atol=1e-9 * max(1, abs(right).max()))


def test_the_oracle_covers_every_operation():
    x = Tensor(np.ones((2, 2)))
    roots = [ours(x) for ours, *_ in UNARY.values()] + [ours(x, x) for ours, _ in BINARY.values()]
    compared = OTHERS | {type(node) for root in roots for node in ad.nodes_in_order(root)}
    rooms = (operations, activations, costs, convolution)
    defined = {
        each
        for room in rooms
        for each in vars(room).values()
        if isinstance(each, type) and each.__module__ == room.__name__
    }
    assert defined - compared == set()
