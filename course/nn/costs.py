"""Cost modules: the last module of a net, which compares its output with the targets (T-23)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from course.autodiff import Tensor, costs
from course.autodiff.tensor import as_tensor, check_finite


class Cost:
    """Base of the cost modules: `forward` gives the mean loss, `backward` starts the messages."""

    operation: Callable[..., Tensor]

    def __init__(self) -> None:
        self.node: Tensor | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "node": None}  # a copy remembers no forward pass

    def __call__(self, Y_hat, targets) -> Tensor:
        """The scalar node, for use on the tape."""
        return type(self).operation(as_tensor(Y_hat), np.asarray(targets))

    def forward(self, Y_hat, targets) -> float:
        """The mean loss of a batch of predictions (N, K)."""
        self.node = self(Tensor(Y_hat), targets)
        return float(self.node.data)

    def backward(self) -> np.ndarray:
        """The gradient at the predictions, (N, K): the 1/N of the mean enters here, and only here."""
        if self.node is None:
            raise RuntimeError(f"{type(self).__name__}.backward needs a forward pass before it")
        check_finite(self.node._data)
        (message,) = self.node.vjp(self.node.dtype.type(1))
        message.setflags(write=False)  # the cost may hand out the same array again
        return message


class EuclideanCost(Cost):
    """Mean over the samples of ½ ‖Y_hat - Y‖², Y (N, K); backward `(Y_hat - Y) / N`.

    >>> cost = EuclideanCost()
    >>> round(cost.forward(np.array([[0.313055]]), np.array([[0.5]])), 7)  # T-53
    0.0174742
    >>> cost.backward().round(6)  # T-54
    array([[-0.186945]])
    """

    operation = costs.EuclideanCost


class SoftmaxCrossEntropy(Cost):
    """Mean of `-log softmax(Z)[y]` for scores Z (N, K), class numbers y (N,).

    Backward: (softmax(Z) - one-hot y) / N.
    """

    operation = costs.SoftmaxCrossEntropy


class BinaryCrossEntropy(Cost):
    """Mean of the cross-entropy of y in [0, 1] and σ(Z), y and logits Z of one shape.

    Backward: (σ(Z) - y) / size.
    """

    operation = costs.BinaryCrossEntropy
