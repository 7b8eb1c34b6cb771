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
    percents : of each graded submission.
    met : in how many submissions each misconception was met, once each however far it spread.
    """

    exercises: dict[str, ExerciseSummary] = field(default_factory=dict)
    submissions: Counter[str] = field(default_factory=Counter)
    percents: list[float] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    @property
    def misconceptions(self) -> list[tuple[str, str, int]]:
        """(misconception, the exercises in which it shows, how many submissions), commonest first."""
        return [
            (
                name,
                ", ".join(e.exercise for e in self.exercises.values() if name in e.misconceptions),
                n,
            )
            for name, n in self.met.most_common()
        ]

    @property
    def headline(self) -> str:
        """How many, and how well."""
        graded = len(self.percents)
        mean = sum(self.percents) / graded if graded else 0.0
        return f"{graded} submissions graded, {mean:.0f} % of the points on average"


def kind_of(result: Result) -> str:
    """How a submission went, in two words."""
    if result.reason is not None:
        return "not graded"
    if not result.points:
        return "no points"
    return "all right" if result.points > result.max_points * (1 - 1e-9) else "some points"


def summarise(results: Iterable[Result]) -> Summary:
    """Count outcomes; submissions that could not be graded count as such, not as 'not done'."""
    summary = Summary()
    for result in results:
        summary.submissions[kind_of(result)] += 1
        if result.reason is not None:
            continue
        summary.percents.append(100 * result.points / (result.max_points or 1.0))
        for outcome in result.outcomes.values():
            exercise = summary.exercises.setdefault(
                outcome.exercise, ExerciseSummary(outcome.exercise)
            )
            exercise.statuses[outcome.status] += 1
            if outcome.misconception:
                exercise.misconceptions[outcome.misconception] += 1
        named = (o.misconception for o in result.outcomes.values() if o.misconception)
        summary.met.update(dict.fromkeys(named, 1))
    return summary


def in_words(summary: Summary, title: str, most: int = 10) -> str:
    """What the picture shows, for those who do not see it."""
    lines = [f"{title}: {summary.headline}.", "", "Right:"]
    for exercise in summary.exercises.values():
        others = [
            f"{exercise.statuses[status]} {label}"
            for status, (label, *_) in LOOKS.items()
            if exercise.statuses[status] and status != "correct"
        ]
        lines.append(f"- {exercise.exercise}: {exercise.passed:.0%}; {', '.join(others) or 'all'}")
    common = summary.misconceptions[:most]
    lines += [
        "",
        "Commonest misconceptions (submissions):" if common else "No known misconception.",
    ]
    lines += [f"- {count} × {name} ({where})" for name, where, count in common]
    return "\n".join(lines) + "\n"


def plot(summary: Summary, title: str, path: Path, most: int = 10) -> Path:
    """Draw the summary and write it to `path` (PNG): a bar for each exercise, the commonest mistakes.

    The same in words is in the picture's description and beside it (`.txt`).

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
    names = [textwrap.fill(f"{name} ({where})", 44) for name, where, _ in common]
    rows = (0.36 * len(exercises), 0.2 + 0.2 * sum(2 + n.count("\n") for n in names))
    figure = Figure(figsize=(9, 1.7 + sum(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=[rows[0] + 0.5, rows[1] + 0.3])

    left = [0.0] * len(exercises)
    places = range(len(exercises))
    for status, (label, colour, hatch) in LOOKS.items():
        counts = [e.statuses[status] for e in exercises]
        if not any(counts):
            continue
        widths = [100 * e.statuses[status] / e.graded for e in exercises]
        bars = top.barh(
            places, widths, left=left, color=colour, hatch=hatch, label=label,
            edgecolor="white", linewidth=0.8, height=0.75,
        )  # fmt: skip
        shown = [str(n) if width >= 4 else "" for n, width in zip(counts, widths, strict=True)]
        for text in top.bar_label(bars, shown, label_type="center", fontsize="small"):
            if text.get_text():
                text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.5})
        left = [a + b for a, b in zip(left, widths, strict=True)]
    top.set_yticks(places, [f"{e.exercise}  {e.passed:.0%}" for e in exercises])
    top.invert_yaxis()
    top.set_xlim(0, 100)
    top.set_xlabel("submissions, in % (beside the name: the share that is right)")
    figure.legend(
        *top.get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS),
        frameon=False, fontsize="small", columnspacing=1.2, handlelength=1.6,
        title=f"{title}: {summary.headline}", title_fontsize="large",
    )  # fmt: skip

    if common:
        bars = bottom.barh(range(len(common)), [n for *_, n in common], color="#0072B2", height=0.6)
        bottom.bar_label(bars, padding=3)
        bottom.set_yticks(range(len(common)), names, fontsize="small")
        bottom.invert_yaxis()
        bottom.set_title("Commonest misconceptions, and in how many submissions", fontsize="medium")
        bottom.set_xticks([])
        bottom.spines["bottom"].set_visible(False)
    else:
        bottom.text(0.5, 0.5, "no known misconception was met", ha="center", va="center")
        bottom.set_axis_off()
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = in_words(summary, title, most)
    draft = path.with_name(f".{path.name}")
    figure.savefig(draft, format="png", dpi=150, metadata={"Title": title, "Description": words})
    draft.replace(path)
    path.with_suffix(".txt").write_text(words, encoding="utf-8")
    return path
