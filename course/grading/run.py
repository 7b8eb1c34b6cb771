"""A run: what came of driving one exercise over its cases.

Made wherever a driver runs (in the notebook at home, in the worker), handed on as plain values, and
compared in the trusted process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KINDS = ("not done", "error", "limit")
TEXT = 400  # characters kept of any text from a student's process


def clean(text: object, length: int = TEXT) -> str:
    """Bounded printable text: control characters become spaces, the excess is cut."""
    shown = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * length])
    shown = " ".join(shown.split())
    return shown if len(shown) <= length else shown[: length - 1] + "…"


@dataclass(frozen=True)
class Failure:
    """Why there are no values.

    kind : 'not done' (raised NotImplementedError, or a name is missing), 'error' (it raised),
        'limit' (time, memory, output).
    type : name of the exception, or of the limit.
    message : the exception's text, or what the limit is.
    cell : grade_id of the student's cell in which it happened, if known.
    function, line, text : where in that cell, if known.
    missing : the student's name that is not defined, if that is the reason.
    case : number of the case, from 0.
    """

    kind: str
    type: str = ""
    message: str = ""
    cell: str | None = None
    function: str | None = None
    line: int | None = None
    text: str | None = None
    missing: str | None = None
    case: int | None = None


@dataclass(frozen=True)
class Case:
    """One case: the values the driver returned, and the arguments that differ afterwards."""

    values: dict[str, Any]
    changed: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Every case of one exercise, or the failure that ended it."""

    cases: tuple[Case, ...] = ()
    failure: Failure | None = None

    def plain(self) -> dict[str, Any]:
        """As plain values, for `values.pack`."""
        return {
            "cases": [{"values": c.values, "changed": c.changed} for c in self.cases],
            "failure": None if self.failure is None else dict(vars(self.failure)),
        }

    @classmethod
    def of(cls, plain: Any) -> Run:
        """From plain values that may come from anywhere; ValueError if they are not a run."""
        if not isinstance(plain, dict) or set(plain) != {"cases", "failure"}:
            raise ValueError("not a run")
        cases, failure = plain["cases"], plain["failure"]
        if not isinstance(cases, list):
            raise ValueError("the cases of a run are not a list")
        for case in cases:
            if not (
                isinstance(case, dict)
                and set(case) == {"values", "changed"}
                and all(isinstance(part, dict) for part in case.values())
            ):
                raise ValueError("not a case of a run")
        return cls(
            tuple(Case(case["values"], case["changed"]) for case in cases),
            None if failure is None else failure_of(failure),
        )


def failure_of(plain: Any) -> Failure:
    """A failure from plain values that may come from anywhere; texts are bounded."""
    if not isinstance(plain, dict) or plain.get("kind") not in KINDS:
        raise ValueError("not a failure")

    def text(name: str) -> str | None:
        return None if plain.get(name) is None else clean(plain[name])

    def number(name: str) -> int | None:
        return plain[name] if type(plain.get(name)) is int and abs(plain[name]) < 10**6 else None

    return Failure(
        plain["kind"],
        clean(plain.get("type", ""), 80),
        clean(plain.get("message", "")),
        text("cell"),
        text("function"),
        number("line"),
        text("text"),
        text("missing"),
        number("case"),
    )
