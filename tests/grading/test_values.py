"""Plain values cross as bytes unchanged; nothing else crosses, and no bytes can do harm."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from course.grading.values import DTYPES, HEADER, Limits, NotPlain, Packed, copy, pack, unpack

ARRAYS = npst.arrays(
    dtype=st.sampled_from(list(DTYPES.values())), shape=npst.array_shapes(min_dims=0, min_side=0)
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(codec="utf-8"))
)
PLAIN = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


def identical(a: Any, b: Any) -> bool:
    """Type, structure, dtype, shape and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[k], b[k]) for k in a)
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    return bool(a == b)


@given(PLAIN)
def test_a_plain_value_comes_back_to_the_last_bit(value: Any) -> None:
    assert identical(copy(value), value)


@given(st.lists(st.tuples(PLAIN, st.booleans()), max_size=3))
def test_a_value_of_parts_that_were_packed_before_gives_the_same_bytes(
    parts: list[tuple[Any, bool]],
) -> None:
    mixed = {str(i): [Packed(v) if before else v] for i, (v, before) in enumerate(parts)}
    plain = {str(i): [v] for i, (v, _) in enumerate(parts)}
    assert pack(mixed) == pack(plain)


def test_packed_parts_count_towards_the_limits() -> None:
    limits = Limits(arrays=100, count=12, depth=4)
    for part in (np.zeros(10), list(range(8)), [[[1]]]):
        alone = Packed(part, limits)
        pack([alone], limits)
        with pytest.raises(NotPlain):
            pack([[alone], [alone], part] if not isinstance(part[0], list) else [[alone]], limits)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_give_a_plain_value(data: bytes) -> None:
    try:
        value = unpack(data)
    except NotPlain:
        return
    assert identical(copy(value), value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["array", "tuple", "dict", "float", "x"]), inner, max_size=2
        )
    ),
    max_leaves=10,
)


@given(JSON, st.binary(max_size=40))
def test_any_well_formed_tree_is_refused_or_gives_a_plain_value(tree: Any, data: bytes) -> None:
    text = json.dumps(tree).encode()
    try:
        value = unpack(HEADER.pack(len(text), len(data)) + text + data)
    except NotPlain:
        return
    assert identical(copy(value), value)


def frame(tree: Any, data: bytes = b"") -> bytes:
    text = json.dumps(tree).encode()
    return HEADER.pack(len(text), len(data)) + text + data


@pytest.mark.parametrize(
    "data",
    [
        frame({"array": ["|O", [1]]}, bytes(8)),
        frame({"array": ["<f8", [2**31, 2**31]]}),
        frame({"array": ["<f8", [-1]]}, bytes(8)),
        frame({"array": ["<f8", [True]]}, bytes(8)),
        frame({"array": ["<f8", [3]]}, bytes(8)),
        frame({"array": ["<f8", [0] * 40]}),
        frame(2**80),
        frame({"float": "0.5"}),
        frame({"dict": []}),
        frame([[[[[[[[[[[[[[[]]]]]]]]]]]]]]]),
        b"\x05\x00\x00\x00\x00\x00\x00\x00" + b"[" * 5,
        HEADER.pack(2**31, 0),
        pickle.dumps([1, 2]),
        frame([])[:-1],
        frame([]) + b" ",
    ],
)
def test_bytes_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(NotPlain):
        unpack(data)


def test_a_hundred_thousand_open_brackets_are_refused_without_a_crash() -> None:
    text = b"[" * 100_000
    with pytest.raises(NotPlain):
        unpack(HEADER.pack(len(text), 0) + text)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (object(), "object"),
        ({"a": [1, {2}]}, r"\['a'\]\[1\] is of type set"),
        ({1: 2}, "key that is not text"),
        (np.array(["a"]), "expected numbers"),
        (np.array([None]), "expected numbers"),
        (2**70, "64 bits"),
        (1j, "complex"),
        (np.zeros(1000), "bytes of arrays"),
        ([0] * 1000, "values in all"),
        ([[[[[[[[[1]]]]]]]]], "deep"),
        ("x" * 5000, "beside its arrays"),
    ],
)
def test_what_is_not_plain_or_too_large_is_named(value: Any, says: str) -> None:
    with pytest.raises(NotPlain, match=says):
        pack(value, Limits(tree=2000, arrays=4000, count=100, depth=5))


def test_an_array_subclass_comes_back_as_a_plain_array() -> None:
    class AlwaysEqual(np.ndarray):
        def __eq__(self, other: object) -> Any:
            return True

    back = copy(np.zeros(3).view(AlwaysEqual))
    assert type(back) is np.ndarray
    assert (back == np.ones(3)).tolist() == [False] * 3


def test_subclasses_of_numbers_and_text_come_back_as_plain_ones() -> None:
    class Number(float):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = float.__hash__

    class Text(str):
        __slots__ = ()

    assert [type(v) for v in copy([Number(2.5), Text("a"), np.float32(1), np.int8(2)])] == [
        float,
        str,
        float,
        int,
    ]


def test_byte_order_and_memory_layout_do_not_change_the_numbers() -> None:
    a = np.arange(12.0).reshape(3, 4)
    for version in (a.T, a[::-1, ::2], a.astype(">f8"), np.asfortranarray(a)):
        assert np.array_equal(copy(version), version)
