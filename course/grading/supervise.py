"""Supervising a worker: send it a submission, read what it says, end it when it must be ended.

Trusted side.  A worker that dies or hangs costs the cell or exercise it was at; another is started
for the rest.  Whatever arrives is taken for bytes until `values.unpack` has accepted it.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from course.grading import execute, values
from course.grading.exercise import ExerciseSet
from course.grading.results import Cell
from course.grading.run import Failure, Run, failure_of
from course.grading.runtime import runtime
from course.grading.sandbox import ProcessLimits, Sandbox, Worker

# All but WALL are seconds that no other process can use up: a loaded machine fails no honest work.
IDLE = 3.0  # that a worker may wait, neither working nor ready to; honest work waits for nothing
START = 2.0  # of work that starting may take
TOTAL = 60.0  # of work for a whole submission, beyond those of its exercises
WAITING = 30.0  # of waiting in a whole submission
OVER = 4.0  # of work beyond a limit, for a worker that ignores what tells it of the limit
WALL = 100.0  # backstop: seconds on the clock for each second of work
ENDING = 5.0  # on the clock, for a worker that has closed its output to end by itself
ENDS = 20  # workers that one submission may wear out
WATCH = 0.2  # seconds between two looks at a worker
OUTPUT = values.HEADER.size + values.RESULT.tree + values.RESULT.arrays

T = TypeVar("T")


@dataclass
class Ran:
    """What came of a submission: a run for each exercise, a failure for each cell that failed."""

    runs: dict[str, Run] = field(default_factory=dict)
    cells: dict[int, Failure] = field(default_factory=dict)


def run_submission(
    cells: Sequence[Cell],
    exercises: ExerciseSet,
    inputs: Mapping[str, Any],
    sandbox: Sandbox,
    limits: ProcessLimits | None = None,
) -> Ran:
    """Run a submission's cells and drive every exercise in `inputs`.

    inputs : by exercise, a list with the inputs of each case, or that list as `values.Packed`.
    Never raises for what the cells do.
    """
    limits = limits or ProcessLimits()
    files = runtime(exercises.imports)
    ran = Ran()
    budget = Budget(TOTAL + sum(exercises[name].seconds for name in inputs))
    skip: set[int] = set()
    ends = 0
    while set(ran.runs) != set(inputs):
        left = {name: inputs[name] for name in inputs if name not in ran.runs}
        request = {
            "cells": [[c.grade_id, c.source] for c in cells],
            "skip": sorted(skip),
            "exercises": exercises.source,
            "inputs": left,
            "limits": limits.kernel(),
            "cell_seconds": limits.cell_seconds,
        }
        worker = sandbox.start(files, limits)
        session = Session(worker, budget, limits)
        ended: str | None = None
        patience = 0.0
        try:
            session.run(values.pieces(request, values.REQUEST), ran, exercises, left, len(cells))
            patience = 0.0 if session.done else ENDING
        except Stopped as stopped:
            ended = str(stopped)
        finally:
            code = worker.end(patience)
        if set(left) <= set(ran.runs):
            break
        at = session.at
        ends += 1
        if budget.spent() or ends == ENDS:
            failure = Failure("limit", "time", "the time for the whole notebook")
            ran.runs |= {name: Run(failure=failure) for name in left if name not in ran.runs}
        elif isinstance(at, int) and at < len(cells) and at not in skip:
            skip.add(at)
            cpu = execute.limit_text(limits.cell_seconds)
            ran.cells[at] = ending(code, ended, cpu, limits, cells[at].grade_id)
        else:
            name = at if isinstance(at, str) and at in left and at not in ran.runs else None
            name = name or next(n for n in left if n not in ran.runs)
            cpu = execute.limit_text(exercises[name].seconds)
            ran.runs[name] = Run(failure=ending(code, ended, cpu, limits, None))
    return ran


def ending(
    code: int, ended: str | None, cpu: str, limits: ProcessLimits, cell: str | None
) -> Failure:
    """Why a worker stopped before it had said everything."""
    memory = f"{limits.memory / 2**30:g} GB of memory"
    if ended is not None:
        kind, _, message = ended.partition(": ")
        return Failure("limit", kind, message, cell=cell)
    if code == -getattr(signal, "SIGXCPU", 0) != 0:
        return Failure("limit", "time", cpu, cell=cell)
    if code == -getattr(signal, "SIGKILL", 9):
        return Failure("limit", "memory or processes", f"{memory}, or it ended itself", cell=cell)
    if code < 0:
        return Failure("error", "crash", f"the Python process crashed (signal {-code})", cell=cell)
    return Failure("error", "exit", "the code ended the Python process", cell=cell)


class Stopped(Exception):
    """The worker has to be ended; 'limit: what it was'."""


def accept(read: Callable[[Any], T], plain: Any) -> T:
    """Read what a worker sent, or stop it."""
    try:
        return read(plain)
    except ValueError as error:
        raise Stopped(f"output: {error}") from None


def send(descriptor: int, request: Sequence[bytes]) -> None:
    """Write the request and close the pipe; a worker that has ended need not hear it all."""
    with contextlib.suppress(OSError), open(descriptor, "wb", 0) as pipe:
        for piece in request:
            left = memoryview(piece)
            while left:
                left = left[pipe.write(left) or 0 :]


def receive(descriptor: int, chunks: queue.Queue[bytes], over: threading.Event) -> None:
    """Hand on what the worker writes; b'' at the end.  No more than anyone would look at."""
    left = 5 * OUTPUT
    with contextlib.suppress(OSError), open(descriptor, "rb", 0) as pipe:
        while left > 0 and not over.is_set() and (data := pipe.read(1 << 16)):
            left -= len(data)
            hand_on(data, chunks, over)
    hand_on(b"", chunks, over)


def hand_on(data: bytes, chunks: queue.Queue[bytes], over: threading.Event) -> None:
    """Put data into a queue, unless nobody takes anything from it any more."""
    while not over.is_set():
        with contextlib.suppress(queue.Full):
            chunks.put(data, timeout=WATCH)
            return


def usage(pid: int) -> tuple[float, float] | None:
    """How long a process and its descendants have worked, and have waited for a processor.

    Seconds; None if unknown.  What a task that has ended waited is forgotten, what it worked is not.
    """
    worked = waited = 0.0
    known = False
    pending = [pid]
    while pending:
        one = pending.pop()
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{one}/stat", encoding="utf-8", errors="replace") as fields:
                times = fields.read().rpartition(")")[2].split()[11:13]
            worked += sum(int(ticks) for ticks in times) / os.sysconf("SC_CLK_TCK")
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children", encoding="ascii") as children:
                    pending += [int(child) for child in children.read().split()]
            waited += delay(one)
            known = True
    return (worked, waited) if known else None


def delay(pid: int) -> float:
    """How many seconds the tasks of a process have waited for a processor; 0 if unknown."""
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as counts:
                total += int(counts.read().split()[1])
    return total / 1e9


@dataclass
class Budget:
    """What a whole submission has left, over all the workers that it wears out."""

    work: float
    waiting: float = WAITING

    def __post_init__(self) -> None:
        self.until = time.monotonic() + WALL * self.work

    def spent(self) -> bool:
        """Whether there is nothing left."""
        return self.work < 0 or self.waiting < 0 or time.monotonic() > self.until


class Session:
    """One worker's conversation.  `at` is the cell (number) or exercise (name) it is at."""

    def __init__(self, worker: Worker, budget: Budget, limits: ProcessLimits) -> None:
        self.worker = worker
        self.budget = budget
        self.limits = limits
        self.at: int | str | None = None
        self.begun: set[int | str | None] = set()
        self.until = self.seconds = self.most = 0.0
        self.idle = self.worked = self.waited = 0.0
        self.delayed = delay(os.getpid())
        self.looked = time.monotonic()
        self.done = False

    def allow(self, at: int | str | None, seconds: float) -> None:
        """From now on the worker is at something that it may take so many seconds of work for."""
        if at is not None and at in self.begun:
            raise Stopped("output: the same thing begun twice")
        self.begun.add(at)
        self.at = at
        self.until = time.monotonic() + WALL * seconds
        self.seconds, self.most = seconds, self.worked + seconds + OVER
        self.idle = 0.0

    def look(self) -> None:
        """Stop a worker that waits instead of working, is overdue, or fills the disk."""
        now = time.monotonic()
        if now - self.looked < WATCH:
            return
        elapsed, self.looked = now - self.looked, now
        worked, waited = usage(self.worker.pid) or (self.worked, self.waited + elapsed)
        work, wait = max(0.0, worked - self.worked), max(0.0, waited - self.waited)
        self.worked, self.waited = worked, waited
        # sandlock answers a worker's system calls from this process: what delays it delays them.
        delayed = delay(os.getpid())
        ours, self.delayed = max(0.0, delayed - self.delayed), delayed
        # Waiting for a processor is seen when it is over, which makes up for what looked idle.
        idle = elapsed - work - wait - ours
        self.idle = max(0.0, self.idle + idle)
        self.budget.work -= work
        self.budget.waiting = min(WAITING, self.budget.waiting - idle)
        if self.idle > IDLE:
            raise Stopped(f"time: {IDLE:g} s of waiting")
        if self.worked > self.most:
            raise Stopped(f"time: {execute.limit_text(self.seconds)}")
        if now > self.until or self.budget.spent():
            raise Stopped("time: the clock, waiting included")
        if self.worker.written() > self.limits.scratch:
            raise Stopped(f"disk: {self.limits.scratch >> 20} MB of files")

    def run(
        self,
        request: Sequence[bytes],
        ran: Ran,
        exercises: ExerciseSet,
        wanted: Mapping[str, Any],
        n_cells: int,
    ) -> None:
        """Read messages into `ran` until the worker is done, ends, or has to be stopped."""
        self.allow(None, START)
        for message in self.messages(request):
            match message:
                case {"begin": int(number)} if 0 <= number < n_cells:
                    self.allow(number, self.limits.cell_seconds)
                case {"begin": str(name)} if name in wanted:
                    self.allow(name, exercises[name].seconds)
                case {"cell": int(number), "failure": failure} if 0 <= number < n_cells:
                    ran.cells[number] = accept(failure_of, failure)
                case {"exercise": str(name), "run": run} if name in wanted:
                    ran.runs.setdefault(name, accept(Run.of, run))
                case {"done": True}:
                    self.done = True
                    return
                case _:
                    raise Stopped("output: messages that mean nothing")

    def messages(self, request: Sequence[bytes]) -> Iterator[Any]:
        """Send the request, yield each message; end at the end of the worker's output."""
        chunks: queue.Queue[bytes] = queue.Queue(16)
        over = threading.Event()
        # Descriptors of their own, which each closes itself: a number that was closed here could
        # be the next worker's by the time that a thread reads from it.
        pipes = os.dup(self.worker.stdin.fileno()), os.dup(self.worker.stdout.fileno())
        self.worker.stdin.close()
        for target, arguments in ((send, (pipes[0], request)), (receive, (pipes[1], chunks, over))):
            threading.Thread(target=target, args=arguments, daemon=True).start()
        try:
            yield from self.taken(chunks)
        finally:
            over.set()

    def taken(self, chunks: queue.Queue[bytes]) -> Iterator[Any]:
        """The messages in what the worker wrote, until it ends or has to be stopped."""
        received = bytearray()
        total = 0
        while True:
            try:
                data = chunks.get(timeout=WATCH)
            except queue.Empty:
                data = None
            self.look()
            if data is None:
                continue
            if not data:
                return
            total += len(data)
            if total > 4 * OUTPUT:
                raise Stopped("output: more than fits the result of an assignment")
            received += data
            while len(received) >= 4:
                size = int.from_bytes(received[:4], "little")
                if size > OUTPUT:
                    raise Stopped("output: more than fits a result")
                if len(received) < 4 + size:
                    break
                frame = bytes(received[4 : 4 + size])
                del received[: 4 + size]
                try:
                    message = values.unpack(frame)
                except values.NotPlain as error:
                    raise Stopped(f"output: {error}") from None
                yield message
