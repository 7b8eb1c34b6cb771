"""A module: one step of a net that can be run forward and backward (rows T-26, G-68).

It can be used in two ways, and both run the same operation of `course.autodiff`:

- by hand: `Y = module.forward(X)`, later `dX = module.backward(dY)`, arrays in and out;
- on the tape: `Y = module(X)` makes a node of the graph, and `loss.backward()` does the rest.

Either way the gradients of its parameters are found in the module afterwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from course.autodiff import Tensor
from course.autodiff.tensor import as_floats, as_tensor, changed


class Module:
    """Base of the modules with one input: a subclass says which operation `__call__` makes."""

    def __init__(self) -> None:
        self.parameters: list[Tensor] = []
        self.node: Tensor | None = None

    def __call__(self, X: Any) -> Tensor:
        """The node that this module makes of a tensor (or an array, which is taken as constant)."""
        raise TypeError(f"{type(self).__name__} does not say which operation it runs")

    def forward(self, X) -> np.ndarray:
        """The output for a batch X (N, D_in); what `backward` will need is remembered."""
        self.node = self(Tensor(X))
        return self.node.data

    def backward(self, dY, input_grad: bool = True) -> np.ndarray | None:
        """From the gradient at the output, that at the input of the last `forward`.

        The gradients of the parameters are set on the way, not added up over calls.  With
        `input_grad=False` the gradient at the input is not computed: the first layer of a net has
        nobody below it to tell (G-69).
        """
        node = self.node
        if node is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward pass before it")
        dY = as_floats(dY)
        if dY.shape != node.shape:
            raise ValueError(
                f"the gradient at the output has shape {dY.shape}, the output had {node.shape}"
            )
        dY = dY if dY.dtype == node.dtype else dY.astype(node.dtype)
        for parameter in self.parameters:
            if parameter.index > node.index:
                raise changed(parameter, node)
        parents = node.parents
        if not input_grad:
            node.parents = (as_tensor(parents[0]._data), *parents[1:])
        try:
            dX, *gradients = node.vjp(dY)
        finally:
            node.parents = parents
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter._grad = gradient
        if not input_grad:
            return None
        return (
            dX.copy() if dX is dY or dX.base is not None else dX
        )  # never dY itself, or a view of it

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "node": None}  # a copy remembers no forward pass

    def params(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(parameter, gradient) pairs, W before b; the gradient is None before a backward pass."""
        return [(p.data, p.grad) for p in self.parameters]
