"""The kernel's interpreter of seccomp filters, as small as these filters allow (`man 2 seccomp`)."""

from __future__ import annotations

import struct


def answer(rules: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What a filter answers to a system call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)  # struct seccomp_data
    program = list(struct.iter_unpack("<HBBI", rules))
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == 0x06:
            return value
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
            continue
        met = {
            0x15: accumulator == value,
            0x35: accumulator >= value,
            0x45: bool(accumulator & value),
        }[code]
        at += if_true if met else if_false
