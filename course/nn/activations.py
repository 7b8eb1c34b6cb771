"""Activation functions of plain arrays, for plots and tables: the same operations as in the nets."""

from __future__ import annotations

import numpy as np

from course.autodiff import Tensor
from course.autodiff.activations import ACTIVATIONS, LeakyReLU
from course.validation import floats


def _operation(name: str, z, slope: float) -> tuple[Tensor, Tensor]:
    if name not in ACTIVATIONS:
        raise ValueError(f"no activation {name!r}: choose from {', '.join(ACTIVATIONS)}")
    leaf = Tensor(floats("z", z))
    return leaf, LeakyReLU(leaf, slope) if name == "leaky_relu" else ACTIVATIONS[name](leaf)


def activation(name: str, z, slope: float = 0.01) -> np.ndarray:
    """The output for pre-activations z of any shape (rows P-18, G-43, H-34).

    `name` is linear, step, sigmoid, tanh, relu, leaky_relu, softplus or elu; `slope` is that of the
    leaky ReLU below 0.

    >>> activation("relu", [-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return np.array(_operation(name, z, slope)[1].data)


def activation_slope(name: str, z, slope: float = 0.01) -> np.ndarray:
    """The derivative with respect to z, entry by entry; that of ReLU at 0 is 0.

    >>> activation_slope("sigmoid", [0.0, 4.0]).round(7)  # H-37
    array([0.25     , 0.0176627])
    """
    leaf, node = _operation(name, z, slope)
    (derivative,) = node.vjp(np.ones(leaf.shape, leaf.dtype))
    return np.array(derivative)
