"""Activation functions as operations: rows P-18, G-43, H-34; conventions of the course.

`z` is the pre-activation, `h` the output.  The step is 1 at `z >= 0`; the slope of ReLU at 0 is 0.
"""

from __future__ import annotations

import numpy as np

from course import formulas
from course.autodiff.tensor import Operation


class Sigmoid(Operation):
    """1 / (1 + exp(-z)); slope h (1 - h)."""

    __slots__ = ()
    symbol = "σ"

    def __init__(self, z):
        Operation.__init__(self, formulas.sigmoid(z._data), (z,))

    def vjp(self, grad):
        h = self._data
        return (grad * h * (1 - h),)


class Tanh(Operation):
    """tanh z; slope 1 - h²."""

    __slots__ = ()
    symbol = "tanh"

    def __init__(self, z):
        Operation.__init__(self, np.tanh(z._data), (z,))

    def vjp(self, grad):
        h = self._data
        return (grad * (1 - h * h),)


class ReLU(Operation):
    """max(z, 0); slope 1 where z > 0, else 0, which is the sign of h."""

    __slots__ = ()
    symbol = "ReLU"

    def __init__(self, z):
        Operation.__init__(self, np.maximum(z._data, 0.0), (z,))

    def vjp(self, grad):
        slope = np.sign(self._data)
        slope *= grad
        return (slope,)


class LeakyReLU(Operation):
    """z where z > 0, else slope · z."""

    __slots__ = ("slope",)
    symbol = "leaky ReLU"

    def __init__(self, z, slope=0.01):
        self.slope = slope
        Operation.__init__(self, np.where(z._data > 0, z._data, slope * z._data), (z,))

    def vjp(self, grad):
        (z,) = self.parents
        return (np.where(z._data > 0, grad, self.slope * grad),)


class ELU(Operation):
    """z where z > 0, else exp(z) - 1; slope 1 or exp(z)."""

    __slots__ = ()
    symbol = "ELU"

    def __init__(self, z):
        Operation.__init__(
            self, np.where(z._data > 0, z._data, np.expm1(np.minimum(z._data, 0))), (z,)
        )

    def vjp(self, grad):
        (z,) = self.parents
        return (grad * np.exp(np.minimum(z._data, 0)),)


class Softplus(Operation):
    """log(1 + exp(z)), the soft ReLU; its slope is the sigmoid."""

    __slots__ = ()
    symbol = "softplus"

    def __init__(self, z):
        Operation.__init__(self, formulas.softplus(z._data), (z,))

    def vjp(self, grad):
        (z,) = self.parents
        return (grad * formulas.sigmoid(z._data),)


class Step(Operation):
    """1 where z >= 0, else 0; its slope is 0, so nothing can be learned through it."""

    __slots__ = ()
    symbol = "step"

    def __init__(self, z):
        Operation.__init__(self, (z._data >= 0).astype(z.dtype), (z,))

    def vjp(self, grad):
        return (np.zeros_like(self._data),)


class Identity(Operation):
    """z itself: the output of a linear unit."""

    __slots__ = ()
    symbol = "linear"

    def __init__(self, z):
        Operation.__init__(self, z._data.view() if z.shape else z._data + 0, (z,))

    def vjp(self, grad):
        return (grad,)


class Elementwise(Operation):
    """h(z) for any function h with derivative dh, both of them functions of the pre-activation."""

    __slots__ = ("dh",)
    symbol = "h"

    def __init__(self, z, h, dh):
        self.dh = dh
        data = np.array(h(z.data), z.dtype)
        if data.shape != z.shape:
            raise ValueError(f"h takes shape {z.shape} to {data.shape}: it must keep the shape")
        Operation.__init__(self, data, (z,))

    def vjp(self, grad):
        (z,) = self.parents
        return (grad * self.dh(z.data),)


ACTIVATIONS = {
    "linear": Identity,
    "step": Step,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "softplus": Softplus,
    "elu": ELU,
}
