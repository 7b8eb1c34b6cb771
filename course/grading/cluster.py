"""A class graded on a Dask cluster: `course grade NAME --scheduler ADDRESS`.

The workers are trusted as this machine is: they read the solutions and write to the gradebook.
Students' code runs in each worker's own sandbox.  What every worker needs is looked at before
anything is graded, and by each worker again before its first submission: the same course, Python
and NumPy, the course's folder at the same path, a sandbox.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import secrets
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from course.grading.results import GradingRefused

T = TypeVar("T")

PATIENCE = 10.0  # seconds for a scheduler to answer, and for a first worker to be there
ALL_GONE = 60.0  # seconds without any worker after which a batch stops
INSTALL = "pip install 'course[cluster]'"
PARTS = {"course": "course", "python": "Python", "numpy": "NumPy"}

_one_at_a_time = threading.Lock()  # nbgrader changes the working directory: never two threads


class Cluster(Executor):
    """The workers of a Dask scheduler as an executor.  A task whose worker dies runs elsewhere.

    client : a `distributed.Client`; expected : what a worker must have, see `expectation`.
    """

    in_flight = 1000

    def __init__(self, client: Any, expected: Mapping[str, Any]) -> None:
        self.client, self.expected = client, expected
        self.executor = client.get_executor(pure=False)
        self.last_seen = time.monotonic()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        self.still_there()
        return self.executor.submit(on_worker, self.expected, fn, args, kwargs)

    def still_there(self) -> None:
        """Raise GradingRefused if the scheduler is gone."""
        if self.client.status != "running":
            raise GradingRefused(
                "The connection to the Dask scheduler was lost. Run the same command again when it"
                " is there: what was graded is kept, and only what is missing is run."
            )

    def check(self) -> None:
        """Raise GradingRefused if no worker has been there for a while."""
        self.still_there()
        if workers(self.client):
            self.last_seen = time.monotonic()
        elif time.monotonic() - self.last_seen > ALL_GONE:
            raise GradingRefused(
                "No worker of the Dask cluster is left. Start some and run the same command again:"
                " what was graded is kept, and only what is missing is run."
            )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.executor.shutdown(wait=False)


@contextlib.contextmanager
def cluster(
    address: str,
    course_root: Path | str,
    sandbox: str = "auto",
    say: Callable[[str], None] = print,
) -> Iterator[Cluster]:
    """The workers at a scheduler's address, each looked at.

    address : such as 'tcp://10.0.0.5:8786'; 'tls://…' with the certificates of Dask's configuration.
    say : told what is worth knowing, a sentence at a time.
    Raises GradingRefused, naming what is missing and where.
    """
    if find_spec("distributed") is None:
        raise GradingRefused(f"Dask is not installed: run  {INSTALL}  here and on the workers.")
    with connected(address) as client, token(Path(course_root)) as (file, content):
        expected = expectation(course_root, sandbox, file, content)
        there = wait_for_workers(client, address)
        refused = unfit_workers(client, expected)
        if refused:
            few = "; ".join(f"{worker}: {reason}" for worker, reason in list(refused.items())[:5])
            raise GradingRefused(f"{len(refused)} of {len(there)} Dask workers cannot grade. {few}")
        for remark in remarks(there, course_root):
            say(remark)
        with Cluster(client, expected) as executor:
            yield executor


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
    """A client of the scheduler at an address."""
    from distributed import Client
    from distributed.comm.addressing import parse_address, parse_host_port
    from distributed.comm.registry import get_backend

    try:
        kind, place = parse_address(address)
        get_backend(kind)
        parse_host_port(place)
    except ValueError as error:
        raise GradingRefused(
            f"{address!r} is no address of a Dask scheduler such as tcp://10.0.0.5:8786: {error}"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of differing versions: ours says more
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError):
            raise GradingRefused(
                f"No Dask scheduler answers at {address}. Start one (dask scheduler), and look"
                " whether the address is right and no firewall is between."
            ) from None
    try:
        yield client
    finally:
        client.close(timeout=2)


def workers(client: Any) -> dict[str, dict[str, Any]]:
    """The scheduler's workers by address."""
    try:
        return dict(client.scheduler_info(n_workers=-1)["workers"])
    except TypeError:  # before 2025 all were listed
        return dict(client.scheduler_info()["workers"])


def wait_for_workers(client: Any, address: str) -> dict[str, dict[str, Any]]:
    """The workers, as soon as there is one."""
    until = time.monotonic() + PATIENCE
    while not (there := workers(client)):
        if time.monotonic() > until:
            raise GradingRefused(
                f"The Dask scheduler at {address} has no worker. Start some, for example"
                f"  dask worker {address} --nworkers auto --nthreads 1"
            )
        time.sleep(0.2)
    return there


