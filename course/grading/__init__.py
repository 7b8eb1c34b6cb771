"""Exercises that explain themselves: checked at home, graded in a sandbox.

In an assignment's notebook: `from course.grading import check`, then `check("Linear")`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    """`check` is loaded when it is asked for, so that importing a part of grading loads that part."""
    if name == "check":
        from course.grading.at_home import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
