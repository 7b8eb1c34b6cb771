"""Costs as operations: a batch of predictions and its targets give one number, a mean (coverage 4).

Targets are constants: they are compared with, not learned.  Each cost forms its gradient with the
loss, by the formulas that the models use, so that it needs neither targets nor scores afterwards.
"""

from __future__ import annotations

import numpy as np

from course import formulas
from course.autodiff.tensor import Operation, Tensor, as_floats


class EuclideanCost(Operation):
    """Mean over the rows of ½ ‖Y_hat - Y‖², for Y_hat and Y of shape (N, K), (N,) or () (T-23)."""

    __slots__ = ("residual",)
    symbol = "½‖·‖²"

    def __init__(self, Y_hat, Y):
        targets = Y._data if isinstance(Y, Tensor) else as_floats(Y)
        if targets.shape != Y_hat.shape:
            raise ValueError(
                f"predictions of shape {Y_hat.shape} and targets of shape {targets.shape}: "
                "both must have the same shape"
            )
        residual = Y_hat._data - targets.astype(Y_hat.dtype, copy=False)
        if not residual.size:
            raise ValueError(f"a cost needs at least one prediction, not shape {residual.shape}")
        n = residual.shape[0] if residual.ndim else 1
        self.residual = residual / n  # (Y_hat - Y) / N, the gradient with respect to Y_hat
        Operation.__init__(self, formulas.half_mean_square(residual), (Y_hat,))

    def vjp(self, grad):
        return (self.residual * grad,)


class SoftmaxCrossEntropy(Operation):
    """Mean over the rows of -log softmax(Z)[label], for Z (N, K) and N labels in 0..K-1 (G-39).

    Softmax and logarithm are one operation, so no score is too large for it (log-sum-exp), and
    the gradient with respect to Z is simply (softmax(Z) - one-hot labels) / N.
    """

    __slots__ = ("residual",)
    symbol = "softmax + cross-entropy"

    def __init__(self, Z, labels):
        scores = Z._data
        if scores.ndim != 2 or labels.shape != scores.shape[:1] or not labels.size:
            raise ValueError(
                "softmax cross-entropy takes scores (N, K) and N >= 1 class numbers (N,), "
                f"but got shapes {scores.shape} and {labels.shape}"
            )
        loss, self.residual = formulas.cross_entropy(
            scores, checked_labels(labels, scores.shape[1])
        )
        Operation.__init__(self, loss, (Z,))

    def vjp(self, grad):
        return (self.residual if grad == 1 else self.residual * grad,)


class BinaryCrossEntropy(Operation):
    """Mean over all entries of -y log σ(z) - (1 - y) log(1 - σ(z)), from the logits z (H-10).

    Computed as softplus(z) - y z, so no logit is too large; gradient (σ(z) - y) / size.
    """

    __slots__ = ("residual",)
    symbol = "σ + cross-entropy"

    def __init__(self, z, y):
        targets = y._data if isinstance(y, Tensor) else as_floats(y)
        if targets.shape != z.shape or not targets.size:
            raise ValueError(
                f"logits of shape {z.shape} and targets of shape {targets.shape}: "
                "both must have the same shape, with at least one entry"
            )
        if not ((targets >= 0) & (targets <= 1)).all():
            raise ValueError("targets of the binary cross-entropy lie between 0 and 1")
        targets = targets.astype(z.dtype, copy=False)
        self.residual = formulas.binary_cross_entropy_grad(z._data, targets)
        Operation.__init__(self, formulas.binary_cross_entropy(z._data, targets), (z,))

    def vjp(self, grad):
        return (self.residual * grad,)


UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def checked_labels(labels, k):
    """The labels, if they are integers in 0..k-1; a negative one would count from the end."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"class numbers must be integers, not {labels.dtype}")
    # Read as unsigned numbers, negative ones are huge: one comparison finds both kinds.
    if np.maximum.reduce(labels.view(UNSIGNED[labels.itemsize])) >= k:
        raise ValueError(
            f"class numbers must lie in 0..{k - 1}: found {labels.min()}..{labels.max()}"
        )
    return labels if labels.dtype.kind == "i" else labels.astype(np.intp)
