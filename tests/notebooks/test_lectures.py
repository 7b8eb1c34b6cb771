"""The lectures as files: stored clean, valid, seeded, each cell saying which rows it teaches."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
LECTURES = sorted((ROOT / "lectures").glob("*.ipynb"))
ROW = re.compile(r"[CPGHT]-\d\d")

# The rows that coverage gives to each lecture.
ROWS = {
    "06": (
        "C-38 C-39 C-40 C-41 C-42 C-43 C-44 C-45 C-46 C-47 C-48 C-49 C-66 P-30 P-31 P-32"
        " G-20 G-21 G-22 G-23 H-09 H-50 T-02 T-04 T-05 T-06 T-07 T-08 T-09"
    ),
    "09a": (
        "P-40 P-41 P-42 P-43 P-44 P-45 P-46 G-66 G-67 G-69 H-27 H-28 T-27"
        " T-48 T-49 T-50 T-51 T-52 T-53 T-54 T-55 T-56 T-57 T-58"
    ),
}


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


@pytest.fixture(params=LECTURES, ids=lambda p: p.stem)
def lecture(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_there_are_lectures() -> None:
    assert {p.name.split("-")[0] for p in LECTURES} >= set(ROWS)


def test_the_notebook_is_valid(lecture: Path) -> None:
    nbformat.validate(read(lecture))


def test_the_kernel_is_the_standard_one(lecture: Path) -> None:
    metadata = read(lecture).metadata
    assert metadata.kernelspec.name == "python3"
    assert "widgets" not in metadata, "widget state belongs into exported pages"


def test_it_is_stored_clean(lecture: Path) -> None:
    dirty = [
        cell.id
        for cell in code_cells(lecture)
        if cell.execution_count is not None
        or (cell.outputs and "check-output" not in cell.metadata.get("tags", []))
    ]
    assert not dirty


def test_cells_tagged_check_output_have_an_output_to_compare(lecture: Path) -> None:
    tagged = [c for c in code_cells(lecture) if "check-output" in c.metadata.get("tags", [])]
    assert tagged, "a lecture has at least one output that is compared"
    assert not [c.id for c in tagged if not c.outputs]


def test_cell_ids_are_unique(lecture: Path) -> None:
    ids = [cell.id for cell in read(lecture).cells]
    assert len(ids) == len(set(ids))


def test_every_row_of_the_lecture_is_taught(lecture: Path) -> None:
    taught = {row for cell in read(lecture).cells for row in cell.metadata.get("rows", [])}
    assert {row for row in taught if not ROW.fullmatch(row)} == set(), "not a row"
    expected = set(ROWS[lecture.name.split("-")[0]].split())
    assert expected - taught == set()


def test_randomness_is_seeded(lecture: Path) -> None:
    """`default_rng()` without a seed, or NumPy's global generator, would re-roll the numbers."""
    offenders = []
    for cell in code_cells(lecture):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                unseeded = name.endswith("default_rng") and not (node.args or node.keywords)
                legacy = re.search(r"\brandom\.(?!default_rng|Generator|SeedSequence)\w+$", name)
                if unseeded or legacy:
                    offenders.append((cell.id, name))
    assert not offenders


def test_it_ends_with_summary_questions_and_references(lecture: Path) -> None:
    text = "\n".join(cell.source for cell in read(lecture).cells if cell.cell_type == "markdown")
    headings = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#")]
    for heading in ("summary", "check yourself", "assignment", "references"):
        assert any(heading in h for h in headings), heading
    assert text.count("<details>") >= 3, "three questions with folded answers"


def test_relative_links_lead_somewhere(lecture: Path) -> None:
    text = "\n".join(cell.source for cell in read(lecture).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not (lecture.parent / link).exists()] == []
