"""The array of a leaf as its users get it: a change of it is noticed, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def noticed(name: str) -> Callable:
    """The method of that name, which changes an array, so that the leaf learns of the change."""
    change = getattr(np.ndarray, name)

    def method(self, *operands):
        if self.leaf is None:
            return change(self, *operands)
        if change(self.leaf._data, *operands) is NotImplemented:
            return NotImplemented
        self.leaf.data = self  # the new values are there already: this takes a new index
        return self

    return method


class LeafArray(np.ndarray):
    """What `x.data` gives for a leaf `x`: an array that tells `x` when it is changed.

    `x.data[0] = 5.0`, `x.data -= change` and the like change `x`, and graphs computed from `x` before
    are out of date from then on.  Whatever else would write into the array (through a part of it,
    `out=`, `sort`) meets NumPy's lock: it is read-only.  What is computed from it is a plain array.
    """

    leaf: Any = None  # set by `x.data`; parts and copies of the array have none

    __setitem__ = noticed("__setitem__")
    __iadd__, __isub__ = noticed("__iadd__"), noticed("__isub__")  # type: ignore[assignment]
    __imul__, __itruediv__ = noticed("__imul__"), noticed("__itruediv__")  # type: ignore[assignment]

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return array[()] if return_scalar else array

    def __repr__(self):
        return repr(np.asarray(self))

    def __reduce__(self):
        return np.array(self).__reduce__()
