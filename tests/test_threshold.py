"""Lecture 01: gates, circuits, networks written down from the truth table, counting."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import threshold as t

XOR = [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("name", "z", "outputs"),
    [
        ("or", [-0.5, 0.5, 0.5, 1.5], [0, 1, 1, 1]),
        ("and", [-1.5, -0.5, -0.5, 0.5], [0, 0, 0, 1]),
        ("nor", [0.5, -0.5, -0.5, -1.5], [1, 0, 0, 0]),
        ("nand", [1.5, 0.5, 0.5, -0.5], [1, 1, 1, 0]),
        ("not", [0.5, -0.5], [1, 0]),
    ],
)
def test_C_05_gate_tables_and_pre_activations(name, z, outputs) -> None:
    w, b = t.gate(name)
    X = t.truth_table(len(w))
    assert t.pre_activation(X, w, b).tolist() == z
    assert t.threshold_unit(X, w, b).tolist() == outputs


def test_C_06_the_lines_of_or_and_and_cross_the_axes_at_half_and_one_and_a_half() -> None:
    for name, crossing in (("or", 0.5), ("and", 1.5)):
        w, b = t.gate(name)
        corners = [[crossing, 0.0], [0.0, crossing]]
        assert t.pre_activation(corners, w, b).tolist() == [0.0, 0.0]


def test_C_12_E_X2_step_is_1_at_zero_and_gives_integers() -> None:
    z = np.array([-1.0, -1e-300, 0.0, -0.0, 1e-300])
    assert t.step(z).tolist() == [0, 0, 1, 1, 1]
    assert t.step(z).dtype.kind == "i"


def test_truth_table_counts_upwards_in_binary() -> None:
    assert t.truth_table(2).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    bits = t.truth_table(5)
    assert (bits @ 2 ** np.arange(4, -1, -1)).tolist() == list(range(32))


@pytest.mark.parametrize("n_units", [5, 3, 2])
def test_C_08_E_C2_xor_by_five_three_and_two_units(n_units) -> None:
    circuit = t.xor_circuit(n_units)
    assert len(circuit.units) == n_units
    assert circuit(t.truth_table(2)).tolist() == XOR
    _, z = circuit.trace(t.truth_table(2))
    assert all((values != 0).all() for values in z.values())  # so `>` would do as well


def test_C_08_the_two_unit_circuit_has_the_printed_pre_activations() -> None:
    _, z = t.xor_circuit(2).trace(t.truth_table(2))
    assert z["xor"].tolist() == [-0.5, 0.5, 0.5, -0.5]


def test_G_45_xor_as_or_minus_and() -> None:
    W1, b1, w2, b2 = t.xor_network()
    X = t.truth_table(2)
    H = np.column_stack([t.threshold_unit(X, W1[:, j], b1[j]) for j in range(2)])
    assert H.tolist() == [[0, 0], [1, 0], [1, 0], [1, 1]]
    assert t.pre_activation(H, w2, b2).tolist() == [-0.5, 0.5, 0.5, -0.5]
    assert t.run_network(X, (W1, b1, w2, b2)).tolist() == XOR


@pytest.mark.parametrize("D", [1, 2, 3])
def test_C_09_every_boolean_function_has_a_circuit(D) -> None:
    X = t.truth_table(D)
    for targets in product((0, 1), repeat=2**D):
        assert t.circuit_of(targets)(X).tolist() == list(targets)


@pytest.mark.parametrize("D", [1, 2, 3])
def test_G_53_every_signed_boolean_function_has_a_network(D) -> None:
    patterns = 2 * t.truth_table(D) - 1
    for targets in product((-1, 1), repeat=2**D):
        Y = t.run_layers(patterns, t.boolean_network(patterns, targets))
        assert Y.tolist() == [[float(target)] for target in targets]


def test_G_53_at_ten_inputs_each_hidden_unit_answers_its_own_pattern() -> None:
    patterns = 2 * t.truth_table(10) - 1
    W, b = t.boolean_network(patterns, np.ones(2**10))[0]
    assert (t.step(patterns @ W + b) == np.eye(2**10)).all()


def test_G_53_pre_activations_of_one_unit() -> None:
    patterns = 2 * t.truth_table(3) - 1
    W, b = t.boolean_network([[-1, 1, -1]], [1])[0]
    z = (patterns @ W + b).ravel()
    assert b[0] == -2.5
    assert sorted(set(z.tolist())) == [-5.5, -3.5, -1.5, 0.5]
    assert patterns[z > 0].tolist() == [[-1, 1, -1]]


@pytest.mark.parametrize("D", [1, 2, 5, 8, 12])
def test_P_25_parity_of_D_bits_with_D_hidden_units(D) -> None:
    params = t.parity_network(D)
    assert [W.shape for W, _ in params] == [(D, D), (D, 1)]
    X = t.truth_table(D)
    assert (t.run_layers(X, params).ravel() == X.sum(axis=1) % 2).all()


@pytest.mark.parametrize(("D", "n_units", "depth"), [(2, 3, 2), (4, 9, 4), (8, 21, 6)])
def test_P_25_a_tree_of_xors_has_3_D_minus_3_units_and_depth_2_log_D(D, n_units, depth) -> None:
    tree = t.parity_circuit(D)
    assert (len(tree.units), tree.depth) == (n_units, depth)
    X = t.truth_table(D)
    assert tree(X).tolist() == (X.sum(axis=1) % 2).tolist()
    with pytest.raises(ValueError, match="power of 2"):
        t.parity_circuit(D + 1)


@pytest.mark.parametrize(("D", "count"), [(1, 4), (2, 14), (3, 104), (4, 1882), (5, 94572)])
def test_C_07_how_many_functions_one_unit_computes(D, count) -> None:
    assert t.count_separable(D) == count


@pytest.mark.parametrize(("D", "largest"), [(2, 1), (3, 2), (4, 3)])
def test_C_07_searching_small_weights_finds_as_many_functions(D, largest) -> None:
    X = t.truth_table(D)
    W = np.array(list(product(range(-largest, largest + 1), repeat=D))).T
    scores = X @ W
    biases = np.arange(-D * largest, D * largest + 2) - 0.5
    outputs = np.concatenate([scores + b >= 0 for b in biases], axis=1)
    found = set(np.packbits(outputs, axis=0).T.copy().view(f"V{-(-(2**D) // 8)}").ravel().tolist())
    assert len(found) == t.count_separable(D)


def test_C_07_no_weights_give_xor_or_its_complement() -> None:
    # Add the two inner rows of  b < 0, w1+b >= 0, w2+b >= 0, w1+w2+b < 0.
    X = t.truth_table(2)
    grid = np.linspace(-3, 3, 25)
    for w1, w2, b in product(grid, grid, grid):
        assert t.threshold_unit(X, [w1, w2], b).tolist() not in (XOR, [1, 0, 0, 1])


@given(st.integers(1, 4).flatmap(lambda D: st.lists(st.booleans(), min_size=2**D, max_size=2**D)))
def test_a_circuit_reads_only_values_known_before_it(targets) -> None:
    circuit = t.circuit_of(np.array(targets, dtype=int))
    known = set(circuit.inputs)
    for unit in circuit.units:
        assert set(unit.weights) <= known
        known.add(unit.name)


def test_a_circuit_with_a_loop_is_refused() -> None:
    with pytest.raises(ValueError, match="'late', which is not known before it"):
        t.Circuit(("a",), (t.Unit("early", {"late": 1.0}, 0.0), t.Unit("late", {"a": 1.0}, 0.0)))


def test_signed_inputs_to_a_circuit_are_refused() -> None:
    with pytest.raises(ValueError, match="X must hold 0 and 1 only"):
        t.xor_circuit(3)([[-1, 1]])
    with pytest.raises(ValueError, match=r"X has shape \(1, 3\): expected 2 columns"):
        t.xor_circuit(3)([[0, 1, 1]])


def test_bits_into_the_signed_construction_are_refused() -> None:
    with pytest.raises(ValueError, match=r"patterns must hold -1 and 1 only \(for 0/1 data"):
        t.boolean_network([[0, 1]], [1])
    with pytest.raises(ValueError, match="row twice"):
        t.boolean_network([[1, -1], [1, -1]], [1, -1])


def test_what_one_unit_cannot_do_is_said() -> None:
    with pytest.raises(ValueError, match="xor needs more than one unit"):
        t.gate("xor")
    with pytest.raises(ValueError, match="5, 3 or 2 units, got 4"):
        t.xor_circuit(4)
    with pytest.raises(ValueError, match="D = 7 would take hours"):
        t.count_separable(7)
    with pytest.raises(ValueError, match=r"targets has shape \(3,\): expected 2, 4, 8"):
        t.circuit_of([0, 1, 1])
