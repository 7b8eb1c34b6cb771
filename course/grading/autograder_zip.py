"""`course export-autograder`: an assignment as the zip that Gradescope wants.

Gradescope unpacks the zip into /autograder/source, runs `setup.sh` once to make an image, and
`run_autograder` for every submission (gradescope-autograders.readthedocs.io/en/latest/specs).
Packed are the grading part of this package, the assignment with its solution, and the seed of the
hidden inputs, so that Gradescope and `course grade` give the same points.  Keep the zip to yourself.
"""

from __future__ import annotations

import importlib.metadata
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from course.grading.exercise import ExerciseSet

SKIPPED = {"__pycache__", ".ipynb_checkpoints", "explore", "jupyter", "estimators"}
WHEN = (2026, 1, 1, 0, 0, 0)  # one date for all files: the same contents give the same zip

SETUP = """#!/usr/bin/env bash
# Gradescope runs this once, as root, to make the image.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"

new_enough() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() {
  for name in python3.13 python3.12 python3.11 python3; do
    if new_enough "$name"; then echo "$name"; return; fi
  done
}
if command -v apt-get >/dev/null && [ -z "${AUTOGRADER_NO_APT:-}" ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends bubblewrap python3 python3-venv >/dev/null
  if [ -z "$(find_python)" ]; then
    apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv >/dev/null
  fi
fi
python=$(find_python)
if [ -z "$python" ]; then
  echo "Python 3.11 or later is needed: choose a newer base image." >&2
  exit 1
fi
"$python" -m venv "$root/env"
"$root/env/bin/python" -m pip install --quiet --disable-pip-version-check \\
  --constraint "$root/source/constraints.txt" --requirement "$root/source/requirements.txt"
chmod -R go-rwx "$root/source"
cd /
PYTHONPATH="$root/source" "$root/env/bin/python" -m course.grading.gradescope "$root" --prepare @OPTIONS@
"""
RUN = """#!/usr/bin/env bash
# Gradescope runs this for every submission.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
cd /
PYTHONPATH="$root/source" exec "$root/env/bin/python" -m course.grading.gradescope "$root" @OPTIONS@
"""


def requirements(exercises: ExerciseSet) -> list[str]:
    """What the container needs from the package index: the grader's needs, and the exercises'."""
    needed = {"numpy", "rich", "sandlock; sys_platform == 'linux'"}
    owners = importlib.metadata.packages_distributions()
    for name in exercises.imports:
        top = name.partition(".")[0]
        if top == "course":  # what parts of this package need that may be imported
            needed |= {"scikit-learn", "matplotlib"}
        else:
            needed |= set(owners.get(top, [top]))
    return sorted(needed)


def contents(
    course_root: Path, name: str, *, unsandboxed: bool
) -> Iterator[tuple[str, bytes, int]]:
    """The files of the zip: path, content, mode."""
    from course.grading.grader import hidden_seed

    options = "--unsandboxed" if unsandboxed else ""
    for script, text in (("setup.sh", SETUP), ("run_autograder", RUN)):
        lines = [line.rstrip() for line in text.replace("@OPTIONS@", options).split("\n")]
        yield script, "\n".join(lines).encode(), 0o755
    exercises = ExerciseSet.load(course_root / "solutions" / name / "exercises.py")
    yield "requirements.txt", "\n".join([*requirements(exercises), ""]).encode(), 0o644
    pins = course_root / "constraints.txt"
    yield "constraints.txt", pins.read_bytes() if pins.is_file() else b"", 0o644
    yield ".grading/seed", f"{hidden_seed(course_root / '.grading')}\n".encode(), 0o600
    package = Path(__file__).parents[1]
    places = {
        package: "course",
        course_root / "solutions" / name: f"solutions/{name}",
        course_root / "assignments" / name: f"assignments/{name}",
    }
    for folder, inside in places.items():
        for path in sorted(folder.rglob("*")):
            within = path.relative_to(folder)
            if path.is_file() and not SKIPPED & set(within.parts):
                yield f"{inside}/{within.as_posix()}", path.read_bytes(), 0o644


def export_autograder(
    course_root: Path | str, name: str, to: Path, *, unsandboxed: bool = False
) -> list[str]:
    """Write the zip, whole or not at all; returns the names of the files in it.

    Raises FileNotFoundError if the assignment was not released.
    """
    root = Path(course_root)
    if not any((root / "assignments" / name).glob("*.ipynb")):
        raise FileNotFoundError(f"{name} was not released: run course release {name} first.")
    to.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=to.parent, prefix=f".{to.name}-")
    packed = []
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
            for path, content, mode in contents(root, name, unsandboxed=unsandboxed):
                entry = zipfile.ZipInfo(path, WHEN)
                entry.external_attr = (0o100000 | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
                packed.append(path)
        os.replace(draft, to)  # keeps the mode 600 of a new temporary file: it holds the solution
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return packed
