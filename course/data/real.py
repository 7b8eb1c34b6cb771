"""Real sets that ship with scikit-learn: handwritten digits, breast cancer, iris."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from course.data.dataset import Dataset

Scale = Literal["unit", "standard", "raw"]


def digits(scale: Scale = "unit") -> Dataset:
    """Return 1797 handwritten digits, 8×8 grey pixels each: `X` (1797, 64), `y` 0..9.

    Parameters
    ----------
    scale : 'unit' divides the 17 grey levels by 16, so pixels lie in [0, 1];
        'standard' gives each pixel mean 0 and standard deviation 1; 'raw' leaves 0..16.

    Source: E. Alpaydin and C. Kaynak, UCI (1998), as bundled with scikit-learn.

    >>> float(digits().X.max())
    1.0
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    names = tuple(str(k) for k in range(10))
    data = Dataset("digits", bunch.data, bunch.target, names, kind="image", image_shape=(8, 8))
    if scale == "unit":  # all pixels have the same 17 levels
        return replace(data, X=data.X / 16)
    return _scaled(data, scale)


def breast_cancer(scale: Scale = "standard") -> Dataset:
    """Return 569 tumours, 30 measurements each: `y` 0 malignant, 1 benign.

    `scale` is 'standard' (mean 0, standard deviation 1), 'unit' (range 0..1) or 'raw'.

    Source: W. Wolberg, W. Street and O. Mangasarian, UCI (1995), as bundled with scikit-learn.
    """
    from sklearn.datasets import load_breast_cancer

    return _scaled(_dataset("breast cancer", load_breast_cancer()), scale)


def iris(scale: Scale = "raw") -> Dataset:
    """Return 150 flowers of three species, 4 lengths in cm each: `y` 0..2.

    `scale` is 'raw' (cm), 'standard' (mean 0, standard deviation 1) or 'unit' (range 0..1).

    Source: R. A. Fisher (1936), as bundled with scikit-learn.
    """
    from sklearn.datasets import load_iris

    return _scaled(_dataset("iris", load_iris()), scale)


def _dataset(name: str, bunch: Any) -> Dataset:
    classes, features = (tuple(map(str, bunch[key])) for key in ("target_names", "feature_names"))
    return Dataset(name, bunch.data, bunch.target, classes, features)


def _scaled(data: Dataset, scale: Scale) -> Dataset:
    if scale == "raw":
        return data
    if scale == "standard":
        return data.standardised()
    if scale == "unit":
        height = np.ptp(data.X, axis=0)
        return replace(data, X=(data.X - data.X.min(axis=0)) / np.where(height > 0, height, 1))
    raise ValueError(f"scale must be 'unit', 'standard' or 'raw', got {scale!r}")
