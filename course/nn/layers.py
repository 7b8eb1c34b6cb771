"""The linear module and the pointwise module (rows T-29 to T-36)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course.autodiff import Tensor
from course.autodiff.activations import ACTIVATIONS, Elementwise
from course.autodiff.operations import Affine, affine_error
from course.autodiff.tensor import as_tensor
from course.nn.module import Module


class Linear(Module):
    """`Y = X @ W + b`, for X (N, D_in), W (D_in, D_out), b (D_out,).

    Backward: `dW = X.T @ dY`, `db = dY.sum(axis=0)`, `dX = dY @ W.T`.  W and b are copied; as
    tensors they are `weight` and `bias`.

    >>> layer = Linear(np.array([[1.0, 0.2], [-3.0, 1.0]]), np.zeros(2))  # T-49, transposed
    >>> layer.forward(np.array([[1.0, 0.1]])).round(6)  # T-53
    array([[0.7, 0.3]])
    >>> dX = layer.backward(np.array([[-0.118661, 0.171080]]))
    >>> layer.dW  # T-55
    array([[-0.118661 ,  0.17108  ],
           [-0.0118661,  0.017108 ]])
    """

    def __init__(self, W, b):
        super().__init__()
        self.weight, self.bias = Tensor(W, name="W"), Tensor(b, name="b")
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[1:]:
            raise affine_error(np.empty((0, 0)), self.weight, self.bias)
        self.parameters = [self.weight, self.bias]

    def __call__(self, X) -> Tensor:
        return Affine(as_tensor(X), self.weight, self.bias)

    @property
    def W(self) -> np.ndarray:
        """The weights, (D_in, D_out)."""
        return self.weight.data

    @W.setter
    def W(self, value) -> None:
        self.weight.data = value

    @property
    def b(self) -> np.ndarray:
        """The biases, (D_out,)."""
        return self.bias.data

    @b.setter
    def b(self, value) -> None:
        self.bias.data = value

    @property
    def dW(self) -> np.ndarray | None:
        """Gradient of the weights from the last backward pass, shape of W."""
        return self.weight.grad

    @property
    def db(self) -> np.ndarray | None:
        """Gradient of the biases from the last backward pass, shape of b."""
        return self.bias.grad


class Pointwise(Module):
    """`H = h(Z)`, entry by entry; backward `dZ = dH * h'(Z)`, at the pre-activation Z.

    `Pointwise("tanh")` takes one of the course's activations: linear, step, sigmoid, tanh, relu,
    leaky_relu, softplus, elu.  `Pointwise(h, dh)` takes any function and its derivative.
    """

    def __init__(self, h: str | Callable, dh: Callable | None = None):
        super().__init__()
        self._operation: Callable[..., Tensor]
        if isinstance(h, str):
            if h not in ACTIVATIONS:
                raise ValueError(f"no activation {h!r}: choose from {', '.join(ACTIVATIONS)}")
            self._operation = ACTIVATIONS[h]
        elif dh is None:
            raise TypeError("Pointwise(h, dh) needs the derivative dh of the function h as well")
        else:
            self._operation = lambda z: Elementwise(z, h, dh)

    def __call__(self, X) -> Tensor:
        return self._operation(as_tensor(X))
