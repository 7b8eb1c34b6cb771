"""A tiny released course to grade in; each test gets a copy of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import tiny_course


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_course.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(tiny_source: Path, tmp_path: Path) -> Path:
    """The folder of a course whose assignment `00-tiny` is released; no grader runs code in it."""
    root = tmp_path / "course"
    shutil.copytree(tiny_source, root)
    return root


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grade by comparing texts, where a test is not about running code."""
    from course.grading import autograde, gradebook

    for module in (autograde, gradebook):
        monkeypatch.setattr(module, "grader_for", lambda *_: tiny_course.TrustingGrader())
