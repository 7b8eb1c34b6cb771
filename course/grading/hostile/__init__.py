"""Hostile submissions: what people have tried, or could, to get points or do harm.

None of them solves anything, so each must get zero, and nothing outside the worker's scratch space
may change.  The demo grades some of them, the tests all, under both sandboxes.  Where an attack is
known from elsewhere, its `source` says so.
"""

from __future__ import annotations

from course.grading.hostile import (
    collusion,
    files,
    folder,
    interpreter,
    kernel,
    network,
    notebook,
    processes,
    protocol,
    resources,
    values,
)
from course.grading.hostile.attack import Hostile, is_code, marks
from course.grading.hostile.notebook import SCRIPT

__all__ = ["HOSTILE", "SCRIPT", "THEMES", "Hostile", "is_code", "marks"]

THEMES: dict[str, tuple[Hostile, ...]] = {
    "files": files.ATTACKS,
    "network": network.ATTACKS,
    "processes": processes.ATTACKS,
    "kernel": kernel.ATTACKS,
    "resources": resources.ATTACKS,
    "interpreter": interpreter.ATTACKS,
    "values": values.ATTACKS,
    "protocol": protocol.ATTACKS,
    "collusion": collusion.ATTACKS,
    "notebook": notebook.ATTACKS,
    "folder": folder.ATTACKS,
}
HOSTILE = tuple(attack for attacks in THEMES.values() for attack in attacks)
