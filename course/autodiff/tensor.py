"""The core of the engine: a value, its gradient, and the backward pass.

Every computed value is a node of the computational graph and remembers the nodes it came from.
The rules of the single operations are in `operations.py`, `activations.py` and `costs.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import isfinite
from operator import attrgetter
from typing import Any

import numpy as np

from course.autodiff.leaf import LeafArray

next_index = count().__next__
by_index = attrgetter("index")


class Interface:
    """What may be written with tensors: `a + b`, `X @ W`, `x ** 2`, `x[0]`, `x.sum()`, `x.data` …

    What the graph still needs cannot change behind its back.  Every array that comes in is copied.
    Values of computed nodes and gradients are given out read-only, because the graph needs them and
    nodes share them.  A leaf may be changed, as a whole or in part (`x.data -= …`, `x.data[0] = …`):
    it then takes a new number, and `backward()` refuses the graphs made before the change.
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that `array + tensor` asks `Tensor.__radd__`
    _data: Any
    _grad: Any
    index: int
    name: str | None
    parents: Sequence[Any]

    # fmt: off
    def __add__(self, other): return op.Add(self, as_tensor(other))
    def __radd__(self, other): return op.Add(as_tensor(other), self)
    def __sub__(self, other): return op.Subtract(self, as_tensor(other))
    def __rsub__(self, other): return op.Subtract(as_tensor(other), self)
    def __mul__(self, other): return op.Multiply(self, as_tensor(other))
    def __rmul__(self, other): return op.Multiply(as_tensor(other), self)
    def __truediv__(self, other): return op.Divide(self, as_tensor(other))
    def __rtruediv__(self, other): return op.Divide(as_tensor(other), self)
    def __pow__(self, other): return op.Power(self, as_tensor(other))
    def __rpow__(self, other): return op.Power(as_tensor(other), self)
    def __matmul__(self, other): return op.MatMul(self, as_tensor(other))
    def __rmatmul__(self, other): return op.MatMul(as_tensor(other), self)
    def __neg__(self): return op.Negative(self)
    def __getitem__(self, index): return op.Index(self, index)
    def __iter__(self): return (self[i] for i in range(len(self)))
    def __len__(self): return len(self.data)
    def __float__(self): return float(self.data)
    def sum(self, axis=None, keepdims=False): return op.Sum(self, axis, keepdims)
    def mean(self, axis=None, keepdims=False): return op.Mean(self, axis, keepdims)
    def reshape(self, *shape): return op.Reshape(self, shape)
    def transpose(self, *axes): return op.Transpose(self, axes or None)
    # fmt: on

    T = property(lambda self: op.Transpose(self, None))
    shape = property(lambda self: np.shape(self._data))
    ndim = property(lambda self: np.ndim(self._data))
    size = property(lambda self: np.size(self._data))
    dtype = property(lambda self: np.asarray(self._data).dtype)

    @property
    def data(self):
        """The value; only that of a leaf can be set, to one of the same shape."""
        if not isinstance(self._data, np.ndarray):
            return self._data  # a number
        if self.parents:
            self._data.setflags(write=False)
            return self._data
        array = self._data.view(LeafArray)
        array.leaf = self
        array.setflags(write=False)
        return array

    @data.setter
    def data(self, value) -> None:
        if self.parents:
            raise AttributeError(
                "the value of a computed node cannot be set: change the leaves it was "
                "computed from, and compute it again"
            )
        done = getattr(value, "leaf", None) is self  # `x.data -= …` has written already
        if not done:
            value = as_floats(value)
            if value.shape != self.shape:
                raise ValueError(
                    f"new value of shape {value.shape} for a leaf of shape {self.shape}"
                )
            if isinstance(self._data, np.ndarray):
                self._data[...] = value
            else:
                self._data = float(value)
        # What was computed from the old value is now out of date:
        self.index = next_index()  # type: ignore[misc]

    @property
    def grad(self):
        """The gradient of the scalar whose `backward()` ran last, or None."""
        if isinstance(self._grad, np.ndarray):
            self._grad.setflags(write=False)
        return self._grad

    @grad.setter
    def grad(self, value) -> None:
        if value is not None:
            value = np.array(value, self.dtype)
            if value.shape != self.shape:
                raise ValueError(
                    f"gradient of shape {value.shape} for a value of shape {self.shape}"
                )
        self._grad = value

    def named(self, name: str):
        """Give this node a name for drawings; returns the node."""
        self.name = name  # type: ignore[misc]
        return self

    def __setitem__(self, index, value):
        raise TypeError(
            "the entries of a Tensor cannot be assigned: the graph may still need the old ones. "
            "Build the array with NumPy first and make a Tensor of it."
        )

    def __array__(self, *_, **__):
        raise TypeError(
            "NumPy cannot compute with a Tensor, because it would lose the graph: use the functions "
            "of course.autodiff, or .data for the bare array"
        )

    def __reduce__(self):
        if self.parents:
            raise TypeError("a computed node cannot be copied or pickled: copy the leaves")
        return type(self), (self._data, self.name)  # made anew, it gets a new number

    def __repr__(self):
        name = f", name={self.name!r}" if self.name else ""
        value = np.array2string(np.asarray(self.data), precision=6, threshold=20, separator=", ")
        return f"{type(self).__name__}({value}{name})"


