"""Explorables: figures with controls, live in JupyterLab and on pages without a kernel.

An explorable is one class. Its class attributes declare the parameters; `scene` turns their
values into a picture made of plain arrays, and says the state in words:

    from course.explore import Explorable, axis, curve, figure, number, panel, points, slider

    class Step(Explorable):
        \"\"\"How far does one step of gradient descent go?\"\"\"

        title = "One step on a parabola"
        twin = "step"                     # course/explore/static/step.js, see below
        lr = slider(0.1, 0.01, 1.2, label="learning rate η")
        start = slider(2.0, -3.0, 3.0, label="start θ₀")
        presets = {"just right": dict(lr=0.5), "divergent": dict(lr=1.1)}

        @staticmethod
        def scene(lr, start):
            theta = np.linspace(-3, 3, 61)
            end = start - lr * 2 * start
            return figure(
                panel(
                    curve(theta, theta**2, "loss", label="J(θ)"),
                    points([start, end], [start**2, end**2], "path", labels=["θ₀", "θ₁"]),
                    x=axis("parameter θ", -3, 3),
                    y=axis("loss J", 0, 9),
                ),
                words=f"One step with η = {number(lr)} goes from {number(start)} to {number(end)}.",
            )

Show it by making it the last line of a cell: `Step()`, or `ex = Step(lr=0.5); ex`.
Script it: `ex.lr = 0.3` moves slider and picture, and the slider moves `ex.lr`; `ex.set(...)`,
`ex.reset()`, `ex.preset("divergent")`, `ex.parameters`, `ex.words`. `Step.scene(lr=.1, start=2.)`
needs no widget.

Parameters (`controls.py`): `slider` (a float, or logarithmic), `integer`, `play` (a whole number
that can run by itself, for stepping), `choice` (options as buttons, menu or slider), `toggle`.

Marks (`marks.py`, the whole vocabulary, checked when made): `curve`, `points`, `arrow`, `rule`,
`band`, `bars` (also histograms), `boxes`, `text`, `heat`, `contours`, `image`, `images` (a grid of
digits), `graph` of `node` and `edge`, `table` (its panel's only mark). A mark takes a *role*, never
a colour: data, target, model = forward, gradient = backward, loss, path, positive, negative, ink,
muted. `number(x, digits=4)` writes numbers for people. Prefer fixed axis limits, and direct labels.

**The twin.** Where the picture follows from a formula, the browser computes it. The twin is one file
`static/NAME.js` with `export function scene(parameters, data)`, which returns the same dictionary as
the Python scene does, with `mark` naming each mark (keyword arguments left at their defaults may be
left out). It may use `number`, `linspace` and helper functions of its own file:

    export function scene({ lr, start }) {
      const theta = linspace(-3, 3, 61);
      const end = start - lr * 2 * start;
      return {
        panels: [{
          marks: [
            { mark: "curve", x: theta, y: theta.map((t) => t * t), role: "loss", label: "J(θ)" },
            { mark: "points", x: [start, end], y: [start ** 2, end ** 2], role: "path",
              labels: ["θ₀", "θ₁"] },
          ],
          x: { label: "parameter θ", limits: [-3, 3] },
          y: { label: "loss J", limits: [0, 9] },
        }],
        words: `One step with η = ${number(lr)} goes from ${number(start)} to ${number(end)}.`,
      };
    }

tests/explore/test_twins.py finds every explorable with a twin and compares the two over the slider
grid. Arrays that never change (data sets, images, contour maps) come from a method `data(self)` that
returns a dictionary; the twin finds them in `data`, two-dimensional ones as `data.X[row][column]`.

**Without a twin** (`twin = None`) the kernel computes `scene` and sends it. Use this where a student's
own function runs, or something is trained; aim at 10 ms. For longer work write a generator
`scenes(self, **parameters)` that yields one scene after the other, each a complete picture: they are
shown as they come, and a moved slider starts anew. For the exported page declare which values are
computed beforehand, `frames = dict(lr=[0.01, 0.1, 1.0])` (at most 1 MB altogether).
`scene` may also be a normal method and use `self.f` set in `__init__` before `super().__init__()`.
"""

from course.explore.controls import choice, integer, play, slider, toggle
from course.explore.explorable import Explorable
from course.explore.marks import (
    arrow,
    band,
    bars,
    boxes,
    contours,
    curve,
    edge,
    graph,
    heat,
    image,
    images,
    node,
    points,
    rule,
    table,
    text,
)
from course.explore.palette import colour
from course.explore.scene import Mark, Panel, Scene, axis, figure, number, panel

__all__ = [
    "Explorable", "Mark", "Panel", "Scene", "arrow", "axis", "band", "bars", "boxes", "choice", "colour", "contours", "curve",
    "edge", "figure", "graph", "heat", "image", "images", "integer", "node", "number", "panel",
    "play", "points", "rule", "slider", "table", "text", "toggle",
]  # fmt: skip
