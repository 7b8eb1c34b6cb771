"""The seccomp filter, run by a small interpreter of the kernel's rules: what it lets through."""

from __future__ import annotations

import errno

import pytest
from classic_bpf import answer

from course.grading.seccomp import ALLOW, ARCHITECTURES, ERRNO, KILL, worker_filter

THREAD, PROCESS = 0x3D0F00, 0x1200011  # flags that the C library gives to clone


def decide(machine: str, number: int, argument: int = 0, architecture: int | None = None) -> int:
    """What the filter answers to a system call with this first argument."""
    rules = worker_filter(machine)
    assert rules is not None
    architecture = ARCHITECTURES[machine] if architecture is None else architecture
    return answer(rules, architecture, number, argument)


def test_everyday_calls_pass() -> None:
    for machine, numbers in {"x86_64": [0, 1, 9, 202, 257], "aarch64": [63, 64, 222, 98]}.items():
        assert {decide(machine, number) for number in numbers} == {ALLOW}


@pytest.mark.parametrize(("machine", "clone"), [("x86_64", 56), ("aarch64", 220)])
def test_threads_pass_and_processes_do_not(machine: str, clone: int) -> None:
    assert decide(machine, clone, THREAD) == ALLOW
    assert decide(machine, clone, PROCESS) == ERRNO | errno.EAGAIN
    assert decide(machine, 435) == ERRNO | errno.ENOSYS


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [("x86_64", [57, 58, 101, 165, 272, 308, 321, 425]), ("aarch64", [117, 40, 97, 268, 280, 425])],
)
def test_the_kernels_doors_are_shut(machine: str, numbers: list[int]) -> None:
    assert {decide(machine, number) for number in numbers} == {ERRNO | errno.EPERM}


def test_calls_under_another_architectures_numbers_do_not_slip_through() -> None:
    assert decide("x86_64", 2, architecture=0x40000003) == KILL  # fork of 32-bit x86
    assert decide("x86_64", 0x40000000 + 57) == ERRNO | errno.EPERM  # fork of the x32 ABI


def test_an_unknown_machine_has_no_filter_rather_than_a_wrong_one() -> None:
    assert worker_filter("riscv64") is None
