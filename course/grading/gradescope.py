"""What runs inside Gradescope's container: one submission in, results.json out.

    python -m course.grading.gradescope ROOT [--unsandboxed]      (run_autograder calls this)
    python -m course.grading.gradescope ROOT --prepare            (setup.sh calls this)

ROOT is /autograder there: `source/` holds what `course export-autograder` packed, `submission/`
what the student uploaded, `results/results.json` is the answer.  nbgrader is not needed.  If the
grader itself fails, there is no results.json and the exit code is 1, which Gradescope shows as a
failure of the autograder; no student gets a zero for it.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from course.grading.grader import Grader
from course.grading.machine_formats import Report, gradescope_results
from course.grading.results import Result
from course.grading.template import Unreadable, clean, read_bytes, rebuild


def prepare(source: Path, sandbox: str = "auto") -> Grader:
    """The grader of the one assignment that was packed; keeps its reference for later runs.

    Raises SandboxUnavailable if student code cannot be confined here.
    """
    (folder,) = (source / "solutions").iterdir()
    return Grader(source, folder.name, sandbox=sandbox)


def find_notebook(submission: Path, name: str) -> tuple[Path | None, str | None]:
    """The notebook of that name (the uppermost one), else the only one there is, with a note."""
    found = [p for p in sorted(submission.rglob("*.ipynb")) if ".ipynb_checkpoints" not in p.parts]
    named = [path for path in found if path.name == name]
    if named:
        return min(named, key=lambda path: (len(path.parts), path)), None
    if len(found) == 1:
        return found[0], f"The notebook should be called {name}; the only one there was taken."
    return None, None


def grade_submission(grader: Grader, source: Path, submission: Path) -> Result:
    """Rebuild and grade what was uploaded; never raises for anything that is in it."""
    file = next((source / "assignments" / grader.name).glob("*.ipynb"))
    released = clean(json.loads(file.read_text(encoding="utf-8")))
    path, note = find_notebook(submission, file.name)
    if path is None:
        return grader.refused(f"There is no file {file.name} in what you uploaded.")
    try:
        raw = read_bytes(path)
    except Unreadable as problem:
        return grader.refused(str(problem))
    rebuilt = rebuild(released, raw)
    if rebuilt.reason is not None:
        return grader.refused(rebuilt.reason)
    result = grader.grade(list(rebuilt.cells))
    notes = dict.fromkeys((*((note,) if note else ()), *rebuilt.notes, *result.notes))
    return replace(result, notes=tuple(notes))


def main(arguments: list[str]) -> int:
    """Prepare, or grade one submission.  Returns the exit code."""
    root = Path(arguments[0])
    source = root / "source"
    sandbox = "none" if "--unsandboxed" in arguments else "auto"
    start = time.monotonic()
    grader = prepare(source, sandbox)
    if "--prepare" in arguments:
        print(f"{grader.name}: ready, sandbox: {grader.sandbox.name}")
        return 0
    result = grade_submission(grader, source, root / "submission")
    report = Report.of(grader.name, result)
    text = json.dumps(gradescope_results(report, time.monotonic() - start), indent=1)
    target = root / "results" / "results.json"
    target.parent.mkdir(exist_ok=True)
    draft = target.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
