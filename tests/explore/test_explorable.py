"""The explorable without a browser: parameters, scenes, errors, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import ipywidgets
import numpy as np
import pytest
import traitlets
from examples import Boundary, Everything, Training

from course.explore import (
    Explorable,
    axis,
    choice,
    curve,
    figure,
    integer,
    panel,
    play,
    slider,
    toggle,
)
from course.explore.wire import pack


@pytest.fixture
def boundary() -> Any:
    explorable = Boundary()
    yield explorable
    explorable.close()


def test_parameters_start_at_their_defaults_in_the_order_of_declaration(boundary: Any) -> None:
    assert boundary.parameters == {
        "w1": 1.5, "w2": 1.0, "scale": 1.0, "kind": "sigmoid", "step": 0, "grid": True,
    }  # fmt: skip


def test_parameters_can_be_given_at_the_start() -> None:
    assert Boundary(w1=0.5, kind="step").parameters["kind"] == "step"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("w1", 3.5, "w1 is a number from -3 to 3, got 3.5"),
        ("w1", "2", "w1 is a number from -3 to 3, got '2'"),
        ("step", 1.5, "step is a whole number from 0 to 20"),
        ("step", 21, "step is a whole number from 0 to 20"),
        ("kind", "relu", "kind is one of 'sigmoid', 'step', 'linear', got 'relu'"),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected(
    boundary: Any, name: str, value: Any, message: str
) -> None:
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(boundary, name, value)


def test_rounding_in_the_last_digit_of_a_slider_is_pulled_back(boundary: Any) -> None:
    boundary.scale = 10 * (1 + 1e-15)
    assert boundary.scale == 10.0


def test_preset_and_reset_set_every_parameter(boundary: Any) -> None:
    boundary.step = 7
    boundary.preset("flat")
    assert (boundary.w1, boundary.w2, boundary.step) == (0.0, 1.0, 0)
    boundary.reset()
    assert boundary.parameters == Boundary().parameters


@pytest.mark.parametrize("call", [lambda e: e.set(w9=1), lambda e: e.preset("steep")])
def test_unknown_names_are_refused_with_those_there_are(boundary: Any, call: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"w1|upright"):
        call(boundary)


def test_a_parameter_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError, match="has no parameter 'w9'; it has w1, w2"):
        Boundary(w9=1)


def test_controls_are_ipywidgets_linked_with_the_figure_as_source(boundary: Any) -> None:
    boundary.w1 = -2.0
    controls, shown = boundary.box.children
    assert shown is boundary
    kinds = [type(c).__name__ for c in controls.children]
    assert kinds == [
        "FloatSlider",
        "FloatSlider",
        "FloatLogSlider",
        "ToggleButtons",
        "HBox",
        "Checkbox",
    ]
    assert controls.children[0].value == -2.0
    assert all(link.source[0] is boundary for link in boundary._links)
    assert [link.target[1] for link in boundary._links] == [
        "value", "value", "value", "index", "value", "value", "value",
    ]  # fmt: skip
    assert boundary.box is boundary.box


def test_the_browser_knows_an_option_by_its_place(boundary: Any) -> None:
    boundary.set_state({"kind": 2})
    assert boundary.kind == "linear"
    assert boundary.get_state("kind") == {"kind": 2}


def test_the_kernel_computes_once_for_several_values() -> None:
    calls = []

    class Counting(Explorable):
        a = slider(0, -1, 1, label="a")
        b = slider(0, -1, 1, label="b")

        def scene(self, a: float, b: float) -> dict:
            calls.append((a, b))
            return figure(panel(curve([0, 1], [a, b], "model")), words=f"{a} {b}")

    counting = Counting()
    counting.set(a=0.5, b=-0.5)
    assert calls == [(0, 0), (0.5, -0.5)]
    assert counting._scene["words"] == "0.5 -0.5"


def test_an_explorable_may_show_a_function_of_the_student() -> None:
    class Shown(Explorable):
        a = slider(1, -1, 1, label="a")

        def __init__(self, f: Any, **values: Any) -> None:
            self.f = f
            super().__init__(**values)

        def scene(self, a: float) -> dict:
            return figure(panel(curve([0, 1], [0, self.f(a)], "model")), words=f"{self.f(a)}")

    assert Shown(lambda a: 3 * a).words == "3.0"


def test_a_live_run_shows_its_scenes_and_starts_anew_when_a_parameter_moves() -> None:
    async def main() -> list[str]:
        training = Training()
        seen: list[str] = []
        training.observe(lambda change: seen.append(change["new"]["words"]), names="_scene")
        await asyncio.sleep(0)
        training.lr = 1.0
        for _ in range(200):
            await asyncio.sleep(0)
        return seen

    seen = asyncio.run(main())
    assert "η = 1 " in seen[-1]
    assert seen[-1].startswith("After 40 epochs")
    assert not any("After 40 epochs with η = 0.1 " in words for words in seen)


def test_outside_a_notebook_a_live_run_shows_its_end() -> None:
    assert Training(lr=1.0)._scene["words"].startswith("After 40 epochs with η = 1 ")


def _declare(**attributes: Any) -> type:
    return type("Wrong", (Explorable,), attributes)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "needs a method scene"),
        ({"a": toggle(label="a"), "scene": lambda self, b: None}, "the scene takes"),
        ({"layout": toggle(label="a"), "scene": lambda self, layout: None}, "name of the kit"),
        ({"a": toggle(label="a"), "scene": lambda self, a: None, "presets": {"p": {"b": 1}}}, "'p'"),
        ({"a": toggle(label="a"), "scene": lambda self, a: None, "frames": {"b": [1]}}, "'b'"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_refused_when_the_class_is_made(
    attributes: dict, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        _declare(**attributes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: slider(5, 0, 1, label="x"),
        lambda: slider(0.5, 0, 1, log=True, label="x"),
        lambda: slider(0, 1, 1, label="x"),
        lambda: integer(3, 4, 5, label="x"),
        lambda: play(0, 0, 0, label="x"),
        lambda: choice(["one"], label="x"),
        lambda: choice(["one", "two"], default="three", label="x"),
        lambda: choice(["one", "two"], control="wheel", label="x"),
    ],
)
def test_an_impossible_parameter_is_refused_with_its_label(make: Any) -> None:
    with pytest.raises(ValueError, match="x: "):
        make()


def test_a_thousand_steps_leave_nothing_behind() -> None:
    everything = Everything()
    everything.box  # noqa: B018  (builds the controls)
    observers = {name: len(calls) for name, calls in _observers(everything).items()}
    widgets = len(ipywidgets.widgets.widget._instances)
    for i in range(1000):
        everything.n = 2 + i % 11
    assert len(ipywidgets.widgets.widget._instances) == widgets
    assert {name: len(calls) for name, calls in _observers(everything).items()} == observers
    everything.close()


def test_a_closed_explorable_is_gone_with_its_controls_and_links() -> None:
    gc.collect()
    before = len(ipywidgets.widgets.widget._instances)
    explorable = Boundary()
    explorable.box  # noqa: B018
    assert len(ipywidgets.widgets.widget._instances) > before + 10
    explorable.close()
    left = list(ipywidgets.widgets.widget._instances.values())
    kinds = {type(w).__name__ for w in left[before:]}
    assert kinds <= {
        "Layout",
        "SliderStyle",
        "ToggleButtonsStyle",
        "CheckboxStyle",
        "DescriptionStyle",
    }


def _observers(explorable: Any) -> dict[str, list]:
    return {name: found.get("change", []) for name, found in explorable._trait_notifiers.items()}


def test_showing_gives_the_figure_a_picture_and_its_words(boundary: Any) -> None:
    data, metadata = boundary._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == boundary.box.model_id
    assert data["text/plain"] == boundary.words == metadata["image/png"]["alt"]
    assert data["image/png"].startswith("iVBOR")


def test_arrays_travel_as_bytes_and_numbers_that_json_lacks_by_name() -> None:
    packed = pack(
        {"x": np.array([1.0, np.nan]), "n": np.int64(3), "inf": np.inf, "i": np.arange(3)}
    )
    assert packed["x"] == {
        "dtype": "float64",
        "shape": [2],
        "bytes": np.array([1, np.nan]).tobytes(),
    }
    assert packed["i"]["dtype"] == "int32"
    assert packed["n"] == 3
    assert packed["inf"] == {"number": "inf"}
    assert pack(np.zeros(2), single=True)["dtype"] == "float32"


@pytest.mark.parametrize("value", [object(), np.array(["a"]), {1, 2}])
def test_what_cannot_travel_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="a scene holds"):
        pack(value)


def test_axis_limits_must_rise() -> None:
    with pytest.raises(ValueError, match="finite and rising"):
        axis("x", 1, 1)
