"""What a net costs: its parameters, and the multiplications by weights of the two passes (G-69)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def checked_dims(dims: Sequence[int]) -> list[int]:
    """The widths from input to output, if there are at least two and all are positive."""
    dims = list(dims)
    if len(dims) < 2 or min(dims) < 1:
        raise ValueError(
            f"dims lists the widths from input to output, at least two positive numbers: {dims}"
        )
    return dims


def count_parameters(dims: Sequence[int]) -> int:
    """Number of weights and biases of an MLP with these widths.

    >>> count_parameters([784, 256, 10])
    203530
    """
    return sum((d_in + 1) * d_out for d_in, d_out in pairwise(checked_dims(dims)))


def multiply_count(dims: Sequence[int], input_grad: bool = False) -> tuple[int, int]:
    """Multiplications by or for weights, per sample: (forward, backward).

    Forward takes one for each weight.  Backward takes one for each weight's gradient, and one for
    each weight to carry the message down; the first layer has nobody below it to tell, unless the
    gradient of the input is wanted.

    >>> forward, backward = multiply_count([784, 256, 10])
    >>> forward, backward, round(backward / forward, 5)
    (203264, 205824, 1.01259)
    """
    weights = [d_in * d_out for d_in, d_out in pairwise(checked_dims(dims))]
    messages = sum(weights if input_grad else weights[1:])
    return sum(weights), sum(weights) + messages
