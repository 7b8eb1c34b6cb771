"""Threshold units: one draws a line, several wired together compute any Boolean function.

A unit says 1 where its pre-activation `z = X @ w + b` is at least 0, else 0 (McCulloch and
Pitts, 1943). Nothing here is learned: weights are set by hand or written down from the truth
table.

>>> w, b = gate("and")
>>> threshold_unit(truth_table(2), w, b)
array([0, 0, 0, 1])
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import gcd

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course.validation import Array, affine_inputs, floats, labels, same_rows, whole

Integers = NDArray[np.intp]
Layers = list[tuple[Array, Array]]

# Rows C-05: no pre-activation is ever 0, so `>` and `>=` give the same gates.
GATES: dict[str, tuple[tuple[float, ...], float]] = {
    "or": ((1.0, 1.0), -0.5),
    "and": ((1.0, 1.0), -1.5),
    "nor": ((-1.0, -1.0), 0.5),
    "nand": ((-1.0, -1.0), 1.5),
    "not": ((-1.0,), 0.5),
}


def step(z: ArrayLike) -> Integers:
    """Return 1 where `z >= 0`, else 0, as integers (row C-12)."""
    return (floats("z", z) >= 0).astype(np.intp)


def pre_activation(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> Array:
    """Return `z = X @ w + b` (N,) of one unit: X (N, D), w (D,), b one number."""
    X, w, b = affine_inputs(X, w, b)
    return X @ w + b


def threshold_unit(X: ArrayLike, w: ArrayLike, b: ArrayLike) -> Integers:
    """Return the outputs 0/1 (N,) of a threshold unit (row C-03): X (N, D), w (D,), b."""
    return step(pre_activation(X, w, b))


def truth_table(D: int) -> Integers:
    """Return all 0/1 inputs `(2**D, D)`, in the order 00, 01, 10, 11.

    >>> truth_table(2).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    D = whole("D", D, 1)
    return np.array(list(product((0, 1), repeat=D)), dtype=np.intp)


def gate(name: str) -> tuple[Array, float]:
    """Return weights (D,) and bias of 'or', 'and', 'nor', 'nand' (D = 2) or 'not' (D = 1)."""
    if name not in GATES:
        raise ValueError(
            f"no threshold unit for gate {name!r}: choose one of {', '.join(GATES)} "
            "(xor needs more than one unit: see xor_circuit)"
        )
    w, b = GATES[name]
    return np.array(w), b


# ---------------------------------------------------------------- circuits


@dataclass(frozen=True)
class Unit:
    """One threshold unit of a circuit: weights by the name of the value they multiply."""

    name: str
    weights: dict[str, float]
    bias: float

    @classmethod
    def of_gate(cls, name: str, kind: str, *sources: str) -> Unit:
        """Return a unit computing the gate `kind` of the values named `sources`."""
        w, b = gate(kind)
        if len(sources) != len(w):
            raise ValueError(f"{kind} takes {len(w)} inputs, got {len(sources)}: {sources}")
        return cls(name, dict(zip(sources, w.tolist(), strict=True)), b)


@dataclass(frozen=True)
class Circuit:
    """Threshold units wired without loops: each sees inputs and units before it (row C-09).

    The last unit is the output. A unit that sees an input past another unit has a skip
    connection.

    >>> xor = xor_circuit(3)
    >>> xor(truth_table(2))
    array([0, 1, 1, 0])
    """

    inputs: tuple[str, ...]
    units: tuple[Unit, ...]

    def __post_init__(self) -> None:
        if not self.inputs or not self.units:
            raise ValueError("a circuit needs at least one input and one unit")
        known = list(self.inputs)
        for unit in self.units:
            missing = [source for source in unit.weights if source not in known]
            if missing:
                raise ValueError(
                    f"unit {unit.name!r} reads {missing[0]!r}, which is not known before it: "
                    f"expected one of {', '.join(known)}"
                )
            if unit.name in known:
                raise ValueError(f"the name {unit.name!r} is used twice in the circuit")
            known.append(unit.name)

    @property
    def depth(self) -> int:
        """Units on the longest way from an input to the output."""
        depths = dict.fromkeys(self.inputs, 0)
        for unit in self.units:
            depths[unit.name] = 1 + max((depths[source] for source in unit.weights), default=0)
        return depths[self.units[-1].name]

    def trace(self, X: ArrayLike) -> tuple[dict[str, Integers], dict[str, Array]]:
        """Return every value (N,) and every unit's pre-activation (N,), by name."""
        bits = floats("X", X, 2)
        if bits.shape[1] != len(self.inputs):
            raise ValueError(
                f"X has shape {bits.shape}: expected {len(self.inputs)} columns, "
                f"one for each of {', '.join(self.inputs)}"
            )
        if not np.isin(bits, (0, 1)).all():
            raise ValueError("X must hold 0 and 1 only: these gates are made for 0/1 inputs")
        values: dict[str, Integers] = {
            name: column.astype(np.intp) for name, column in zip(self.inputs, bits.T, strict=True)
        }
        z: dict[str, Array] = {}
        for unit in self.units:
            total = np.full(len(bits), float(unit.bias))
            for source, weight in unit.weights.items():
                total += weight * values[source]
            z[unit.name] = total
            values[unit.name] = step(total)
        return values, z

    def __call__(self, X: ArrayLike) -> Integers:
        """Return the output unit's values (N,) on X (N, number of inputs)."""
        return self.trace(X)[0][self.units[-1].name]


