"""One task for each submission, over processes that may die.

`each` takes any `concurrent.futures` executor whose tasks run in processes: `Processes` on this
machine, or a Dask cluster (`cluster.py`).  A process that is killed, by the kernel when memory is
short or by hand, costs its task one more try and nobody else anything.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import Any, TypeVar

from course.grading.results import GradingRefused

T = TypeVar("T")

TRIES = 2  # with others beside it; then alone
LOOK = 10.0  # seconds without a result after which an executor is asked whether it is well
MANY = 1000  # tasks handed to an executor that does not say how many it wants
DIED = "The process that graded it died each time."
GONE = (
    "The processes that grade are gone. Start them and run the same command again: what was graded"
    " is kept, and only what is missing is run."
)


class Processes(Executor):
    """Processes on this machine, and new ones where they died.

    jobs : how many; None for one on each core that this process may use.

    They are copies of a process that has imported what grading needs and does nothing else, so that
    they start at once and share its memory; a copy of this process, which may have threads such as
    a progress bar's, could stand still for ever.
    """

    def __init__(self, jobs: int | None = None) -> None:
        # As many tasks as processes: when they break, the tasks under way are the suspects.
        self.in_flight = jobs or cores()
        self.renew()

    def renew(self) -> None:
        """Start anew; for a pool that broke."""
        self._pool = ProcessPoolExecutor(self.in_flight, context(), leave_with_parent)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def context() -> Any:
    """How processes are started here."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["course.grading.gradebook"])
    return server


def leave_with_parent() -> None:
    """End this process when the one that started the pool is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch(sentinel: int) -> None:
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=[parent.sentinel], daemon=True).start()


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(
    executor: Executor,
    task: Callable[[str], T],
    items: Sequence[str],
    give_up: Callable[[str, str], T],
) -> Iterator[tuple[str, T]]:
    """`task(item)` for every item, in the order in which they come, each exactly once.

    give_up : called here with an item and a reason when the process of its task died each time.

    An item whose process died twice, or that failed in any other way, is tried once more at the
    end, in a process in which nothing else runs.  Raises GradingRefused if a task does, if no
    process stays alive, or if the executor is gone.
    """
    waiting, alone = deque(items), dict[str, str]()
    running: dict[Future[T], str] = {}
    deaths: Counter[str] = Counter()
    breaks = 0  # since the last result
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [future.cancel() for future in running])
        while waiting or running:
            whole = fill(executor, task, waiting, running)
            done = wait(running, patience(executor), FIRST_COMPLETED).done
            if not whole or any(isinstance(error_of(future), BrokenExecutor) for future in done):
                done = wait(running).done  # they are all gone
                breaks += 1
                if breaks > TRIES:
                    with Processes(1) as process:
                        stays_alive(process, task)
                executor = renewed(executor, stack)
            elif not done:
                executor.check()  # type: ignore[attr-defined]
            for future in done:
                item, error = running.pop(future), error_of(future)
                if error is None:
                    breaks = 0
                    yield item, future.result()
                elif isinstance(error, BrokenExecutor):
                    deaths[item] += 1
                    if deaths[item] < TRIES:
                        waiting.appendleft(item)
                    else:
                        alone[item] = DIED
                elif isinstance(error, GradingRefused):
                    raise error
                elif isinstance(error, CancelledError):
                    raise GradingRefused(GONE)
                else:
                    alone[item] = said(error)
    for item, reason in alone.items():
        yield item, by_itself(task, item, reason, give_up)


def patience(executor: Executor) -> float | None:
    """How long to wait for a result before asking the executor whether it is well."""
    return LOOK if hasattr(executor, "check") else None


def error_of(future: Future[Any]) -> BaseException | None:
    """What a finished task raised, or that it was cancelled."""
    return CancelledError() if future.cancelled() else future.exception()


def said(error: BaseException) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def fill(
    executor: Executor,
    task: Callable[[str], T],
    waiting: deque[str],
    running: dict[Future[T], str],
) -> bool:
    """Hand over as many items as the executor wants; False if it is broken."""
    while waiting and len(running) < getattr(executor, "in_flight", MANY):
        try:
            running[executor.submit(task, waiting[0])] = waiting[0]
        except BrokenExecutor:
            return False
        waiting.popleft()
    return True


def renewed(executor: Executor, stack: contextlib.ExitStack) -> Executor:
    """The executor with living processes; our own in place of one that cannot be mended."""
    if isinstance(executor, Processes):
        executor.renew()
        return executor
    return stack.enter_context(Processes())


def by_itself(
    task: Callable[[str], T], item: str, reason: str, give_up: Callable[[str, str], T]
) -> T:
    """One more try, with nothing else under way."""
    with Processes(1) as process:
        stays_alive(process, task)
        try:
            return process.submit(task, item).result()
        except BrokenExecutor:
            reason = f"{DIED} {reason}" if reason != DIED else DIED
        except GradingRefused:
            raise
        except Exception as error:
            reason = said(error)
    return give_up(item, reason)


def stays_alive(process: Executor, task: Callable[[str], Any]) -> None:
    """Raise GradingRefused if a process dies before it has any item."""
    try:
        process.submit(loaded, task).result()
    except BrokenExecutor:
        raise GradingRefused(
            "No process that grades stays alive on this machine: look whether memory is short."
            " Then run the same command again: what was graded is kept."
        ) from None


def loaded(task: Callable[[str], Any]) -> None:
    """Nothing; that it returns shows that a process starts and imports what the task needs."""
