"""The pictures of lecture 09a show its numbers: one iteration, its bugs, its cost, the digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import nn
from course.explore import backprop
from course.explore.backprop import BUGS, STEPS, CostMeter, OneIteration, one_iteration
from course.explore.digits import EPOCHS, DigitTraining, split, training
from course.optim import numeric_gradient

SIX_DIGITS = 5e-6
HERE = {"hidden": 1, "width": 256, "inputs": 784, "outputs": 10, "halve": False}


def close(value: Any, expected: Any) -> None:
    np.testing.assert_allclose(value, expected, rtol=SIX_DIGITS)


def test_the_forward_pass_has_the_numbers_of_T53() -> None:
    result = one_iteration(0.2)
    close(result["z"], [0.7, 0.3])
    close(result["h"], [0.604368, 0.291313])
    close(result["y_hat"], 0.313055)
    close(result["loss"], 0.0174742)


def test_the_backward_pass_has_the_numbers_of_T54_to_T56() -> None:
    result = one_iteration(0.2)
    close(result["dy_hat"], -0.186945)
    close(result["dz"], [-0.118661, 0.171080])
    close(result["dW0"], [[-0.118661, 0.171080], [-0.0118661, 0.0171080]])
    close(result["dW1"], [-0.112983, -0.0544594])


def test_the_update_has_the_numbers_of_T57_and_T58() -> None:
    result = one_iteration(0.2)
    close(result["W0_new"].T, [[1.02373, -2.99763], [0.165784, 0.996578]])
    close(result["W1_new"], [1.02260, -0.989108])
    close(result["y_hat_new"], 0.376804)
    close(result["loss_new"], 0.00758858)


@pytest.mark.parametrize(
    ("bug", "key", "expected"),
    [
        ("no transpose", "W0_new", [[1.02373, 0.202373], [-3.03422, 0.996578]]),
        ("no transpose", "loss_new", 0.0126295),
        ("plus sign", "loss_new", 0.0313750),
        ("sequential update", "W0_new", [[1.02427, 0.166157], [-2.99757, 0.996616]]),
        ("derivative at the output", "dz", [-0.132401, 0.171936]),
        ("wrong factor", "dW1", np.array([0.604368, 0.291313]) * -0.118661),
    ],
)
def test_each_bug_leaves_the_numbers_of_its_diagnosis(bug: str, key: str, expected: Any) -> None:
    close(one_iteration(0.2, bug)[key], expected)


def test_twenty_iterations_reach_the_printed_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(20):
        result = one_iteration(0.2)
        monkeypatch.setattr(backprop, "W0", result["W0_new"])
        monkeypatch.setattr(backprop, "W1", result["W1_new"])
    assert result["loss_new"] == pytest.approx(7.7e-10, rel=0.01)


def test_the_modules_of_the_library_find_the_same_gradients() -> None:
    net = nn.Sequential(
        [
            nn.Linear(backprop.W0.copy(), np.zeros(2)),
            nn.Pointwise("tanh"),
            nn.Linear(backprop.W1[:, None].copy(), np.zeros(1)),
        ]
    )
    cost = nn.EuclideanCost()
    cost.forward(net.forward(backprop.X[None]), np.array([[backprop.Y]]))
    net.backward(cost.backward())
    result = one_iteration(0.2)
    np.testing.assert_allclose(net.modules[0].dW, result["dW0"], rtol=1e-12)
    np.testing.assert_allclose(net.modules[2].dW[:, 0], result["dW1"], rtol=1e-12)


@given(lr=st.floats(0.01, 1))
def test_only_the_correct_step_follows_the_gradient(lr: float) -> None:
    def loss(weights: np.ndarray) -> float:
        h = np.tanh(backprop.X @ weights[:4].reshape(2, 2))
        return float(0.5 * (h @ weights[4:] - backprop.Y) ** 2)

    before = np.concatenate([backprop.W0.ravel(), backprop.W1])
    slopes = numeric_gradient(loss, before)
    for bug in BUGS:
        result = one_iteration(lr, bug)
        after = np.concatenate([result["W0_new"].ravel(), result["W1_new"]])
        error = np.abs((before - after) / lr - slopes).max()
        assert (error < 1e-7) == (bug == "none"), bug


def test_four_of_the_five_bugs_still_let_the_loss_fall() -> None:
    falls = [bug for bug in BUGS[1:] if one_iteration(0.2, bug)["loss_new"] < 0.0174742]
    assert len(falls) == 4
    assert "plus sign" not in falls


def test_an_unknown_bug_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'typo'.*wrong factor"):
        one_iteration(0.2, "typo")


@pytest.mark.parametrize("step", range(len(STEPS) + 1))
@pytest.mark.parametrize("bug", BUGS)
def test_the_table_grows_by_a_row_a_step(bug: str, step: int) -> None:
    scene = OneIteration.scene(lr=0.2, bug=bug, step=step)
    rows = scene["panels"][2]["marks"][0]["rows"]
    assert len(rows) == max(1, step)
    assert scene["panels"][2]["marks"][0]["highlight"] == [len(rows) - 1]


def test_the_table_says_where_a_bug_makes_a_difference() -> None:
    rows = OneIteration.scene(lr=0.2, bug="no transpose", step=12)["panels"][2]["marks"][0]["rows"]
    plain = [[cell.replace("\u00a0", " ") for cell in row] for row in rows]
    assert [row[0] for row in plain if row[3] != "the same"] == ["new W₀", "new ℓ"]


def test_an_edge_shows_the_weight_then_its_gradient_then_the_new_weight() -> None:
    def label(step: int) -> str:
        edges = OneIteration.scene(lr=0.2, bug="none", step=step)["panels"][0]["marks"][0]["edges"]
        (found,) = (e for e in edges if (e["source"], e["target"]) == ("x2", "z1"))
        return found["label"]

    assert [label(8), label(9), label(11)] == ["−3", "−0.01187", "−2.998"]


def test_the_words_give_the_verdict() -> None:
    words = OneIteration.scene(lr=0.2, bug="plus sign", step=12)["words"]
    assert "from 0.0174742 to 0.00758858" in words
    assert "goes to 0.031375. It does not fall." in words


@pytest.mark.parametrize(
    ("preset", "shape", "ratio"),
    [
        ("784-256-10", "784-256-10", "1.01259"),
        ("784-128-64-10", "784-128-64-10", "1.08089"),
        ("nine layers of 100 × 100", "-".join(["100"] * 10), "1.88889"),
    ],
)
def test_each_preset_has_the_ratio_of_G69(preset: str, shape: str, ratio: str) -> None:
    meter = CostMeter()
    meter.preset(preset)
    panel = meter.now["panels"][3]
    assert panel["title"] == shape
    assert panel["marks"][0]["rows"][3][2] == ratio
    assert ratio in meter.words
    meter.close()


@given(hidden=st.integers(1, 12), width=st.integers(2, 512), halve=st.booleans())
def test_only_the_first_layer_is_spared_when_nobody_asks_for_its_input(
    hidden: int, width: int, halve: bool
) -> None:
    settings = {**HERE, "hidden": hidden, "width": width, "halve": halve}

    def counts(input_grad: bool) -> list[int]:
        rows = CostMeter.scene(**settings, input_grad=input_grad)["panels"][3]["marks"][0]["rows"]
        return [int(row[2]) for row in rows[:3]]

    forward, weights, below = counts(False)
    assert forward == weights > below
    assert counts(True) == [forward, weights, below + 784 * width]


def test_with_the_gradient_of_the_input_backward_costs_exactly_two_forward_passes() -> None:
    assert "2 times as many" in CostMeter.scene(**HERE, input_grad=True)["words"]


def test_training_reads_the_digits_at_a_good_rate_and_not_at_bad_ones() -> None:
    accuracy = {}
    for lr in (0.001, 0.5, 10.0):
        *_, last = training(lr)
        assert len(last["loss"]) == EPOCHS + 1
        accuracy[lr] = last["accuracy"][-1]
    assert accuracy[0.5] > 0.95
    assert accuracy[0.001] < 0.6
    assert accuracy[10.0] < 0.3


def test_training_twice_gives_the_same_history() -> None:
    *_, one = training(0.3, epochs=2)
    *_, two = training(0.3, epochs=2)
    assert one["loss"] == two["loss"]
    assert one["loss"][0] == pytest.approx(np.log(10), abs=0.1)  # it knows nothing yet


def test_the_loss_curve_grows_by_a_point_a_pass() -> None:
    figure = DigitTraining()
    lengths = [
        len(scene["panels"][0]["marks"][0]["x"]) for scene in figure.scenes(lr=0.5, batch_size=128)
    ]
    assert lengths == list(range(1, EPOCHS + 2))
    figure.close()


def test_the_digits_of_the_picture_wear_the_colour_of_right_and_wrong() -> None:
    figure = DigitTraining(lr=0.001)
    first, *_ = figure.scenes(lr=0.001, batch_size=128)
    mark = first["panels"][2]["marks"][0]
    _, test = split()
    for label, role, truth in zip(mark["labels"], mark["roles"], test.y, strict=False):
        assert (role == "positive") == (label == str(truth))
    assert "negative" in mark["roles"]
    figure.close()
