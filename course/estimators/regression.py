"""Linear regression (lecture 03) with scikit-learn's interface."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from course import linear

FLOATS = (np.float64, np.float32)


class LinearRegression(RegressorMixin, BaseEstimator):
    """Least squares by `course.linear.fit_direct`; of several solutions the least-norm one.

    Attributes
    ----------
    coef_ : (D,) weights; intercept_ : the bias.

    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6), round(model.intercept_, 6)
    (array([2.]), 1.0)
    """

    def fit(self, X: Any, y: Any) -> LinearRegression:
        """Fit to X (N, D), y (N,)."""
        X, y = validate_data(self, X, y, dtype=FLOATS, y_numeric=True)
        self.coef_, self.intercept_ = linear.fit_direct(X, y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions (N,) for X (N, D)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        return linear.predict(X, self.coef_, self.intercept_)
