"""The graph of a value: its nodes in order, and its two passes one step at a time.

The backward steps are those of `Tensor.backward`, which is a loop over the same two methods.

>>> x, y, z = Tensor(-2.0, name="x"), Tensor(5.0, name="y"), Tensor(-4.0, name="z")
>>> f = ((x + y).named("q") * z).named("f")  # row H-16
>>> for step in forward_steps(f):
...     print(step.label, float(step.value))
x -2.0
y 5.0
z -4.0
q 3.0
f -12.0
>>> for step in backward_steps(f):
...     print(step.label, float(step.grad), [(p.name, float(m)) for p, m in step.messages])
f 1.0 [('q', -4.0), ('z', 3.0)]
q -4.0 [('x', -4.0), ('y', -4.0)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.autodiff.tensor import Tensor


def nodes_in_order(root: Tensor) -> list[Tensor]:
    """Every node that `root` was computed from, and `root`: leaves first, parents before children.

    A Python number in a formula is a node too, a constant one.
    """
    nodes, seen = [root], {root}
    for node in nodes:
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                nodes.append(parent)
    return sorted(nodes, key=lambda node: (bool(node.parents), node.index))


def children(root: Tensor) -> dict[Tensor, list[Tensor]]:
    """For each node of the graph the nodes computed from it, in order; one may occur twice."""
    found: dict[Tensor, list[Tensor]] = {node: [] for node in nodes_in_order(root)}
    for node in found:
        for parent in node.parents:
            found[parent].append(node)
    return found


def label(node: Tensor) -> str:
    """The node's name; without one, its operation; for a constant number, the number."""
    if node.name:
        return node.name
    if node.parents:
        return getattr(node, "symbol", "") or type(node).__name__
    return f"{float(node.data):.6g}" if node.shape == () else f"array {node.shape}"


@dataclass(frozen=True)
class ForwardStep:
    """One node got its value."""

    node: Tensor
    value: Any

    @property
    def label(self) -> str:
        """Name or operation of the node."""
        return label(self.node)


@dataclass(frozen=True)
class BackwardStep:
    """One node sent its messages: its gradient is complete, its parents' grew by the messages.

    `messages` holds (parent, array) for each parent whose gradient is wanted, in the order of the
    operands; a node that is both operands occurs twice.
    """

    node: Tensor
    value: Any
    grad: Any
    messages: tuple[tuple[Tensor, Any], ...]

    @property
    def label(self) -> str:
        """Name or operation of the node."""
        return label(self.node)


def forward_steps(root: Tensor) -> Iterator[ForwardStep]:
    """The nodes in the order in which their values became known."""
    for node in nodes_in_order(root):
        yield ForwardStep(node, np.asarray(node.data))


def backward_steps(root: Tensor) -> Iterator[BackwardStep]:
    """Run `root.backward()` one node at a time.

    Gradients are cleared when the first step is asked for; between steps the `.grad` of each node
    is what it has received so far (None: nothing yet).
    """
    for node in root.begin_backward():
        messages = node.propagate()
        sent = [(p, m) for p, m in zip(node.parents, messages, strict=True) if m is not None]
        for _, message in sent:
            message.setflags(write=False)  # nodes may share it
        yield BackwardStep(node, node.data, node.grad, tuple(sent))
