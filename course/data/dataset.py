"""A data set: inputs, targets, and what they mean; it splits with a seed and draws itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Told apart under the common forms of colour blindness (Okabe and Ito, 2008), and by shape.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = "os^Dv*P"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs `X` (N, D) and targets `y` (N,), with names for what they mean.

    `y` holds class numbers 0..K-1 where `classes` names them, real numbers where it is empty.
    `kind` says what a row of X is: a 'point', an 'image' of `image_shape`, or a 'signal'.
    """

    name: str
    X: NDArray[np.float64]
    y: NDArray[Any]
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    kind: str = "point"
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

    # ------------------------------------------------------------ one look

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the set on `ax`, or on a new figure, and return the axes.

        Points with one feature are drawn against their target, with two in the plane, with more
        along the two directions in which the standardised set varies most; images as a sheet of
        the first of each class, signals as curves.
        """
        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.subplots(layout="constrained")[1]
        draw = {"image": self._draw_images, "signal": self._draw_signals}
        draw.get(self.kind, self._draw_points)(ax)
        ax.set_title(f"{self.name} (N = {len(self)})")
        return ax

    def _draw_points(self, ax: Axes) -> None:
        if not self.classes:
            ax.scatter(self.X[:, 0], self.y, s=18, color=COLOURS[0])
            ax.set(xlabel=self._feature(0), ylabel="y")
            return
        P, labels = self.X, [self._feature(0), self._feature(1)]
        if P.shape[1] > 2:
            Z = self.standardised().X
            P = Z @ np.linalg.svd(Z, full_matrices=False)[2][:2].T
            labels = ["principal component 1", "principal component 2"]
        for k, name in enumerate(self.classes):
            colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
            member = self.y == k
            x1, x2 = P[member, 0], P[member, 1]
            ax.scatter(x1, x2, s=22, color=colour, marker=marker, label=name, alpha=0.8)
        ax.set(xlabel=labels[0], ylabel=labels[1])
        ax.set_aspect("equal", adjustable="datalim")
        ax.legend(title="class")

    def _draw_images(self, ax: Axes, columns: int = 10) -> None:
        height, width = self.image_shape or (1, self.X.shape[1])
        height, width = height + 1, width + 1  # one pixel between pictures
        sheet = np.zeros((len(self.classes) * height - 1, columns * width - 1))
        for k in range(len(self.classes)):
            for j, row in enumerate(self.X[self.y == k][:columns]):
                picture = row.reshape(height - 1, width - 1)
                sheet[k * height : (k + 1) * height - 1, j * width : (j + 1) * width - 1] = picture
        ax.imshow(sheet, cmap="gray_r", interpolation="nearest")
        ax.set_yticks((np.arange(len(self.classes)) + 0.5) * height - 1, self.classes)
        ax.set(xticks=[], ylabel="class")

    def _draw_signals(self, ax: Axes, per_class: int = 3) -> None:
        step = 0.6 * np.ptp(self.X)
        for k, name in enumerate(self.classes):
            for j, row in enumerate(self.X[self.y == k][:per_class]):
                height = -(k * per_class + j) * step
                ax.plot(row + height, color=COLOURS[k % len(COLOURS)], label=None if j else name)
        ax.set(xlabel="position", yticks=[])
        ax.legend(title="class", loc="upper left", bbox_to_anchor=(1, 1))

    def _feature(self, i: int) -> str:
        return self.features[i] if self.features else f"x{i + 1}"
