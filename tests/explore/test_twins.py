"""The JavaScript twin of an explorable computes what its Python scene does, over the slider grid."""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import math
import pkgutil
import random
import re
from collections.abc import Iterator
from typing import Any

import examples
import numpy as np
import pytest

import course.explore
from course.explore import Explorable, marks, scene
from course.explore.explorable import source, twin_function
from course.explore.wire import pack

pytestmark = pytest.mark.browser

RUN = """
function bytes(value) {
  if (Array.isArray(value)) return value.map(bytes);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.base64 === "string") return Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, bytes(v)]));
}
const plain = (key, value) =>
  ArrayBuffer.isView(value) ? Array.from(value)
  : typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
// Typed arrays drop what their elements become, so they are spelled out first.
window.runTwin = (twin, all, data) => {
  const fixed = unpack(bytes(data));
  return JSON.stringify(all.map((parameters) => twin(parameters, fixed)), plain);
};
"""


def explorables() -> list[type[Explorable]]:
    for module in pkgutil.iter_modules(course.explore.__path__, "course.explore."):
        importlib.import_module(module.name)
    found, open_ends = [], [Explorable]
    while open_ends:
        for cls in open_ends.pop().__subclasses__():
            if "_anywidget_id" in vars(cls):
                continue  # anywidget's own class for one instance
            open_ends.append(cls)
            found.append(cls)
    return sorted(found, key=lambda cls: f"{cls.__module__}.{cls.__name__}")


TWINS = [cls for cls in explorables() if cls.twin is not None]


def settings(cls: type[Explorable]) -> list[dict[str, Any]]:
    """Defaults, presets, each slider's grid on its own, and a mixture of everything."""
    defaults = {name: cls.class_traits()[name].default() for name in cls._controls}
    found = [defaults, *({**defaults, **values} for values in cls.presets.values())]
    for name, control in cls._controls.items():
        found += [{**defaults, name: value} for value in control.grid]
    mixed = random.Random(6)
    for _ in range(40):
        found.append({n: mixed.choice(c.grid) for n, c in cls._controls.items()})
    return found


def sendable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: sendable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [sendable(each) for each in value]
    return value


def without_defaults(value: Any) -> Any:
    """A scene in which what is left at its default is left out, arrays as lists."""
    if isinstance(value, np.ndarray):
        return value.astype(float).tolist()
    if isinstance(value, list | tuple):
        return [without_defaults(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"number"}:
        return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[value["number"]]
    if "mark" in value:
        maker = getattr(marks, value["mark"])
    elif "marks" in value:
        maker = scene.panel
    elif "source" in value:
        maker = marks.edge
    elif "state" in value or ("label" in value and "x" in value):
        maker = marks.node
    else:
        maker = None
    defaults = (
        {n: p.default for n, p in inspect.signature(maker).parameters.items()} if maker else {}
    )
    kept = {}
    for name, each in value.items():
        default = defaults.get(name)
        if isinstance(default, bool | int | float | str) and each == default:
            continue
        if (
            each is None
            or (each is False and not default)
            or (isinstance(default, tuple) and not each)
        ):
            continue
        kept[name] = without_defaults(each)
    return kept


NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")


def differences(python: Any, script: Any, where: str = "scene") -> Iterator[str]:
    if isinstance(python, dict) and isinstance(script, dict):
        if set(python) != set(script):
            yield f"{where}: keys {sorted(set(python) ^ set(script))} are on one side only"
        for name in python.keys() & script.keys():
            yield from differences(python[name], script[name], f"{where}.{name}")
    elif isinstance(python, list) and isinstance(script, list):
        if len(python) != len(script):
            yield f"{where}: {len(python)} in Python, {len(script)} in JavaScript"
        elif python and all(isinstance(v, int | float) for v in (*python, *script)):
            a, b = np.array(python, float), np.array(script, float)
            finite = np.abs(a[np.isfinite(a)])
            slack = 1e-12 * (finite.max() if finite.size else 0) + 1e-15
            if not np.allclose(a, b, rtol=1e-9, atol=slack, equal_nan=True):
                worst = int(np.nanargmax(np.abs(a - b)))
                yield f"{where}[{worst}]: {a[worst]!r} in Python, {b[worst]!r} in JavaScript"
        else:
            for i, (a, b) in enumerate(zip(python, script, strict=True)):
                yield from differences(a, b, f"{where}[{i}]")
    elif isinstance(python, str) and isinstance(script, str):
        # Halves may be rounded differently: the same words, and numbers equal to 3 digits.
        same = NUMBER.sub("#", python) == NUMBER.sub("#", script) and all(
            math.isclose(float(a.replace("−", "-")), float(b.replace("−", "-")), rel_tol=2e-3)
            for a, b in zip(NUMBER.findall(python), NUMBER.findall(script), strict=True)
        )
        if not same:
            yield f"{where}: {python!r} in Python, {script!r} in JavaScript"
    elif isinstance(python, int | float) and isinstance(script, int | float):
        if not (math.isclose(python, script, rel_tol=1e-9, abs_tol=1e-12)
                or (math.isnan(python) and math.isnan(script))):  # fmt: skip
            yield f"{where}: {python!r} in Python, {script!r} in JavaScript"
    elif python != script:
        yield f"{where}: {python!r} in Python, {script!r} in JavaScript"


def compare(page: Any, cls: type[Explorable], twin: Any) -> list[str]:
    explorable = cls()
    try:
        data = sendable(pack(explorable.data()))
        page.add_script_tag(content=source("format.js") + RUN)
        page.add_script_tag(content=f"window.twin = {twin_function(twin)};")
        found = []
        for setting in settings(cls):
            answer = page.evaluate("([all, data]) => runTwin(twin, all, data)", [[setting], data])
            expected = without_defaults(explorable.scene(**setting))
            for line in differences(expected, without_defaults(json.loads(answer)[0])):
                found.append(f"{setting}: {line}")
        return found
    finally:
        explorable.close()


@pytest.mark.parametrize("cls", TWINS, ids=lambda cls: cls.__name__)
def test_the_twin_computes_what_python_computes(cls: type[Explorable], page: Any) -> None:
    page.goto("about:blank")
    offenders = compare(page, cls, cls.twin)
    assert not offenders, f"{len(offenders)} differences, the first: " + "\n".join(offenders[:5])


def test_a_twin_that_drifted_is_noticed(page: Any, tmp_path: Any) -> None:
    text = (examples.HERE / "boundary.js").read_text()
    drifted = tmp_path / "drifted.js"
    drifted.write_text(text.replace("Math.exp(-z)", "Math.exp(-1.000001 * z)"))
    page.goto("about:blank")
    offenders = compare(page, examples.Boundary, drifted)
    assert offenders
    assert all("heat" not in line or "values" in line for line in offenders)
