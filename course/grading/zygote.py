"""The zygote: a Python that has imported NumPy, waits in a container, and forks a worker on demand.

Starting Python and importing NumPy takes twenty times as long as forking.  The zygote runs trusted
code only and knows no secret: no input, no answer, no submission.  For each submission it forks

    zygote ─ watch ─ init ─ worker

the watch makes new namespaces, waits, and tells the grader how the worker ended; init is the first
process of the new process namespace, so that all the others end with it; only the worker, when it
has given everything up, reads the request and runs student code.  Nothing in the zygote or the watch
reads anything that a student's process wrote: they have the grader's orders and wait statuses.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
from collections.abc import Iterable
from typing import NoReturn

import numpy.random

from course.grading import namespaces, worker
from course.grading.seccomp import worker_filter

READY = b"ready"
OURS = 3  # processes beside the worker that a worker without a zygote does not have


def main(orders: int, scratch: str, imports: Iterable[str]) -> None:
    """Fork workers until the grader has closed its end.

    orders : descriptor of a socket; each message is the size of a scratch space in bytes, with
        three descriptors: where to say how the worker is, its input, its output.
    scratch : the folder that each worker gets empty.
    imports : modules to import now.
    """
    for name in ("resource", *imports):  # the worker uses the first one
        with contextlib.suppress(Exception):  # student code gets the error when it imports it
            importlib.import_module(name)
    namespaces.stay_private()
    grader = socket.socket(fileno=orders)
    os.closerange(3, orders)
    os.closerange(orders + 1, 1 << 16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the watches
    gc.collect()
    gc.freeze()
    grader.send(READY)
    while True:
        size, descriptors, _, _ = socket.recv_fds(grader, 64, 3)
        if not size:
            return
        if os.fork() == 0:
            grader.close()
            try:
                watch(int(size), scratch, *descriptors)
            finally:
                os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def watch(size: int, scratch: str, report: int, requests: int, answers: int) -> None:
    """Start a worker, tell the grader that it is ready or why not, then how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    grader = socket.socket(fileno=report)
    setting_up, is_set_up = os.pipe()
    try:
        namespaces.new_namespaces()
        child = os.fork()
        if child == 0:
            grader.close()
            os.close(setting_up)
            init(size, scratch, is_set_up, requests, answers)
        alive = os.pidfd_open(child)
    except OSError as error:
        grader.send(str(error).encode())
        return
    for descriptor in (is_set_up, requests, answers):
        os.close(descriptor)
    said = os.read(setting_up, 200)  # written before, and closed when, student code is read
    grader.send(said or b"the worker ended before it began")
    waiting = select.poll()
    waiting.register(grader, select.POLLIN)
    waiting.register(alive, select.POLLIN)
    if any(descriptor == report for descriptor, _ in waiting.poll()):
        os.kill(child, signal.SIGKILL)  # the grader has closed its end, or is gone
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(OSError):
        grader.send(str(exit_code(status)).encode())


def init(size: int, scratch: str, is_set_up: int, requests: int, answers: int) -> NoReturn:
    """Be process 1: make the worker's surroundings, fork it, end as it ends."""
    try:
        os.setsid()
        namespaces.fresh_scratch(scratch, size)
        namespaces.drop_capabilities()
        namespaces.die_with_parent()
        child = os.fork()
        if child == 0:
            become_worker(is_set_up, requests, answers)
    except BaseException as error:
        os.write(is_set_up, str(error).encode()[:200])
        os._exit(1)
    os.closerange(0, 1 << 16)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):  # some belong to the C library
            signal.signal(number, signal.SIG_DFL)  # process 1 does not notice such signals
    while True:
        ended, status = os.wait()
        if ended == child:
            os._exit(exit_code(status))


def become_worker(is_set_up: int, requests: int, answers: int) -> NoReturn:
    """Keep two pipes and nothing else, lock the door, serve one request."""
    namespaces.die_with_parent()
    is_set_up = os.dup2(is_set_up, 200)
    os.dup2(requests, 0)
    os.dup2(answers, 1)
    os.closerange(3, is_set_up)
    os.closerange(is_set_up + 1, 1 << 16)
    # Not the same numbers in each worker; `random` sees to that by itself.
    numpy.random.seed()  # noqa: NPY002
    rules = worker_filter()
    if rules is not None:
        namespaces.filter_system_calls(rules)
    os.write(is_set_up, READY)
    os.close(is_set_up)
    try:
        worker.main(others=OURS)
    finally:
        os._exit(1)


def exit_code(status: int) -> int:
    """An exit code for a wait status; 128 and the number for a signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
