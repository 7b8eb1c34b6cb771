"""The explorable: declared parameters, a pure `scene`, and one picture that follows them."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import os
import time
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets
import traitlets

from course.explore import picture
from course.explore.controls import Control
from course.explore.palette import SCALES, css
from course.explore.scene import Scene
from course.explore.wire import pack

STATIC = Path(__file__).parent / "static"
FRAMES_WANTED = "COURSE_EXPLORE_FRAMES"
"""Set in the environment of a kernel that runs a notebook for `course site`."""


@cache
def source(name: str) -> str:
    """The text of a file in static/."""
    return (STATIC / name).read_text(encoding="utf-8")


@cache
def renderer() -> str:
    """The JavaScript every explorable shares: plain functions, the last one is `explore`."""
    files = [source(name) for name in ("format.js", "draw.js", "charts.js", "renderer.js")]
    return f"const SCALES = {json.dumps(SCALES)};\n" + "\n".join(files)


@cache
def style() -> str:
    """The palette and the style sheet every explorable shares."""
    return css() + source("explore.css")


def twin_function(name: str | Path) -> str:
    """A JavaScript expression: the `scene` of the twin static/NAME.js, or of a file by its path."""
    text = name.read_text(encoding="utf-8") if isinstance(name, Path) else source(f"{name}.js")
    if "export function scene(" not in text:
        raise ValueError(f"twin {name} does not have  export function scene(parameters, data)")
    body = text.replace("export function scene", "function scene")
    return f"(() => {{\n{body}\nreturn scene;\n}})()"


def module(twin: str) -> str:
    """The JavaScript module of an explorable: the shared renderer, and its twin's function."""
    return (
        f"{renderer()}\nconst twin = {twin};\n"
        "export default { render: ({ model, el }) => explore(model, el, twin) };\n"
    )


def twin_of(esm: str) -> str:
    """The twin's function in a `module`, `null` where the kernel computes."""
    before, after = module("\0").split("\0")
    return esm.removeprefix(before).removesuffix(after)


