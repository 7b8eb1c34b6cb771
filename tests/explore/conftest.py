"""A real browser for the tests of the explorables, cut off from every other host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROSE = r"""# A lecture

A step is $\theta_{t+1} = \theta_t - \eta\,\nabla J(\theta_t)$, with $\mathbf x \in \mathbb R^D$:

$$\begin{aligned} Z &= X W + b \\ H &= \sigma(Z) \end{aligned}$$

<details><summary>Answer</summary>

Half of it, see [the next one](next.ipynb).

</details>
"""

LOCAL = ("file:", "blob:", "data:", "about:", "http://127.0.0.1", "ws://127.0.0.1")


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page that may reach nothing but this machine; it ends without errors of its own."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    outside: list[str] = []
    errors: list[str] = []

    def only_here(route: Any) -> None:
        if route.request.url.startswith(LOCAL):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    page.route("**/*", only_here)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not outside, "the page asked other hosts"
    assert not errors


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's script."""
    import axe_playwright_python

    folder = Path(axe_playwright_python.__file__).parent
    return (folder / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small lecture that shows the example explorables."""
    folder = tmp_path_factory.mktemp("lectures")
    cells = [
        nbformat.v4.new_markdown_cell(PROSE),
        nbformat.v4.new_code_cell(f"import sys\nsys.path[:0] = [{str(ROOT)!r}, {str(HERE)!r}]"),
        nbformat.v4.new_code_cell("from examples import *\nex = Boundary()\nex"),
        nbformat.v4.new_code_cell("ex.w1 = -2.0"),
        nbformat.v4.new_code_cell("print('w1 is', round(ex.w1, 3))"),
        nbformat.v4.new_code_cell("Everything()"),
        nbformat.v4.new_code_cell("Training()"),
    ]
    node = nbformat.v4.new_notebook(cells=cells)
    node.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(node, folder / "lecture.ipynb")
    return folder / "lecture.ipynb"
