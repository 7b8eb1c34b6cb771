"""Costs as operations: a batch of predictions and its targets give one number, a mean (coverage 4).

Targets are constants: they are compared with, not learned.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course.autodiff.activations import logistic
from course.autodiff.operations import ones
from course.autodiff.tensor import Operation, Tensor


class EuclideanCost(Operation):
    """Mean over the rows of ½ ‖Y_hat - Y‖², for Y_hat and Y of shape (N, K), (N,) or () (T-23)."""

    __slots__ = ("residual",)
    symbol = "½‖·‖²"

    def __init__(self, Y_hat, Y):
        targets = Y.data if isinstance(Y, Tensor) else np.asarray(Y)
        if targets.shape != Y_hat.shape:
            raise ValueError(
                f"predictions of shape {Y_hat.shape} and targets of shape {targets.shape}: "
                "both must have the same shape"
            )
        residual = Y_hat._data - targets.astype(Y_hat.dtype, copy=False)
        n = residual.shape[0] if residual.ndim else 1
        if not n:
            raise ValueError("a cost needs at least one sample")
        flat = residual.reshape(-1)
        data = flat @ flat / (2 * n)
        self.residual = residual / n  # (Y_hat - Y) / N, the gradient with respect to Y_hat
        Operation.__init__(self, data, (Y_hat,))

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
        n, k = scores.shape
        starts = row_starts(n, k)  # of the rows, in the flat array
        chosen = starts + checked_labels(labels, k)
        highest = scores.reshape(-1)[starts + scores.argmax(axis=1)]
        P = np.subtract(scores, highest[:, None], order="C")
        flat = P.reshape(-1)  # the same memory
        chosen_scores = flat[chosen]
        np.exp(P, out=P)
        total = P.dot(ones(k, P.dtype))
        loss = np.add.reduce(np.log(total) - chosen_scores) / n
        total *= n
        P /= total[:, None]
        flat[chosen] -= 1 / n
        self.residual = P
        Operation.__init__(self, loss, (Z,))

    def vjp(self, grad):
        return (self.residual if grad == 1 else self.residual * grad,)


class BinaryCrossEntropy(Operation):
    """Mean over all entries of -y log σ(z) - (1 - y) log(1 - σ(z)), from the logits z (H-10).

    Computed as softplus(z) - y z, so no logit is too large; gradient (σ(z) - y) / size.
    """

    __slots__ = ("targets",)
    symbol = "σ + cross-entropy"

    def __init__(self, z, y):
        targets = y.data if isinstance(y, Tensor) else np.asarray(y)
        if targets.shape != z.shape or not targets.size:
            raise ValueError(
                f"logits of shape {z.shape} and targets of shape {targets.shape}: "
                "both must have the same shape, with at least one entry"
            )
        if not ((targets >= 0) & (targets <= 1)).all():
            raise ValueError("targets of the binary cross-entropy lie between 0 and 1")
        self.targets = targets.astype(z.dtype, copy=False)
        losses = np.logaddexp(z._data, z._data.dtype.type(0)) - self.targets * z._data
        Operation.__init__(self, np.mean(losses), (z,))

    def vjp(self, grad):
        (z,) = self.parents
        return ((logistic(z._data) - self.targets) * (grad / self.targets.size),)


@lru_cache(maxsize=64)
def row_starts(n: int, k: int):
    """Where the rows of an (n, k) array begin when it is read as one long row."""
    starts = np.arange(0, n * k, k)
    starts.setflags(write=False)
    return starts


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
