"""One session of the gradebook for a submission, where nbgrader opens one for each of its steps.

Opening costs about 2 ms: nbgrader looks for its tables and for the course each time.  In a block of
`one_gradebook`, everybody who opens that gradebook through `open_gradebook` gets the same session,
with nothing left in it from the step before; the steps of nbgrader do after `install`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from nbgrader.api import BaseCell, Comment, Grade, Gradebook
from sqlalchemy.orm import undefer


class Held(Gradebook):
    """A gradebook that stays open for the next step."""

    together = False

    def close(self) -> None:
        """End the step: what it did not commit is forgotten, and no lock is kept."""
        if not self.together:
            self.db.rollback()
        self.db.expunge_all()


@dataclass
class Block:
    """What a block of `one_gradebook` holds: nothing until somebody opens the gradebook."""

    db_url: str
    gradebook: Held | None = None


_block: ContextVar[Block | None] = ContextVar("block", default=None)


def open_gradebook(db_url: str, course_id: str = "default_course") -> Gradebook:
    """nbgrader's gradebook; in a block of `one_gradebook` the one that is held there."""
    block = _block.get()
    if block is None or block.db_url != db_url:
        return Gradebook(db_url, course_id)
    if block.gradebook is None:
        block.gradebook = Held(db_url, course_id)
    return block.gradebook


@contextlib.contextmanager
def one_gradebook(db_url: str) -> Iterator[None]:
    """Hold one session in this block, from its first use.  An inner block uses the outer one's."""
    outer = _block.get()
    if outer is not None and outer.db_url == db_url:
        yield
        return
    block = Block(db_url)
    token = _block.set(block)
    try:
        yield
    finally:
        _block.reset(token)
        if block.gradebook is not None:
            Gradebook.close(block.gradebook)


@contextlib.contextmanager
def together(gradebook: Gradebook) -> Iterator[None]:
    """What is committed in this block is written at its end, all of it or nothing.

    A commit waits for the disk, longer than all the rest of recording takes; nbgrader makes one in
    every step.
    """
    session: Any = gradebook.db()
    session.commit, gradebook.together = session.flush, True  # type: ignore[attr-defined]
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit
        gradebook.together = False  # type: ignore[attr-defined]
    session.commit()


def recorded(
    gradebook: Gradebook, job: Mapping[str, str]
) -> tuple[dict[str, Grade], dict[str, Comment]]:
    """The grades and comments of a submitted notebook, by the names of their cells.

    job : nbgrader's names of 'notebook', 'assignment' and 'student'.
    Raises MissingEntry if there is no such submission.
    """
    notebook = gradebook.find_submission_notebook(
        job["notebook"], job["assignment"], job["student"]
    )
    found = []
    for kind, *more in ((Grade, undefer(Grade.max_score)), (Comment,)):
        rows = gradebook.db.query(BaseCell.name, kind).join(kind, kind.cell_id == BaseCell.id)
        rows = rows.filter(kind.notebook_id == notebook.id).options(*more)
        found.append(dict(map(tuple, rows)))
    return found[0], found[1]


def install() -> None:
    """Let the steps of nbgrader that open a gradebook for themselves ask here."""
    from nbgrader.preprocessors import getgrades, latesubmissions, saveautogrades

    module: Any
    for module in (getgrades, latesubmissions, saveautogrades):
        module.Gradebook = open_gradebook