def xor_circuit(n_units: int) -> Circuit:
    """Return a circuit of 5, 3 or 2 units computing xor(a, b) (rows C-08, G-45, E-C2).

    5 : or(and(not a, b), and(a, not b)), gates only.
    3 : or(a and not b, b and not a), the NOT absorbed into a negative weight.
    2 : a or b, unless both: the output sees the inputs past the AND (a skip connection).
    """
    circuits = {
        5: (
            Unit.of_gate("not a", "not", "a"),
            Unit.of_gate("not b", "not", "b"),
            Unit.of_gate("b only", "and", "not a", "b"),
            Unit.of_gate("a only", "and", "a", "not b"),
            Unit.of_gate("xor", "or", "b only", "a only"),
        ),
        3: (
            Unit("a only", {"a": 1.0, "b": -1.0}, -0.5),
            Unit("b only", {"b": 1.0, "a": -1.0}, -0.5),
            Unit.of_gate("xor", "or", "a only", "b only"),
        ),
        2: (
            Unit.of_gate("both", "and", "a", "b"),
            Unit("xor", {"a": 1.0, "b": 1.0, "both": -2.0}, -0.5),
        ),
    }
    if n_units not in circuits:
        raise ValueError(f"xor is built from 5, 3 or 2 units, got {n_units!r}")
    return Circuit(("a", "b"), circuits[n_units])


# ---------------------------------------------------------------- networks in layers


def xor_network() -> tuple[Array, Array, Array, float]:
    """Return `(W1 (2, 2), b1 (2,), w2 (2,), b2)` computing xor as or minus and (row G-45)."""
    return np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([-0.5, -1.5]), np.array([1.0, -1.0]), -0.5


def run_network(
    X: ArrayLike, params: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike]
) -> Integers:
    """Return outputs 0/1 (N,) of one hidden layer of threshold units and one output unit.

    `params` is (W1 (D, H), b1 (H,), w2 (H,), b2); X is (N, D).

    >>> run_network(truth_table(2), xor_network())
    array([0, 1, 1, 0])
    """
    W1, b1, w2, b2 = params
    X, W1, b1 = affine_inputs(X, W1, b1, columns=True)
    return threshold_unit(step(X @ W1 + b1), w2, b2)


def run_layers(X: ArrayLike, params: Layers) -> Array:
    """Return outputs (N, D_out) of layers of threshold units with a linear last layer."""
    H: Array = floats("X", X, 2)
    for i, (W, b) in enumerate(params):
        H, W, b = affine_inputs(H, W, b, columns=True)
        Z = H @ W + b
        H = Z if i == len(params) - 1 else step(Z).astype(Z.dtype)
    return H


def boolean_network(patterns: ArrayLike, targets: ArrayLike) -> Layers:
    """Return `[(W, b), (W, b)]`: one hidden unit per pattern, linear output (row G-53).

    Parameters
    ----------
    patterns : (P, D) of -1 and 1, all different.
    targets : (P,) of -1 and 1, the exact output on each pattern; 0 on all others.

    The unit of pattern p has weights p and bias -(D - 1/2): its pre-activation is 1/2 on p and
    at most -3/2 on every other pattern. Run it with `run_layers`.
    """
    P, t = floats("patterns", patterns, 2), floats("targets", targets, 1)
    same_rows("patterns", P, "targets", t)
    for name, array in (("patterns", P), ("targets", t)):
        if not np.isin(array, (-1, 1)).all():
            raise ValueError(f"{name} must hold -1 and 1 only (for 0/1 data use 2*x - 1)")
    if len(np.unique(P, axis=0)) < len(P):
        raise ValueError("patterns has a row twice: every pattern may occur once")
    D = P.shape[1]
    return [(P.T.copy(), np.full(len(P), 0.5 - D)), (t[:, None].copy(), np.zeros(1))]


