"""A misconception: a named mistake in one solution cell, and the hint a good tutor would give.

An assignment's `misconceptions.py` is a list of these.  It stays on the instructor's side: releasing
an assignment stores only the *values* a misconception leads to, and its hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Misconception:
    """A wrong version of one solution cell.

    name : what is wrong, a few words ('db not summed over the batch'); unique in its assignment.
    cell : `grade_id` of the solution cell that it changes.
    hint : one to three sentences: what the values look like, why, and what to think about.
        Never the corrected line of code.
    replace : text in the solution's cell -> the wrong text; every text must occur there.
    source : the whole wrong cell, where small replacements cannot express it.
    """

    name: str
    cell: str
    hint: str
    replace: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None

    def apply(self, solution: str) -> str:
        """The wrong cell, made from the solution's.

        Raises ValueError if a text to be replaced does not occur in the solution.

        >>> m = Misconception("no mean", "cost", "Divide by N.", {"/ N": ""})
        >>> m.apply("def cost(r, N): return (r**2).sum() / N")
        'def cost(r, N): return (r**2).sum() '
        """
        if self.source is not None:
            return self.source
        for old, new in self.replace.items():
            if old not in solution:
                raise ValueError(
                    f"misconception {self.name!r}: the solution cell {self.cell!r}"
                    f" does not contain {old!r}"
                )
            solution = solution.replace(old, new)
        return solution
