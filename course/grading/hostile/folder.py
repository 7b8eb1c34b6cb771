"""Attacks by what lies in the submission's folder beside the notebook, or in its place."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

from course.grading.hostile.attack import Hostile

MEASURED = "measured on stock nbgrader 0.9.6: links are followed into autograded/ and feedback/"
EVIL = "import os\nopen(os.path.join(os.getcwd(), 'planted.txt'), 'w').write('imported')\n"


def links_notebook(file: Path, root: Path) -> None:
    """The notebook is a link to the solution."""
    file.unlink()
    file.symlink_to(root / "solutions" / file.parent.name / file.name)


def links_folder(file: Path, root: Path) -> None:
    """The folder is a link to another student's."""
    others = sorted(p for p in (root / "submitted").iterdir() if p != file.parents[1])
    shutil.rmtree(file.parent)
    file.parent.symlink_to(others[0] / file.parent.name)


def links_beside(file: Path, root: Path) -> None:
    """Links to the solution, the gradebook and everything, to be copied to where one reads them."""
    for name, target in {
        "misconceptions.py": root / "solutions" / file.parent.name / "misconceptions.py",
        "gradebook.db": root / "gradebook.db",
        "seed": root / ".grading" / "seed",
        "all": Path("/"),
        "self": file.parent,
    }.items():
        (file.parent / name).symlink_to(target)


def pipes(file: Path, root: Path) -> None:
    """The notebook is a pipe that nobody writes to, and there is another."""
    file.unlink()
    os.mkfifo(file)
    os.mkfifo(file.parent / "data.csv")


def sockets(file: Path, root: Path) -> None:
    """The notebook is a socket."""
    file.unlink()
    here = os.open(file.parent, os.O_RDONLY)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{file.name}")
    os.close(here)


def is_a_folder(file: Path, root: Path) -> None:
    """The notebook is a folder, with a notebook in it."""
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    (file / file.name).write_bytes(content)


def brings_graders(file: Path, root: Path) -> None:
    """Files that a grader would import, run or read, were it to look here."""
    for name in ("exercises.py", "misconceptions.py", "numpy.py", "course.py", "sitecustomize.py",
                 "conftest.py", "nbgrader_config.py", "setup.py", "json.py", "jupyter_config.py"):  # fmt: skip
        (file.parent / name).write_text(EVIL)
    (file.parent / "course" / "grading").mkdir(parents=True)
    (file.parent / "course" / "grading" / "__init__.py").write_text(EVIL)
    (file.parent / "checks.json").write_text("{}")
    (file.parent / "gradebook.db").write_bytes(b"SQLite format 3\0")
    (file.parent / "feedback.html").write_text("<script>document.title = 'owned'</script>")


def two_notebooks(file: Path, root: Path) -> None:
    """More notebooks than one: other names, hidden ones, checkpoints."""
    content = json.loads(file.read_bytes())
    content["metadata"]["course"] = {"result": {"points": 1e9}}
    text = json.dumps(content)
    (file.parent / ".ipynb_checkpoints").mkdir()
    for name in ("a.ipynb", "Tiny.ipynb", ".hidden.ipynb", "..ipynb", "-rf.ipynb", "*.ipynb", "[!a].ipynb",
                 ".ipynb_checkpoints/tiny-checkpoint.ipynb", "name\nwith lines.ipynb"):  # fmt: skip
        (file.parent / name).write_text(text)
    (file.parent / os.fsdecode(b"\xff.ipynb")).write_text(text)


def lies_about_time(file: Path, root: Path) -> None:
    """A time of arrival long before the assignment was set, and one that is none."""
    (file.parent / "timestamp.txt").write_text("0001-01-01 00:00:00 UTC" + "9" * 5000)
    os.utime(file, (1, 1))


def many_files(file: Path, root: Path) -> None:
    """A tree of small files, deep and wide."""
    deep = file.parent
    for _ in range(60):
        deep = deep / ("d" * 50)
    deep.mkdir(parents=True)
    for number in range(300):
        (file.parent / f"{number}").write_text("x")
    (file.parent / "sparse.csv").touch()
    os.truncate(file.parent / "sparse.csv", 1 << 36)


ATTACKS = (
    Hostile("linked-notebook", "hands in a link to the solution", plant=links_notebook, reason="link",
            source=MEASURED),
    Hostile("linked-folder", "hands in a link to another student's folder", plant=links_folder, reason="link"),
    Hostile("links-beside", "has secrets copied to where it can read them", plant=links_beside, source=MEASURED),
    Hostile("pipe", "hands in a pipe that never ends", plant=pipes, reason="regular"),
    Hostile("socket", "hands in a socket", plant=sockets, reason="opened|regular"),
    Hostile("folder-for-notebook", "hands in a folder of the notebook's name", plant=is_a_folder,
            reason="regular|opened"),
    Hostile("brings-graders", "brings its own exercises, configuration and modules", plant=brings_graders),
    Hostile("two-notebooks", "hands in many notebooks", plant=two_notebooks),
    Hostile("lies-about-time", "says when it came in", plant=lies_about_time, source="nbgrader's zip_collect"),
    Hostile("many-files", "hands in more files, and larger ones, than are copied", plant=many_files),
)  # fmt: skip