def parity_network(D: int) -> Layers:
    """Return `[(W, b), (W, b)]`: the parity of D bits with D hidden units (row P-25, E-P2).

    Hidden unit k fires when at least k bits are 1; the output adds them with signs +1, -1, …,
    so it is 1 for an odd number of ones and 0 for an even one. Run it with `run_layers`.

    >>> run_layers(truth_table(2), parity_network(2)).ravel()
    array([0., 1., 1., 0.])
    """
    D = whole("D", D, 1)
    k = np.arange(1, D + 1)
    return [(np.ones((D, D)), 0.5 - k), (np.where(k % 2 == 1, 1.0, -1.0)[:, None], np.zeros(1))]


def parity_circuit(D: int) -> Circuit:
    """Return the parity of D bits (D a power of 2) as a tree of 3-unit XORs (row P-25).

    It has 3 (D - 1) units and depth 2 log2 D.

    >>> circuit = parity_circuit(4)
    >>> len(circuit.units), circuit.depth
    (9, 4)
    """
    D = whole("D", D, 2)
    if D & (D - 1):
        raise ValueError(f"D must be a power of 2 (every XOR takes two values), got {D}")
    inputs = tuple(f"x{i + 1}" for i in range(D))
    level, units = inputs, []
    while len(level) > 1:
        pairs = list(zip(level[::2], level[1::2], strict=True))
        level = tuple(f"xor({a}, {b})" for a, b in pairs)
        for (a, b), name in zip(pairs, level, strict=True):
            first, second = f"{a} only", f"{b} only"
            units += [Unit(first, {a: 1.0, b: -1.0}, -0.5), Unit(second, {b: 1.0, a: -1.0}, -0.5)]
            units += [Unit.of_gate(name, "or", first, second)]
    return Circuit(inputs, tuple(units))


def circuit_of(targets: ArrayLike) -> Circuit:
    """Return a circuit for any truth table: the OR of one unit per row that is 1 (row C-09).

    `targets` `(2**D,)` holds 0 and 1 in the order of `truth_table(D)`.

    >>> circuit_of([0, 1, 1, 0])(truth_table(2))
    array([0, 1, 1, 0])
    """
    t = labels("targets", targets, 2)
    D = len(t).bit_length() - 1
    if len(t) != 2**D or D < 1:
        raise ValueError(f"targets has shape {t.shape}: expected 2, 4, 8, … entries")
    inputs = tuple(f"x{i + 1}" for i in range(D))
    rows = truth_table(D)[t == 1]
    detectors = tuple(
        Unit(
            "".join(map(str, row)),
            dict(zip(inputs, (2.0 * row - 1.0).tolist(), strict=True)),
            0.5 - float(row.sum()),
        )
        for row in rows
    )
    output = Unit("output", {unit.name: 1.0 for unit in detectors}, -0.5)
    return Circuit(inputs, (*detectors, output))


# ---------------------------------------------------------------- counting


def count_separable(D: int) -> int:
    """Return how many Boolean functions of D inputs one threshold unit can compute (row C-07).

    Each input x gives a plane `w·x + b = 0` in the space of all (w, b). Within one of the
    regions that these `2**D` planes cut out, all (w, b) compute the same function; crossing a
    plane changes the output for its x. So the functions are the regions, and those are counted
    exactly, in whole numbers. D = 6 takes half a minute; larger D is refused.

    >>> [count_separable(D) for D in (1, 2, 3, 4)]
    [4, 14, 104, 1882]
    """
    D = whole("D", D, 1)
    if D > 6:
        raise ValueError(f"D = {D} would take hours: expected D up to 6")
    return _regions({(*row, 1) for row in map(tuple, truth_table(D).tolist())})


Normal = tuple[int, ...]


def _regions(normals: set[Normal]) -> int:
    """Count the regions that planes through the origin cut out, given their normals.

    A new plane cuts in two exactly the regions it meets, and it meets as many as the other
    planes cut out *within it*: the same question with one dimension less.
    """
    planes = sorted(normals)
    if not planes:
        return 1
    if len(planes[0]) == 2:
        return 2 * len(planes)  # lines through the origin of a plane
    total = 1
    for i, new in enumerate(planes):
        total += _regions({_within(new, other) for other in planes[:i]})
    return total


def _within(plane: Normal, other: Normal) -> Normal:
    """Return the normal of `other` cut with `plane`, in coordinates of `plane`, made unique."""
    k = next(i for i, entry in enumerate(plane) if entry)
    cut = [
        plane[k] * o - other[k] * p
        for i, (o, p) in enumerate(zip(other, plane, strict=True))
        if i != k
    ]
    scale = gcd(*cut) * (1 if next(entry for entry in cut if entry) > 0 else -1)
    return tuple(entry // scale for entry in cut)
