"""From a run to an outcome: which values are right, which known mistake the others are, what to say.

Trusted side, and at home.  The expected run and the values of each misconception come from a
`Reference`; nothing in here runs student code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from course.grading.compare import Difference, difference
from course.grading.exercise import Exercise
from course.grading.results import Outcome
from course.grading.run import Case, Failure, Run


class Missing:
    """Stands where a run has no value: a key is absent, an argument is as it was."""


MISSING = Missing()


class Place(NamedTuple):
    """Where a value stands in a run: the case, 'values' or 'changed' arguments, its key."""

    case: int
    part: str
    key: str


@dataclass(frozen=True)
class Suspect:
    """What one misconception does to one exercise: the values where it departs, or its failure."""

    name: str
    cell: str
    hint: str
    departs: Mapping[Place, Any]
    failure: Failure | None = None


def judge(
    exercise: Exercise,
    expected: Run,
    run: Run,
    suspects: Sequence[Suspect] = (),
    *,
    cells: Mapping[str, Failure] | None = None,
    inputs: Sequence[Mapping[str, Any]] = (),
    reveal: bool = False,
) -> Outcome:
    """The outcome of one exercise.

    cells : failures of the student's solution cells by grade_id.
    inputs : what the driver was given, to name the shapes when it raised.
    reveal : expected numbers may be shown (at home); otherwise only shapes and places.
    """
    if run.failure is not None:
        return _failed(exercise, run.failure, suspects, cells or {}, inputs)
    wrong = departures(exercise, expected, run)
    keys = list(dict.fromkeys(key for case in expected.cases for key in case.values))
    wrong_keys = {place.key for place in wrong if place.part == "values"}
    changed = list(dict.fromkeys(place.key for place in wrong if place.part == "changed"))
    right = [key for key in keys if key not in wrong_keys]
    points = 0.0 if changed else exercise.points * len(right) / len(keys)
    if not wrong:
        return Outcome(exercise.name, float(exercise.points), exercise.points, "correct", "Right.")
    suspect = recognise(exercise, run, wrong, suspects)
    lines = [] if suspect is None else [hint(suspect, exercise.name)]
    lines += [f"The argument `{name}` {_changed(run, name)}." for name in changed]
    for key in keys:
        place = next((p for p in wrong if p.part == "values" and p.key == key), None)
        if place is not None:
            lines.append(f"`{key}` {wrong[place].text(reveal)}.")
    if right and wrong_keys:
        lines.append(f"Right: {', '.join(f'`{key}`' for key in right)}.")
    return Outcome(
        exercise.name,
        float(points),
        exercise.points,
        "partly" if points else "wrong",
        "\n".join(lines),
        None if suspect is None else suspect.name,
    )


def departures(exercise: Exercise, expected: Run, run: Run) -> dict[Place, Difference]:
    """Where a run is not the expected one, and how; the first difference of each key first."""
    found: dict[Place, Difference] = {}
    nothing = Case({}, {})
    for number, want in enumerate(expected.cases):
        got = run.cases[number] if number < len(run.cases) else nothing
        for key, value in want.values.items():
            if key not in got.values:
                found[Place(number, "values", key)] = Difference("is missing")
                continue
            how = difference(value, got.values[key], exercise.rtol, exercise.atol)
            if how is not None:
                found[Place(number, "values", key)] = how
        for key in want.changed.keys() | got.changed.keys():
            if key in want.changed and key in got.changed:
                how = difference(want.changed[key], got.changed[key], exercise.rtol, exercise.atol)
            else:
                how = Difference("was changed" if key in got.changed else "was not changed")
            if how is not None:
                found[Place(number, "changed", key)] = how
    return found


def recognise(
    exercise: Exercise, run: Run, wrong: Mapping[Place, Difference], suspects: Sequence[Suspect]
) -> Suspect | None:
    """The misconception whose values these are.

    It fits if the run has its values wherever it departs from the solution; of several the one
    that explains most.  If none fits as a whole, the only one that explains all that is wrong with
    one key counts too, for two mistakes may come together.
    """

    def agrees(suspect: Suspect, places: Iterator[Place]) -> bool:
        return all(_same(exercise, suspect.departs[p], value_at(run, p)) for p in places)

    candidates = [s for s in suspects if s.failure is None and s.departs]
    whole = [s for s in candidates if agrees(s, iter(s.departs))]
    if whole:
        return max(whole, key=lambda s: (len(s.departs), s.cell == exercise.name))
    for key in dict.fromkeys(place.key for place in wrong):
        places = {place for place in wrong if place.key == key}
        fitting = [
            s
            for s in candidates
            if {p for p in s.departs if p.key == key} == places and agrees(s, iter(places))
        ]
        if len(fitting) == 1:
            return fitting[0]
    return None


def value_at(run: Run, place: Place) -> Any:
    """The value at a place of a run, or `MISSING`."""
    if place.case >= len(run.cases):
        return MISSING
    case = run.cases[place.case]
    return (case.values if place.part == "values" else case.changed).get(place.key, MISSING)


def _same(exercise: Exercise, a: Any, b: Any) -> bool:
    if a is MISSING or b is MISSING:
        return a is b
    return difference(a, b, exercise.rtol, exercise.atol) is None


def hint(suspect: Suspect, exercise: str) -> str:
    """The tutor's words; for a mistake made in another cell, with its name."""
    if suspect.cell == exercise:
        return suspect.hint
    return f"This comes from your `{suspect.cell}`. {suspect.hint}"


