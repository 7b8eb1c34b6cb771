"""Declared parameters: each is a synced trait of the explorable and knows its own control.

    lr = slider(0.1, 0.001, 2, log=True, label="learning rate η")

makes `ex.lr` a float between 0.001 and 2 and a FloatLogSlider linked to it in the browser.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
import traitlets

WIDE = {"description_width": "initial"}


@dataclass(frozen=True)
class Control:
    """How a parameter is shown: its label, its widgets, and the values a test or a page may try.

    `build(value)` makes the ipywidgets; each is linked by the front-end attribute `attribute`.
    """

    label: str
    build: Callable[[Any], list[ipywidgets.Widget]]
    grid: tuple[Any, ...]
    attribute: str = "value"
    options: tuple[Any, ...] = field(default=())
    log: bool = False


class _Between(traitlets.Float):
    """A float within bounds; rounding in a slider's last digit is pulled back to the bound."""

    def validate(self, obj: Any, value: Any) -> float:
        low, high = self.min, self.max
        if isinstance(value, int | float) and not isinstance(value, bool):
            slack = 1e-9 * max(abs(low), abs(high))
            if low - slack <= value <= high + slack:
                return float(min(max(value, low), high))
        raise traitlets.TraitError(
            f"{type(obj).__name__}.{self.name} is a number from {low:g} to {high:g}, got {value!r}"
        )


class _WholeBetween(traitlets.Int):
    def validate(self, obj: Any, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.min <= value <= self.max:
            return value
        raise traitlets.TraitError(
            f"{type(obj).__name__}.{self.name} is a whole number from {self.min} to {self.max},"
            f" got {value!r}"
        )


class _OneOf(traitlets.TraitType[Any, Any]):
    def __init__(self, default: Any, options: tuple[Any, ...]) -> None:
        super().__init__(default)
        self.options = options

    def validate(self, obj: Any, value: Any) -> Any:
        if value in self.options:
            return self.options[self.options.index(value)]
        raise traitlets.TraitError(
            f"{type(obj).__name__}.{self.name} is one of"
            f" {', '.join(map(repr, self.options))}, got {value!r}"
        )


def slider(
    default: float,
    low: float,
    high: float,
    *,
    step: float | None = None,
    log: bool = False,
    label: str,
    digits: int = 3,
) -> Any:
    """A number between `low` and `high`; with `log`, equal movements are equal factors.

    `step` is the size of one key press; with `log` it is a step of the exponent (default 0.02).
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{label}: a slider needs low < high, got {low} and {high}")
    if not low <= default <= high:
        raise ValueError(f"{label}: the default {default} is not between {low} and {high}")
    if log and low <= 0:
        raise ValueError(f"{label}: a log slider starts above 0, not at {low}")
    if log:
        exponents = math.log10(low), math.log10(high)
        grid = tuple(_clip(10.0**e, low, high) for e in _spread(*exponents))
    else:
        grid = tuple(_spread(low, high))

    def build(value: float) -> list[ipywidgets.Widget]:
        common: dict[str, Any] = dict(description=label, readout_format=f".{digits}g", style=WIDE)
        if log:
            return [
                ipywidgets.FloatLogSlider(
                    value, min=exponents[0], max=exponents[1], step=step or 0.02, **common
                )
            ]
        size = step or (high - low) / 100
        return [ipywidgets.FloatSlider(value, min=low, max=high, step=size, **common)]

    trait = _Between(float(default), min=float(low), max=float(high))
    return trait.tag(sync=True, echo_update=False, control=Control(label, build, grid, log=log))


def integer(default: int, low: int, high: int, *, step: int = 1, label: str) -> Any:
    """A whole number from `low` to `high`."""
    _whole(default, low, high, label)

    def build(value: int) -> list[ipywidgets.Widget]:
        return [
            ipywidgets.IntSlider(value, min=low, max=high, step=step, description=label, style=WIDE)
        ]

    grid = tuple(dict.fromkeys(low + step * round((v - low) / step) for v in _spread(low, high)))
    trait = _WholeBetween(default, min=low, max=high)
    return trait.tag(
        sync=True,
        echo_update=False,
        control=Control(label, build, tuple(v for v in grid if v <= high)),
    )


def play(default: int, low: int, high: int, *, interval: int = 500, label: str) -> Any:
    """A whole number that can also play by itself, one step every `interval` milliseconds."""
    _whole(default, low, high, label)

    def build(value: int) -> list[ipywidgets.Widget]:
        return [
            ipywidgets.Play(value, min=low, max=high, interval=interval, show_repeat=False),
            ipywidgets.IntSlider(value, min=low, max=high, description=label, style=WIDE),
        ]

    grid = tuple(dict.fromkeys(round(v) for v in _spread(low, high)))
    trait = _WholeBetween(default, min=low, max=high)
    return trait.tag(sync=True, echo_update=False, control=Control(label, build, grid))


def choice(
    options: Sequence[Any] | Mapping[str, Any],
    *,
    default: Any = None,
    label: str,
    control: str | None = None,
) -> Any:
    """One of `options` (values, or a mapping from what is shown to the value); first is default.

    `control` is 'buttons' (the default up to four options), 'menu' or 'slider'.
    """
    pairs = (
        tuple(options.items())
        if isinstance(options, Mapping)
        else tuple((str(v), v) for v in options)
    )
    values = tuple(v for _, v in pairs)
    if len(values) < 2 or len(set(values)) != len(values):
        raise ValueError(f"{label}: a choice needs two different options at least, got {values}")
    start = values[0] if default is None else default
    if start not in values:
        raise ValueError(f"{label}: the default {start!r} is not one of {values}")
    kinds = {
        "buttons": ipywidgets.ToggleButtons,
        "menu": ipywidgets.Dropdown,
        "slider": ipywidgets.SelectionSlider,
    }
    control = control or ("buttons" if len(values) <= 4 else "menu")
    if control not in kinds:
        raise ValueError(f"{label}: control is one of {', '.join(kinds)}, not {control!r}")

    def build(value: Any) -> list[ipywidgets.Widget]:
        return [kinds[control](options=pairs, value=value, description=label, style=WIDE)]

    # The browser knows an option by its place, as ipywidgets' own selections do.
    trait = _OneOf(start, values).tag(
        sync=True,
        echo_update=False,
        control=Control(label, build, values, attribute="index", options=values),
        to_json=lambda value, widget: values.index(value),
        from_json=lambda place, widget: values[place],
    )
    return trait


def toggle(default: bool = False, *, label: str) -> Any:
    """On or off."""

    def build(value: bool) -> list[ipywidgets.Widget]:
        return [ipywidgets.Checkbox(value, description=label, indent=False)]

    return traitlets.Bool(default).tag(
        sync=True, echo_update=False, control=Control(label, build, (False, True))
    )


def _whole(default: int, low: int, high: int, label: str) -> None:
    if not all(isinstance(v, int) for v in (default, low, high)):
        raise TypeError(f"{label}: default and limits are whole numbers")
    if not low <= default <= high or low == high:
        raise ValueError(f"{label}: needs low <= default <= high and low < high, got {default}")


def _spread(low: float, high: float, n: int = 9) -> list[float]:
    """n values from low to high, both included exactly."""
    return [*(low + (high - low) * i / (n - 1) for i in range(n - 1)), high]


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