class Tensor(Interface):
    """A node of the computational graph: a value, its gradient, and the nodes it came from.

    `Tensor(value, name="x")` is a leaf whose gradient is wanted; it keeps a copy of the value.
    Operations on tensors give tensors, and `loss.backward()` sets `.grad`, of the shape of `.data`,
    at every node that `loss` was computed from.

    >>> x = Tensor(3.0, name="x")
    >>> y = x * x + 1.0
    >>> y.backward()
    >>> float(y.data), float(x.grad)
    (10.0, 6.0)
    """

    __slots__ = ("_data", "_grad", "index", "name", "parents")
    requires_grad = True

    def __init__(self, data: Any, name: str | None = None):
        self._data = as_floats(data).copy()  # a leaf owns its memory: nobody else can change it
        self._grad = None
        self.parents = ()
        self.index = next_index()  # nodes are numbered as they are made, after their parents
        self.name = name

    def vjp(self, grad):
        """The message to each parent: grad of this node times (d this node / d parent)."""
        return ()

    def backward(self) -> None:
        """Set the gradient of this scalar at every node that it depends on, from a clean start."""
        nodes = self.begin_backward()
        check_finite(self._data)
        for node in nodes:
            node.propagate()

    def begin_backward(self) -> list[Tensor]:
        """The computed nodes below this scalar, each before its parents; gradients are cleared."""
        if self._data.ndim:
            raise ValueError(
                f"backward() starts from a scalar, but this node has shape {self.shape}: "
                "reduce it first, for example with .sum() or .mean()"
            )
        nodes, seen = [self], {self}
        for node in nodes:  # which grows as it is walked
            for parent in node.parents:
                if parent.index > node.index:
                    raise changed(parent, node)
                parent._grad = None
                if parent.parents and parent not in seen:
                    seen.add(parent)
                    nodes.append(parent)
        nodes.sort(key=by_index, reverse=True)
        self._grad = self._data.dtype.type(1)  # d self / d self
        return nodes

    def propagate(self):
        """Send this node's messages: its parents add them to their gradients."""
        messages = self.vjp(self._grad)
        for parent, message in zip(self.parents, messages):  # noqa: B905 (saves 90 ns)
            if message is not None:
                parent._grad = message if parent._grad is None else parent._grad + message
        return messages


class Constant(Tensor):
    """A leaf whose gradient is not wanted, such as a batch of inputs."""

    __slots__ = ()
    requires_grad = False


class Operation(Tensor):
    """A computed node.  A subclass gives its value in `__init__`, its derivative in `vjp`.

    >>> class Cube(Operation):
    ...     def __init__(self, x):
    ...         super().__init__(x.data**3, (x,))
    ...
    ...     def vjp(self, grad):
    ...         (x,) = self.parents
    ...         return (grad * 3 * x.data**2,)
    >>> x = Tensor([1.0, 2.0])
    >>> Cube(x).sum().backward()
    >>> x.grad
    array([ 3., 12.])
    """

    __slots__ = ()
    symbol = ""  # for drawings

    def __init__(self, data, parents):
        self._data = data
        self._grad = None
        self.parents = parents
        self.index = next_index()
        self.name = None


def as_tensor(value) -> Tensor:
    """`value` itself if it is a tensor, else a constant.

    A Python number stays one, so that it adopts the dtype of the arrays it meets.
    """
    if isinstance(value, Tensor):
        return value
    constant = Constant.__new__(Constant)
    constant._data = value if type(value) in (float, int) else as_floats(value).copy()
    constant._grad = None
    constant.parents = ()
    constant.index = next_index()
    constant.name = None
    return constant


def as_floats(value) -> np.ndarray:
    """`value` as an array of floats: not copied if it is one already."""
    if isinstance(value, Tensor):
        raise TypeError("this is a Tensor already: take its .data to start a new graph from it")
    array = value if type(value) is np.ndarray else np.asarray(value)
    if array.dtype.kind == "f":
        return array
    if array.dtype.kind in "iub":
        return array.astype(np.float64)
    raise TypeError(f"a Tensor holds real numbers, not {type(value).__name__} of {array.dtype}")


def check_finite(value) -> None:
    """Raise an error if the value from which gradients are to start is NaN or infinite."""
    if not isfinite(value):
        raise FloatingPointError(
            f"backward() starts from a finite value, but this one is {value}: look for NaN or "
            "infinite numbers in data and parameters, the logarithm of 0, or too large a step before"
        )


def changed(leaf: Tensor, node: Tensor) -> RuntimeError:
    """The error for a value that was changed after `node` had been computed from it."""
    return RuntimeError(
        f"{leaf.name or 'a leaf'} of shape {leaf.shape} was changed after {type(node).__name__} "
        "had been computed from it, so gradients would be wrong: compute the forward pass again "
        "before backward(), and change parameters only after it"
    )


# An operation is a Tensor, so its module can be imported only now.
from course.autodiff import operations as op  # noqa: E402
