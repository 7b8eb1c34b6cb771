"""Arrays on their way to the browser: dtype, shape and bytes, instead of long lists of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

_DTYPES = {"float64": "<f8", "float32": "<f4", "int32": "<i4", "uint8": "u1"}


def pack(value: Any, *, single: bool = False) -> Any:
    """A copy of nested dicts, lists, numbers, texts and arrays that a synced trait can carry.

    Arrays become `{"dtype", "shape", "bytes"}`; static/format.js turns them back into (nested)
    arrays. Integers travel as int32, everything else that is not float32 or uint8 as float64, or
    as float32 where `single` precision is enough.
    """
    if isinstance(value, dict):
        return {str(name): pack(each, single=single) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [pack(each, single=single) for each in value]
    if isinstance(value, np.ndarray):
        return _pack_array(value, single)
    if isinstance(value, np.generic):
        return pack(value.item())
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        # JSON knows no NaN and no infinity.
        return value if np.isfinite(value) else {"number": str(value)}
    raise TypeError(
        "a scene holds numbers, texts, arrays, lists and dictionaries,"
        f" not {type(value).__name__}: {value!r}"
    )


def _pack_array(array: np.ndarray, single: bool) -> dict[str, Any]:
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a scene holds arrays of numbers, not of {array.dtype}")
    if array.dtype in (np.float32, np.uint8):
        name = str(array.dtype)
    elif array.dtype.kind in "iu" and array.size and abs(array).max() < 2**31:
        name = "int32"
    else:
        name = "float32" if single else "float64"
    plain = np.ascontiguousarray(array, dtype=_DTYPES[name])
    return {"dtype": name, "shape": list(array.shape), "bytes": plain.tobytes()}
