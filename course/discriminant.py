"""Linear discriminant analysis: Gaussian classes of one shape give a sigmoid.

Classes are Gaussian with means of their own and one shared covariance. In the ratio of two
densities the quadratic terms cancel, so the posterior of a class is the sigmoid (for K classes
the softmax) of a linear function of x. Its weights follow from means, covariance and priors:

>>> w, b = lda_weights([0, 0], [2, 1], [[2, 0.5], [0.5, 1]], prior=0.4)
>>> w.round(6), round(b, 5)
(array([0.857143, 0.571429]), -1.54832)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from course.validation import Array, floats, labels, number, same_rows, same_shape


class GaussianClasses(NamedTuple):
    """Means (K, D), the shared covariance (D, D) and priors (K,) of K Gaussian classes."""

    means: Array
    covariance: Array
    priors: Array


def class_statistics(X: ArrayLike, y: ArrayLike, n_classes: int | None = None) -> GaussianClasses:
    """Return the maximum-likelihood means, pooled covariance and priors of labelled data.

    Parameters
    ----------
    X : (N, D); y : (N,) class numbers 0..K-1, each occurring.

    The pooled covariance is the mean of `(x - mean of its class)` squared over all N samples:
    it divides by N, and each class weighs by its size.
    """
    X, y = floats("X", X, 2), labels("y", y, n_classes)
    same_rows("X", X, "y", y)
    counts = np.bincount(y, minlength=n_classes or 0)
    if len(counts) < 2 or not counts.all():
        empty = np.flatnonzero(counts == 0).tolist()
        raise ValueError(
            "discriminant analysis needs at least two classes with samples in each, "
            + (f"got none of class {empty[0]}" if empty else "got only class 0")
        )
    means = np.stack([X[y == k].mean(axis=0) for k in range(len(counts))])
    centred = X - means[y]
    covariance = centred.T @ centred / len(X)
    return GaussianClasses(means, covariance, (counts / len(X)).astype(X.dtype))


def class_scores(means: ArrayLike, covariance: ArrayLike, priors: ArrayLike) -> tuple[Array, Array]:
    """Return `(W (D, K), b (K,))`: the posteriors are `softmax(X @ W + b)`.

    Column k is `inv(covariance) @ mean_k`, and `b_k = -mean_k @ W_k / 2 + log prior_k`. Along
    directions in which the classes do not vary at all, the least-norm solution is taken.
    """
    means, S = floats("means", means, 2), floats("covariance", covariance, 2)
    priors = floats("priors", priors, 1)
    if S.shape != (means.shape[1],) * 2:
        raise ValueError(
            f"covariance has shape {S.shape} and means has shape {means.shape}: "
            f"expected a covariance of shape {(means.shape[1],) * 2}"
        )
    if not np.allclose(S, S.T):
        raise ValueError("covariance must be symmetric")
    same_rows("means", means, "priors", priors)
    if (priors <= 0).any() or not np.isclose(priors.sum(), 1):
        raise ValueError(f"priors must be positive and sum to 1, got {priors.tolist()}")
    # Each feature in units of its deviation: else a small unit would pass for no spread at all.
    spread = np.sqrt(np.diag(S))
    spread = np.where(spread > 0, spread, 1)
    scaled = S / spread / spread[:, None]
    W = np.linalg.lstsq(scaled, (means / spread).T, rcond=None)[0] / spread[:, None]
    return W, np.log(priors) - np.einsum("kd,dk->k", means, W) / 2


def lda_weights(
    mean0: ArrayLike, mean1: ArrayLike, covariance: ArrayLike, prior: float = 0.5
) -> tuple[Array, float]:
    """Return `(w (D,), b)` with posterior of class 1 `sigmoid(x @ w + b)` (row C-18).

    `w = inv(S) @ (mean1 - mean0)`, `b = (mean0 @ inv(S) @ mean0 - mean1 @ inv(S) @ mean1) / 2
    + log(prior / (1 - prior))`, where `prior` is the probability of class 1.
    """
    mean0, mean1 = floats("mean0", mean0, 1), floats("mean1", mean1, 1)
    same_shape("mean0", mean0, "mean1", mean1)
    prior = number("prior", prior)
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie strictly between 0 and 1, got {prior}")
    W, b = class_scores(np.stack([mean0, mean1]), covariance, [1 - prior, prior])
    return W[:, 1] - W[:, 0], float(b[1] - b[0])


def lda_fit(X: ArrayLike, y: ArrayLike) -> tuple[Array, float]:
    """Return `(w (D,), b)` fitted to X (N, D), y (N,) of 0 and 1; priors from the data."""
    (mean0, mean1), covariance, priors = class_statistics(X, y, 2)
    return lda_weights(mean0, mean1, covariance, float(priors[1]))


def gaussian_log_density(X: ArrayLike, mean: ArrayLike, covariance: ArrayLike) -> Array:
    """Return the log-density (N,) of a Gaussian at the rows of X (N, D) (row C-15).

    >>> gaussian_log_density([[0.0]], [0.0], [[1.0]]).round(6)
    array([-0.918939])
    """
    X, mean = floats("X", X, 2), floats("mean", mean, 1)
    S = floats("covariance", covariance, 2)
    D = X.shape[1]
    if mean.shape != (D,) or S.shape != (D, D):
        raise ValueError(
            f"X has shape {X.shape}, mean {mean.shape}, covariance {S.shape}: "
            f"expected mean ({D},) and covariance ({D}, {D})"
        )
    try:
        L = np.linalg.cholesky(S)
    except np.linalg.LinAlgError:
        raise ValueError("covariance must be symmetric with positive eigenvalues") from None
    whitened = np.linalg.solve(L, (X - mean).T)
    half_log_det = np.log(np.diag(L)).sum()
    return -(whitened**2).sum(axis=0) / 2 - half_log_det - D / 2 * math.log(2 * math.pi)
