"""Modules for signals: 1-D convolution, max-pooling, and flattening (rows T-38 to T-40)."""

from __future__ import annotations

from course.autodiff import Tensor
from course.autodiff.convolution import PADDINGS, Convolve1d, MaxPool1d
from course.autodiff.tensor import as_tensor
from course.nn.layers import Linear
from course.nn.module import Module


class Conv1d(Linear):
    """Convolution with shared weights: X (B, C, N), W (O, C, M), b (O,) -> (B, O, N).

    `W`, `b`, `dW`, `db` and the update are those of a linear module; `pad` is one of zero,
    replicate, reflect, circular, valid.

    >>> module = Conv1d([[[1.0, 2.0, -1.0]]], [0.0])
    >>> Y = module.forward([[[1.0, 2.0, 3.0, 4.0, 5.0]]])
    >>> module.backward([[[1.0, 0.0, 2.0, 0.0, -1.0]]])  # T-38
    array([[[ 2.,  1.,  4., -3., -2.]]])
    >>> module.dW, module.db
    (array([[[ 0.,  2., 10.]]]), array([2.]))
    """

    def __init__(self, W, b, pad: str = "zero"):
        Module.__init__(self)
        self.weight, self.bias = Tensor(W, name="W"), Tensor(b, name="b")
        if self.weight.ndim != 3 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                "convolution takes W (O, C, M) and b (O,), "
                f"but W is {self.weight.shape} and b is {self.bias.shape}"
            )
        if pad not in PADDINGS:
            raise ValueError(f"no padding {pad!r}: choose from {', '.join(PADDINGS)}")
        self.parameters = [self.weight, self.bias]
        self.pad = pad

    def __call__(self, X) -> Tensor:
        return Convolve1d(as_tensor(X), self.weight, self.bias, self.pad)


class MaxPooling1d(Module):
    """The largest of each window along the last axis; windows follow each other by `stride`.

    >>> module = MaxPooling1d(size=3, stride=1)
    >>> module.forward([[1.0, 4.0, 2.0, 0.0, 3.0]])  # T-40
    array([[4., 4., 3.]])
    >>> module.backward([[1.0, 1.0, 1.0]])  # overlapping windows: one winner, two gradients
    array([[0., 2., 0., 0., 1.]])
    """

    def __init__(self, size: int, stride: int | None = None):
        super().__init__()
        self.size, self.stride = size, stride

    def __call__(self, X) -> Tensor:
        return MaxPool1d(as_tensor(X), self.size, self.stride)


class Flatten(Module):
    """All of a sample's entries in one row: (B, ...) -> (B, D)."""

    def __call__(self, X) -> Tensor:
        X = as_tensor(X)
        if X.ndim < 1 or not X.shape[0]:
            raise ValueError(f"flattening takes a batch (B, ...), not shape {X.shape}")
        return X.reshape(X.shape[0], -1)
