"""Gradient descent and what is built on it (rows C-41 to C-49, T-08, H-50).

The update is always `p -= lr * dp` with `lr > 0`, after all gradients are computed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from course.autodiff import Tensor
from course.autodiff.tensor import next_index
from course.validation import floats

Schedule = Callable[[int], float]


class DivergenceWarning(RuntimeWarning):
    """The iterates have left the range of floating-point numbers: the learning rate is too large."""


class DivergenceError(FloatingPointError):
    """Training has reached a loss that is not finite, or a million times that of the start."""


def gradient_descent(
    grad: Callable[[np.ndarray], Any], theta0, lr: float, n_steps: int
) -> np.ndarray:
    """The path of gradient descent, (n_steps + 1, d) with the start first (C-41).

    `grad(theta)` gives the gradient (d,) at theta (d,); theta0 is not changed, and a number counts
    as d = 1.  If the path leaves the range of floating-point numbers, a DivergenceWarning says at
    which step, and the remaining rows are NaN.

    >>> path = gradient_descent(lambda theta: 2 * theta, 1.0, lr=0.1, n_steps=10)
    >>> path.shape, round(float(path[-1, 0]), 6)
    ((11, 1), 0.107374)
    """
    _check_lr(lr)
    theta = np.atleast_1d(np.array(floats("theta0", theta0), dtype=np.float64))
    path = np.full((n_steps + 1, *theta.shape), np.nan)
    path[0] = theta
    for t in range(n_steps):
        with np.errstate(over="ignore", invalid="ignore"):
            slope = np.asarray(grad(theta.copy()))
            if slope.size != theta.size:
                raise ValueError(
                    f"grad returned shape {slope.shape} for theta of shape {theta.shape}"
                )
            theta = theta - lr * slope.reshape(theta.shape)
        if not np.isfinite(theta).all():
            warnings.warn(
                f"gradient descent diverged: step {t + 1} is no longer finite with lr={lr:g}; "
                "try a smaller learning rate",
                DivergenceWarning,
                stacklevel=2,
            )
            break
        path[t + 1] = theta
    return path


def numeric_gradient(f: Callable[[np.ndarray], float], theta, h: float = 1e-6) -> np.ndarray:
    """Central differences `(f(θ + h e_j) - f(θ - h e_j)) / 2h`, of theta's shape.

    >>> numeric_gradient(lambda theta: float(theta @ theta), [1.0, -2.0]).round(6)
    array([ 2., -4.])
    """
    theta = np.array(floats("theta", theta), dtype=np.float64)
    gradient = np.empty_like(theta)
    for j in np.ndindex(theta.shape):
        kept = theta[j]
        theta[j] = kept + h
        above = f(theta.copy())
        theta[j] = kept - h
        below = f(theta.copy())
        theta[j] = kept
        gradient[j] = (above - below) / (2 * h)
    return gradient


def max_stable_lr(curvature: float) -> float:
    """The learning rate beyond which descent leaves a minimum of this curvature: 2 / curvature.

    Each step multiplies the distance to the minimum by `1 - lr * curvature` (C-44).  For several
    parameters the largest eigenvalue of the Hessian decides.

    >>> round(max_stable_lr(3.32444), 6)
    0.601605
    """
    if not curvature > 0:
        raise ValueError(f"a minimum has positive curvature, not {curvature}")
    return 2 / curvature


def minibatches(N: int, batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """One epoch: a random order of the N samples, cut into batches; the last may be smaller (H-50).

    >>> [len(batch) for batch in minibatches(10, 4, np.random.default_rng(0))]
    [4, 4, 2]
    """
    if N < 1 or batch_size < 1:
        raise ValueError(
            f"need at least one sample and batches of at least one: {N=}, {batch_size=}"
        )
    order = rng.permutation(N)
    return [order[start : start + batch_size] for start in range(0, N, batch_size)]


def sgd(
    grad_on_batch: Callable[[np.ndarray, np.ndarray, np.ndarray], Any],
    theta0,
    X: np.ndarray,
    y: np.ndarray,
    lr: float,
    batch_size: int,
    epochs: int,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Stochastic gradient descent with minibatches (C-47, T-08).

    `grad_on_batch(theta, X_batch, y_batch)` is a mean over the batch.  Returns `theta` (d,) and
    `history`, one row per update, the start first.  batch_size 1 updates after each sample, N
    after all.  Raises DivergenceError when theta is no longer finite.
    """
    _check_lr(lr)
    theta = np.atleast_1d(np.array(floats("theta0", theta0), dtype=np.float64))
    floats("X", X), floats("y", y)  # refuses what is empty or not finite
    history = [theta]
    for _ in range(epochs):
        for batch in minibatches(len(X), batch_size, rng):
            with np.errstate(over="ignore", invalid="ignore"):
                theta = theta - lr * np.asarray(grad_on_batch(theta.copy(), X[batch], y[batch]))
            history.append(theta)
            if not np.isfinite(theta).all():
                raise DivergenceError(
                    f"SGD diverged at update {len(history) - 1} with lr={lr:g}: "
                    "try a smaller learning rate"
                )
    return {"theta": theta.copy(), "history": np.array(history)}


def constant(lr: float) -> Schedule:
    """The same learning rate at every step."""
    return lambda step: lr