class Explorable(anywidget.AnyWidget):
    """An explorable figure; see `course.explore` for how to write one.

    Class attributes of a subclass: the parameters (`slider`, `integer`, `play`, `choice`,
    `toggle`), `title`, optional `presets` (name → values of some parameters), `twin` (the name of
    the JavaScript twin in static/, None when Python computes) and `frames` (for the exported page
    of a figure without twin: parameter → values to compute beforehand).
    Methods: `scene(**parameters)`, or `scenes(**parameters)` that yields scenes while it works;
    `data()`, arrays that never change and are sent to the twin once.
    """

    title: ClassVar[str] = ""
    twin: ClassVar[str | Path | None] = None
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    frames: ClassVar[Mapping[str, Any]] = {}

    _declared = traitlets.Dict().tag(sync=True)
    _data = traitlets.Dict().tag(sync=True)
    _scene = traitlets.Dict().tag(sync=True)
    _frames = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(vars(cls).get("_esm"), traitlets.TraitType):
            return  # anywidget's own subclass for one instance
        cls._controls = _declared_controls(cls)
        names = set(cls._controls)
        taken = [n for n in names if hasattr(Explorable, n)]
        if taken:
            raise TypeError(f"{cls.__name__}: {taken[0]!r} is a name of the kit, choose another")
        rule = cls.scenes if hasattr(cls, "scenes") else getattr(cls, "scene", None)
        if rule is None:
            raise TypeError(f"{cls.__name__} needs a method scene({', '.join(cls._controls)})")
        wanted = [n for n in inspect.signature(rule).parameters if n not in ("self", "cls")]
        if set(wanted) != names:
            raise TypeError(
                f"{cls.__name__}: the scene takes ({', '.join(wanted)}),"
                f" but the parameters are ({', '.join(cls._controls)})"
            )
        for preset, values in cls.presets.items():
            if not set(values) <= names:
                raise TypeError(f"{cls.__name__}: preset {preset!r} sets what is no parameter")
        unknown = set(cls.frames) - names
        if unknown:
            raise TypeError(f"{cls.__name__}: frames name {unknown.pop()!r}, which is no parameter")
        cls._esm = module("null" if cls.twin is None else twin_function(cls.twin))
        cls._css = style()

    _controls: ClassVar[dict[str, Control]] = {}
    _box: ipywidgets.VBox | None = None
    _task: asyncio.Task[None] | None = None
    _several = False

    def __init__(self, **values: Any) -> None:
        for name in values:
            if name not in self._controls and not self.has_trait(name):
                raise TypeError(
                    f"{type(self).__name__} has no parameter {name!r};"
                    f" it has {', '.join(self._controls)}"
                )
        super().__init__(**values)
        self._declared = _declaration(type(self))
        if self.twin is not None:
            self._data = pack(self.data())
        else:
            self._show()
            self.observe(self._show, names=list(self._controls))

    # What a subclass may give.

    def data(self) -> dict[str, Any]:
        """Arrays that the twin needs and that never change; sent to the browser once."""
        return {}

    # What a user may ask.

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of all parameters now."""
        return {name: getattr(self, name) for name in self._controls}

    @property
    def now(self) -> Scene:
        """The scene of the present parameters."""
        return self._scene_of(self.parameters)

    def _scene_of(self, parameters: dict[str, Any]) -> Scene:
        if hasattr(self, "scenes"):
            *_, last = self.scenes(**parameters)
            return last
        return self.scene(**parameters)

    @property
    def words(self) -> str:
        """The present state in words."""
        return self.now["words"]

    def set(self, **values: Any) -> None:
        """Set several parameters at once; the picture changes once."""
        unknown = set(values) - set(self._controls)
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no parameter {sorted(unknown)[0]!r};"
                f" it has {', '.join(self._controls)}"
            )
        self._several = True
        try:
            with self.hold_sync():
                for name, value in values.items():
                    setattr(self, name, value)
        finally:
            self._several = False
        if self.twin is None:
            self._show()

    def reset(self) -> None:
        """Set every parameter to its default."""
        self.set(**{name: self.traits()[name].default() for name in self._controls})

    def preset(self, name: str) -> None:
        """Set the parameters of a named preset, the others to their defaults."""
        if name not in self.presets:
            there = ", ".join(self.presets) or "none"
            raise ValueError(f"there is no preset {name!r}; there are: {there}")
        defaults = {n: self.traits()[n].default() for n in self._controls}
        self.set(**{**defaults, **self.presets[name]})

    @property
    def box(self) -> ipywidgets.VBox:
        """The figure with its controls, built once; showing the explorable shows this."""
        if self._box is None:
            rows, links = [], []
            self._made: list[ipywidgets.Widget] = []
            for name, control in self._controls.items():
                widgets = control.build(getattr(self, name))
                for widget in widgets:
                    # The figure is the source: at first sight the control takes its value.
                    links.append(ipywidgets.jslink((self, name), (widget, control.attribute)))
                rows.append(widgets[0] if len(widgets) == 1 else ipywidgets.HBox(widgets))
                self._made += widgets
            controls = ipywidgets.HBox(rows).add_class("explore-controls")
            self._links = links
            self._box = ipywidgets.VBox([controls, self]).add_class("explore-box")
        return self._box

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self.twin is None and self.frames and FRAMES_WANTED in os.environ:
            self._frames = self._all_frames()
        scene = self.now
        data = dict(self.box._repr_mimebundle_(**kwargs))
        data["text/plain"] = scene["words"]
        # For print, slides and pages without JavaScript; JupyterLab prefers the live figure.
        data["image/png"] = b64encode(picture.png(scene)).decode()
        return data, {"image/png": {"alt": scene["words"]}}

    def _all_frames(self) -> dict[str, Any]:
        """The scenes of all combinations of `frames`, for a page without a kernel."""
        names = list(self.frames)
        scenes = []
        for values in itertools.product(*self.frames.values()):
            parameters = {**self.parameters, **dict(zip(names, values, strict=True))}
            scenes.append(pack(self._scene_of(parameters), single=True))
        grid = [
            {"name": n, "values": pack(list(v)), "log": self._controls[n].log}
            for n, v in self.frames.items()
        ]
        return {"grid": grid, "scenes": scenes}

    def close(self) -> None:
        """Take the figure away with its controls and links."""
        if self._task is not None:
            self._task.cancel()
        box, self._box = self._box, None
        if box is not None:
            for each in (
                *self._links,
                *self._made,
                *box.children[0].children,
                *box.children[:1],
                box,
            ):
                each.close()
        super().close()

    # Python computes: the newest state wins.

    def _show(self, *_: Any) -> None:
        if self._several:
            return
        if not hasattr(self, "scenes"):
            # While this runs, the browser holds back and then sends only the newest values.
            self._scene = pack(self.now, single=True)
            return
        if self._task is not None:
            self._task.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._scene = pack(self.now, single=True)
        else:
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        """Show the scenes as they come, at most 30 a second, and the last one always."""
        shown, waiting = 0.0, None
        for scene in self.scenes(**self.parameters):
            waiting = scene
            if time.monotonic() - shown > 1 / 30:
                self._scene, waiting, shown = pack(scene, single=True), None, time.monotonic()
            await asyncio.sleep(0)  # lets a moved slider in, which cancels this run
        if waiting is not None:
            self._scene = pack(waiting, single=True)


def _declared_controls(cls: type[Explorable]) -> dict[str, Control]:
    """The parameters in the order of their declaration."""
    found: dict[str, Control] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, traitlets.TraitType) and "control" in value.metadata:
                found[name] = value.metadata["control"]
    return found


def _declaration(cls: type[Explorable]) -> dict[str, Any]:
    """What the browser has to know of the class."""
    traits = cls.class_traits()

    def wire(name: str, value: Any) -> Any:
        options = cls._controls[name].options
        return options.index(value) if options else value

    return {
        "title": cls.title or cls.__name__,
        "parameters": [
            {
                "name": name,
                "label": control.label,
                "default": wire(name, traits[name].default()),
                **({"options": pack(control.options)} if control.options else {}),
            }
            for name, control in cls._controls.items()
        ],
        "presets": [
            {"name": preset, "values": {n: wire(n, v) for n, v in values.items()}}
            for preset, values in cls.presets.items()
        ],
    }
