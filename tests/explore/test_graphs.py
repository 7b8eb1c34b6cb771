"""The worked graphs show the numbers of the lectures, and their steps say what is computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.explore.graphs import MOST, GraphStepper, sweep
from course.explore.worked_graphs import GRAPHS, OPERATIONS, Leaf
from course.optim import numeric_gradient

SIX_DIGITS = 5e-6
STILL = {"first": 0.0, "second": 0.0, "third": 0.0}


def scene(graph: str, step: int, guess: bool = False, **changes: float) -> dict[str, Any]:
    return GraphStepper.scene(graph=graph, step=step, guess=guess, **{**STILL, **changes})


def node(scene: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (n for n in scene["panels"][0]["marks"][0]["nodes"] if n["name"] == name)
    return found


@pytest.mark.parametrize(
    ("graph", "values", "gradients"),
    [
        ("(x + y) z", {"q": 3, "f": -12}, {"q": -4, "x": -4, "y": -4, "z": 3}),  # H-16
        (  # P-37, P-38
            "square-exp-sqrt-cos",
            {"a": 4, "b": 54.5982, "c": 58.5982, "d": 7.65494, "e": -0.460613, "f": 7.19433},
            {"e": 1, "d": 1, "c": -0.822284, "b": -0.822284, "a": -45.7175, "x": -182.870},
        ),
        (  # H-18, H-19
            "sigmoid unit",
            {"z": 1, "e": 0.367879, "n": 1.36788, "f": 0.731059, "ℓ": 0.313262},
            {
                "f": -1.36788,
                "n": 0.731059,
                "e": 0.731059,
                "m": 0.268941,
                "z": -0.268941,
                "w0": -0.268941,
                "w1": 0.268941,
                "w2": 0.537883,
                "x1": -0.537883,
                "x2": 0.806824,
            },
        ),
        (  # H-24, H-25, the stand-in weights
            "2-2-1 net",
            {
                "g5": -0.8,
                "g6": 2.1,
                "g7": 0.310026,
                "g8": 0.890903,
                "g9": 0.775064,
                "g11": -0.115839,
                "g12": 0.471072,
            },
            {
                "g11": -0.528928,
                "v1": -0.163981,
                "v2": -0.471223,
                "u1": 0.282857,
                "u2": 0.565714,
                "u3": -0.0514090,
                "u4": -0.102818,
            },
        ),
        (  # G-63 at t = 1
            "y + exp(xy)",
            {"x": 0.540302, "f": 2.71653},
            {"t": 2.41048},
        ),
    ],
)
def test_each_graph_has_the_values_and_error_signals_of_its_lecture(
    graph: str, values: dict[str, float], gradients: dict[str, float]
) -> None:
    passes = sweep(GRAPHS[graph])
    for name, expected in values.items():
        assert passes["value"][name] == pytest.approx(expected, rel=SIX_DIGITS), name
    for name, expected in gradients.items():
        assert passes["gradient"][name] == pytest.approx(expected, rel=SIX_DIGITS), name


def test_regularised_least_squares_has_the_closed_form_of_G65() -> None:
    passes = sweep(GRAPHS["regularised logistic least squares"])
    x, w, b, t, penalty = (passes["value"][name] for name in ("x", "w", "b", "t", "λ"))
    y = 1 / (1 + np.exp(-(w * x + b)))
    assert passes["gradient"]["w"] == pytest.approx((y - t) * y * (1 - y) * x + penalty * w)
    assert passes["gradient"]["b"] == pytest.approx((y - t) * y * (1 - y))


@pytest.mark.parametrize("name", GRAPHS)
@given(changes=st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_every_error_signal_of_an_input_is_the_slope_of_the_result(
    name: str, changes: list[float]
) -> None:
    worked = GRAPHS[name]

    def result(values: np.ndarray) -> float:
        return sweep(worked, dict(zip(worked.moved, values, strict=True)))["value"][
            worked.nodes[-1].name
        ]

    at = np.array(changes[: len(worked.moved)])
    passes = sweep(worked, dict(zip(worked.moved, at, strict=True)))
    slopes = numeric_gradient(result, at)
    # The cosine of exp(x²) turns quickly: a step of 1e-6 is coarse for it.
    scale = max(1.0, float(np.abs(slopes).max()))
    np.testing.assert_allclose([passes["gradient"][n] for n in worked.moved], slopes, atol=1e-3 * scale)  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_each_error_signal_is_the_sum_of_the_messages_of_the_children(name: str) -> None:
    passes = sweep(GRAPHS[name], dict.fromkeys(GRAPHS[name].moved, 0.3))
    for node in GRAPHS[name].nodes[:-1]:
        arriving = [m for (_, parent), m in passes["message"].items() if parent == node.name]
        assert passes["gradient"][node.name] == pytest.approx(sum(arriving), rel=1e-12)


@pytest.mark.parametrize("name", GRAPHS)
def test_nodes_stand_after_their_parents_and_the_sliders_move_inputs(name: str) -> None:
    known: set[str] = set()
    for node in GRAPHS[name].nodes:
        if isinstance(node, Leaf):
            known.add(node.name)
            continue
        assert set(node.parents) <= known
        assert len(OPERATIONS[node.operation].slopes) == len(node.parents)
        known.add(node.name)
    leaves = {n.name for n in GRAPHS[name].nodes if isinstance(n, Leaf)}
    assert set(GRAPHS[name].moved) <= leaves


def test_at_the_start_only_the_inputs_have_values() -> None:
    start = scene("square-exp-sqrt-cos", 0)
    assert node(start, "x")["value"] == "2"
    assert all("value" not in node(start, name) for name in "abcdef")


def test_the_forward_steps_come_before_the_error_signals() -> None:
    assert "gradient" not in node(scene("square-exp-sqrt-cos", 6), "f")
    seed = scene("square-exp-sqrt-cos", 7)
    assert node(seed, "f")["gradient"] == "1"
    assert node(seed, "f")["state"] == "current"


def test_at_a_branch_the_arriving_messages_are_shown_and_added() -> None:
    branch = scene("square-exp-sqrt-cos", 10)
    labels = {
        edge["target"]: edge["label"]
        for edge in branch["panels"][0]["marks"][0]["edges"]
        if "label" in edge
    }
    assert labels == {"d": "0.06532", "e": "−0.8876"}
    assert branch["words"].endswith("adds the messages from d and e: −0.822284.")


def test_guess_first_hides_the_next_number_until_the_step_after() -> None:
    question, answer = (scene("square-exp-sqrt-cos", step, guess=True) for step in (19, 20))
    assert node(question, "c")["gradient"] == "?"
    assert "−0.822284" not in str(question)
    assert question["words"].endswith("How large is it?")
    assert node(answer, "c")["gradient"] == "−0.8223"


@pytest.mark.parametrize("guess", [False, True])
@pytest.mark.parametrize("name", GRAPHS)
def test_the_last_step_shows_every_number_and_the_slider_reaches_it(name: str, guess: bool) -> None:
    end = scene(name, MOST, guess=guess)
    nodes = end["panels"][0]["marks"][0]["nodes"]
    assert all("value" in n and "gradient" in n for n in nodes)
    assert "?" not in {n["value"] for n in nodes} | {n["gradient"] for n in nodes}


def test_a_slider_moves_the_input_that_carries_its_number() -> None:
    moved = scene("(x + y) z", 2, second=1.5)
    assert node(moved, "y")["label"] == "y ②"
    assert node(moved, "y")["value"] == "6.5"
    assert node(moved, "f")["value"] == "−18"
