"""The still picture shows what the live one shows: every mark, in the same colours."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from examples import Boundary, Everything
from PIL import Image

from course.explore import (
    axis,
    bars,
    curve,
    figure,
    heat,
    image,
    panel,
    picture,
    points,
)
from course.explore.palette import SCALES, colour

VOCABULARY = {
    "arrow", "band", "bars", "boxes", "contours", "curve", "graph", "heat", "image", "images",
    "points", "rule", "table", "text",
}  # fmt: skip


def pixels(scene: dict) -> np.ndarray:
    """The picture as (height, width, 3) whole numbers."""
    return np.asarray(Image.open(BytesIO(picture.png(scene))).convert("RGB")).astype(int)


def has(seen: np.ndarray, hexadecimal: str) -> bool:
    wanted = [int(hexadecimal[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((np.abs(seen - wanted).max(axis=-1) <= 3).any())


def test_the_examples_draw_every_mark_there_is() -> None:
    scenes = [Everything.scene(n=5, lr=0.1), Boundary.scene(1, 1, 1, "step", 3, True)]
    used = {
        mark["mark"] for scene in scenes for panel in scene["panels"] for mark in panel["marks"]
    }
    assert used == VOCABULARY


@pytest.mark.parametrize("role", ["model", "gradient", "loss", "path", "positive", "negative"])
def test_marks_have_the_colour_of_their_role_and_no_other(role: str) -> None:
    for mark in (
        curve([0, 1], [0, 1], role, width=8),
        points([0.5], [0.5], role, size=16),
        bars([0.5], [1], role),
    ):
        seen = pixels(figure(panel(mark, x=axis("x", 0, 1), y=axis("y", 0, 1)), words="w"))
        assert has(seen, colour(role))
        others = {"model", "gradient", "loss", "path", "positive", "negative"} - {role}
        assert not [other for other in others if has(seen, colour(other))]


def test_row_zero_is_below_in_a_heat_map_and_on_top_in_an_image() -> None:
    values = np.array([[1.0], [0.0]])
    for mark, first in ((heat(values, (0, 1, 0, 1), smooth=False), "below"),
                        (image(values, (0, 1, 0, 1), scale="sequential"), "above")):  # fmt: skip
        seen = pixels(figure(panel(mark), words="w"))
        high = [int(SCALES["sequential"][-1][i : i + 2], 16) for i in (1, 3, 5)]
        rows = np.nonzero((np.abs(seen - high).max(axis=-1) <= 3).any(axis=1))[0]
        middle = seen.shape[0] / 2
        assert (rows.mean() > middle) == (first == "below")


def test_a_picture_of_nothing_yet_can_be_drawn() -> None:
    empty = figure(panel(curve([], [], "loss", label="loss"), points([], [], "data", label="x"),
                         x=axis("step", 0, 1), y=axis("loss", 1e-3, 1, log=True)), words="Nothing yet.")  # fmt: skip
    assert pixels(empty).shape[1] == 800
