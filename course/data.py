"""Data sets of the lectures: toy sets made from a seed, real sets that ship with scikit-learn.

One call gives a `Dataset`. It unpacks into inputs and targets, splits with a seed, and draws
itself:

>>> import numpy as np
>>> train, test = digits().split(rng=np.random.default_rng(0))
>>> train.X.shape, test.X.shape
((1348, 64), (449, 64))
>>> X, y = train
>>> X.shape, y[:5].shape
((1348, 64), (5,))

Nothing is downloaded. Everything random comes from the `numpy.random.Generator` passed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scale = Literal["unit", "standard", "raw"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs `X` (N, D) and targets `y` (N,), with names for what they mean.

    `y` holds class numbers 0..K-1 where `classes` names them, real numbers where it is empty.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    image_shape: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Unpack as `X, y = dataset`."""
        return iter((self.X, self.y))

    def __len__(self) -> int:
        return len(self.X)

    def take(self, rows: Any) -> Dataset:
        """Return the samples that `rows` selects: indices, a slice or a Boolean mask."""
        return replace(self, X=self.X[rows], y=self.y[rows])

    def split(
        self, test_size: float = 0.25, *, rng: np.random.Generator
    ) -> tuple[Dataset, Dataset]:
        """Shuffle with `rng` and cut into (train, test); both hold every class in proportion.

        Parameters
        ----------
        test_size : share of the samples that go to the test set, strictly between 0 and 1.
        rng : source of the shuffle; the same seed gives the same split.
        """
        if not 0 < test_size < 1:
            raise ValueError(f"test_size must lie between 0 and 1 (a share), got {test_size}")
        # Each sample gets a rank within its class in (0, 1): the lowest go to the test set, so
        # the classes keep their proportions and the sizes add up exactly.
        order = rng.permutation(len(self))
        rank = np.empty(len(self))
        groups = range(len(self.classes)) if self.classes else [None]
        for k in groups:
            members = order if k is None else order[self.y[order] == k]
            rank[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
        n_test = round(test_size * len(self))
        if not 0 < n_test < len(self):
            raise ValueError(f"{len(self)} samples cannot be split with test_size={test_size}")
        in_test = np.zeros(len(self), dtype=bool)
        in_test[np.argsort(rank[order], kind="stable")[:n_test]] = True
        return self.take(order[~in_test]), self.take(order[in_test])

    def standardised(self, like: Dataset | None = None) -> Dataset:
        """Return a copy whose features have mean 0 and standard deviation 1.

        `like` is the set whose mean and deviation are used: pass the training set when you
        standardise the test set. A feature that never varies becomes 0.
        """
        source = self if like is None else like
        if source.X.shape[1] != self.X.shape[1]:
            raise ValueError(
                f"like has {source.X.shape[1]} features, this set has {self.X.shape[1]}: "
                "standardise with a set of the same features"
            )
        spread = source.X.std(axis=0)
        return replace(self, X=(self.X - source.X.mean(axis=0)) / np.where(spread > 0, spread, 1))


def _scaled(data: Dataset, scale: Scale, unit: float | None = None) -> Dataset:
    if scale == "raw":
        return data
    if scale == "standard":
        return data.standardised()
    if scale == "unit":
        low = data.X.min(axis=0) if unit is None else 0.0
        height = np.ptp(data.X, axis=0) if unit is None else np.array(unit)
        return replace(data, X=(data.X - low) / np.where(height > 0, height, 1))
    raise ValueError(f"scale must be 'unit', 'standard' or 'raw', got {scale!r}")


def digits(scale: Scale = "unit") -> Dataset:
    """Return 1797 handwritten digits, 8×8 grey pixels each: `X` (1797, 64), `y` 0..9.

    Parameters
    ----------
    scale : 'unit' divides the 17 grey levels by 16, so pixels lie in [0, 1];
        'standard' gives each pixel mean 0 and standard deviation 1; 'raw' leaves 0..16.

    Source: E. Alpaydin and C. Kaynak, UCI (1998), as bundled with scikit-learn.

    >>> digits().X.max()
    np.float64(1.0)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    names = tuple(str(k) for k in range(10))
    data = Dataset("digits", bunch.data, bunch.target, names, image_shape=(8, 8))
    return _scaled(data, scale, unit=16.0)
