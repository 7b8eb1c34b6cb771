"""What every test run shares: the order (fast tests first) and what nbval compares."""

from __future__ import annotations

import nbval.plugin
import pytest

# The lectures keep outputs only in cells tagged `check-output`: those nbval compares.
nbval.plugin.metadata_tags["check-output"] = "check"

SLOWER = ("sandbox", "slow", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run unit tests first, then notebooks, then sandboxes, slow tests and browsers."""

    def rank(item: pytest.Item) -> int:
        marks = [SLOWER.index(m.name) + 2 for m in item.iter_markers() if m.name in SLOWER]
        return max(marks, default=int(item.path.suffix == ".ipynb"))

    items.sort(key=rank)
    for item in items:
        cell = getattr(item, "cell", None)
        if cell is not None and cell.get("outputs"):
            cell.execution_count = 0  # stored without counts, which nbval takes for "not run"
