"""What counts as equal, and what is said where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from course.grading.compare import difference
from course.grading.fingerprint import (
    WHOLE,
    Fingerprint,
    digits_for,
    from_json,
    positions,
    rounded,
    to_json,
)

FLOATS = st.floats(-1e3, 1e3, allow_subnormal=False)
SHAPES = npst.array_shapes(min_dims=1, max_dims=3, max_side=12)
RTOL, ATOL = 1e-6, 1e-9


def text(expected: Any, got: Any, reveal: bool = True) -> str | None:
    found = difference(expected, got, RTOL, ATOL)
    return None if found is None else found.text(reveal)


def kept(array: np.ndarray) -> Any:
    return from_json(to_json(array))


@given(npst.arrays(float, SHAPES, elements=FLOATS), st.integers(0, 2**32))
def test_rounding_errors_are_no_difference_whole_or_as_a_fingerprint(
    array: np.ndarray, seed: int
) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, array.shape)
    near = array + 1e-13 * np.max(np.abs(array)) * noise
    assert text(array, near) is None
    assert text(kept(array), near) is None


@given(npst.arrays(float, SHAPES, elements=FLOATS), st.data())
def test_one_wrong_entry_is_seen_whole_or_as_a_fingerprint(
    array: np.ndarray, data: st.DataObject
) -> None:
    wrong = array.copy()
    at = data.draw(st.integers(0, array.size - 1))
    wrong.flat[at] += 0.01 * max(1.0, np.max(np.abs(array)))
    assert text(array, wrong) is not None
    assert text(kept(array), wrong) is not None


@given(
    npst.arrays(float, SHAPES, elements=FLOATS | st.sampled_from([np.nan, np.inf, -np.inf])),
    st.data(),
)
def test_what_is_quickly_found_equal_is_what_is_found_equal_entry_by_entry(
    array: np.ndarray, data: st.DataObject
) -> None:
    got = array.copy()
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, array.size - 1))
        got.flat[at] = data.draw(FLOATS | st.sampled_from([np.nan, np.inf]))
    quick = text(kept(array), got)
    with pytest.MonkeyPatch.context() as slowly:
        slowly.setattr(Fingerprint, "fits", lambda *_: False)
        assert text(kept(array), got) == quick


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (3, np.int8(3)),
        (np.array([1, 2]), np.array([1, 2], np.uint8)),
        (0.5, np.float32(0.5)),
        (2.0, 2),
        (np.array(2.0), 2.0),
        (2.0, np.array(2.0)),
        ([1.0, 2.0], (1.0, 2.0)),
        ([1.0, 2.0], np.array([1.0, 2.0])),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        ({"a": 1}, {"a": 1, "b": 2}),
        (float("nan"), float("nan")),
        (np.array([np.inf, 1.0]), np.array([np.inf, 1.0])),
        (True, np.True_),
        ("sigmoid", "sigmoid"),
        (None, None),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_equal_in_every_sense_that_an_honest_student_may_use(expected: Any, got: Any) -> None:
    got = got.item() if isinstance(got, np.generic) else got
    assert text(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (np.zeros(3), np.zeros((3, 1)), "has shape (3, 1); expected (3,)"),
        (np.zeros((2, 3)), 1.0, "is a single number; expected an array of shape (2, 3)"),
        (1.0, np.zeros(2), "has shape (2,); expected a single number"),
        (1.0, None, "is None; expected a number"),
        (1.0, "1.0", "is text; expected a number"),
        (np.zeros(2), {"a": 1}, "is a dict; expected an array of shape (2,)"),
        (3, 3.0, "holds numbers; expected integers"),
        (np.array([1, 2]), np.array([1.0, 2.0]), "holds numbers; expected integers"),
        (np.array([1.0, 0.0]), np.array([True, False]), "holds booleans; expected numbers"),
        (True, 1, "holds integers; expected booleans"),
        (np.array([True, False]), np.array([True, True]), "is wrong in 1 of 2 entries"),
        (np.ones((2, 2)), np.array([[1, np.nan], [1, 1]]), "is nan at [0, 1]; expected a finite"),
        (1.0, float("inf"), "is inf; expected a finite number"),
        (np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]), "is twice what is expected"),
        (np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, -3.0]), "is the negative of what is"),
        (np.array([8.0, 16.0]), np.array([1.0, 2.0]), "is 1/8 of what is expected"),
        (np.array([1.0, 2.0]), np.array([0.0, 0.0]), "is zero everywhere"),
        (np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 4.0]), "in one entry, most of all at [1]"),
        (2.0, 3.0, "is 3 instead of 2"),
        ([1.0, 2.0], [1.0], "has 1 entries; expected 2"),
        ([1.0, [2.0]], [1.0, [2.5]], "its entry [1] is wrong: its entry [0] is 2.5 instead of 2"),
        ({"a": 1.0}, {}, "has no entry 'a'"),
        ("sigmoid", "softmax", "is 'softmax'; expected 'sigmoid'"),
    ],
)
def test_the_difference_is_named(expected: Any, got: Any, says: str) -> None:
    found = text(expected, got)
    assert found is not None
    assert says in found


@given(npst.arrays(float, SHAPES, elements=FLOATS), npst.arrays(float, SHAPES, elements=FLOATS))
def test_in_grading_no_expected_number_is_said(expected: np.ndarray, got: np.ndarray) -> None:
    found = difference(expected, got, RTOL, ATOL)
    if found is None or expected.shape != got.shape:
        return
    numbers = {f"{x:.6g}" for x in expected.ravel()} - {f"{x:.6g}" for x in got.ravel()}
    spoken = set(found.says.replace(",", " ").replace("[", " ").replace("]", " ").split())
    assert not {n for n in numbers if "." in n} & spoken


def test_a_factor_is_only_claimed_if_all_entries_have_it() -> None:
    rng = np.random.default_rng(0)
    expected = rng.standard_normal(500)
    got = 3 * expected
    assert "3 times what is expected" in (text(kept(expected), got) or "")
    hidden = next(i for i in range(500) if i not in positions(500))
    got[hidden] += 1
    assert "times" not in (text(kept(expected), got) or "")


def test_zero_is_only_claimed_if_all_entries_are() -> None:
    expected, got = np.ones(500), np.zeros(500)
    assert "zero everywhere" in (text(kept(expected), got) or "")
    got[next(i for i in range(500) if i not in positions(500))] = 1
    assert "zero" not in (text(kept(expected), got) or "")


def test_a_nan_outside_the_kept_entries_is_seen() -> None:
    array = np.ones(500)
    got = array.copy()
    got[next(i for i in range(500) if i not in positions(500))] = np.nan
    assert text(kept(array), got) is not None


@given(npst.arrays(float, SHAPES, elements=st.floats(allow_nan=True, allow_infinity=True)))
@example(np.array([np.finfo(float).max]))
def test_a_fingerprint_survives_its_text_and_matches_its_array(array: np.ndarray) -> None:
    fingerprint = Fingerprint.of(array)
    assert str(Fingerprint.read(fingerprint.plain())) == str(fingerprint)
    scale = np.max(np.abs(array), where=np.isfinite(array), initial=0.0)
    if scale < 1e300 and (scale == 0 or scale > 1e-200):
        assert text(kept(array), array) is None


@given(st.integers(1, 10**6))
def test_few_entries_of_a_large_array_are_kept(size: int) -> None:
    at = positions(size)
    assert at == sorted(set(at))
    assert all(0 <= i < size for i in at)
    assert len(at) == size if size <= WHOLE else len(at) <= 8


def test_rounding_is_a_hundred_times_finer_than_the_tolerance() -> None:
    for rtol in (1e-3, 1e-6, 1e-9, 1e-12):
        assert abs(rounded(1 / 3, 1.0, digits_for(rtol)) - 1 / 3) <= rtol / 100


def test_fine_tolerances_hold_through_the_text() -> None:
    value = np.random.default_rng(1).standard_normal(20)
    digits = digits_for(1e-12)
    assert difference(from_json(to_json(value, digits)), value, 1e-12, 1e-14) is None
    assert difference(from_json(to_json(value, digits)), value + 1e-11, 1e-12, 1e-14) is not None