@contextlib.contextmanager
def token(course_root: Path) -> Iterator[tuple[str, str]]:
    """A file in `.grading/` that a worker finds only if it sees this very folder."""
    folder = course_root.resolve() / ".grading"
    folder.mkdir(mode=0o700, exist_ok=True)
    file, content = folder / f"seen-{secrets.token_hex(8)}", secrets.token_hex(16)
    file.write_text(content, encoding="ascii")
    try:
        yield str(file), content
    finally:
        file.unlink(missing_ok=True)


def expectation(course_root: Path | str, sandbox: str, file: str, content: str) -> dict[str, Any]:
    """What a worker must have: versions, the course's folder, a sandbox."""
    root = str(Path(course_root).resolve())
    return {"root": root, "sandbox": sandbox, "token": (file, content), **versions()}


def versions() -> dict[str, str]:
    """What results depend on."""
    import numpy as np

    from course import __version__
    from course.grading.kept import code_digest

    return {
        "course": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "code": code_digest(()),
    }


def unfit(expected: Mapping[str, Any]) -> str | None:
    """Why this process cannot grade; None if it can."""
    from course.grading.sandbox import SandboxUnavailable, find

    ours = versions()
    for key, name in PARTS.items():
        if ours[key] != expected[key]:
            return (
                f"{name} {ours[key]} is installed there, {expected[key]} here;"
                " install the same (constraints.txt)."
            )
    if ours["code"] != expected["code"]:
        return "its files of the course differ from those here; install the same."
    file, content = expected["token"]
    try:
        seen = Path(file).read_text(encoding="ascii")
    except OSError as error:
        seen = f"({error.strerror})"
    if seen != content:
        return (
            f"the course's folder {expected['root']} is not what it sees under that path; share the"
            " folder, at the same path, to an account that may write to it."
        )
    if not os.access(expected["root"], os.W_OK):
        return f"it may not write to {expected['root']}."
    if find_spec("nbgrader") is None:
        return f"nbgrader is not installed there: {INSTALL}."
    try:
        find(expected["sandbox"])
    except SandboxUnavailable as error:
        return str(error)
    return None


def unfit_workers(client: Any, expected: Mapping[str, Any]) -> dict[str, str]:
    """The workers that cannot grade, and why."""
    refused = {}
    for worker, answer in client.run(unfit, expected, on_error="return").items():
        if isinstance(answer, BaseException):
            answer = f"{type(answer).__name__}: {' '.join(str(answer).split())}"
            if missing := re.search(r"No module named \W*(\w+)", answer):
                answer = f"{missing[1]} is not installed there: {INSTALL}."
        if answer is not None:
            refused[worker] = answer
    return refused


def remarks(there: Mapping[str, Mapping[str, Any]], course_root: Path | str) -> Iterator[str]:
    """What is worth knowing about these workers."""
    from course.grading.gradebook import course_directory

    wide = [worker for worker, about in there.items() if about.get("nthreads", 1) > 1]
    if wide:
        yield (
            f"{len(wide)} of {len(there)} workers have several threads, of which one grades at a"
            " time: start them with  --nworkers auto --nthreads 1"
        )
    elsewhere = {str(about.get("host")) for about in there.values()} - local_addresses()
    coursedir, _ = course_directory(course_root)
    if elsewhere and coursedir.db_url.startswith("sqlite:"):
        yield (
            "The gradebook is an SQLite file, whose locks fail on many network file systems: with"
            " workers on other machines use PostgreSQL (docs/grading.md)."
        )


def local_addresses() -> set[str]:
    """The addresses of this machine, as far as it knows them."""
    known = {"127.0.0.1", "localhost", "::1", socket.gethostname()}
    with contextlib.suppress(OSError):
        known.update(str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None))
    return known


def on_worker(
    expected: Mapping[str, Any],
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> T:
    """Run a task on a worker that can grade; one that joined later is looked at here."""
    with _one_at_a_time:
        if reason := fit_or_why_not(tuple(sorted(expected.items()))):
            raise GradingRefused(f"A Dask worker on {socket.gethostname()} cannot grade: {reason}")
        return fn(*args, **kwargs)


@functools.lru_cache(4)
def fit_or_why_not(expected: tuple[tuple[str, Any], ...]) -> str | None:
    """`unfit`, once for each batch."""
    return unfit(dict(expected))
