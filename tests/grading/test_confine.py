"""What a worker gives up by itself: the filter of arguments, run by a small interpreter of its rules."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest
from classic_bpf import answer

from course.grading.confine import (
    ALLOW,
    ARCHITECTURES,
    ERRNO,
    NUMBERS,
    REFUSED,
    REQUESTS,
    arguments_filter,
)

MACHINES = sorted(NUMBERS)
NOT_PERMITTED, NO_TERMINAL = ERRNO | errno.EPERM, ERRNO | errno.ENOTTY
FIFREEZE, SETFLAGS, TIOCSTI = 0xC0045877, 0x40086602, 0x5412


def decide(machine: str, call: int | str, *arguments: int, architecture: int | None = None) -> int:
    """What the filter answers to a system call with these arguments."""
    rules = arguments_filter(machine)
    assert rules is not None
    number = NUMBERS[machine][call] if isinstance(call, str) else call
    architecture = ARCHITECTURES[machine] if architecture is None else architecture
    return answer(rules, architecture, number, *arguments)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_worker_sets_its_own_limits_and_nobody_elses(machine: str) -> None:
    assert decide(machine, "prlimit64", 0, 7) == ALLOW
    assert decide(machine, "prlimit64", 1, 7) == NOT_PERMITTED
    assert decide(machine, "prlimit64", 0xFFFFFFFF, 7) == NOT_PERMITTED
    assert decide(machine, "prlimit64", 1 << 32, 7) == ALLOW  # the kernel looks at 32 bits only


@pytest.mark.parametrize("machine", MACHINES)
def test_only_everyday_requests_reach_a_device_or_a_file_system(machine: str) -> None:
    assert {decide(machine, "ioctl", 3, request) for request in REQUESTS.values()} == {ALLOW}
    for request in (FIFREEZE, SETFLAGS, TIOCSTI, 0):
        assert decide(machine, "ioctl", 3, request) == NO_TERMINAL
    # A number in the upper half changes nothing: the kernel cuts it off, as the filter does.
    assert decide(machine, "ioctl", 3, FIFREEZE | 1 << 32) == NO_TERMINAL


@pytest.mark.parametrize("machine", MACHINES)
def test_a_descriptor_sends_no_signals_and_takes_no_leases(machine: str) -> None:
    for command in (8, 10, 15, 1024, 1026):
        assert decide(machine, "fcntl", 3, command) == NOT_PERMITTED
    assert {decide(machine, "fcntl", 3, command) for command in (0, 1, 2, 3, 4, 6, 1030)} == {ALLOW}


@pytest.mark.parametrize("machine", MACHINES)
def test_no_links_are_made(machine: str) -> None:
    assert {decide(machine, number) for number in REFUSED[machine].values()} == {NOT_PERMITTED}


@pytest.mark.parametrize("machine", MACHINES)
def test_other_calls_pass_and_other_architectures_do_not(machine: str) -> None:
    known = {*NUMBERS[machine].values(), *REFUSED[machine].values()}
    everything = set(range(500)) - known
    assert {decide(machine, number) for number in everything} == {ALLOW}
    assert decide(machine, 2, architecture=0x40000003) == NOT_PERMITTED


def test_an_unknown_machine_has_no_filter_rather_than_a_wrong_one() -> None:
    assert arguments_filter("riscv64") is None


@pytest.mark.skipif(sys.platform != "linux", reason="there is no seccomp on this system")
def test_a_confined_process_has_no_capability_and_works_on() -> None:
    program = (
        "from course.grading.confine import confine; confine(); confine()\n"
        "import fcntl, os, resource, socket, sys, threading\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        "left, right = socket.socketpair(); left.settimeout(1); left.send(b'x')\n"
        "thread = threading.Thread(target=print); thread.start(); thread.join()\n"
        "os.isatty(0); os.set_inheritable(left.fileno(), True)\n"
        "try: fcntl.fcntl(left, fcntl.F_SETOWN, 1)\n"
        "except PermissionError: print('refused')\n"
        "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    *_, refused, capabilities = said.stdout.split("\n")[:-1]
    assert refused == "refused"
    assert capabilities.count("0000000000000000") >= 3  # inheritable, permitted, effective
