"""Fingerprints: enough of a value to recognise it, little enough to release with an assignment.

A number or a small array is kept whole, to ten digits or what the tolerance needs.  Of a large array
the shape, eight entries and four sums with random signs are kept: one wrong entry changes every sum.
Rounding and a choice of entries that depends on the size alone make the text the same on every
machine.
"""

from __future__ import annotations

import functools
import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

WHOLE = 64  # entries up to which an array is kept whole
ENTRIES = 8
SUMS = 4
DIGITS = 10


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of an array.

    kind : 'b' booleans, 'i' integers, 'f' floats.
    shape : of the array.
    at, entries : positions in the flat array, and what stands there.
    sums : sums of all entries with random signs; empty if the entries are all there are.
    scale : largest absolute value of the finite entries.
    odd : how many entries are NaN or infinite.
    """

    kind: str
    shape: tuple[int, ...]
    at: tuple[int, ...]
    entries: tuple[float, ...]
    sums: tuple[float, ...]
    scale: float
    odd: int = 0

    @classmethod
    def of(cls, array: np.ndarray, digits: int = DIGITS) -> Fingerprint:
        """The fingerprint of an array of booleans, integers or floats.

        >>> Fingerprint.of(np.array([[0.5, 2.0]])).entries
        (0.5, 2.0)
        """
        flat = np.asarray(array).ravel()
        at = positions(flat.size)
        scale = largest(flat)
        return cls(
            kind_of(array),
            array.shape,
            tuple(at),
            tuple(rounded(float(flat[i]), scale, digits) for i in at),
            tuple(rounded(s, scale * flat.size, digits) for s in signed_sums(flat)),
            rounded(scale, scale),
            odd_entries(flat),
        )

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "entries": [number(x) for x in self.entries],
            **({"sums": [number(x) for x in self.sums], "scale": self.scale} if self.sums else {}),
            **({"odd": self.odd} if self.odd else {}),
        }

    @functools.cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`at`, `entries` and `sums` as arrays."""
        return np.array(self.at, int), np.array(self.entries), np.array(self.sums)

    def fits(self, flat: np.ndarray, tolerance: float, allowed: float) -> bool:
        """Whether an array of this size surely has this fingerprint, in three passes over it.

        tolerance : of each entry that is kept; allowed : of the sums.
        False may also mean that there are NaN or infinities to be looked at.
        """
        at, entries, sums = self.arrays
        values = flat.astype(np.float64, copy=False)
        kept = values if len(at) == values.size else values[at]
        with np.errstate(over="ignore", invalid="ignore"):
            # Comparisons with NaN are False, and a sum over any other odd entry is one.
            if not (np.abs(kept - entries) <= tolerance).all():
                return False
            return not len(sums) or bool(
                (np.abs(sums - signs(flat.size) @ values) <= allowed).all()
            )

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Fingerprint:
        """From JSON values."""
        shape = tuple(plain["shape"])
        entries = tuple(float(x) for x in plain["entries"])
        scale = plain.get("scale", largest(np.array(entries)))
        at = tuple(positions(math.prod(shape)))
        sums = tuple(float(x) for x in plain.get("sums", ()))
        return cls(plain["kind"], shape, at, entries, sums, scale, plain.get("odd", 0))


def kind_of(array: np.ndarray) -> str:
    """'b', 'i' or 'f'."""
    return {"b": "b", "i": "i", "u": "i"}.get(array.dtype.kind, "f")


def largest(flat: np.ndarray) -> float:
    """Largest absolute value of the finite entries; 0 if there is none."""
    values = np.abs(flat.astype(np.float64))
    return float(np.max(values, where=np.isfinite(values), initial=0.0))


def odd_entries(flat: np.ndarray) -> int:
    """How many entries are NaN or infinite."""
    return int(np.count_nonzero(~np.isfinite(flat.astype(np.float64))))


def positions(size: int) -> list[int]:
    """Which entries of a flat array of this size are kept."""
    if size <= WHOLE:
        return list(range(size))
    stream = hashlib.shake_256(f"entries {size}".encode()).digest(8 * ENTRIES)
    chosen = {int.from_bytes(stream[8 * i : 8 * i + 8], "little") % size for i in range(ENTRIES)}
    return sorted(chosen)


def signed_sums(flat: np.ndarray) -> list[float]:
    """Sums of the entries with random signs; none for an array that is kept whole."""
    if flat.size <= WHOLE:
        return []
    numbers = flat.astype(np.float64)
    numbers[~np.isfinite(numbers)] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return [float(np.sum(numbers * row)) for row in signs(flat.size)]


@functools.lru_cache(256)  # all the arrays of an assignment; 4 bytes an entry
def signs(size: int) -> np.ndarray:
    """Rows of +1 and -1, the same on every machine."""
    length = -(-size // 8)
    stream = hashlib.shake_256(f"signs {size}".encode()).digest(SUMS * length)
    bits = np.unpackbits(np.frombuffer(stream, np.uint8).reshape(SUMS, length), axis=1)
    return bits[:, :size].astype(np.int8) * np.int8(2) - np.int8(1)


def digits_for(rtol: float) -> int:
    """Digits to keep so that rounding stays a hundred times below a relative tolerance."""
    return max(DIGITS, 2 - math.floor(math.log10(rtol))) if rtol > 0 else 17


def rounded(value: float, scale: float, digits: int = DIGITS) -> float:
    """A number to so many digits of the scale; never -0.0.

    >>> rounded(0.1 + 0.2, 1.0), rounded(-1e-17, 1.0)
    (0.3, 0.0)
    """
    if not (math.isfinite(value) and 0 < scale < math.inf):
        return value
    try:
        return round(value, digits - math.ceil(math.log10(scale))) + 0.0
    except OverflowError:  # rounded up beyond the largest float
        return value


def number(value: float) -> float | str:
    """A number as JSON has it: NaN and infinities as text, whole numbers short."""
    if not math.isfinite(value):
        return repr(value)
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def to_json(value: Any, digits: int = DIGITS) -> Any:
    """A plain value as JSON values, arrays as fingerprints.

    >>> from_json(to_json({"loss": 0.1 + 0.2, "ok": True}))
    {'loss': 0.3, 'ok': True}
    """
    if isinstance(value, Fingerprint):
        return {"array": value.plain()}
    if isinstance(value, np.ndarray):
        return {"array": Fingerprint.of(value, digits).plain()}
    if isinstance(value, float):
        return {"float": number(rounded(value, abs(value), digits))}
    if isinstance(value, list | tuple):
        return [to_json(v, digits) for v in value]
    if isinstance(value, dict):
        return {"dict": {k: to_json(v, digits) for k, v in value.items()}}
    return value


def from_json(tree: Any) -> Any:
    """The value again, with a `Fingerprint` where an array was."""
    if isinstance(tree, list):
        return [from_json(v) for v in tree]
    if isinstance(tree, dict):
        [(tag, content)] = tree.items()
        if tag == "array":
            return Fingerprint.read(content)
        if tag == "float":
            return float(content)
        return {k: from_json(v) for k, v in content.items()}
    return tree
