"""Stacks of modules: `Sequential`, and the multi-layer perceptron (rows T-10 to T-13, G-40)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from course.autodiff import Tensor
from course.autodiff.tensor import as_tensor
from course.nn.counting import checked_dims
from course.nn.initialisation import init_layer
from course.nn.layers import Linear, Pointwise
from course.nn.module import Module


class Sequential(Module):
    """Modules one after the other: forward up the list, backward down."""

    def __init__(self, modules: Iterable[Module]):
        super().__init__()
        self.modules = list(modules)
        self.parameters = [p for module in self.modules for p in module.parameters]

    def __call__(self, X) -> Tensor:
        X = as_tensor(X)
        for module in self.modules:
            X = module(X)
        return X

    def forward(self, X) -> np.ndarray:
        """The output for a batch X (N, D_in); each module remembers what it will need."""
        for module in self.modules:
            X = module.forward(X)
        return X

    def backward(self, dY, input_grad: bool = True) -> np.ndarray | None:
        """From the gradient at the output, that at the input; sets all parameters' gradients.

        `input_grad=False` saves the product that only the gradient at the input needs.
        """
        for module in reversed(self.modules[1:]):
            dY = module.backward(dY)
        return self.modules[0].backward(dY, input_grad) if self.modules else dY


class MLP(Sequential):
    """Linear modules with an activation after each but the last: `dims` from input to output.

    `scheme` is one of `init_layer`; left out, it is "fan_in", with ReLU "fan_in_relu".  `dtype` is
    that of the parameters, float64 or float32.

    >>> net = MLP([64, 32, 10], np.random.default_rng(0), activation="relu")
    >>> net.forward(np.ones((5, 64))).shape
    (5, 10)
    """

    def __init__(
        self,
        dims: Sequence[int],
        rng: np.random.Generator,
        activation: str = "tanh",
        scheme: str | None = None,
        dtype: type = np.float64,
    ):
        self.dims = checked_dims(dims)
        scheme = scheme or ("fan_in_relu" if activation == "relu" else "fan_in")
        modules: list[Module] = []
        for d_in, d_out in pairwise(self.dims):
            W, b = init_layer(d_in, d_out, scheme, rng)
            modules += [Linear(W.astype(dtype), b.astype(dtype)), Pointwise(activation)]
        super().__init__(modules[:-1])
        for number, layer in enumerate(self.layers, start=1):
            layer.weight.name, layer.bias.name = f"W{number}", f"b{number}"

    @property
    def layers(self) -> list[Linear]:
        """The linear modules, from the input to the output."""
        return [module for module in self.modules if isinstance(module, Linear)]
