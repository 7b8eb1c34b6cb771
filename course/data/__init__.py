"""Data sets of the lectures: toy sets made from a seed, real sets that ship with scikit-learn.

One call gives a `Dataset`. It unpacks into inputs and targets, splits with a seed, and draws
itself:

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> train, test = digits().split(rng=rng)
>>> train.X.shape, test.X.shape
((1348, 64), (449, 64))
>>> X, y = moons(rng, n=100)
>>> X.shape, y.shape
((100, 2), (100,))

Nothing is downloaded. Everything random comes from the `numpy.random.Generator` passed in.
"""

from course.data.dataset import Dataset
from course.data.real import breast_cancer, digits, iris
from course.data.signals import signals
from course.data.toy import blobs, gates, gaussians, moons, noisy_curve, polynomial, spirals

__all__ = [
    "Dataset",
    "blobs",
    "breast_cancer",
    "digits",
    "gates",
    "gaussians",
    "iris",
    "moons",
    "noisy_curve",
    "polynomial",
    "signals",
    "spirals",
]
