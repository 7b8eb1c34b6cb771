"""What nbgrader makes anew for every submission, kept from one to the next.

A third of the time of grading went into it: an engine of SQLAlchemy for each look into the
gradebook, which compiles every query again; the feedback template, compiled and its page parsed
once more.  Nothing here changes what is written.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import sqlalchemy
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

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
        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name"))
        resources = self._init_resources(resources)
        highlight = Highlight2HTML(pygments_lexer=lexer, parent=self)
        self.register_filter("highlight_code", self.filters.get("highlight_code", highlight))
        outputs = WidgetsDataTypeFilter(
            notebook_metadata=self._nb_metadata, parent=self, resources=resources
        )
        self.register_filter("filter_data_type", outputs)
        return TemplateExporter.from_notebook_node(self, nb, resources, **options)
