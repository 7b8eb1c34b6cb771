"""Reading a notebook's code cells the way grading sees them: by grade_id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from course.grading.results import Cell


class NotebookError(ValueError):
    """The file cannot be read as a notebook; the message says why."""


def read_notebook(path: Path) -> dict[str, Any]:
    """The notebook as JSON values.  Raises NotebookError."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise NotebookError(
            f"{path.name} cannot be read as a notebook: it is damaged, or was not saved as one ({error})"
        ) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise NotebookError(f"{path.name} is not a notebook: it has no list of cells")
    return notebook


def nbgrader_metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader notes in a cell; empty if it notes nothing."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def source_of(cell: dict[str, Any]) -> str:
    """A cell's text, which may be stored as a list of lines."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    """The code cells in order, without the check cells; solution cells with their grade_id.

    Several solution cells with one grade_id (JupyterLab's split makes them) all run in order, as
    in the kernel; the last one stands for the exercise.
    """
    cells: list[Cell] = []
    place: dict[str, int] = {}
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        metadata = nbgrader_metadata(cell)
        if metadata.get("grade") and not metadata.get("solution"):
            continue
        grade_id = metadata.get("grade_id") if metadata.get("solution") else None
        if not isinstance(grade_id, str):
            grade_id = None
        elif grade_id in place:
            cells[place[grade_id]] = Cell(None, cells[place[grade_id]].source)
        if grade_id is not None:
            place[grade_id] = len(cells)
        cells.append(Cell(grade_id, source_of(cell)))
    return cells


def read_cells(path: Path) -> list[Cell]:
    """`code_cells` of a file.  Raises NotebookError."""
    return code_cells(read_notebook(path))