def inverse_time(lr: float, half_life: float) -> Schedule:
    """`lr / (1 + step / half_life)`: sums to infinity, its squares do not (Robbins and Monro 1951).

    >>> inverse_time(0.1, half_life=100)(100)
    0.05
    """
    return lambda step: lr / (1 + step / half_life)


def exponential(lr: float, half_life: float) -> Schedule:
    """lr halved every `half_life` steps."""
    return lambda step: lr * 0.5 ** (step / half_life)


def step_decay(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """lr times `factor` after each `every` steps."""
    return lambda step: lr * factor ** (step // every)


def cosine(lr: float, n_steps: int) -> Schedule:
    """From lr down to 0 along half a cosine wave (Loshchilov and Hutter 2017)."""
    return lambda step: lr * (1 + math.cos(math.pi * min(step / n_steps, 1))) / 2


class SGD:
    """Updates tensors from their gradients: `p -= lr * p.grad`, with momentum if wanted.

    `lr` is a number or a schedule, a function of the number of steps taken.  With momentum m each
    parameter keeps a velocity, `v = m v + dp`, `p -= lr v`.  A step uses up the gradients (they
    become None), so that none is used twice.

    >>> x = Tensor(1.0, name="x")
    >>> optimiser = SGD([x], lr=0.1)
    >>> for _ in range(10):
    ...     (x * x).backward()
    ...     optimiser.step()
    >>> round(float(x.data), 6)
    0.107374
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float | Schedule = 0.1, momentum: float = 0.0
    ):
        if callable(lr):
            self.schedule = lr
        else:
            _check_lr(lr)
            self.schedule = constant(lr)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum lies in [0, 1), not {momentum}")
        self.parameters = list(parameters)
        self.momentum = momentum
        self.velocities = [np.zeros(p.shape, p.dtype) for p in self.parameters]
        self.updates = [_update_for(p) for p in self.parameters]
        self.steps = 0

    @property
    def lr(self) -> float:
        """The learning rate of the next step; may be set to a number."""
        return self.schedule(self.steps)

    @lr.setter
    def lr(self, value: float) -> None:
        _check_lr(value)
        self.schedule = constant(value)

    def step(self) -> None:
        """Update every parameter, all from the same backward pass."""
        lr = self.schedule(self.steps)
        for p in self.parameters:
            if p._grad is None:
                raise RuntimeError(
                    f"{p.name or 'a parameter'} of shape {p.shape} has no gradient: call backward() "
                    "on a loss that depends on it before each step"
                )
        for p, velocity, update in zip(self.parameters, self.velocities, self.updates, strict=True):
            dp = p._grad
            if self.momentum:
                velocity *= self.momentum
                velocity += dp
                dp = velocity
            update(dp.ravel(), p._data.reshape(-1), a=-lr)  # p -= lr * dp
            p._grad = None
            p.index = next_index()  # graphs made before this step are out of date
        self.steps += 1


def _update_for(p: Tensor) -> Callable[..., Any]:
    """`y += a * x` for vectors of p's dtype: one pass over memory where BLAS has it (axpy)."""
    from scipy.linalg import blas  # only now: importing it takes longer than importing NumPy

    def update(x, y, a):
        y += a * x

    axpy = {np.dtype("f4"): blas.saxpy, np.dtype("f8"): blas.daxpy}
    return axpy.get(p.dtype, update) if p.size else update


def train(
    model: Any,
    cost: Callable[..., Tensor],
    X: np.ndarray,
    Y: np.ndarray,
    *,
    optimiser: SGD,
    batch_size: int,
    epochs: int,
    rng: np.random.Generator,
    after_epoch: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train a net (of `course.nn`, or any function of tensors) by minibatches.

    `cost(model(X), Y)` is the loss.  Returns the loss over all data at the start and after each
    epoch, epochs + 1 numbers.  Raises DivergenceError when it is no longer finite, or has grown a
    millionfold.
    """
    if len(X) != len(Y):
        raise ValueError(f"X has {len(X)} samples and Y has {len(Y)}")

    floats("X", X)  # refuses what is empty or not finite

    def loss() -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(cost(model(X), Y).data)

    history = [loss()]
    if not math.isfinite(history[0]):
        raise ValueError(
            f"the loss before training is {history[0]}: look for NaN or infinite numbers in X, Y "
            "and the parameters"
        )

    def check(epoch: int, value: float) -> None:
        if not value <= 1e6 * max(1, history[0]):  # NaN and infinity included
            raise DivergenceError(
                f"training diverged in epoch {epoch}: the loss is {value:g}; "
                f"try a learning rate smaller than {optimiser.lr:g}"
            )

    for epoch in range(1, epochs + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            for batch in minibatches(len(X), batch_size, rng):
                batch_loss = cost(model(X[batch]), Y[batch])
                check(epoch, float(batch_loss))
                batch_loss.backward()
                optimiser.step()
        history.append(loss())
        check(epoch, history[-1])
        if after_epoch is not None:
            after_epoch(epoch, history[-1])
    return history


def _check_lr(lr: float) -> None:
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"the learning rate must be a positive number, not {lr}")


__all__: Sequence[str] = [
    "SGD",
    "DivergenceError",
    "DivergenceWarning",
    "constant",
    "cosine",
    "exponential",
    "gradient_descent",
    "inverse_time",
    "max_stable_lr",
    "minibatches",
    "numeric_gradient",
    "sgd",
    "step_decay",
    "train",
]
