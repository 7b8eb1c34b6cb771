"""The widgets of an executed notebook, reduced to what a page without a kernel needs."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import numpy as np

from course.explore.explorable import renderer, source, twin_of

STATE = "application/vnd.jupyter.widget-state+json"
BOXES = {"VBoxModel", "HBoxModel", "BoxModel"}
LINK = "LinkModel"
KEPT = {
    # What static/host.js reads of each control.
    "FloatSliderModel": "description value min max step readout_format",
    "FloatLogSliderModel": "description value min max step base readout_format",
    "IntSliderModel": "description value min max step",
    "SelectionSliderModel": "description index _options_labels",
    "DropdownModel": "description index _options_labels",
    "ToggleButtonsModel": "description index _options_labels",
    "CheckboxModel": "description value",
    "PlayModel": "value min max step interval",
}
FRAMES_AT_MOST = 1_000_000  # bytes of precomputed frames in one figure


def shown(models: dict[str, Any], roots: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The states a page needs to show the widgets `roots`, and the twins of its explorables.

    `models` is the notebook's widget state by id. Raises ValueError for a widget that a page
    cannot show, and for an explorable that needs a kernel and has no frames.
    """
    states: dict[str, Any] = {}
    twins: dict[str, str] = {}
    open_ends = list(roots)
    while open_ends:
        name = open_ends.pop()
        if name in states:
            continue
        model = models[name]
        kind, state = model["model_name"], model["state"]
        if kind in BOXES:
            children = state.get("children", [])
            states[name] = _entry(kind, state, "children _dom_classes")
            open_ends += [child.removeprefix("IPY_MODEL_") for child in children]
        elif kind in KEPT:
            states[name] = _entry(kind, state, KEPT[kind])
        elif "_declared" in state:
            states[name] = _explorable(model)
            twins[state["_anywidget_id"]] = twin_of(state["_esm"])
        else:
            raise ValueError(
                f"a page without a kernel cannot show the widget {kind};"
                " use an Explorable (docs/explorables.md)"
            )
    for name, model in models.items():
        if model["model_name"] == LINK:
            ends = [model["state"][end][0] for end in ("source", "target")]
            if all(end.removeprefix("IPY_MODEL_") in states for end in ends):
                states[name] = _entry(model["model_name"], model["state"], "source target")
    return states, twins


def script(states: dict[str, Any], twins: dict[str, str]) -> str:
    """The page's one script: renderer and host once, then the figures."""
    functions = ",\n".join(f"{json.dumps(name)}: {twin}" for name, twin in twins.items())
    # A link is [figure, its attribute, control, its attribute].
    links = [[*s["state"]["source"], *s["state"]["target"]] for s in states.values() if _is_link(s)]
    models = {name: s for name, s in states.items() if not _is_link(s)}
    page = json.dumps([_short(models), links], ensure_ascii=False, separators=(",", ":"))
    for name, short in short_names(states).items():
        page = page.replace(f"IPY_MODEL_{name}", short).replace(name, short)
    text = f"{renderer()}\n{source('host.js')}\nconst twins = {{{functions}}};\nhost(...{page}, twins);\n"
    # Nothing in a script may look like its end.
    return "\n".join(_lines(text)).replace("</", "<\\/") + "\n"


def _is_link(entry: dict[str, Any]) -> bool:
    return entry["kind"] == LINK


def _short(value: Any) -> Any:
    """The same state with 2.0 written as 2, which is one number in JavaScript."""
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_short(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _lines(text: str) -> list[str]:
    """The script without indentation and lines of comment; no text of ours runs over lines."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def _single(state: dict[str, Any], buffer: dict[str, Any]) -> dict[str, Any]:
    """A buffer of the state; double precision becomes single, which a picture does not show."""
    place: Any = state
    for key in buffer["path"][:-1]:
        place = place[key]
    data = buffer["data"].strip()
    if place.get("dtype") == "float64":
        place["dtype"] = "float32"
        values = np.frombuffer(base64.b64decode(data), "<f8").astype("<f4")
        data = base64.b64encode(values.tobytes()).decode()
    return {"path": buffer["path"], "data": data}


def short_names(states: dict[str, Any]) -> dict[str, str]:
    """For each widget's id of 32 digits, a short one."""
    return {name: f"w{i}" for i, name in enumerate(states)}


def _entry(kind: str, state: dict[str, Any], names: str) -> dict[str, Any]:
    return {"kind": kind, "state": {name: state[name] for name in names.split() if name in state}}


def _explorable(model: dict[str, Any]) -> dict[str, Any]:
    state = model["state"]
    declared = state["_declared"]
    names = ["_declared", "_data", "_anywidget_id", *(p["name"] for p in declared["parameters"])]
    has_twin = twin_of(state["_esm"]) != "null"
    if not has_twin:
        if not state.get("_frames", {}).get("scenes"):
            raise ValueError(
                f"the explorable {declared['title']!r} is computed by the kernel: declare"
                " frames = {parameter: values}, so that a page can show it"
            )
        names.append("_frames")
    entry = copy.deepcopy(_entry("AnyModel", state, " ".join(names)))
    buffers = [b for b in model.get("buffers", []) if b["path"][0] in entry["state"]]
    entry["buffers"] = [_single(entry["state"], b) for b in buffers]
    size = sum(len(b["data"]) for b in entry["buffers"] if b["path"][0] == "_frames")
    size += len(json.dumps(entry["state"].get("_frames", "")))
    if size > FRAMES_AT_MOST:
        raise ValueError(
            f"the frames of the explorable {declared['title']!r} take {size / 1e6:.1f} MB, the limit"
            f" is {FRAMES_AT_MOST / 1e6:.0f} MB: declare fewer values or draw less"
        )
    return entry
