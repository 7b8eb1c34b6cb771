"""Running a notebook's cells in one namespace, and driving an exercise on the names they leave.

The same code runs in the sandboxed worker and in a notebook at home, so that what passes at home
passes when it is graded.  Nothing here knows an answer.
"""

from __future__ import annotations

import contextlib
import linecache
import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any

from course.grading.exercise import Exercise
from course.grading.run import Case, Failure, Run, clean
from course.grading.values import REQUEST, NotPlain, copy, pack, unpack

INSIST = 0.5  # seconds after which a swallowed TimeUp is raised again


class TimeUp(BaseException):
    """The CPU time is used up.  Not an Exception, so that `except Exception` does not keep it."""


class NotDefined(AttributeError):
    """The student has not defined a name that a driver uses."""


class Student:
    """The student's names as attributes: what a driver gets as `student`."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.__dict__["_namespace"] = namespace

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_namespace"][name]
        except KeyError:
            error = NotDefined(f"{name} is not defined")
            error.name = name
            raise error from None


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in the block when this process has used so much CPU time in it.

    Counts CPU time, not wall time: a busy machine fails no honest work.  Where the system has no
    such timer (Windows, or a thread that is not the main one) the block is not interrupted, and
    `TimeUp` is raised after it.
    """
    start = time.process_time()
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        if time.process_time() - start > seconds:
            raise TimeUp
        return

    def up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGPROF, up)
    try:
        signal.setitimer(signal.ITIMER_PROF, seconds, INSIST)
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run_cells(
    cells: Sequence[tuple[str | None, str]],
    namespace: dict[str, Any],
    seconds: float,
) -> Iterator[Failure | None]:
    """Run cells one after the other; for each, yield its failure or None.

    cells : (grade_id or None, source).  A cell that fails does not stop those after it.
    seconds : CPU time for each cell.
    """
    for number, (grade_id, source) in enumerate(cells):
        filename = f"<cell {grade_id or number + 1}>"
        try:
            with time_limit(seconds):
                exec(compile_cell(source, filename), namespace)
        except TimeUp:
            yield Failure("limit", "time", limit_text(seconds), cell=grade_id)
        except BaseException as error:
            yield describe(error, namespace, grade_id)
        else:
            yield None


def compile_cell(source: str, filename: str) -> Any:
    """Code of a cell; IPython's magics and shell lines, which are not Python, are left out."""
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    try:
        return compile(source, filename, "exec", dont_inherit=True)
    except SyntaxError:
        plain = without_magics(source)
        if plain == source:
            raise
        return compile(plain, filename, "exec", dont_inherit=True)


def without_magics(source: str) -> str:
    """The source with IPython's own lines replaced by lines that do nothing.

    >>> print(without_magics("%matplotlib inline\\nfiles = !ls\\nx = 1"))
    pass
    files = None
    x = 1
    """
    magic = re.match(r"\s*%%(\w+)[^\n]*\n?", source)
    if magic:
        timed = magic[1] in ("time", "timeit", "capture", "prun")
        return "\n" + source[magic.end() :] if timed else ""
    lines = []
    for line in source.split("\n"):
        line = re.sub(r"^(\s*)([%!?].*|[\w.]+\?{1,2}\s*)$", r"\1pass", line)
        lines.append(re.sub(r"^(\s*[\w., ]+=\s*)[%!].*$", r"\1None", line))
    return "\n".join(lines)


def drive(
    exercise: Exercise, namespace: Mapping[str, Any], inputs: Sequence[dict[str, Any]]
) -> Run:
    """Run an exercise's driver on the names of a namespace, for each of the inputs.

    Never raises for what the student's code does, except KeyboardInterrupt.
    """
    cases: list[Case] = []
    try:
        with time_limit(exercise.seconds):
            for given in inputs:
                before = {name: pack(value, REQUEST) for name, value in given.items()}
                arguments = {name: unpack(data, REQUEST) for name, data in before.items()}
                values = exercise.drive(Student(namespace), **arguments)
                if not isinstance(values, dict):
                    raise NotPlain("the driver returned no dict")
                changed = {k: v for k, v in arguments.items() if not unchanged(v, before[k])}
                cases.append(Case(copy(values), copy(changed)))
    except TimeUp:
        return Run(failure=Failure("limit", "time", limit_text(exercise.seconds), case=len(cases)))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        failure = describe(error, namespace, None)
        return Run(failure=Failure(**(vars(failure) | {"case": len(cases)})))
    return Run(tuple(cases))


def unchanged(now: Any, before: bytes) -> bool:
    """Whether an argument is still what it was, to the last bit."""
    try:
        return pack(now, REQUEST) == before
    except NotPlain:
        return False


def limit_text(seconds: float) -> str:
    """How the time limit is named."""
    return f"{seconds:g} s of CPU time"


def describe(error: BaseException, namespace: Mapping[str, Any], cell: str | None) -> Failure:
    """What happened, and where in the student's own code.

    cell : grade_id of the cell that was being run, if one was.
    """
    function, line, text = None, None, None
    if isinstance(error, SyntaxError):
        line, text = error.lineno, error.text
    for frame, number in _frames(error.__traceback__):
        if frame.f_globals is not namespace:
            continue
        filename, function, line = frame.f_code.co_filename, frame.f_code.co_name, number
        text = linecache.getline(filename, number)
        named = re.fullmatch(r"<cell (.+)>", filename)
        if named:
            cell = named[1]
    if isinstance(error, MemoryError):
        kind = "limit"
    elif isinstance(error, NotImplementedError | NotDefined):
        kind = "not done"
    else:
        kind = "error"
    return Failure(
        kind,
        clean(type(error).__name__, 80),
        _message(error),
        cell=cell and clean(cell, 80),
        function=None if function in (None, "<module>") else clean(function, 80),
        line=line,
        text=clean(text, 120) if text else None,
        missing=clean(error.name, 80) if isinstance(error, NotDefined) else None,
    )


def _frames(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _message(error: BaseException) -> str:
    """The exception's text, whatever its class does when asked for it."""
    try:
        return clean(error.msg if isinstance(error, SyntaxError) else str(error))
    except Exception:
        return ""
