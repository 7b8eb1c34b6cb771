"""What nbgrader makes anew for every submission, kept from one to the next.

A third of the time of grading went into it: an engine of SQLAlchemy for each look into the
gradebook, which compiles every query again; the feedback template, compiled and its page parsed
once more.  Nothing here changes what is written.
"""

from __future__ import annotations

import functools
import html
import os
from typing import Any

import nbformat
import pygments
import sqlalchemy
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from nbconvert.exporters import Exporter, HTMLExporter, NotebookExporter
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

PATIENCE = 30.0  # seconds to wait for a gradebook that another process is writing to


def create_engine(db_url: str, **options: Any) -> sqlalchemy.Engine:
    """The engine of a gradebook, with its compiled queries; stands for SQLAlchemy's in nbgrader.

    nbgrader disposes of an engine after each use, which closes its connections and no more.
    """
    return _engine(os.getpid(), db_url, PATIENCE, tuple(sorted(options.items())))


@functools.lru_cache(8)
def _engine(
    process: int, db_url: str, patience: float, options: tuple[tuple[str, Any], ...]
) -> sqlalchemy.Engine:
    wait = {"connect_args": {"timeout": patience}} if db_url.startswith("sqlite:") else {}
    return sqlalchemy.create_engine(db_url, **wait, **dict(options))


class Compiled(BytecodeCache):
    """Compiled templates in memory; Jinja compares the source's digest before it takes one."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.code:
            bucket.bytecode_from_string(self.code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key] = bucket.bytecode_to_string()


def highlighted(source: str, language: str, metadata: Any = None) -> str:
    """Code as HTML, as nbconvert's `Highlight2HTML` gives it."""
    formatter = formatter_of(language)
    if language.startswith("ipython") and metadata and "magics_language" in metadata:
        language = metadata["magics_language"]
    return pygments.highlight(source or " ", lexer_of(language), formatter)


@functools.lru_cache(16)  # making both anew for each cell took as long as colouring it
def formatter_of(language: str) -> HtmlFormatter:
    """What writes the HTML."""
    return HtmlFormatter(cssclass=html.escape(f" highlight hl-{language}"))


@functools.lru_cache(16)
def lexer_of(language: str) -> Lexer:
    """What reads a language; plain text for one that is unknown."""
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return TextLexer()


def preprocessed(exporter: Exporter, nb: Any, resources: Any) -> tuple[Any, dict[str, Any]]:
    """What `Exporter.from_notebook_node` gives, for a notebook that was made for it alone.

    nbconvert copies the notebook twice, normalises it, and validates it after each preprocessor.
    """
    resources = exporter._init_resources(resources)
    for preprocessor in exporter._preprocessors:
        nb, resources = preprocessor(nb, resources)
    return nb, resources


class GradedExporter(NotebookExporter):
    """nbconvert's notebook exporter, validating once, at the end.

    Raises nbformat.ValidationError if what the preprocessors leave is no notebook.
    """

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own
        self, nb: Any, resources: Any = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        nb, resources = preprocessed(self, nb, resources)
        wrong: dict[str, Exception] = {}
        text = nbformat.writes(nb, self.nbformat_version, capture_validation_error=wrong)
        for error in wrong.values():
            raise error
        return f"{text}\n", resources


class FeedbackExporter(HTMLExporter):
    """nbconvert's HTML exporter for our feedback page.

    The page is not parsed again to make the cells of JupyterLab focusable: it has none.
    """

    compiled = Compiled()

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        environment.bytecode_cache = self.compiled
        return environment

    def from_notebook_node(  # type: ignore[override]  # as nbconvert's own
        self, nb: Any, resources: Any = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        nb, resources = preprocessed(self, nb, resources)
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        highlight = functools.partial(highlighted, language=lexer or "ipython3")
        self.register_filter("highlight_code", self.filters.get("highlight_code", highlight))
        return self.template.render(nb=nb, resources=resources).lstrip("\r\n"), resources
