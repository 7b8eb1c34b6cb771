"""The perceptron: the threshold unit on real inputs, and how mistakes move its line.

Rosenblatt's rule (machine 1957, paper 1958) looks at one sample at a time. A right answer
changes nothing; after a wrong one the sample is added to the weights, or taken from them:

>>> from course.threshold import truth_table
>>> fit = perceptron_fit(truth_table(2), [0, 0, 0, 1], max_epochs=10)
>>> fit.w, fit.b, fit.n_updates, fit.converged
(array([2., 1.]), -3.0, 11, True)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.threshold import pre_activation, threshold_unit
from course.validation import Array, floats, labels, number, same_rows, same_shape, whole

AHEAD = 64
"""How many samples `perceptron_fit` classifies at once when it looks for the next mistake."""


def decision_function(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> Array:
    """Return the pre-activations `X @ w + b` (N,): X (N, D), w (D,), b one number."""
    return pre_activation(X, w, b)


def predict(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> NDArray[np.intp]:
    """Return class 1 where `X @ w + b >= 0`, else 0, as integers (N,) (rows C-10, G-28)."""
    return threshold_unit(X, w, b)


def signed_distance(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> Array:
    """Return each sample's distance (N,) from the boundary, positive on the side of `w`."""
    z = pre_activation(X, w, b)
    length = np.linalg.norm(floats("w", w, 1))
    if length == 0:
        raise ValueError("w is zero: a unit without weights has no boundary")
    return z / length


def accuracy(y: ArrayLike, y_hat: ArrayLike) -> float:
    """Return the share of predictions `y_hat` (N,) that equal the targets `y` (N,)."""
    targets, predictions = floats("y", y, 1), floats("y_hat", y_hat, 1)
    same_shape("y", targets, "y_hat", predictions)
    return float(np.mean(targets == predictions))


def perceptron_update(
    x: ArrayLike, y: int, w: ArrayLike, b: float, lr: float = 1.0
) -> tuple[Array, float]:
    """Return `(w, b)` after one sample: `w + lr*(y - y_hat)*x`, `b + lr*(y - y_hat)`.

    x (D,), y 0 or 1, w (D,). The arguments stay as they are.

    >>> perceptron_update([1, 2], 0, [0, 0], 0.0)
    (array([-1., -2.]), -1.0)
    """
    x, w, b = floats("x", x, 1), floats("w", w, 1), number("b", b)
    same_shape("x", x, "w", w)
    target = labels("y", [y], 2)[0]
    correction = lr * float(target - predict(x[None], w, b)[0])
    return w + correction * x, b + correction


@dataclass(frozen=True)
class Update:
    """One correction: in which epoch (from 0), on which sample, and the line after it."""

    epoch: int
    sample: int
    w: Array
    b: float


@dataclass(frozen=True)
class PerceptronFit:
    """What `perceptron_fit` found: `w` (D,), `b`, and how it came there.

    `converged` says that some epoch made no mistake. `mistakes[e]` counts those of epoch e.
    """

    w: Array
    b: float
    converged: bool
    history: list[Update] = field(repr=False)
    mistakes: list[int]

    @property
    def n_updates(self) -> int:
        """How many corrections were made."""
        return len(self.history)

    def pocket(self, X: ArrayLike, y: ArrayLike) -> tuple[Array, float]:
        """Return the `(w, b)` at an epoch's end that classify most of X (N, D), y (N,) rightly.

        Where no line separates the classes, the last weights are no better than others: keep the
        best ones in the pocket (Gallant, 1990).
        """
        if self.converged or not self.history:
            return self.w, self.b
        ends = {update.epoch: update for update in self.history}.values()
        best = max(ends, key=lambda end: accuracy(y, predict(X, end.w, end.b)))
        return best.w, best.b


def perceptron_fit(
    X: ArrayLike,
    y: ArrayLike,
    max_epochs: int = 100,
    lr: float = 1.0,
    patience: int | None = None,
) -> PerceptronFit:
    """Go through the samples in order, correcting after each mistake, from a zero start.

    Stops after the first epoch without a mistake, which comes if a line separates the classes
    (Novikoff, 1962), or after `max_epochs`.

    Parameters
    ----------
    X : (N, D); y : (N,) of 0 and 1.
    lr : size of a correction; from a zero start it scales w and b and changes no prediction.
    patience : give up after so many epochs in a row that set no new record of fewest mistakes;
        None never gives up.
    """
    X, y = floats("X", X, 2), labels("y", y, 2)
    same_rows("X", X, "y", y)
    target = y == 1
    max_epochs = whole("max_epochs", max_epochs, 1)
    if number("lr", lr) <= 0:
        raise ValueError(f"lr must be positive, got {lr}")
    w, b = np.zeros(X.shape[1], dtype=X.dtype), 0.0
    history: list[Update] = []
    mistakes: list[int] = []
    for epoch in range(max_epochs):
        before = len(history)
        start = 0
        while start < len(X):
            # Samples that are right change nothing, so jump to the next one that is wrong.
            ahead = slice(start, start + AHEAD)
            wrong = (X[ahead] @ w + b >= 0) != target[ahead]
            i = start + int(wrong.argmax())
            if not wrong[i - start]:
                start += AHEAD
                continue
            correction = lr if target[i] else -lr  # lr * (y - y_hat)
            w, b = w + correction * X[i], b + correction
            history.append(Update(epoch, i, w, b))
            start = i + 1
        mistakes.append(len(history) - before)
        if not mistakes[-1]:
            break
        if patience is not None and epoch - int(np.argmin(mistakes)) >= patience:
            break
    return PerceptronFit(w, b, not mistakes[-1], history, mistakes)
