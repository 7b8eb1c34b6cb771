"""nbgrader's Generate, done by `course release`: the formgrader's button and `nbgrader generate_assignment`.

nbgrader alone would write a student version without `checks.json`, unchecked, and over the one that
has it.  With `install` both make what `course release` makes, or say what is wrong with the solution
and change nothing.  An assignment without `exercises.py` (all of it marked by hand) is nbgrader's.
"""

from __future__ import annotations

from pathlib import Path

from nbgrader.converters import GenerateAssignment, NbGraderException


class ReleasedAssignment(GenerateAssignment):
    """Stands for `GenerateAssignment` where a person asks nbgrader for the student version."""

    def start(self) -> None:
        from course.grading.autograde import record_assignment, released_notebooks
        from course.grading.release import release

        root, name = Path(self.coursedir.root), self.coursedir.assignment_id
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", name)
        if not (Path(source) / "exercises.py").is_file():
            super().start()
            return
        target = self.coursedir.format_path(self.coursedir.release_directory, ".", name)
        if Path(target).exists() and not self.force:
            self.log.warning("%s is there already; --force makes it anew.", target)
            return
        try:
            release(root, name)
            if not self.no_database:
                record_assignment(self.coursedir, name, released_notebooks(self.coursedir, name))
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            self.log.error("Nothing was changed. %s", text)
            raise NbGraderException(text) from error
        self.log.info("Released into %s, checks.json included", target)


def install() -> None:
    """Put it where nbgrader's command and its formgrader look for `GenerateAssignment`."""
    from nbgrader.apps import api, generateassignmentapp

    api.GenerateAssignment = generateassignmentapp.GenerateAssignment = ReleasedAssignment