def _changed(run: Run, name: str) -> str:
    """What is wrong with an argument after the call."""
    if any(name in case.changed for case in run.cases):
        return "was changed by your code; it belongs to the caller, work on a copy"
    return "should have been changed in place, and was not"


# ------------------------------------------------------------------------------------- no values


def _failed(
    exercise: Exercise,
    failure: Failure,
    suspects: Sequence[Suspect],
    cells: Mapping[str, Failure],
    inputs: Sequence[Mapping[str, Any]],
) -> Outcome:
    """The outcome when there are no values to compare."""
    missing = failure.missing
    cause = cells.get(missing) if missing else None
    if missing and cause is not None and cause.kind != "not done":
        # The name is missing because its cell failed.
        status = "error" if missing != exercise.name else cause.kind
        text = f"Your cell `{missing}` failed. {explain(cause, missing)}"
        return Outcome(exercise.name, 0.0, exercise.points, status, text)
    for suspect in suspects:
        if suspect.failure is not None and _same_failure(suspect.failure, failure):
            text = f"{hint(suspect, exercise.name)}\n{explain(failure, exercise.name)}"
            return Outcome(exercise.name, 0.0, exercise.points, failure.kind, text, suspect.name)
    text = explain(failure, exercise.name)
    if failure.kind == "error" and failure.case is not None and failure.case < len(inputs):
        shown = describe_inputs(inputs[failure.case])
        text += f"\nIt was called with {shown}." if shown else ""
    return Outcome(exercise.name, 0.0, exercise.points, failure.kind, text)


def explain(failure: Failure, name: str) -> str:
    """A failure in words, for the exercise (or cell) of this name."""
    if failure.kind == "not done":
        other = failure.missing or failure.cell
        if other is not None and other != name:
            return f"Not done: it needs `{other}`, which is not there yet."
        if failure.missing:
            return f"Not done: `{name}` is not defined."
        return "Not done yet."
    if failure.kind == "limit":
        if failure.type == "MemoryError":
            return f"`{name}` ran out of memory{_where(failure)}. {failure.message}".rstrip()
        if failure.type == "time":
            return (
                f"`{name}` did not finish within its limit of {failure.message}{_where(failure)}."
            )
        if failure.type == "output":
            return f"`{name}` was stopped: its output was not acceptable ({failure.message})."
        return f"`{name}` was stopped at its limit of {failure.type}: {failure.message}."
    if failure.type in ("NotPlain", "exit", "crash"):
        return f"`{name}`: {failure.message}."
    said = f": {failure.message}" if failure.message else ""
    return f"`{name}` raised {failure.type}{said}{_where(failure)}"


def _where(failure: Failure) -> str:
    """' (line 7 of your cell `Linear`, in backward: `return dY`)'."""
    if failure.line is None:
        return ""
    place = f"line {failure.line}"
    place += f" of your cell `{failure.cell}`" if failure.cell else ""
    place += f", in {failure.function}" if failure.function else ""
    place += f": `{failure.text.replace('`', ' ')}`" if failure.text else ""
    return f" ({place})"


def describe_inputs(inputs: Mapping[str, Any]) -> str:
    """'W (4, 3), b (3,), lr = 0.5': shapes of arrays, short values of the rest."""
    shown = []
    for name, value in inputs.items():
        if hasattr(value, "shape"):
            shown.append(f"{name} {value.shape}")
        elif isinstance(value, float):
            shown.append(f"{name} = {value:.4g}")
        elif isinstance(value, bool | int | str):
            shown.append(f"{name} = {value!r:.40}")
        else:
            shown.append(name)
    return ", ".join(shown[:12])


def _same_failure(a: Failure, b: Failure) -> bool:
    """Whether two runs failed in the same way at the same place, as far as both places are known."""
    if (a.kind, a.type, a.message, a.missing, a.case) != (
        b.kind,
        b.type,
        b.message,
        b.missing,
        b.case,
    ):
        return False
    return None in (a.cell, b.cell) or a.cell == b.cell
