"""Colours can be told apart, and read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from course.explore.palette import ROLES, SCALES, colour, css

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
HUES = [r for r in ROLES if r not in ("forward", "backward", "ink", "muted")]


def linear(hexadecimal: str) -> np.ndarray:
    v = np.array([int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    first, second = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (second + 0.05) / (first + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ) @ np.clip(rgb, 0, 1)  # fmt: skip
    t = xyz / [0.9505, 1, 1.089]
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ROLES)
def test_a_label_in_its_marks_colour_can_be_read(role: str, theme: str) -> None:
    assert contrast(colour(role, theme), colour("background", theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_a_highlighted_row(theme: str) -> None:
    for role in ("ink", "model", "gradient"):
        assert contrast(colour(role, theme), colour("highlight", theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sight", BLINDNESS)
def test_two_meanings_can_be_told_apart(sight: str, theme: str) -> None:
    seen = {role: lab(BLINDNESS[sight] @ linear(colour(role, theme))) for role in HUES}
    near = {
        (a, b): round(float(np.linalg.norm(seen[a] - seen[b])), 1)
        for a, b in itertools.combinations(HUES, 2)
    }
    assert not {pair: distance for pair, distance in near.items() if distance < 13}


def test_forward_is_model_and_backward_is_gradient() -> None:
    assert colour("forward") == colour("model")
    assert colour("backward", "dark") == colour("gradient", "dark")


def test_the_diverging_scale_has_its_middle_at_no_colour() -> None:
    stops = SCALES["diverging"]
    middle = stops[len(stops) // 2]
    assert len(stops) % 2
    assert middle[1:3] == middle[3:5] == middle[5:7]
    assert stops[-1] == colour("positive")
    assert stops[0] == colour("negative")


def test_the_style_sheet_has_every_role_in_both_themes() -> None:
    for role in ROLES:
        assert css().count(f"--explore-{role}:{colour(role, 'dark')};") >= 2
        assert f"--explore-{role}:{colour(role, 'light')};" in css()


def test_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no role 'blue'"):
        colour("blue")
