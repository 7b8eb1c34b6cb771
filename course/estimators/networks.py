"""Multi-layer perceptrons (lectures 07 to 10) with scikit-learn's interface."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from course.autodiff import Tensor
from course.estimators.classification import (
    FLOATS,
    checked_training_data,
    generator,
    mean_and_spread,
)
from course.nn import (
    MLP,
    BinaryCrossEntropy,
    EuclideanCost,
    Linear,
    Pointwise,
    Sequential,
    SoftmaxCrossEntropy,
)
from course.optim import SGD, DivergenceError, minibatches
from course.softmax import output

Array = np.ndarray


class _Network(BaseEstimator):
    """A `course.nn.MLP` trained by minibatch SGD with momentum.

    Inputs (and the targets of a regression) are standardised for training, so that one learning
    rate serves data of any units; the scaling is then worked into the first and last layer, so
    that `coefs_` and `intercepts_` are a plain network for the data as given.
    """

    def __init__(
        self,
        hidden_layer_sizes: tuple[int, ...] = (100,),
        activation: str = "relu",
        lr: float = 0.02,
        momentum: float = 0.9,
        alpha: float = 3e-3,
        batch_size: int = 32,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        random_state: Any = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.lr = lr
        self.momentum = momentum
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state

    def _train(self, X: Array, Y: Array, D_out: int, cost: Callable[..., Tensor]) -> None:
        """Set `coefs_`, `intercepts_`, `loss_curve_` and `n_iter_` for X (N, D) and targets Y."""
        rng = generator(self.random_state)
        mean, spread = mean_and_spread(X)
        U = (X - mean) / spread
        dims = [X.shape[1], *self.hidden_layer_sizes, D_out]
        net = MLP(dims, rng, activation=self.activation, dtype=X.dtype.type)
        optimiser = SGD(net.parameters, lr=self.lr, momentum=self.momentum)
        weights = [layer.weight for layer in net.layers]
        self.loss_curve_: list[float] = []
        for _ in range(self.max_iter):
            total = 0.0
            for batch in minibatches(len(U), self.batch_size, rng):
                loss = cost(net(U[batch]), Y[batch])
                total += float(loss.data) * len(batch)
                if not np.isfinite(total):
                    break  # an epoch that has diverged is not worth its end
                loss.backward()
                for W in weights:  # the penalty alpha/2 |W|², whose gradient is alpha W
                    W.grad = W.grad + self.alpha * W.data
                optimiser.step()
            self.loss_curve_.append(total / len(U))
            if not np.isfinite(self.loss_curve_[-1]):
                raise DivergenceError(
                    f"training diverged in epoch {len(self.loss_curve_)}: choose lr < {self.lr:g}"
                )
            if self._stalled():
                break
        else:
            warnings.warn(
                f"not converged after {self.max_iter} epochs: raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=3,
            )
        self.n_iter_ = len(self.loss_curve_)
        self.coefs_ = [np.array(layer.W) for layer in net.layers]
        self.intercepts_ = [np.array(layer.b) for layer in net.layers]
        self.coefs_[0] = self.coefs_[0] / spread[:, None]
        self.intercepts_[0] = self.intercepts_[0] - mean @ self.coefs_[0]

    def _stalled(self) -> bool:
        """Say whether the last epochs brought no loss lower than the best before, less `tol`."""
        k = self.n_iter_no_change
        curve = self.loss_curve_
        return len(curve) > k and min(curve[-k:]) > min(curve[:-k]) - self.tol

    def _output(self, X: Any) -> Array:
        """Return the network's linear outputs (N, D_out) for X (N, D)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        modules: list = []
        for W, b in zip(self.coefs_, self.intercepts_, strict=True):
            modules += [Linear(W, b), Pointwise(self.activation)]
        return Sequential(modules[:-1]).forward(X)


class MLPClassifier(ClassifierMixin, _Network):
    """A multi-layer perceptron for classes: one sigmoid output for two, softmax for more.

    Parameters
    ----------
    hidden_layer_sizes : units of each hidden layer.
    activation : of the hidden units, a name that `course.nn.Pointwise` knows.
    lr, momentum, batch_size : of the gradient steps.
    alpha : strength of the penalty `alpha/2 |W|**2`.
    max_iter : largest number of epochs; training ends when the loss has not sunk by `tol` in
        `n_iter_no_change` epochs.
    random_state : decides the initial weights and the batches.

    Attributes
    ----------
    coefs_ : weights (D_in, D_out) of each layer; intercepts_ : biases (D_out,).
    loss_curve_ : mean loss of each epoch; n_iter_ : epochs.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (N, D), labels y (N,)."""
        X, y = checked_training_data(self, X, y)
        if len(self.classes_) == 2:
            self._train(X, y[:, None].astype(X.dtype), 1, BinaryCrossEntropy())
        else:
            self._train(X, y, len(self.classes_), SoftmaxCrossEntropy())
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return class probabilities (N, K) in the order of `classes_`."""
        Z = self._output(X)
        if len(self.classes_) > 2:
            return output("multiclass").unit(Z)
        sigmoid = output("binary").unit
        return np.hstack([sigmoid(-Z), sigmoid(Z)])

    def predict(self, X: Any) -> Array:
        """Return the class labels (N,) of the highest probability."""
        Z = self._output(X)
        numbers = Z.argmax(axis=1) if len(self.classes_) > 2 else (Z[:, 0] >= 0).astype(int)
        return self.classes_[numbers]


class MLPRegressor(RegressorMixin, _Network):
    """A multi-layer perceptron with one linear output and squared error.

    Parameters and attributes are those of `MLPClassifier`; the losses in `loss_curve_` are those
    of standardised targets.
    """

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to X (N, D), y (N,)."""
        X, y = validate_data(self, X, y, dtype=FLOATS, y_numeric=True)
        y = y.astype(X.dtype, copy=False)
        mean, spread = y.mean(), y.std() or X.dtype.type(1)
        self._train(X, ((y - mean) / spread)[:, None], 1, EuclideanCost())
        self.coefs_[-1] = self.coefs_[-1] * spread
        self.intercepts_[-1] = self.intercepts_[-1] * spread + mean
        return self

    def predict(self, X: Any) -> Array:
        """Return predictions (N,) for X (N, D)."""
        return self._output(X)[:, 0]
