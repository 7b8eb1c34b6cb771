"""Looking inside a trained net (lecture 12): what a unit looks at, and what it likes best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from course.autodiff import Constant, Tensor
from course.nn.sequential import Sequential
from course.nn.statistics import linear_layers
from course.validation import floats


def weight_images(W, shape: Sequence[int]) -> np.ndarray:
    """Each unit's incoming weights as an image: W (D, H) -> `(H, *shape)` (G-49).

    Draw them with one symmetric scale for all, so that grey is zero.
    """
    W = floats("W", W)
    if W.ndim != 2 or int(np.prod(shape)) != len(W):
        raise ValueError(f"weights {W.shape} have {W.shape[:1]} inputs, an image {tuple(shape)}")
    return np.array(W.T).reshape(-1, *shape)


def pre_activation(net: Sequential, X, unit: int, layer: int = -1) -> Tensor:
    """The pre-activations of one unit for a batch X, (N,), as a node of the graph.

    `layer` counts the linear modules; -1 is the output, whose units are the scores of the classes.
    """
    layers = linear_layers(net)
    if not -len(layers) <= layer < len(layers):
        raise ValueError(f"the net has {len(layers)} linear modules, there is no number {layer}")
    stop = layers[layer]
    node: Tensor = X if isinstance(X, Tensor) else Constant(floats("X", X))
    for module in net.modules:
        node = module(node)
        if module is stop:
            break
    if not 0 <= unit < node.shape[1]:
        raise ValueError(f"layer {layer} has units 0..{node.shape[1] - 1}, there is no {unit}")
    return node[:, unit]


def input_gradient(net: Sequential, x, unit: int, layer: int = -1) -> np.ndarray:
    """The gradient of a unit's pre-activation with respect to the input, shape of x (T-41).

    x is one sample (D,) or a batch (N, D).  The net's parameters and gradients stay as they are.
    """
    x = floats("x", x)
    leaf = Tensor(np.atleast_2d(x))
    _, gradient = _value_and_gradient(net, leaf, unit, layer)
    return gradient.reshape(x.shape)


class Ascent(NamedTuple):
    """The input found by `maximise_activation`, (D,), and the objective before and after each step."""

    x: np.ndarray
    scores: np.ndarray


def maximise_activation(
    net: Sequential, unit: int, x0, lr: float, n_steps: int, lam: float = 0.0, layer: int = -1
) -> Ascent:
    """Climb from x0 (D,) towards the input that a unit likes best (T-43, T-44).

    The objective is `z_unit - lam/2 ‖x‖²`; the weights stay fixed.  `scores` has n_steps + 1 entries.
    """
    x = np.array(floats("x0", x0), dtype=np.float64)
    scores = []
    for step in range(n_steps + 1):
        z, gradient = _value_and_gradient(net, Tensor(x[None]), unit, layer)
        scores.append(z - lam / 2 * float(x @ x))
        if step < n_steps:
            x = x + lr * (gradient[0] - lam * x)
    return Ascent(x, np.array(scores))


def _value_and_gradient(net, leaf: Tensor, unit, layer) -> tuple[float, np.ndarray]:
    kept = [p._grad for p in net.parameters]
    z = pre_activation(net, leaf, unit, layer).sum()
    z.backward()
    for p, grad in zip(net.parameters, kept, strict=True):
        p._grad = grad  # asking about the input is no step of training
    return float(z.data), np.array(leaf.grad)


def top_examples(net: Sequential, X, unit: int, k: int, layer: int = -1) -> np.ndarray:
    """The k rows of X with the largest pre-activation of a unit, the largest first; ties in order."""
    z = pre_activation(net, X, unit, layer).data
    if not 1 <= k <= len(z):
        raise ValueError(f"k is between 1 and the number of samples {len(z)}, not {k}")
    return np.argsort(-z, kind="stable")[:k]


def linear_probe_accuracy(H, y) -> float:
    """How well the classes can be read off the outputs H (N, D) by a linear map.

    Least squares on one-hot targets with a column of ones, of least norm where it is not unique,
    fitted on the even rows; the accuracy is that on the odd rows.
    """
    H, y = floats("H", H), np.asarray(y)
    if H.ndim != 2 or len(H) != len(y) or len(y) < 2:
        raise ValueError(f"a probe needs H (N, D) and y (N,) with N >= 2, not {H.shape}, {y.shape}")
    classes, number = np.unique(y, return_inverse=True)
    features = np.column_stack([H, np.ones(len(H))])
    targets = np.eye(len(classes))[number]
    coefficients = np.linalg.lstsq(features[::2], targets[::2], rcond=None)[0]
    return float(np.mean((features[1::2] @ coefficients).argmax(axis=1) == number[1::2]))


__all__ = [
    "Ascent",
    "input_gradient",
    "linear_probe_accuracy",
    "maximise_activation",
    "pre_activation",
    "top_examples",
    "weight_images",
]
