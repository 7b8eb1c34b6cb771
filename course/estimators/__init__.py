"""Models of the course with scikit-learn's interface: fit, predict, predict_proba, score.

They go wherever scikit-learn's own go: pipelines, cross-validation, grid search.

>>> from course.data import iris
>>> from sklearn.model_selection import cross_val_score
>>> X, y = iris()
>>> bool(cross_val_score(LinearDiscriminantAnalysis(), X, y).mean() > 0.95)
True

Each calls its model file, where the formulas are; here are only the names and manners. As in
scikit-learn, `coef_` is (K, D), one row a class: the transpose of the course's `W` (D, K).
"""

from course.estimators.classification import (
    LinearDiscriminantAnalysis,
    LogisticRegression,
    Perceptron,
)
from course.estimators.networks import MLPClassifier, MLPRegressor
from course.estimators.regression import LinearRegression

__all__ = [
    "LinearDiscriminantAnalysis",
    "LinearRegression",
    "LogisticRegression",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
]
