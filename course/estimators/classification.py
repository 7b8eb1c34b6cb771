"""Perceptron, discriminant analysis and logistic regression (lectures 02, 04, 05)."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from course.discriminant import class_scores, class_statistics
from course.linear import predict as linear_predict
from course.logistic import logistic_fit, sigmoid, softplus
from course.perceptron import perceptron_fit
from course.softmax import cross_entropy, cross_entropy_grad, log_softmax, softmax

FLOATS = (np.float64, np.float32)


def generator(random_state: Any) -> np.random.Generator:
    """Return a Generator from what scikit-learn calls a random_state."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    return np.random.default_rng(random_state)


def checked_training_data(estimator: Any, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return X (N, D) and class numbers (N,); sets `classes_`. At least two classes."""
    X, y = validate_data(estimator, X, y, dtype=FLOATS)
    check_classification_targets(y)
    estimator.classes_, numbers = np.unique(y, return_inverse=True)
    if len(estimator.classes_) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs samples of at least two classes, "
            f"got only one class: {estimator.classes_[0]!r}"
        )
    return X, numbers


def mean_and_spread(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (D,) of X (N, D); a spread of 0 counts as 1."""
    spread = X.std(axis=0)
    return X.mean(axis=0), np.where(spread > 0, spread, 1).astype(X.dtype, copy=False)


class _LinearClassifier(ClassifierMixin, BaseEstimator):
    """Scores `X @ coef_.T + intercept_`: one for two classes, else one a class."""

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores: (N,) for two classes (1 where >= 0), else (N, K)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        if len(self.coef_) == 1:
            return linear_predict(X, self.coef_[0], self.intercept_[0])
        return X @ self.coef_.T + self.intercept_

    def predict(self, X: Any) -> np.ndarray:
        """Return the class labels (N,) of the highest score."""
        Z = self.decision_function(X)
        return self.classes_[(Z >= 0).astype(int) if Z.ndim == 1 else Z.argmax(axis=1)]

    def _set(self, W: np.ndarray, b: np.ndarray) -> None:
        """Take the course's W (D, K), b (K,) over into scikit-learn's layout."""
        if W.shape[1] == 2:  # two scores say no more than their difference
            W, b = W[:, 1:] - W[:, :1], b[1:] - b[:1]
        self.coef_, self.intercept_ = W.T.copy(), b


class _ProbabilisticClassifier(_LinearClassifier):
    """A linear classifier whose scores are logits of class probabilities."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities (N, K) in the order of `classes_`."""
        Z = self.decision_function(X)
        if Z.ndim == 2:
            return softmax(Z)
        return np.column_stack([sigmoid(-Z), sigmoid(Z)])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithms (N, K) of the class probabilities, finite however small they are."""
        Z = self.decision_function(X)
        if Z.ndim == 2:
            return log_softmax(Z)
        return np.column_stack([-softplus(Z), -softplus(-Z)])


class Perceptron(_LinearClassifier):
    """Rosenblatt's rule; for more than two classes one unit each, against all others.

    Where no line separates the classes, the best weights at the end of an epoch are kept
    (`PerceptronFit.pocket`).

    Parameters
    ----------
    max_iter : largest number of epochs.
    patience : give up after so many epochs without a new record; None goes on to `max_iter`.
    shuffle : put the samples in a random order first; `random_state` decides it.
    scale : standardise the features for training, so that none rules by its unit. The scaling is
        then worked into `coef_` and `intercept_`.

    With `shuffle=False, scale=False` it is the rule of lecture 02 on the data as given.

    Attributes
    ----------
    coef_ : (1, D) for two classes, else (K, D); intercept_ : (1,) or (K,); n_iter_ : epochs.
    """

    def __init__(
        self,
        max_iter: int = 1000,
        patience: int | None = 5,
        shuffle: bool = True,
        scale: bool = True,
        random_state: Any = None,
    ):
        self.max_iter = max_iter
        self.patience = patience
        self.shuffle = shuffle
        self.scale = scale
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Perceptron:
        """Fit to X (N, D), labels y (N,)."""
        X, y = checked_training_data(self, X, y)
        if self.shuffle:
            order = generator(self.random_state).permutation(len(X))
            X, y = X[order], y[order]
        mean, spread = mean_and_spread(X) if self.scale else (np.zeros_like(X[0]), 1)
        X = (X - mean) / spread
        K = len(self.classes_)
        weights, epochs = [], []
        for k in range(K) if K > 2 else [1]:
            target = (y == k).astype(np.intp)
            fit = perceptron_fit(X, target, self.max_iter, patience=self.patience)
            weights.append(fit.pocket(X, target))
            epochs.append(len(fit.mistakes))
        self.coef_ = np.stack([w for w, _ in weights]) / spread
        self.intercept_ = np.array([b for _, b in weights], dtype=X.dtype) - self.coef_ @ mean
        self.n_iter_ = max(epochs)
        return self


class LinearDiscriminantAnalysis(_ProbabilisticClassifier):
    """Gaussian classes with one covariance, fitted by maximum likelihood (`course.discriminant`).

    Agrees with scikit-learn's solvers 'lsqr' and 'eigen', which divide by N as well.

    Attributes
    ----------
    means_ : (K, D); covariance_ : (D, D), pooled; priors_ : (K,), from the data.
    coef_ : (1, D) for two classes, else (K, D); intercept_ : (1,) or (K,).
    """

    def fit(self, X: Any, y: Any) -> LinearDiscriminantAnalysis:
        """Fit to X (N, D), labels y (N,)."""
        X, y = checked_training_data(self, X, y)
        K = len(self.classes_)
        if len(X) <= K:
            raise ValueError(
                f"{len(X)} samples of {K} classes have no covariance: give more samples than classes"
            )
        self.means_, self.covariance_, self.priors_ = class_statistics(X, y, K)
        self._set(*class_scores(self.means_, self.covariance_, self.priors_))
        return self


class LogisticRegression(_ProbabilisticClassifier):
    """Logistic regression for two classes, softmax regression for more, with an L2 penalty.

    Minimises the mean cross-entropy plus `|W|**2 / (2 C N)`, as scikit-learn does: two classes by
    Newton's method (`course.logistic.logistic_fit`), more by L-BFGS with the gradient of
    `course.softmax`.

    Parameters
    ----------
    C : inverse strength of the penalty; `numpy.inf` for none.
    max_iter : largest number of steps.
    tol : stop when no derivative is larger, each feature measured in a unit that suits it.

    Attributes
    ----------
    coef_ : (1, D) for two classes, else (K, D); intercept_ : (1,) or (K,); n_iter_ : steps.
    """

    def __init__(self, C: float = 1.0, max_iter: int = 1000, tol: float = 1e-4):
        self.C = C
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any) -> LogisticRegression:
        """Fit to X (N, D), labels y (N,)."""
        if not self.C > 0:
            raise ValueError(f"C must be positive, got {self.C}")
        X, y = checked_training_data(self, X, y)
        l2, K = 1 / (self.C * len(X)), len(self.classes_)
        if K == 2:
            fit = logistic_fit(X, y, l2=l2, max_iter=self.max_iter, tol=self.tol)
            self.coef_, self.intercept_ = fit.w[None], np.array([fit.b], dtype=X.dtype)
            steps, converged = len(fit.history) - 1, fit.converged
        else:
            W, b, steps, converged = self._fit_softmax(X, y, l2, K)
            self._set(W, b)
        self.n_iter_ = max(steps, 1)
        if not converged:
            warnings.warn(
                f"not converged after {self.max_iter} steps: raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _fit_softmax(
        self, X: np.ndarray, y: np.ndarray, l2: float, K: int
    ) -> tuple[np.ndarray, np.ndarray, int, bool]:
        """Return W (D, K), b (K,) of least penalised cross-entropy, steps, and if converged."""
        # L-BFGS takes few steps where the objective is about as curved along every feature. So
        # centre them, which moves only the biases, and give each the unit in which loss and
        # penalty together have curvature 1. The penalty is on the weights of X as given.
        mean = X.mean(axis=0)
        spread = np.sqrt(X.var(axis=0) / K + l2)
        spread[spread == 0] = 1
        U, D = (X - mean) / spread, X.shape[1]
        penalty = l2 / spread[:, None] ** 2

        def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
            W, b = theta[:-K].reshape(D, K), theta[-K:]
            Z = U @ W + b
            dZ = cross_entropy_grad(Z, y)
            dW = U.T @ dZ + penalty * W
            loss = cross_entropy(Z, y) + (penalty * W**2).sum() / 2
            return loss, np.append(dW, dZ.sum(axis=0))

        found = minimize(
            objective,
            np.zeros((D + 1) * K),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "gtol": self.tol, "ftol": 1e-12},
        )
        W, b = found.x[:-K].reshape(D, K) / spread[:, None], found.x[-K:]
        converged = found.nit < self.max_iter
        return W.astype(X.dtype), (b - mean @ W).astype(X.dtype), int(found.nit), converged
