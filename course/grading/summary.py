"""A class in one view: how each exercise went, and which misconceptions are commonest.

The thing to look at before the next lecture: as a table in the terminal, and as a picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from course.grading.results import Result

# In the order of the picture's bars.  Okabe and Ito's colours, told apart under colour blindness;
# hatches tell them apart without any colour.
LOOKS = {
    "correct": ("right", "#009E73", ""),
    "partly": ("partly right", "#56B4E9", "//"),
    "wrong": ("wrong", "#E69F00", ".."),
    "error": ("raised an error", "#D55E00", "xx"),
    "limit": ("stopped at a limit", "#CC79A7", "\\\\"),
    "not done": ("not done", "#DDDDDD", ""),
}


@dataclass
class ExerciseSummary:
    """How one exercise went: submissions by status, and by misconception."""

    exercise: str
    statuses: Counter[str] = field(default_factory=Counter)
    misconceptions: Counter[str] = field(default_factory=Counter)

    @property
    def graded(self) -> int:
        return sum(self.statuses.values())

    @property
    def passed(self) -> float:
        """The share of graded submissions that have it right, 0 to 1."""
        return self.statuses["correct"] / self.graded if self.graded else 0.0


@dataclass
class Summary:
    """A class: its exercises, its submissions by how they went, its points in per cent.

    submissions : counts of 'all right', 'some points', 'no points', 'not graded'.
    """

    exercises: dict[str, ExerciseSummary] = field(default_factory=dict)
    submissions: Counter[str] = field(default_factory=Counter)
    percents: list[float] = field(default_factory=list)

    @property
    def misconceptions(self) -> list[tuple[str, str, int]]:
        """(misconception, exercise, how many), the commonest first."""
        found = [
            (misconception, e.exercise, count)
            for e in self.exercises.values()
            for misconception, count in e.misconceptions.items()
        ]
        return sorted(found, key=lambda row: -row[2])


def summarise(results: Iterable[Result]) -> Summary:
    """Count outcomes; submissions that could not be graded count as such, not as 'not done'."""
    summary = Summary()
    for result in results:
        if result.reason is not None:
            summary.submissions["not graded"] += 1
            continue
        most = result.max_points
        share = result.points / most if most else 0.0
        summary.percents.append(100 * share)
        kind = "all right" if share > 1 - 1e-9 else "some points" if share else "no points"
        summary.submissions[kind] += 1
        for outcome in result.outcomes.values():
            exercise = summary.exercises.setdefault(
                outcome.exercise, ExerciseSummary(outcome.exercise)
            )
            exercise.statuses[outcome.status] += 1
            if outcome.misconception:
                exercise.misconceptions[outcome.misconception] += 1
    return summary


def plot(summary: Summary, title: str, path: Path, most: int = 10) -> Path:
    """Draw the summary and write it to `path` (PNG): a bar for each exercise, the commonest mistakes.

    most : how many misconceptions are shown.
    Raises ValueError if nothing was graded.
    """
    import textwrap

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not summary.exercises:
        raise ValueError("nothing was graded, so there is nothing to draw")
    exercises = list(summary.exercises.values())
    common = summary.misconceptions[:most]
    rows = (len(exercises), max(len(common), 1))
    figure = Figure(figsize=(9, 1.9 + 0.36 * rows[0] + 0.5 * rows[1]), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=[rows[0] + 1.5, 1.3 * rows[1] + 0.5])
    graded = len(summary.percents)
    mean = sum(summary.percents) / graded
    headline = f"{title}: {graded} submissions graded, {mean:.0f} % of the points on average"

    left = [0.0] * len(exercises)
    places = range(len(exercises))
    for status, (label, colour, hatch) in LOOKS.items():
        widths = [100 * e.statuses[status] / e.graded for e in exercises]
        if not any(widths):
            continue
        top.barh(
            places, widths, left=left, color=colour, hatch=hatch, label=label,
            edgecolor="white", linewidth=0.8, height=0.75,
        )  # fmt: skip
        left = [a + b for a, b in zip(left, widths, strict=True)]
    top.set_yticks(places, [f"{e.exercise}  {e.passed:.0%}" for e in exercises])
    top.invert_yaxis()
    top.set_xlim(0, 100)
    top.set_xlabel("% of submissions (beside the name: the share that is right)")
    figure.legend(
        *top.get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS),
        frameon=False, fontsize="small", columnspacing=1.2, handlelength=1.6,
        title=headline, title_fontsize="large",
    )  # fmt: skip

    if common:
        names = [textwrap.fill(f"{name} ({where})", 42) for name, where, _ in common]
        counts = [count for *_, count in common]
        bars = bottom.barh(range(len(common)), counts, color="#0072B2", height=0.7)
        bottom.bar_label(bars, padding=3)
        bottom.set_yticks(range(len(common)), names, fontsize="small")
        bottom.invert_yaxis()
        bottom.set_xlim(0, max(counts) * 1.1)
        bottom.set_xlabel("submissions with this misconception")
        bottom.locator_params(axis="x", integer=True)
    else:
        bottom.text(0.5, 0.5, "no known misconception was met", ha="center", va="center")
        bottom.set_axis_off()
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    figure.savefig(draft, format="png", dpi=150)
    draft.replace(path)
    return path
