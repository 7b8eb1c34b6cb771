"""When a submission came in, for nbgrader: our time, where nbgrader would read the student's file.

nbgrader asks twice: the formgrader, to tell a submission that is graded from a newer one, and
`nbgrader autograde`, to grade newer ones again.  `install` answers both from `attempts.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from course.grading.attempts import Attempt, attempts_folder, receive

NEVER = "-"


def note_graded(course_root: Path | str, name: str, student: str, *found: Attempt | None) -> None:
    """Remember what was graded: the attempt that lay there, and the one that counts."""
    folder = attempts_folder(course_root, name, student)
    if not folder.is_dir():
        return  # nothing readable ever came in
    words = [found[0].digest if found[0] else NEVER]
    words += [attempt.received.isoformat() if attempt else NEVER for attempt in found]
    draft = folder / ".graded-draft"
    draft.write_text(" ".join(words), encoding="ascii")
    draft.replace(folder / "graded")


def noted(course_root: Path | str, name: str, student: str) -> tuple[str, list[datetime | None]]:
    """What `note_graded` remembered: a digest, and both times (as nbgrader stores them)."""
    try:
        text = (attempts_folder(course_root, name, student) / "graded").read_text(encoding="ascii")
        digest, *times = text.split()
        return digest, [None if t == NEVER else naive(datetime.fromisoformat(t)) for t in times]
    except (OSError, ValueError):
        return "", [None, None]


def naive(time: datetime) -> datetime:
    """A time as nbgrader stores it: UTC, without saying so."""
    return time.astimezone(UTC).replace(tzinfo=None)


def submitted_timestamp(self: Any, assignment_id: str, student_id: str) -> datetime | None:
    """For the formgrader: the gradebook's time while what lies there is graded, else a newer one."""
    attempt = receive(self.coursedir, assignment_id, student_id)
    digest, (_, counted) = noted(self.coursedir.root, assignment_id, student_id)
    if digest == (attempt.digest if attempt else NEVER):
        return counted
    return newer(attempt, counted)


def existing_timestamp(self: CourseDirectory, folder: Path | str) -> datetime | None:
    """For `nbgrader autograde`: when what lies in this folder, or was graded into it, came in."""
    student, name = Path(folder).parent.name, Path(folder).name
    digest, (graded, _) = noted(self.root, name, student)
    if Path(folder) != Path(self.format_path(self.submitted_directory, student, name)):
        return graded
    attempt = receive(self, name, student)
    return graded if attempt and attempt.digest == digest else newer(attempt, graded)


def newer(attempt: Attempt | None, than: datetime | None) -> datetime | None:
    """When an attempt came in; always later than what was graded, whatever the clock said."""
    if attempt is None or than is None:
        return naive(attempt.received) if attempt else None
    return max(naive(attempt.received), than + timedelta(seconds=1))


def install() -> None:
    """Put these in the places where nbgrader asks."""
    from nbgrader.apps import api

    api.NbGraderAPI.get_submitted_timestamp = submitted_timestamp
    CourseDirectory.get_existing_timestamp = existing_timestamp
