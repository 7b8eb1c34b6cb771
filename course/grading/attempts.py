"""Submissions that follow one another: when each came in, and which one counts.

Every new content of a student's folder is kept, on this side, as

    .grading/attempts/NAME/STUDENT/20261121T131500Z-DIGEST/*.ipynb

The time is when it came in, as our own file system says (`st_ctime`, which nobody can set), noted
when the content is first seen: by `course receive`, else by grading.  Where files arrive by another
way, later and all at once, `course receive --times FILE` takes the times from the platform's list.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from traitlets import Enum

from course.grading.feedback import complete, read_result, write_result
from course.grading.results import Result
from course.grading.session import open_gradebook
from course.grading.template import Rebuilt, Unreadable, read_bytes

STAMP = "%Y%m%dT%H%M%SZ"
MOST_FILES = 20  # notebooks of one submission that are kept


@dataclass(frozen=True)
class Attempt:
    """One content that a student handed in.

    folder : where it is kept; received : when it came in (UTC); digest : of its notebooks.
    """

    folder: Path
    received: datetime
    digest: str


@dataclass(frozen=True)
class Standing:
    """The attempt that counts, its notebook and its result."""

    attempt: Attempt | None
    notebook: dict[str, Any]
    result: Result


def attempts_folder(course_root: Path | str, name: str, student: str) -> Path:
    """Where the attempts of a student are kept."""
    return Path(course_root) / ".grading" / "attempts" / name / student


def attempts(course_root: Path | str, name: str, student: str) -> list[Attempt]:
    """The attempts that were noted, in the order in which they came in."""
    found = []
    for folder in attempts_folder(course_root, name, student).glob("*Z-*"):
        stamp, _, digest = folder.name.partition("-")
        received = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        found.append(Attempt(folder, received, digest))
    return sorted(found, key=lambda a: (a.received, a.digest))


def receive(
    coursedir: CourseDirectory, name: str, student: str, at: datetime | None = None
) -> Attempt | None:
    """Note what lies in a student's folder now; the attempt, or None if there is no notebook.

    at : when it came in, if another side knows better; else the file system's time, and for a
        content that was seen before the time that was noted then.
    """
    folder = Path(coursedir.format_path(coursedir.submitted_directory, student, name))
    contents: dict[str, bytes] = {}
    seen, latest = hashlib.sha256(), 0.0  # of every notebook there is, kept or not
    for path in sorted(folder.glob("*.ipynb")):
        try:
            content = read_bytes(path)
            latest = max(latest, path.lstat().st_ctime)
        except (Unreadable, OSError):
            continue
        name_and_content = hashlib.sha256(os.fsencode(path.name) + b"\0" + content)
        seen.update(name_and_content.digest())
        if len(contents) < MOST_FILES:
            contents[path.name] = content
    if not contents or folder.is_symlink() or folder.parent.is_symlink():
        return None
    digest = seen.hexdigest()[:32]  # 128 bits: no two contents can be made to share one
    received = at or datetime.fromtimestamp(latest, UTC)
    known = [a for a in attempts(coursedir.root, name, student) if a.digest == digest]
    if known and (at is None or known[0].received == at.replace(microsecond=0)):
        return known[0]
    home = attempts_folder(coursedir.root, name, student)
    target = home / f"{received.astimezone(UTC).strftime(STAMP)}-{digest}"
    (Path(coursedir.root) / ".grading").mkdir(mode=0o700, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    if known:
        os.replace(known[0].folder, target)
    else:  # whole or not at all
        draft = Path(tempfile.mkdtemp(dir=home, prefix="."))
        for file, content in contents.items():
            (draft / file).write_bytes(content)
        try:
            os.rename(draft, target)
        except OSError:  # another process was quicker
            shutil.rmtree(draft, ignore_errors=True)
    return Attempt(target, received.astimezone(UTC).replace(microsecond=0), digest)


def read_times(file: Path) -> dict[str, datetime]:
    """Times of arrival from a table `student,time`; a time without a zone is this machine's.

    Raises ValueError, naming the line, if one cannot be read.
    """
    found = {}
    with file.open(encoding="utf-8-sig", newline="") as text:
        for number, row in enumerate(csv.reader(text), 1):
            if not row or row[0].strip().lower() in ("student", "student_id", ""):
                continue
            try:
                found[row[0].strip()] = datetime.fromisoformat(row[1].strip()).astimezone(UTC)
            except (IndexError, ValueError):
                raise ValueError(
                    f"{file}, line {number}: expected student,time with a time such as"
                    f" 2026-11-21T13:15:00+01:00, found {','.join(row)!r}"
                ) from None
    return found


def standing(
    coursedir: CourseDirectory,
    config: Any,
    name: str,
    student: str,
    now: Standing,
    regrade: Callable[[Path], tuple[Rebuilt, Result]],
) -> Standing:
    """The attempt that counts: what was just graded (`now`), or an earlier one that is worth more.

    regrade : grades a kept attempt's folder as it would be graded today.
    The worth of an attempt is its points less what being late costs; of equals the latest counts.
    """
    earlier = [
        a
        for a in attempts(coursedir.root, name, student)
        if now.attempt is None or a.digest != now.attempt.digest
    ]
    if config.Attempts.get("keep", "last") != "best" or not earlier:
        return now
    late = AssignLatePenalties(config=config)
    late.init_plugin()
    due = due_date(coursedir, name, student)

    def worth(points: float, received: datetime | None) -> float:
        if due is None or received is None or received <= due:
            return points
        seconds = (received - due).total_seconds()
        return points - (late.plugin_inst.late_submission_penalty(student, points, seconds) or 0.0)

    received = now.attempt.received if now.attempt else None
    best, most = now, worth(now.result.points, received)
    for attempt in reversed(earlier):
        rebuilt, result = regrade(attempt.folder)
        if worth(result.points, attempt.received) > most + 1e-9:
            most = worth(result.points, attempt.received)
            when = attempt.received.strftime("%Y-%m-%d %H:%M UTC")
            note = (
                f"An earlier submission of yours, received {when}, is worth more than the latest"
                f" one ({now.result.points:g} points); it counts, and it is shown here."
            )
            shown = replace(result, notes=(note, *result.notes))
            best = Standing(attempt, rebuilt.notebook, shown)
    return best


def due_date(coursedir: CourseDirectory, name: str, student: str) -> datetime | None:
    """When an assignment is due for a student (UTC), extensions included."""
    from nbgrader.api import MissingEntry

    with open_gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            due = gradebook.find_submission(name, student).duedate
        except MissingEntry:
            return None
    return due and due.replace(tzinfo=UTC)


class Attempts(NbGraderPreprocessor):
    """Notes when a submission came in, and puts the one that counts in its place."""

    keep = Enum(("last", "best"), default_value="last", help="Which submission counts.").tag(
        config=True
    )

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        from course.grading.arrival import note_graded
        from course.grading.fresh import graded_attempt
        from course.grading.gradebook import course_directory

        job, grader = resources["course"], resources["nbgrader"]
        name, student, stem = grader["assignment"], grader["student"], grader["notebook"]
        coursedir, config = course_directory(job["root"])
        coursedir.db_url = grader["db_url"]
        config.Attempts.keep = self.keep
        attempt = receive(coursedir, name, student)
        now = Standing(attempt, nb, read_result(nb) or Result())
        counts = standing(
            coursedir, config, name, student, now,
            lambda folder: graded_attempt(coursedir, config, name, stem, folder, job["sandbox"]),
        )  # fmt: skip
        if counts is not now:
            nb = nbformat.from_dict(counts.notebook)
            write_result(nb, complete(counts.result, nb))
        self.note_time(coursedir, name, student, counts.attempt)
        note_graded(coursedir.root, name, student, attempt, counts.attempt)
        return nb, resources

    @staticmethod
    def note_time(
        coursedir: CourseDirectory, name: str, student: str, attempt: Attempt | None
    ) -> None:
        """Our time of arrival in the gradebook, in place of the one in the student's file."""
        with open_gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            submission = gradebook.find_submission(name, student)
            received = attempt and attempt.received.replace(tzinfo=None)
            if submission.timestamp != received:
                submission.timestamp = received
                gradebook.db.commit()
