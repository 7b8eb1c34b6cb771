"""Comparing a student's value with the expected one, as a tutor would: kind, shape, then numbers.

An expected array may be a `Fingerprint`.  What is said comes in two strengths: at home with the
expected numbers, in grading, where the inputs are hidden, without them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.grading.fingerprint import Fingerprint, kind_of, odd_entries, signed_sums

KINDS = {"b": "booleans", "i": "integers", "f": "numbers"}


@dataclass(frozen=True)
class Difference:
    """How a value is not the expected one, as the end of a sentence that starts with its name.

    says : without expected numbers.
    shows : with them, if there is more to be shown.
    """

    says: str
    shows: str | None = None

    def text(self, reveal: bool) -> str:
        """The stronger text if expected numbers may be seen."""
        return self.shows if reveal and self.shows is not None else self.says


def difference(expected: Any, got: Any, rtol: float, atol: float) -> Difference | None:
    """The most telling difference between two plain values, or None if they are equal.

    Numbers are equal if they differ by at most `atol + rtol * scale`, the scale being the largest
    absolute value of the expected array.  Integers match integers of any type, floats match
    integers too, lists match tuples, an array of no dimensions matches a number; extra keys of a
    dict are ignored.  NaN and infinities match only themselves.

    >>> difference(np.zeros(3), np.zeros((1, 3)), 1e-6, 1e-9).says
    'has shape (1, 3); expected (3,)'
    >>> difference(0.5, 0.25, 1e-6, 1e-9).text(reveal=True)
    'is half of what is expected: 0.25 instead of 0.5'
    >>> difference([1, 2], (1, 2), 0, 0) is None
    True
    """
    if isinstance(expected, dict):
        return _dicts(expected, got, rtol, atol)
    if isinstance(expected, list | tuple):
        return _sequences(expected, got, rtol, atol)
    if expected is None or isinstance(expected, str):
        if isinstance(got, type(expected)) and got == expected:
            return None
        return Difference(f"is {_short(got)}", f"is {_short(got)}; expected {_short(expected)}")
    return _numbers(expected, got, rtol, atol)


def _dicts(expected: dict[str, Any], got: Any, rtol: float, atol: float) -> Difference | None:
    if not isinstance(got, dict):
        return Difference(f"is {_kind(got)}; expected a dict")
    for key, value in expected.items():
        if key not in got:
            return Difference(f"has no entry {key!r}")
        found = difference(value, got[key], rtol, atol)
        if found is not None:
            return _inside(f"[{key!r}]", found)
    return None


def _sequences(expected: Any, got: Any, rtol: float, atol: float) -> Difference | None:
    if isinstance(got, np.ndarray) and got.ndim > 0:
        got = list(got)
    if not isinstance(got, list | tuple):
        return Difference(f"is {_kind(got)}; expected a list")
    if len(got) != len(expected):
        return Difference(f"has {len(got)} entries; expected {len(expected)}")
    for i, (e, g) in enumerate(zip(expected, got, strict=True)):
        found = difference(e, g, rtol, atol)
        if found is not None:
            return _inside(f"[{i}]", found)
    return None


def _inside(part: str, found: Difference) -> Difference:
    return Difference(
        f"is wrong: its entry {part} {found.says}",
        None if found.shows is None else f"is wrong: its entry {part} {found.shows}",
    )


def _numbers(expected: Any, got: Any, rtol: float, atol: float) -> Difference | None:
    """Both as arrays: kind, shape, NaN and infinities, then the entries."""
    exact = None if isinstance(expected, Fingerprint) else np.asarray(expected)
    array = _as_array(got)
    if exact is not None and array is not None and _identical(exact, array):
        return None
    want = expected if exact is None else Fingerprint.of(exact, 17)
    if array is None:
        return Difference(f"is {_kind(got)}; expected {_named(want.kind, want.shape)}")
    if array.shape != want.shape:
        if not want.shape:
            return Difference(f"has shape {array.shape}; expected a single number")
        if not array.shape:
            return Difference(f"is a single number; expected an array of shape {want.shape}")
        return Difference(f"has shape {array.shape}; expected {want.shape}")
    kind = kind_of(array)
    if kind != want.kind and not (kind == "i" and want.kind == "f"):
        return Difference(f"holds {KINDS[kind]}; expected {KINDS[want.kind]}")
    flat = array.ravel()
    tolerance = 0.0 if want.kind in "bi" else atol + rtol * want.scale
    if exact is None and want.odd == 0 and want.fits(flat, tolerance, _allowed(want, tolerance)):
        return None
    if exact is not None:
        at, entries = np.arange(flat.size), exact.ravel().astype(np.float64)
    else:
        at, entries = np.array(want.at, dtype=int), np.array(want.entries)
    values = flat[at].astype(np.float64)
    odd = ~np.isfinite(values) & ~((values == entries) | (np.isnan(values) & np.isnan(entries)))
    if odd.any():
        first = int(np.argmax(odd))
        where = _where(int(at[first]), want.shape)
        return Difference(f"is {values[first]}{where}; expected a finite number")
    if exact is None and odd_entries(flat) != want.odd:
        return Difference("has entries that are NaN or infinite; expected finite numbers")
    with np.errstate(invalid="ignore"):
        error = np.abs(values - entries)
    error[(values == entries) | (np.isnan(values) & np.isnan(entries))] = 0.0
    if np.all(error <= tolerance):
        return None if exact is not None else _sums(want, flat, tolerance)
    if want.kind == "b":
        count = int(np.count_nonzero(error))
        return Difference(
            f"is wrong in {count} of {len(error)} entries" if array.ndim else "is wrong"
        )
    return _entries(want, flat, at, entries, error, tolerance)


def _identical(exact: np.ndarray, array: np.ndarray) -> bool:
    """Whether these are the same numbers, NaN aside: what most comparisons find, and soon."""
    return kind_of(exact) == kind_of(array) and np.array_equal(exact, array)


def _sums(want: Fingerprint, flat: np.ndarray, tolerance: float, factor: float = 1.0) -> Any:
    """Entries that were not kept are compared through the sums; None if they agree."""
    allowed = _allowed(want, tolerance) * max(1.0, abs(factor))
    for expected, got in zip(want.sums, signed_sums(flat) if want.sums else (), strict=True):
        alike = abs(factor * expected - got) <= allowed or not math.isfinite(expected)
        if not alike:
            return Difference("is wrong in some entries")
    return None


def _allowed(want: Fingerprint, tolerance: float) -> float:
    """By how much a sum with random signs may differ when each entry may by `tolerance`."""
    return 4.0 * tolerance * math.sqrt(math.prod(want.shape)) + 1e-9 * want.scale


def _entries(
    want: Fingerprint,
    flat: np.ndarray,
    at: np.ndarray,
    entries: np.ndarray,
    error: np.ndarray,
    tolerance: float,
) -> Difference:
    """Where the numbers are wrong, and how, if it is simple."""
    values = flat[at].astype(np.float64)
    with np.errstate(invalid="ignore"):
        worst = int(np.nanargmax(np.where(np.isnan(error), np.inf, error)))
    wrong = int(np.count_nonzero(~(error <= tolerance)))
    numbers = f"{values[worst]:.6g} instead of {entries[worst]:.6g}"
    relation = None
    if wrong > 1 or not want.shape:
        relation = _relation(want, flat, entries, values, tolerance)
    if not want.shape:
        return Difference(
            f"is {relation}" if relation else f"is wrong: you return {values[worst]:.6g}",
            f"is {relation}: {numbers}" if relation else f"is {numbers}",
        )
    where = _where(int(at[worst]), want.shape)
    share = f"{wrong} of {len(error)} entries" if wrong < len(error) else "all entries"
    if want.sums and want.at and len(error) == len(want.at):
        share = "many entries" if wrong > 1 else "some entries"
    elif wrong == 1:
        share = "one entry"
    says = f"is {relation}" if relation else f"is wrong in {share}, most of all{where}"
    return Difference(says, f"{says}: {numbers}" + (where if relation else ""))


def _relation(
    want: Fingerprint, flat: np.ndarray, expected: np.ndarray, got: np.ndarray, tolerance: float
) -> str | None:
    """A simple relation between all entries, in words: a sign or a factor."""
    finite = np.isfinite(expected) & np.isfinite(got)
    norm = float(expected[finite] @ expected[finite])
    if not finite.all() or norm == 0.0:
        return None
    if not flat.any():
        return "zero everywhere" if flat.size > 1 else "zero"
    factor = float(expected @ got) / norm
    tolerance = max(tolerance, 1e-9 * float(np.max(np.abs(got))))
    near = np.abs(got - factor * expected) <= tolerance * max(1.0, abs(factor))
    if abs(factor) < 1e-9 or not near.all() or _sums(want, flat, tolerance, factor) is not None:
        return None
    size = "" if math.isclose(abs(factor), 1.0, rel_tol=1e-6) else _times(abs(factor))
    if flat.size == 1 and size not in ("", "half of ", "twice "):
        return None  # any two numbers have a ratio: only a telling one is worth saying
    return ("the negative of " if factor < 0 else "") + size + "what is expected"


def _times(factor: float) -> str:
    """'half of ', 'twice ', '5 times ', '1/32 of ', '0.31 times '."""
    if math.isclose(factor, 0.5, rel_tol=1e-6):
        return "half of "
    if math.isclose(factor, 2.0, rel_tol=1e-6):
        return "twice "
    inverse = 1.0 / factor
    if factor < 1 and math.isclose(inverse, round(inverse), rel_tol=1e-6):
        return f"1/{round(inverse)} of "
    return f"{factor:.4g} times "


def _as_array(got: Any) -> np.ndarray | None:
    """A number, an array, or a list that is one; None for anything else."""
    if isinstance(got, np.ndarray):
        return got
    if isinstance(got, bool | int | float):
        return np.asarray(got)
    if isinstance(got, list | tuple):
        try:
            array = np.array(got)
        except ValueError:
            return None
        return array if array.dtype.kind in "biuf" else None
    return None


def _where(flat_index: int, shape: tuple[int, ...]) -> str:
    """' at [2, 1]'; nothing for a single number."""
    if not shape:
        return ""
    return f" at [{', '.join(str(int(i)) for i in np.unravel_index(flat_index, shape))}]"


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    names = {
        type(None): "None",
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "text",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def _named(kind: str, shape: tuple[int, ...]) -> str:
    if shape:
        return f"an array of shape {shape}"
    return {"b": "a boolean", "i": "an integer", "f": "a number"}[kind]


def _short(value: Any) -> str:
    """A text in quotes, cut; anything else by its kind."""
    return f"{value!r:.60}" if isinstance(value, str) else _kind(value)
