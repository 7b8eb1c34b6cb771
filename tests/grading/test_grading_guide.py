"""Every command of docs/grading.md works, in the order in which an instructor meets it.

They are run on the tiny assignment, which is quick; only its names stand in for those of the guide.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_course import NAME

from course import cli

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
SMALLER = {
    "09-backprop": NAME,
    "backprop.ipynb": "tiny.ipynb",
    "dY.sum(axis=0)/dY.mean(axis=0)": r"np.mean(x\*\*2)/np.sum(x**2)",
}


def smaller(block: str) -> str:
    for old, new in SMALLER.items():
        block = block.replace(old, new)
    return block


@pytest.fixture(scope="module")
def followed(
    tiny_source: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """A course in which every block was run; what each printed, by its last line."""
    root = tmp_path_factory.mktemp("guide")
    shutil.copytree(tiny_source / "solutions", root / "solutions")
    for name in ("nbgrader_config.py", "constraints.txt"):
        shutil.copy(ROOT / name, root / name)
    (root / ".venv").symlink_to(Path(sys.executable).parents[1])
    printed = {}
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-e", "-c", smaller(block)],
            cwd=root, env={**os.environ, "COLUMNS": "120"}, input="y\n",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        printed[block.strip().splitlines()[-1]] = done.stdout
    return root, printed


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_guide_leads_from_release_to_feedback(followed: tuple[Path, dict[str, str]]) -> None:
    root, printed = followed
    graded = printed[".venv/bin/course grade 09-backprop"]
    assert "10 / 10" in graded
    assert "1 × sum, not mean" in graded
    assert "3 submissions: 1 all right, 1 some points, 1 no points" in graded
    for student in ("ada", "ben", "cid"):
        assert (root / "feedback" / student / NAME / "tiny.html").is_file()
    with (root / "grades-canvas.csv").open(newline="") as file:
        scores = {row["Student"].strip(): row[NAME] for row in csv.DictReader(file)}
    assert scores == {
        "Points Possible": "12", "Lovelace, Ada": "10", "Bitdiddle, Ben": "4",
        "Campeador, Cid": "0",
    }  # fmt: skip
    assert "0 of 3 grades change" in printed[".venv/bin/course regrade 09-backprop"]
    assert (root / f"{NAME}.zip").stat().st_size > 50_000


def test_the_guide_names_only_commands_and_files_that_exist() -> None:
    named = set(re.findall(r"\bcourse ([a-z]+(?:-[a-z]+)?) 09-backprop", TEXT))
    assert named >= {"release", "grade", "feedback", "export", "regrade", "receive"}
    assert named <= set(cli.main.commands)
    for target in re.findall(r"`make (\w+)`|^make (\w+)", TEXT, re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for link in re.findall(r"\]\(([\w.-]+)\)", TEXT):
        assert (ROOT / "docs" / link).is_file(), link
    assert (ROOT / ".github" / "workflows" / "classroom.yml").is_file()
