"""A submission, rebuilt from the released notebook.

A student's file is never used as a notebook: it is read as untrusted JSON, and only the *text* of
the student's own cells is copied into a fresh copy of the released notebook.  Whatever else a file
holds (outputs, metadata, changed check cells, flags, kernels) is left behind.  So the result is
always a valid notebook with every cell of the assignment exactly once, whoever made the file.

What counts as the student's:

- solution cells, found by `grade_id`, else by cell id.  Of several copies (JupyterLab duplicates
  the `grade_id` when a cell is split) all run in their order, as they did at home; the last one
  that differs from the stub stands for the exercise;
- unlocked cells of the released notebook that the student changed;
- code and Markdown cells the student added, after the cell they followed.

Nothing here raises for what is in a file.
"""

from __future__ import annotations

import copy
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.grading.results import Cell

MAX_BYTES = 10_000_000  # of a notebook file; outputs (figures) count, so this is generous
MAX_CELLS = 2_000
MAX_SOURCE = 200_000  # characters of one cell
MAX_ATTACHMENT = 2_000_000  # characters of one picture in a Markdown cell

STUDENT = "student"  # value of metadata.course.author on cells that are not the instructor's


class Unreadable(Exception):
    """A submission that cannot be read; the text is for the student."""


@dataclass(frozen=True)
class Rebuilt:
    """A submission in the released notebook's form.

    notebook : nbformat 4 JSON, valid, without outputs.
    cells : the code to be graded, in order.
    notes : what was put right on the way, for the student.
    reason : why nothing can be graded, else None.
    """

    notebook: dict[str, Any]
    cells: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str | None = None


@dataclass
class Submitted:
    """One cell of the student's file, reduced to text."""

    kind: str
    source: str
    grade_id: str | None
    cell_id: str | None
    marks: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] = field(default_factory=dict)


