"""Operations: how a value follows from its parents, and beside it the vector-Jacobian product.

For `y = f(a, b)` and `grad = d loss / d y`, `vjp(grad)` gives the messages to the parents,
`(grad · dy/da, grad · dy/db)`, each of the shape of its parent; None where no gradient is wanted.
Arrays that come in are never changed.  `x._data` is the array of `x.data` without the lock that
`x.data` puts on it for its users.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from course.autodiff.tensor import Operation, Tensor
from course.formulas import ones


def message(parent: Tensor, grad):
    """`grad` summed over the axes along which the parent was repeated by broadcasting."""
    if not parent.requires_grad:
        return None
    shape = parent.shape
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1)
    return grad.sum(axis=stretched, keepdims=True) if stretched else grad


class Add(Operation):
    """a + b, with broadcasting: passes its gradient on to both."""

    __slots__ = ()
    symbol = "+"

    def __init__(self, a, b):
        Operation.__init__(self, a._data + b._data, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        return message(a, grad), message(b, grad)


class Subtract(Operation):
    """a - b, with broadcasting."""

    __slots__ = ()
    symbol = "−"

    def __init__(self, a, b):
        Operation.__init__(self, a._data - b._data, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        return message(a, grad), message(b, -grad)


class Multiply(Operation):
    """a * b, entry by entry, with broadcasting: each gets the gradient times the other."""

    __slots__ = ()
    symbol = "×"

    def __init__(self, a, b):
        Operation.__init__(self, a._data * b._data, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        return message(a, grad * b._data), message(b, grad * a._data)


class Divide(Operation):
    """a / b, entry by entry, with broadcasting."""

    __slots__ = ()
    symbol = "÷"

    def __init__(self, a, b):
        Operation.__init__(self, a._data / b._data, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        grad = grad / b._data
        return message(a, grad), message(b, -grad * self._data)


class Power(Operation):
    """a ** b, entry by entry, with broadcasting; a > 0 where the exponent's gradient is wanted."""

    __slots__ = ()
    symbol = "power"

    def __init__(self, a, b):
        Operation.__init__(self, a._data**b._data, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        return (
            message(a, grad * b._data * a._data ** (b._data - 1)) if a.requires_grad else None,
            message(b, grad * self._data * np.log(np.asarray(a._data, grad.dtype)))
            if b.requires_grad
            else None,
        )


class Negative(Operation):
    """-x"""

    __slots__ = ()
    symbol = "−"

    def __init__(self, x):
        Operation.__init__(self, -x._data, (x,))

    def vjp(self, grad):
        return (-grad,)


class Exp(Operation):
    """e ** x: its derivative is its value."""

    __slots__ = ()
    symbol = "exp"

    def __init__(self, x):
        Operation.__init__(self, np.exp(x._data), (x,))

    def vjp(self, grad):
        return (grad * self._data,)


class Log(Operation):
    """Natural logarithm, x > 0."""

    __slots__ = ()
    symbol = "log"

    def __init__(self, x):
        Operation.__init__(self, np.log(x._data), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        return (grad / x._data,)


class Sqrt(Operation):
    """Square root, x > 0."""

    __slots__ = ()
    symbol = "sqrt"

    def __init__(self, x):
        Operation.__init__(self, np.sqrt(x._data), (x,))

    def vjp(self, grad):
        return (grad / (2 * self._data),)


class Sin(Operation):
    """sin x, x in radians."""

    __slots__ = ()
    symbol = "sin"

    def __init__(self, x):
        Operation.__init__(self, np.sin(x._data), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        return (grad * np.cos(x._data),)


class Cos(Operation):
    """cos x, x in radians."""

    __slots__ = ()
    symbol = "cos"

    def __init__(self, x):
        Operation.__init__(self, np.cos(x._data), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        return (-grad * np.sin(x._data),)


class Maximum(Operation):
    """The larger of a and b, with broadcasting: it alone gets the gradient; a where they tie."""

    __slots__ = ()
    symbol = "max"

    def __init__(self, a, b):
        Operation.__init__(self, np.maximum(a._data, b._data), (a, b))

    def vjp(self, grad):
        a, b = self.parents
        first = a._data >= b._data
        return message(a, grad * first), message(b, grad * ~first)


class Affine(Operation):
    """X @ W + b for a batch: X (N, D), W (D, H), b (H,) -> (N, H)."""

    __slots__ = ()
    symbol = "X W + b"

    def __init__(self, X, W, b):
        try:
            Z = X._data.dot(W._data)  # for matrices the same as @, and 0.4 µs quicker
            Z += b._data
        except ValueError:
            raise affine_error(X, W, b) from None
        if Z.ndim != 2:  # the shape of b is checked by those who call this again and again
            raise affine_error(X, W, b)
        Operation.__init__(self, Z, (X, W, b))

    def vjp(self, grad):
        X, W, _ = self.parents
        return (
            grad.dot(W._data.T) if X.requires_grad else None,
            X._data.T.dot(grad),
            ones(len(grad), grad.dtype).dot(grad),  # grad.sum(axis=0), in half the time
        )


def affine_error(X, W, b) -> ValueError:
    """The error for an affine layer whose operands do not fit."""
    return ValueError(
        f"X @ W + b takes X (N, D), W (D, H) and b (H,), but X is {X.shape}, W is {W.shape} "
        f"and b is {b.shape}"
    )


class MatMul(Operation):
    """a @ b, by NumPy's rules: vectors, matrices, and stacks of matrices with broadcasting."""

    __slots__ = ()
    symbol = "@"

    def __init__(self, a, b):
        try:
            product = a._data @ b._data
        except ValueError:
            raise ValueError(
                "a @ b takes as many columns in a as there are rows in b, "
                f"but a is {a.shape} and b is {b.shape}"
            ) from None
        Operation.__init__(self, product, (a, b))

    def vjp(self, grad):
        a, b = self.parents
        A = a._data if a.ndim > 1 else a._data[None, :]  # a vector on the left is a row,
        B = b._data if b.ndim > 1 else b._data[:, None]  # one on the right is a column
        if a.ndim == 1:
            grad = np.expand_dims(grad, -1 if b.ndim == 1 else -2)
        if b.ndim == 1:
            grad = np.expand_dims(grad, -1)
        to_a = to_b = None
        if a.requires_grad:
            to_a = grad @ np.swapaxes(B, -1, -2)
            to_a = message(a, to_a if a.ndim > 1 else to_a[..., 0, :])
        if b.requires_grad:
            to_b = np.swapaxes(A, -1, -2) @ grad
            to_b = message(b, to_b if b.ndim > 1 else to_b[..., 0])
        return to_a, to_b


class Sum(Operation):
    """Sum over an axis, over several, or over all (axis None)."""

    __slots__ = ("axis", "keepdims")
    symbol = "sum"

    def __init__(self, x, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims
        Operation.__init__(self, np.sum(x._data, axis=axis, keepdims=keepdims), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        if self.axis is not None and not self.keepdims:
            grad = np.expand_dims(grad, self.axis)
        return (np.broadcast_to(grad, x.shape),)


class Mean(Operation):
    """Mean over an axis, over several, or over all (axis None)."""

    __slots__ = ("axis", "keepdims")
    symbol = "mean"

    def __init__(self, x, axis=None, keepdims=False):
        if x.size == 0:
            raise ValueError(f"the mean of an empty array (shape {x.shape}) is not defined")
        self.axis, self.keepdims = axis, keepdims
        Operation.__init__(self, np.mean(x._data, axis=axis, keepdims=keepdims), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        grad = grad * (self._data.size / x.size)
        if self.axis is not None and not self.keepdims:
            grad = np.expand_dims(grad, self.axis)
        return (np.broadcast_to(grad, x.shape),)


class Reshape(Operation):
    """The same numbers in another shape; one length may be -1."""

    __slots__ = ()
    symbol = "reshape"

    def __init__(self, x, shape):
        Operation.__init__(self, x._data.reshape(*shape), (x,))

    def vjp(self, grad):
        (x,) = self.parents
        return (grad.reshape(x.shape),)


class Transpose(Operation):
    """Axes in another order; reversed if no order is given."""

    __slots__ = ("axes",)
    symbol = "transpose"

    def __init__(self, x, axes=None):
        if axes is not None and len(axes) == 1 and not np.isscalar(axes[0]):
            (axes,) = axes  # x.transpose((1, 0)) as well as x.transpose(1, 0)
        self.axes = axes
        Operation.__init__(self, x._data.transpose(axes), (x,))

    def vjp(self, grad):
        back = None if self.axes is None else np.argsort(np.mod(self.axes, grad.ndim))
        return (grad.transpose(back),)


class Index(Operation):
    """x[index], read only; an entry that was picked several times sums its gradients."""

    __slots__ = ("key",)
    key: Any
    symbol = "[ ]"

    def __init__(self, x, index):
        # An array or a list of positions is copied: it might be changed before the backward pass.
        self.key = index if isinstance(index, int | slice) else deepcopy(index)
        Operation.__init__(self, x._data[index], (x,))

    def vjp(self, grad):
        (x,) = self.parents
        total = np.zeros_like(x._data)
        np.add.at(total, self.key, grad)
        return (total,)
