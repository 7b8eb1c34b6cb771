"""From values to an outcome: shared points, recognised mistakes, arguments that were changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from course.grading.diagnose import Place, Suspect, departures, judge, value_at
from course.grading.exercise import Exercise
from course.grading.run import Case, Failure, Run, failure_of

EXERCISE = Exercise("layer", 8, draw=lambda rng: {}, drive=lambda student: {}, cases=2)
RIGHT = {"Y": np.ones((2, 3)), "dX": np.ones(3), "dW": np.ones(4), "db": np.ones(2)}


def run(changed: dict[str, Any] | None = None, **wrong: Any) -> Run:
    """A run of two cases; some values of the second one are others."""
    cases = (Case(dict(RIGHT), {}), Case({**RIGHT, **wrong}, changed or {}))
    return Run(cases)


def suspect(name: str, of: Run, cell: str = "layer") -> Suspect:
    places = departures(EXERCISE, run(), of)
    return Suspect(name, cell, f"Hint: {name}.", {p: value_at(of, p) for p in places}, of.failure)


def test_all_right_is_all_points() -> None:
    outcome = judge(EXERCISE, run(), run())
    assert (outcome.points, outcome.status) == (8, "correct")


def test_points_are_shared_among_the_keys_and_one_wrong_case_loses_a_key() -> None:
    outcome = judge(EXERCISE, run(), run(db=np.zeros(2)))
    assert (outcome.points, outcome.status) == (6, "partly")
    assert "Right: `Y`, `dX`, `dW`." in outcome.message
    everything = judge(EXERCISE, run(), Run((Case({}, {}), Case({}, {}))))
    assert (everything.points, everything.status) == (0, "wrong")
    assert "`Y` is missing." in everything.message


def test_fewer_cases_than_were_asked_for_earn_nothing() -> None:
    assert judge(EXERCISE, run(), Run(run().cases[:1])).points == 0
    assert judge(EXERCISE, run(), Run()).points == 0


def test_the_hint_of_the_mistake_that_was_made_comes_first() -> None:
    transposed, summed = run(dW=np.full(4, 2.0)), run(db=np.full(2, 3.0))
    suspects = [suspect("transposed", transposed), suspect("summed", summed)]
    for made, name in ((transposed, "transposed"), (summed, "summed")):
        outcome = judge(EXERCISE, run(), made, suspects)
        assert outcome.misconception == name
        assert outcome.message.startswith(f"Hint: {name}.")


def test_the_suspect_that_explains_most_is_named() -> None:
    both = run(dW=np.full(4, 2.0), db=np.full(2, 3.0))
    suspects = [suspect("half of it", run(dW=np.full(4, 2.0))), suspect("all of it", both)]
    assert judge(EXERCISE, run(), both, suspects).misconception == "all of it"


def test_two_mistakes_at_once_still_give_a_hint() -> None:
    suspects = [suspect("both", run(dW=np.full(4, 2.0), db=np.full(2, 3.0)))]
    made = run(dW=np.full(4, 2.0), db=np.full(2, 7.0))
    assert judge(EXERCISE, run(), made, suspects).misconception == "both"


def test_values_that_are_wrong_in_another_way_get_no_hint() -> None:
    suspects = [suspect("transposed", run(dW=np.full(4, 2.0)))]
    outcome = judge(EXERCISE, run(), run(dW=np.full(4, 2.1)), suspects)
    assert outcome.misconception is None
    assert "Hint" not in outcome.message


def test_a_mistake_made_in_another_cell_is_said_to_come_from_there() -> None:
    made = run(dW=np.full(4, 2.0))
    outcome = judge(EXERCISE, run(), made, [suspect("transposed", made, cell="other")])
    assert outcome.message.startswith("This comes from your `other`. Hint")


def test_a_changed_argument_costs_the_exercise_and_is_named() -> None:
    made = run(changed={"X": np.zeros(2)})
    outcome = judge(EXERCISE, run(), made)
    assert (outcome.points, outcome.status) == (0, "wrong")
    assert "`X` was changed by your code" in outcome.message
    named = judge(EXERCISE, run(), made, [suspect("in place", made)])
    assert named.misconception == "in place"


def test_an_argument_that_has_to_change_must_change_rightly() -> None:
    step = run(changed={"p": np.full(3, 0.5)})
    assert judge(EXERCISE, step, step).status == "correct"
    assert "should have been changed" in judge(EXERCISE, step, run()).message
    assert judge(EXERCISE, step, run(changed={"p": np.full(3, 0.6)})).points == 0


def failed(kind: str = "error", **fields: Any) -> Run:
    return Run(failure=Failure(kind, **fields))


def test_a_stub_is_not_done() -> None:
    outcome = judge(EXERCISE, run(), failed("not done", type="NotImplementedError", cell="layer"))
    assert (outcome.points, outcome.status, outcome.message) == (0, "not done", "Not done yet.")


def test_a_missing_name_of_another_exercise_is_named() -> None:
    outcome = judge(EXERCISE, run(), failed("not done", type="NotDefined", missing="Linear"))
    assert outcome.status == "not done"
    assert "it needs `Linear`" in outcome.message


def test_an_error_says_what_where_and_with_which_inputs() -> None:
    failure = failed(
        type="ValueError", message="bad shapes", cell="layer", function="forward", line=7,
        text="return X @ W", case=1,
    )  # fmt: skip
    outcome = judge(EXERCISE, run(), failure, inputs=[{}, {"X": np.ones((4, 2)), "lr": 0.5}])
    assert outcome.status == "error"
    for part in (
        "ValueError: bad shapes",
        "line 7",
        "`layer`",
        "return X @ W",
        "X (4, 2), lr = 0.5",
    ):
        assert part in outcome.message


def test_a_cell_that_failed_explains_why_its_name_is_missing() -> None:
    cells = {"layer": Failure("error", "SyntaxError", "invalid syntax", cell="layer", line=3)}
    missing = failed("not done", type="NotDefined", missing="layer")
    outcome = judge(EXERCISE, run(), missing, cells=cells)
    assert outcome.status == "error"
    assert "SyntaxError: invalid syntax" in outcome.message


def test_a_limit_names_the_exercise_and_the_limit() -> None:
    outcome = judge(EXERCISE, run(), failed("limit", type="time", message="5 s of CPU time"))
    assert outcome.status == "limit"
    assert "`layer`" in outcome.message
    assert "5 s of CPU time" in outcome.message


def test_a_misconception_that_raises_is_recognised_by_what_it_raises() -> None:
    wrong = {"type": "ValueError", "message": "shapes (5,3) (3,5)", "cell": "layer", "case": 0}
    suspects = [Suspect("transposed", "layer", "Hint.", {}, Failure("error", **wrong))]
    assert judge(EXERCISE, run(), failed(**wrong), suspects).misconception == "transposed"
    other = failed(**(wrong | {"message": "shapes (5,3) (4,5)"}))
    assert judge(EXERCISE, run(), other, suspects).misconception is None


@pytest.mark.parametrize(
    "plain",
    [
        None,
        [],
        {"cases": 1, "failure": None},
        {"cases": [1], "failure": None},
        {"cases": [{"values": 1, "changed": {}}], "failure": None},
        {"cases": [], "failure": {"kind": "correct"}},
        {"cases": [], "failure": None, "points": 8},
    ],
)
def test_what_is_no_run_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        Run.of(plain)


def test_texts_from_a_worker_are_bounded_and_printable() -> None:
    failure = failure_of({"kind": "error", "message": "\x1b[31m" + "x" * 10**5, "line": 10**30})
    assert len(failure.message) <= 400
    assert failure.message.isprintable()
    assert failure.line is None


def test_a_run_survives_its_plain_form() -> None:
    before = run(changed={"X": np.zeros(2)})
    after = Run.of(before.plain())
    assert not departures(EXERCISE, before, after)
    assert Place(1, "changed", "X") in departures(EXERCISE, run(), after)
