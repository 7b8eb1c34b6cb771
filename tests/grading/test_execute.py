"""Cells run one by one in one namespace, and a driver says what came of the student's names."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from course.grading.execute import (
    TimeUp,
    compile_cell,
    drive,
    run_cells,
    time_limit,
    unchanged,
    without_magics,
)
from course.grading.exercise import Exercise
from course.grading.run import Failure, Run
from course.grading.values import pack


def cells(*sources: str, seconds: float = 5.0) -> tuple[dict[str, Any], list[Failure | None]]:
    namespace: dict[str, Any] = {"__name__": "student"}
    return namespace, list(run_cells([("f", s) for s in sources], namespace, seconds))


def driven(source: str, seconds: float = 5.0) -> Run:
    """Drive `student.f(x)` of a cell over two cases."""
    exercise = Exercise(
        "f", 1, lambda rng: {}, lambda student, x: {"y": student.f(x)}, seconds=seconds
    )
    namespace, _ = cells(source)
    return drive(exercise, namespace, [{"x": np.arange(3.0)}, {"x": np.ones((2, 2))}])


def test_a_cell_that_fails_does_not_stop_the_next() -> None:
    namespace, failures = cells("a = 1", "b = a / 0", "c = a + 1")
    assert namespace["c"] == 2
    assert [f and f.type for f in failures] == [None, "ZeroDivisionError", None]


def test_a_failure_names_cell_line_and_text() -> None:
    _, (failure,) = cells("x = 1\n\ny = x / 0")
    assert failure is not None
    assert (failure.cell, failure.line, failure.text) == ("f", 3, "y = x / 0")


def test_a_syntax_error_names_its_line() -> None:
    _, (failure,) = cells("def f(:\n    pass")
    assert failure is not None
    assert (failure.kind, failure.type, failure.line) == ("error", "SyntaxError", 1)


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\nx = 1",
        "!pip install something\nx = 1",
        "%%time\nx = 1",
        "x = 0\nprint?\nx = 1",
        "files = !ls\nx = 1",
        "if True:\n    %time x = 2\nx = 1",
        "get_ipython().run_line_magic('matplotlib', 'inline')\nx = 1",
    ],
)
def test_what_only_ipython_understands_does_no_harm(source: str) -> None:
    from course.grading.worker import Notebook

    namespace: dict[str, Any] = {"get_ipython": Notebook}
    assert list(run_cells([(None, source)], namespace, 5.0)) == [None]
    assert namespace["x"] == 1


def test_a_percent_sign_in_a_text_of_valid_python_stays() -> None:
    source = 's = """\n%d items\n!"""'
    namespace: dict[str, Any] = {}
    exec(compile_cell(source, "<cell>"), namespace)
    assert namespace["s"] == "\n%d items\n!"


def test_a_shell_cell_is_left_out() -> None:
    assert without_magics("%%bash\nrm -rf x") == ""


def test_values_of_every_case_come_back() -> None:
    run = driven("def f(x): return 2 * x")
    assert run.failure is None
    assert run.cases[0].values["y"].tolist() == [0, 2, 4]
    assert run.cases[1].values["y"].shape == (2, 2)
    assert all(not case.changed for case in run.cases)


def test_a_changed_argument_is_noticed_and_the_next_case_gets_a_fresh_one() -> None:
    run = driven("def f(x):\n    x += 1\n    return x.sum()")
    assert run.cases[0].changed["x"].tolist() == [1, 2, 3]
    assert run.cases[1].changed["x"].tolist() == [[2, 2], [2, 2]]


def test_an_argument_is_unchanged_if_no_bit_of_it_is_another() -> None:
    before = pack(np.array([np.nan, 0.0]))
    assert unchanged(np.array([np.nan, 0.0]), before)
    assert not unchanged(np.array([np.nan, -0.0]), before)
    assert not unchanged(np.array([[np.nan, 0.0]]), before)
    assert not unchanged(object(), before)


def test_the_same_array_returned_twice_keeps_its_earlier_values() -> None:
    run = driven("m = [0]\ndef f(x):\n    m[0] = m[0] + x.sum()\n    return m")
    assert [case.values["y"] for case in run.cases] == [[3.0], [7.0]]


def test_an_error_is_located_in_the_students_code_not_in_the_library() -> None:
    run = driven("import numpy as np\ndef f(x):\n    return np.linalg.inv(x)")
    assert run.failure is not None
    assert (run.failure.type, run.failure.function) == ("LinAlgError", "f")
    assert (run.failure.line, run.failure.text) == (3, "return np.linalg.inv(x)")


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def f(x): raise NotImplementedError()", "not done"),
        ("g = 1", "not done"),
        ("def f(x): return undefined", "error"),
        ("def f(x): return object()", "error"),
        ("def f(x): return f(x)", "error"),
        ("def f(x): raise SystemExit(0)", "error"),
        ("def f(x): raise MemoryError", "limit"),
        ("def f(x): return [0] * 10**6", "error"),
    ],
)
def test_every_failure_has_a_kind(source: str, kind: str) -> None:
    run = driven(source)
    assert run.failure is not None
    assert run.failure.kind == kind
    assert run.failure.case == 0


def test_an_exception_that_fails_when_printed_is_still_reported() -> None:
    run = driven(
        "class E(Exception):\n    def __str__(self): raise ValueError\ndef f(x): raise E()"
    )
    assert run.failure is not None
    assert (run.failure.type, run.failure.message) == ("E", "")


def test_an_endless_loop_ends_at_its_limit_even_if_it_catches_exceptions() -> None:
    start = time.process_time()
    for body in (
        "while True: pass",
        "while True:\n        try: x = 1\n        except Exception: pass",
    ):
        run = driven(f"def f(x):\n    {body}", seconds=0.2)
        assert run.failure is not None
        assert (run.failure.kind, run.failure.type) == ("limit", "time")
        assert "0.2 s of CPU time" in run.failure.message
    assert time.process_time() - start < 3


def test_waiting_is_not_counted_as_work() -> None:
    with time_limit(0.1):
        time.sleep(0.3)


def work_for_ever() -> None:
    while True:
        pass


def test_work_is_counted() -> None:
    with pytest.raises(TimeUp), time_limit(0.05):
        work_for_ever()


def test_a_cell_that_hangs_is_ended_and_the_next_one_runs() -> None:
    namespace, failures = cells("while True: pass", "x = 1", seconds=0.1)
    assert failures[0] is not None
    assert failures[0].kind == "limit"
    assert namespace["x"] == 1
