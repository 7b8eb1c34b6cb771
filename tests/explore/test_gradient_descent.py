"""The pictures of lecture 06 show the numbers of the lecture."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.explore.gradient_descent import (
    CURVES,
    FAR,
    HILLTOP,
    Descent,
    MovingLine,
    bowl,
    grad_on_batch,
    height,
    race_data,
    walk,
)
from course.explore.stochastic_gradient import (
    PLACES,
    SIZES,
    START,
    ContourRace,
    N,
    NoiseMeter,
    noise,
    race_path,
    samples_seen,
)
from course.linear import cost, fit_direct, predict
from course.optim import max_stable_lr, numeric_gradient

VALLEYS = "two valleys"


def digits(value: float, n: int = 6) -> str:
    return f"{value:.{n}g}"


def marks(scene: dict, panel: int, kind: str, role: str) -> list[dict]:
    return [m for m in scene["panels"][panel]["marks"] if m["mark"] == kind and m["role"] == role]


# Descent on a curve: the live numbers of rows C-42 to C-44.


def test_from_2_with_rate_one_tenth_the_run_ends_in_the_local_minimum() -> None:
    end = walk(VALLEYS, 2.0, 0.1, 200)[-1]
    assert digits(end) == "1.33222"
    assert digits(CURVES[VALLEYS][0](end)) == "-0.587656"


def test_from_minus_one_fifth_with_rate_one_twentieth_it_ends_in_the_global_minimum() -> None:
    end = walk(VALLEYS, -0.2, 0.05, 500)[-1]
    assert digits(end) == "-1.48397"
    assert digits(CURVES[VALLEYS][0](end)) == "-1.43497"


def test_from_two_and_a_half_with_rate_one_half_it_diverges_as_printed() -> None:
    path = walk(VALLEYS, 2.5, 0.5, 3)
    assert [digits(p, 5) for p in path] == ["2.5", "-2.9625", "6.9251", "-152.35"]


def test_a_run_that_diverged_is_cut_at_its_first_lost_place() -> None:
    assert len(walk(VALLEYS, 2.5, 0.5, 50)) == 4
    assert abs(walk(VALLEYS, 2.5, 0.5, 50)[-1]) > FAR


@pytest.mark.parametrize(
    ("lr", "printed"), [(0.1, "0.107374"), (0.9, "0.107374"), (1.0, "1"), (1.1, "6.19174")]
)
def test_ten_steps_on_the_parabola(lr: float, printed: str) -> None:
    assert digits(walk("parabola", 1.0, lr, 10)[-1]) == printed


def test_the_minima_and_the_hilltop_are_where_the_slope_is_zero() -> None:
    J, dJ, minima = CURVES[VALLEYS]
    for place in (*minima.values(), HILLTOP):
        assert abs(dJ(place)) < 1e-14
    assert digits(HILLTOP) == "0.151747"
    assert J(minima["global minimum"]) < J(minima["local minimum"]) < J(HILLTOP)


def test_the_stability_limit_of_the_local_minimum_parts_settling_from_jumping() -> None:
    place = CURVES[VALLEYS][2]["local minimum"]
    limit = max_stable_lr(3 * place**2 - 2)
    assert digits(limit) == "0.601606"
    below, above = (walk(VALLEYS, 1.3, f * limit, 3000)[-2:] for f in (0.99, 1.01))
    assert np.ptp(below) < 1e-9
    assert np.ptp(above) > 0.1


@given(theta=st.floats(-3, 3), name=st.sampled_from(list(CURVES)))
def test_each_slope_is_the_derivative_of_its_curve(theta: float, name: str) -> None:
    J, dJ, _ = CURVES[name]
    assert math.isclose(
        numeric_gradient(lambda t: float(J(t[0])), [theta])[0], dJ(theta), abs_tol=1e-7
    )


@given(
    start=st.floats(-2.5, 2.5), lr=st.floats(0.01, 1.2), steps=st.integers(0, 50),
    loss=st.sampled_from(list(CURVES)),
)  # fmt: skip
def test_the_ring_is_the_parabolas_lowest_point_and_the_next_step(
    start: float, lr: float, steps: int, loss: str
) -> None:
    scene = Descent.scene(lr=lr, steps=steps, start=start, loss=loss)
    path = walk(loss, start, lr, steps)
    rings = marks(scene, 0, "points", "gradient")
    if abs(path[-1]) > FAR:
        assert not rings
        assert f"Diverged at step {len(path) - 1}" in scene["words"]
        return
    (ring,) = rings
    (bowl_,) = marks(scene, 0, "curve", "gradient")
    J, dJ, _ = CURVES[loss]
    assert ring["x"][0] == path[-1] - lr * dJ(path[-1])
    assert ring["y"][0] <= bowl_["y"].min() + 1e-9 * abs(bowl_["y"]).max()
    # The parabola touches the curve where we stand: same value, same slope.
    fit = np.polyfit(bowl_["x"] - path[-1], bowl_["y"], 2)
    assert np.allclose(fit[1:], [dJ(path[-1]), J(path[-1])], rtol=1e-6, atol=1e-6 * abs(fit).max())


@pytest.mark.parametrize(
    ("preset", "told"),
    [
        ("local", "Settled in the local minimum."),
        ("global", "Settled in the global minimum."),
        ("divergent", "Diverged at step 3"),
    ],
)
def test_the_words_of_a_preset_say_where_it_ends(preset: str, told: str) -> None:
    assert told in Descent.scene(**Descent.presets[preset])["words"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (dict(lr=0.9, steps=1, start=1.0, loss="parabola"), "jumped across"),
        (dict(lr=1.1, steps=1, start=1.0, loss="parabola"), "uphill"),
        (dict(lr=0.1, steps=0, start=2.0, loss=VALLEYS), "the next step leads to θ = 1.57."),
        (dict(lr=0.1, steps=0, start=HILLTOP, loss=VALLEYS), "on the hilltop"),
    ],
)
def test_the_words_tell_the_behaviours_apart(setting: dict, told: str) -> None:
    assert told in Descent.scene(**setting)["words"]


# The map of the loss and the line.


@given(w=st.floats(-5, 5), b=st.floats(-5, 5))
def test_the_height_on_the_map_is_the_cost_above_its_minimum(w: float, b: float) -> None:
    X, y = race_data()
    w_best, b_best = fit_direct(X, y)
    lowest = cost(predict(X, w_best, b_best), y)
    expected = cost(predict(X, [w], b), y) - lowest
    assert math.isclose(height(np.array([[w, b]]))[0], expected, rel_tol=1e-9, abs_tol=1e-12)


def test_each_ring_of_the_map_joins_points_of_equal_loss() -> None:
    rings = bowl()["rings"].astype(float)
    ends = np.flatnonzero(np.isnan(rings[:, 0]))
    assert len(ends) == 8
    for piece in np.split(rings, ends + 1)[:-1]:
        heights = height(piece[:-1])
        assert np.allclose(heights, heights[0], rtol=1e-4)


def test_the_data_are_fresh_copies() -> None:
    X, y = race_data()
    X[:], y[:] = 0, 0
    assert race_data()[0].any()
    assert race_data()[1].any()


def test_below_the_limit_the_moving_line_arrives_above_it_it_does_not() -> None:
    limit = max_stable_lr(np.linalg.eigvalsh(bowl()["hessian"])[-1])
    assert digits(limit) == "0.899075"

    def end(lr: float) -> np.ndarray:
        (here,) = marks(MovingLine.scene(lr=lr, steps=60), 0, "points", "model")
        return height(np.column_stack([here["x"], here["y"]]))[0]

    assert end(0.85) < 1e-3
    assert end(0.95) > end(0.85) + 1


def test_the_point_on_the_map_is_the_line_through_the_data() -> None:
    scene = MovingLine.scene(lr=0.3, steps=7)
    (here,) = marks(scene, 0, "points", "model")
    (line,) = marks(scene, 1, "curve", "model")
    assert np.allclose(line["y"], here["x"][0] * line["x"] + here["y"][0])


# The race.


@given(size=st.integers(1, N), updates=st.integers(0, 130))
def test_samples_are_counted_as_the_batches_are_cut(size: int, updates: int) -> None:
    pieces = [min(size, N - s) for s in range(0, N, size)]
    expected = [0, *np.cumsum(pieces * (updates // len(pieces) + 1))[:updates]]
    assert samples_seen(size, updates).tolist() == expected


@given(lr=st.floats(0.01, 0.8), updates=st.integers(0, 20))
def test_batches_of_all_samples_follow_the_full_gradient(lr: float, updates: int) -> None:
    X, y = race_data()
    theta = np.array(START)
    for _ in range(updates):
        theta = theta - lr * grad_on_batch(theta, X, y)
    assert np.allclose(race_path(N, lr, updates)[-1], theta, rtol=1e-9, atol=1e-12)


def runners(scene: dict) -> dict[str, dict]:
    return {m["label"]: m for m in scene["panels"][1]["marks"]}


def test_after_equal_updates_batch_leads_after_equal_samples_it_is_last() -> None:
    common = dict(lr=0.3, steps=32, batch_size=8)
    by_updates = runners(ContourRace.scene(**common, count="updates"))
    by_samples = runners(ContourRace.scene(**common, count="samples"))
    assert {len(m["x"]) for m in by_updates.values()} == {33}
    last = {name: m["y"][-1] for name, m in by_updates.items()}
    assert last["all 64"] < last["single"]
    assert {m["x"][-1] for m in by_samples.values()} == {256}
    last = {name: m["y"][-1] for name, m in by_samples.items()}
    assert last["all 64"] > 3 * max(last["minibatch"], last["single"])


def test_single_samples_diverge_at_a_rate_that_the_batch_survives() -> None:
    words = ContourRace.scene(lr=0.8, steps=40, batch_size=32, count="samples")["words"]
    assert "single: diverged at update" in words
    assert "all 64: diverged" not in words


@given(
    lr=st.floats(0.01, 1.0), steps=st.integers(0, 40), batch_size=st.integers(1, N),
    count=st.sampled_from(["updates", "samples"]),
)  # fmt: skip
def test_every_race_can_be_drawn(lr: float, steps: int, batch_size: int, count: str) -> None:
    scene = ContourRace.scene(lr=lr, steps=steps, batch_size=batch_size, count=count)
    for mark in runners(scene).values():
        assert np.isfinite(mark["x"]).all()
        assert np.isfinite(mark["y"]).all()
        assert len(mark["x"]) == len(mark["y"]) > 0


# The noise meter.


def test_the_measured_spread_is_the_one_of_sampling_without_replacement() -> None:
    sizes = np.array(SIZES)
    exact = noise()["single"][:, None] / np.sqrt(sizes) * np.sqrt((N - sizes) / (N - 1))
    assert np.allclose(noise()["spread"], exact, rtol=0.04, atol=1e-12)


def test_the_mean_over_many_batches_is_the_full_gradient() -> None:
    middle = (noise()["share"] * noise()["centre"][:, None, :]).sum(axis=2)
    width = noise()["centre"][:, 1] - noise()["centre"][:, 0]
    assert (np.abs(middle - noise()["truth"][:, None]) < 0.5 * width[:, None] + 0.03).all()


def test_every_batch_is_in_a_bar() -> None:
    assert np.allclose(noise()["share"].sum(axis=2), 1)


@pytest.mark.parametrize("place", PLACES)
def test_bars_left_of_zero_are_the_share_that_points_uphill(place: str) -> None:
    scene = NoiseMeter.scene(batch_size=1, place=place)
    (bars,) = [m for m in scene["panels"][0]["marks"] if m["mark"] == "bars"]
    uphill = [h for h, role in zip(bars["height"], bars["role"], strict=True) if role == "negative"]
    i = list(PLACES).index(place)
    assert math.isclose(sum(uphill), noise()["uphill"][i, 0], abs_tol=1e-12)


def test_near_the_minimum_the_noise_stays_while_the_gradient_shrinks() -> None:
    near, far = list(PLACES).index("near the minimum"), list(PLACES).index("at the start")
    truth, uphill = noise()["truth"], noise()["uphill"][:, 0]
    assert truth[near] < truth[far] / 4
    assert noise()["spread"][near, 0] > noise()["spread"][far, 0] / 2
    assert 0.4 < uphill[near] < 0.5
    assert uphill[far] < 0.25