def read_bytes(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises Unreadable for a missing or larger file, and for anything that is no plain file: a link
    could point at another student's work or at the solution, a pipe would never end.
    """
    path = Path(path)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise Unreadable(f"{path.name} is a link, not a file. Hand in the notebook itself.")
        with open(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable(f"{path.name} is not a regular file. Hand in the notebook itself.")
            content = file.read(limit + 1)
    except FileNotFoundError:
        raise Unreadable(f"There is no file {path.name} in the submission.") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path.name} could not be opened ({type(error).__name__}).") from None
    if len(content) > limit:
        raise Unreadable(
            f"{path.name} is larger than {limit // 1_000_000} MB. Clear its outputs"
            " (Kernel, Restart Kernel and Clear Outputs), save, and hand it in again."
        )
    return content


def parse(raw: bytes) -> tuple[list[Submitted], list[str]]:
    """The cells of a notebook file and remarks about it; raises Unreadable."""
    notes: list[str] = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = raw.decode("utf-16", errors="replace")
        else:
            text = raw.decode("utf-8", errors="replace")
            notes.append("The file is not UTF-8; characters that could not be read were replaced.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable(
            "The file is not a readable notebook (its JSON is damaged). Open it in JupyterLab,"
            " check that it looks right, save it, and hand it in again."
        ) from None
    cells = data.get("cells") if isinstance(data, dict) else None
    if cells is None and isinstance(data, dict) and isinstance(data.get("worksheets"), list):
        sheets = [s.get("cells") for s in data["worksheets"] if isinstance(s, dict)]  # nbformat 3
        cells = [c for sheet in sheets if isinstance(sheet, list) for c in sheet]
    if not isinstance(cells, list):
        raise Unreadable("The file is not a Jupyter notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"The notebook has more than {MAX_CELLS} cells.")
    read = [read_cell(cell) for cell in cells]
    unread = sum(cell is None for cell in read)
    if unread:
        notes.append(
            f"{unread} {plural(unread, 'cell')} could not be read (no text, or more than"
            f" {MAX_SOURCE} characters) and {plural(unread, 'was', 'were')} left out."
        )
    found = [cell for cell in read if cell is not None]
    if not found:
        raise Unreadable("The notebook has no cells.")
    return found, notes


def read_cell(cell: Any) -> Submitted | None:
    """One cell of untrusted JSON, or None if it has no usable text."""
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or len(source) > MAX_SOURCE:
        return None
    source = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    source = source.encode("utf-8", "replace").decode("utf-8")  # no lone surrogates
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    marks = marks if isinstance(marks, dict) else {}
    grade_id, cell_id, attachments = marks.get("grade_id"), cell.get("id"), cell.get("attachments")
    return Submitted(
        kind=cell["cell_type"] if cell.get("cell_type") in ("markdown", "code") else "raw",
        source=source,
        grade_id=grade_id if isinstance(grade_id, str) else None,
        cell_id=cell_id if isinstance(cell_id, str) else None,
        marks=marks,
        attachments=attachments if isinstance(attachments, dict) else {},
    )


def rebuild(trusted: Mapping[str, Any], raw: bytes) -> Rebuilt:
    """Put a student's work into a copy of the released notebook.

    trusted : the released notebook, nbformat 4 JSON.
    raw : the student's file, any bytes.
    """
    try:
        submitted, notes = parse(raw)
    except Unreadable as problem:
        return unreadable(trusted, str(problem))
    return Merge(trusted, submitted, notes).rebuilt()


def unreadable(trusted: Mapping[str, Any], reason: str) -> Rebuilt:
    """The released notebook, untouched, with the reason why there is nothing to grade."""
    return Rebuilt(clean(trusted), reason=reason)


def clean(trusted: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a notebook without outputs and execution counts, each source one string."""
    notebook = copy.deepcopy(dict(trusted))
    for cell in notebook["cells"]:
        cell["source"] = text_of(cell)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


class Merge:
    """Submitted cells matched to those of the released notebook."""

    def __init__(
        self, trusted: Mapping[str, Any], submitted: list[Submitted], notes: list[str]
    ) -> None:
        self.notebook = clean(trusted)
        self.trusted: list[dict[str, Any]] = self.notebook["cells"]
        self.notes = notes
        self.copies: dict[int, list[Submitted]] = {}  # by index of the trusted cell
        self.added: dict[int, list[Submitted]] = {}  # after that trusted cell; -1: at the top
        self.match(submitted)

    def match(self, submitted: list[Submitted]) -> None:
        """Find the released cell that each submitted cell is a copy of."""
        by_grade = {m["grade_id"]: i for i, c in enumerate(self.trusted) if (m := marks_of(c))}
        by_id = {c["id"]: i for i, c in enumerate(self.trusted) if "id" in c}
        by_text = {
            (c["cell_type"], text_of(c).strip()): i
            for i, c in enumerate(self.trusted)
            if not marks_of(c)
        }
        last = -1
        for cell in submitted:
            index = by_grade.get(cell.grade_id) if cell.grade_id is not None else None
            if index is None and cell.cell_id is not None:
                index = by_id.get(cell.cell_id)
            if index is None:
                index = by_text.get((cell.kind, cell.source.strip()))
            plain = index is not None and not marks_of(self.trusted[index])
            if index is None or (plain and index in self.copies):
                self.added.setdefault(last, []).append(cell)
            else:
                self.copies.setdefault(index, []).append(cell)
                last = index

    def rebuilt(self) -> Rebuilt:
        out: list[dict[str, Any]] = []
        run: list[Cell] = []
        missing: list[str] = []
        changed: list[str] = []
        twice: list[str] = []

        def add(cell: dict[str, Any], graded: bool = True) -> None:
            out.append(cell)
            if graded and cell["cell_type"] == "code":
                marks = marks_of(cell) or {}
                name = marks.get("grade_id") if marks.get("solution") else None
                run.append(Cell(name, text_of(cell)))

        def add_all(cells: Iterable[Submitted]) -> None:
            for cell in cells:
                if cell.kind != "raw" and cell.source.strip():
                    add(written_by_student(cell, {"metadata": {}}, cell.kind))

        add_all(self.added.get(-1, ()))
        for index, cell in enumerate(self.trusted):
            marks = marks_of(cell)
            copies = self.copies.get(index, [])
            name = (marks or {}).get("grade_id", "")
            if marks and not copies:
                missing.append(name)
            if marks and any(differs(marks, copy.marks) for copy in copies):
                changed.append(name)
            if marks and marks.get("solution"):
                if len(copies) > 1:
                    twice.append(name)
                    stub = text_of(cell).strip()
                    copies = [c for c in copies if c.source.strip() != stub] or copies[-1:]
                    add_all(copies[:-1])
                if copies:
                    untouched = copies[-1].source.strip() == text_of(cell).strip()
                    mine = written_by_student(copies[-1], cell, cell["cell_type"])
                    add(cell if untouched else mine)
                else:  # shown, not run: a definition in an added cell must not be undone by it
                    add(cell, graded=False)
            elif marks:
                if len(copies) > 1:
                    twice.append(name)
                if any(c.source.strip() != text_of(cell).strip() for c in copies):
                    changed.append(name)
                add(cell, graded=not marks.get("grade"))  # check cells are for home
            elif copies and copies[0].source.strip() != text_of(cell).strip():
                add(written_by_student(copies[0], cell, cell["cell_type"]))
            else:
                add(cell, graded=bool(copies))
            add_all(self.added.get(index, ()))
        if missing:
            self.notes.append(f"Missing cells were put back, as released: {names(missing)}.")
        if changed:
            self.notes.append(f"Changed cells or flags were restored: {names(changed)}.")
        if twice:
            self.notes.append(
                f"Cells that occur more than once: {names(twice)}."
                " They were run in order; the last changed copy counts."
            )
        with_ids = (self.notebook.get("nbformat", 4), self.notebook.get("nbformat_minor", 0)) >= (
            4,
            5,
        )
        self.notebook["cells"] = unique_ids(out) if with_ids else out
        return Rebuilt(self.notebook, tuple(run), tuple(self.notes))


def written_by_student(cell: Submitted, place: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The student's text in a cell whose metadata are ours."""
    metadata = {**copy.deepcopy(place["metadata"]), "course": {"author": STUDENT}}
    made: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": cell.source}
    if "id" in place:
        made["id"] = place["id"]
    if kind == "code":
        made.update(outputs=[], execution_count=None)
    else:
        pictures = {
            name: picture
            for name, data in cell.attachments.items()
            if re.fullmatch(r"[\w.\-]{1,100}", name) and (picture := safe_picture(data))
        }
        if pictures:
            made["attachments"] = pictures
        made["source"] = inert_markdown(cell.source, pictures)
    return made


def safe_picture(data: Any) -> dict[str, str] | None:
    """A PNG or JPEG attachment, or None."""
    for mime in ("image/png", "image/jpeg"):
        content = data.get(mime) if isinstance(data, dict) else None
        if isinstance(content, str) and len(content) <= MAX_ATTACHMENT:
            content = "".join(content.split())
            if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", content):
                return {mime: content}
    return None


def inert_markdown(source: str, pictures: Iterable[str] = ()) -> str:
    """Markdown that neither runs nor loads anything, whatever program shows it.

    No HTML tags, no links to scripts, no pictures but those in the file.  Pages of ours clean the
    HTML as well; this is for the notebook as it is stored, which other programs open too.

    >>> inert_markdown("a < b, <b onclick=x>bold</b> ![p](http://example.org/p.png)")
    'a < b, &lt;b onclick=x>bold&lt;/b> [p](http://example.org/p.png)'
    """
    source = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", source)
    # Any other destination becomes a relative one, however its scheme is spelled.
    safe = r"https?://|mailto:|#|attachment:"
    source = re.sub(rf"(?i)(\](?:\(|:)\s*<?)(?!\s|{safe})", r"\1./", source)
    kept = "|".join(re.escape(name) for name in pictures)
    own = rf"!(?=\[[^\[\]\n]*\]\(attachment:(?:{kept})\))" if kept else r"(?!)"
    return re.sub(rf"({own})|!+(?=\[)", lambda m: m.group(1) or "", source)


def marks_of(cell: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """nbgrader's metadata of a cell that nbgrader cares about."""
    marks = cell["metadata"].get("nbgrader")
    if (
        marks
        and marks.get("grade_id")
        and any(marks.get(flag) for flag in ("grade", "solution", "locked", "task"))
    ):
        return marks
    return None


def differs(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """Whether a student's file says something else about a cell than ours does."""
    return any(
        flag in theirs and flag in ours and theirs[flag] != ours[flag]
        for flag in ("grade", "solution", "locked", "points")
    )


def text_of(cell: Mapping[str, Any]) -> str:
    """The source of a notebook cell as one string."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def unique_ids(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give every cell an id of its own (nbformat 4.5)."""
    taken = {cell["id"] for cell in cells if "id" in cell}
    number = 0
    for cell in cells:
        while "id" not in cell:
            number += 1
            if f"added-{number}" not in taken:
                cell["id"] = f"added-{number}"
    return cells


def names(found: Iterable[str]) -> str:
    """Names in a sentence, each once."""
    return ", ".join(dict.fromkeys(found))


def plural(count: int, one: str, many: str | None = None) -> str:
    """The word for that many."""
    return one if count == 1 else many or one + "s"
