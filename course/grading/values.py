"""Plain values and bytes: the only thing that crosses from a student's process to the grader.

Plain values are None, bool, int, float, str, NumPy arrays of booleans, integers or floats, and lists,
tuples and dicts (with text keys) of them.  `pack` writes a JSON tree followed by the arrays' raw
bytes; `unpack` reads them back and believes nothing: sizes, depth, counts, types and shapes are
checked before memory is taken.  Nothing is unpickled or evaluated.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {
    np.dtype(t).str: np.dtype(t)
    for t in ("?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8")
}
MAX_DIMENSIONS = 8
HEADER = struct.Struct("<II")  # bytes of JSON, bytes of array data


class NotPlain(ValueError):
    """The value, or the bytes, are not a plain value within the limits."""


@dataclass(frozen=True)
class Limits:
    """How large a packed value may be."""

    tree: int = 1 << 20  # bytes of JSON
    arrays: int = 16 << 20  # bytes of array data
    count: int = 20_000  # values in all
    depth: int = 12


RESULT = Limits()
REQUEST = Limits(tree=64 << 20, arrays=256 << 20, count=200_000)


class Packed:
    """A plain value that was packed before, to be a part of many others.

    >>> inputs = Packed({"x": np.arange(3)})
    >>> unpack(pack({"cells": ["y = 2 * x"], "inputs": inputs}))
    {'cells': ['y = 2 * x'], 'inputs': {'x': array([0, 1, 2])}}
    """

    def __init__(self, value: Any, limits: Limits = REQUEST) -> None:
        writer = _Writer(limits)
        self.tree = writer.tree(value, "the value", 0)
        self.data, self.size = b"".join(writer.blobs), writer.size
        self.count, self.depth = writer.count, writer.deepest


def pack(value: Any, limits: Limits = RESULT) -> bytes:
    """Bytes of a plain value, parts of which may be `Packed`; `NotPlain` says which part is not one.

    >>> unpack(pack({"loss": 0.5, "shape": (3, 2), "y": np.arange(3)}))
    {'loss': 0.5, 'shape': (3, 2), 'y': array([0, 1, 2])}
    """
    return b"".join(pieces(value, limits))


def pieces(value: Any, limits: Limits = RESULT) -> list[bytes]:
    """The bytes of `pack` in pieces: what was `Packed` before is not copied again."""
    writer = _Writer(limits)
    tree = json.dumps(writer.tree(value, "the value", 0), separators=(",", ":")).encode()
    if len(tree) > limits.tree:
        raise NotPlain(f"the value takes more than {limits.tree:,} bytes beside its arrays")
    return [HEADER.pack(len(tree), writer.size) + tree, *writer.blobs]


def unpack(data: bytes, limits: Limits = RESULT) -> Any:
    """The value of bytes made by `pack`; `NotPlain` for any other bytes."""
    if len(data) < HEADER.size:
        raise NotPlain("the bytes end before the header does")
    n_tree, n_arrays = HEADER.unpack_from(data)
    if n_tree > limits.tree or n_arrays > limits.arrays:
        raise NotPlain("the value is too large")
    if len(data) != HEADER.size + n_tree + n_arrays:
        raise NotPlain("the bytes are fewer or more than the header says")
    body = memoryview(data)[HEADER.size :]
    try:
        tree = json.loads(bytes(body[:n_tree]))
    except (ValueError, RecursionError) as error:
        raise NotPlain("the bytes are not a tree of values") from error
    return _Reader(body[n_tree:], limits).value(tree, 0)


def copy(value: Any, limits: Limits = RESULT) -> Any:
    """An independent copy that consists of plain values only, whatever the originals were."""
    return unpack(pack(value, limits), limits)


class _Writer:
    """Turns a value into a JSON tree; array data is put aside."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.blobs: list[bytes] = []
        self.size = 0
        self.count = 0
        self.deepest = 0

    def tree(self, value: Any, where: str, depth: int) -> Any:
        packed = isinstance(value, Packed)
        self.count += value.count if packed else 1
        self.deepest = max(self.deepest, depth + (value.depth if packed else 0))
        if self.count > self.limits.count:
            raise NotPlain(f"{where} makes more than {self.limits.count:,} values in all")
        if self.deepest > self.limits.depth:
            raise NotPlain(f"{where} is nested more than {self.limits.depth} deep")
        if packed:
            self.put(value.data, value.size, where)
            return value.tree
        if value is None or isinstance(value, bool | np.bool_):
            return None if value is None else bool(value)
        if isinstance(value, int | np.integer):
            number = int(value)
            if not -(2**63) <= number < 2**64:
                raise NotPlain(f"{where} is an integer of more than 64 bits")
            return number
        if isinstance(value, float | np.floating):
            real = float(value)
            return real if math.isfinite(real) else {"float": repr(real)}
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, np.ndarray):
            return {"array": self.array(value, where)}
        if isinstance(value, list):
            return [self.tree(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
        if isinstance(value, tuple):
            return {
                "tuple": [self.tree(v, f"{where}[{i}]", depth + 1) for i, v in enumerate(value)]
            }
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise NotPlain(f"{where} is a dict with a key that is not text")
            return {
                "dict": {
                    str(k): self.tree(v, f"{where}[{k!r:.40}]", depth + 1) for k, v in value.items()
                }
            }
        raise NotPlain(
            f"{where} is of type {type(value).__name__:.60}; expected a number, text, a NumPy array,"
            " or a list, tuple or dict of them"
        )

    def array(self, value: np.ndarray, where: str) -> list[Any]:
        array = np.asarray(value)
        if array.dtype == np.longdouble:
            array = array.astype(np.float64)
        array = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        if array.dtype.str not in DTYPES:
            raise NotPlain(f"{where} is an array of {array.dtype}; expected numbers or booleans")
        if array.ndim > MAX_DIMENSIONS:
            raise NotPlain(f"{where} is an array of {array.ndim} dimensions")
        self.put(array, array.nbytes, where)
        return [array.dtype.str, list(array.shape)]

    def put(self, data: np.ndarray | bytes, size: int, where: str) -> None:
        """Put the bytes of arrays aside."""
        if self.size + size > self.limits.arrays:
            raise NotPlain(f"{where} makes more than {self.limits.arrays:,} bytes of arrays")
        self.size += size
        self.blobs.append(data if isinstance(data, bytes) else data.tobytes())


class _Reader:
    """Turns a JSON tree back into a value; arrays are cut from the data in the order written."""

    def __init__(self, data: memoryview, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.offset = 0
        self.count = 0

    def value(self, tree: Any, depth: int) -> Any:
        self.count += 1
        if self.count > self.limits.count or depth > self.limits.depth:
            raise NotPlain("the value has too many parts or is nested too deeply")
        if tree is None or isinstance(tree, bool | str | float):
            return tree
        if isinstance(tree, int):
            if not -(2**63) <= tree < 2**64:
                raise NotPlain("an integer has more than 64 bits")
            return tree
        if isinstance(tree, list):
            return [self.value(v, depth + 1) for v in tree]
        if isinstance(tree, dict) and len(tree) == 1:
            [(tag, content)] = tree.items()
            if tag == "float" and content in ("nan", "inf", "-inf"):
                return float(content)
            if tag == "tuple" and isinstance(content, list):
                return tuple(self.value(v, depth + 1) for v in content)
            if tag == "dict" and isinstance(content, dict):
                return {k: self.value(v, depth + 1) for k, v in content.items()}
            if tag == "array" and isinstance(content, list) and len(content) == 2:
                return self.array(*content)
        raise NotPlain("the tree holds something that is not a value")

    def array(self, dtype: Any, shape: Any) -> np.ndarray:
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise NotPlain("an array has a type that is not allowed")
        if (
            not isinstance(shape, list)
            or len(shape) > MAX_DIMENSIONS
            or not all(type(n) is int and 0 <= n <= 2**31 for n in shape)
        ):
            raise NotPlain("an array has an impossible shape")
        count = math.prod(shape)
        end = self.offset + count * DTYPES[dtype].itemsize
        if end > len(self.data):
            raise NotPlain("an array has fewer bytes than its shape needs")
        flat = np.frombuffer(self.data[self.offset : end], dtype=DTYPES[dtype])
        self.offset = end
        return flat.reshape(shape).copy()
