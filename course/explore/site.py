"""Lectures as self-contained pages: live figures without a kernel, without a network.

    export([Path("lectures/06-gradient-descent.ipynb")], Path("site"))

runs each notebook and writes one HTML file for it, and an index. A page holds everything it needs
and its content policy forbids it to ask for more.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

import nbformat

from course.explore.explorable import FRAMES_WANTED, source, style
from course.explore.site_cells import code, code_styles, output, prose
from course.explore.site_widgets import STATE, script, short_names, shown

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"
    " img-src data: blob:; font-src data:"
)


def export(notebooks: Iterable[Path], folder: Path) -> list[Path]:
    """Write a page for each notebook, and index.html, into `folder`; the pages' paths.

    Raises RuntimeError when a notebook fails, ValueError when a page cannot show a part of it;
    both name the notebook and the cell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    titles: dict[Path, str] = {}
    for notebook in notebooks:
        executed = execute(Path(notebook))
        name = folder / f"{Path(notebook).stem}.html"
        title, text = page(executed, Path(notebook).stem)
        name.write_text(text, encoding="utf-8")
        titles[name] = title
    index = folder / "index.html"
    known = {p.name: t for p, t in titles.items()}
    for other in folder.glob("*.html"):  # pages of an earlier export stay in the index
        if other != index:
            known.setdefault(other.name, _title_of(other))
    index.write_text(_index(known), encoding="utf-8")
    return [*titles, index]


def execute(notebook: Path) -> nbformat.NotebookNode:
    """The notebook run from top to bottom in a fresh kernel, with the state of its widgets."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    node = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        node, timeout=300, resources={"metadata": {"path": str(notebook.parent or ".")}}
    )
    try:
        client.execute(env=os.environ | {FRAMES_WANTED: "1"})
    except CellExecutionError as error:
        raise RuntimeError(f"{notebook.name}: {error.ename}: {error.evalue}") from error
    return node


def page(notebook: nbformat.NotebookNode, name: str) -> tuple[str, str]:
    """Title and HTML of the page of an executed notebook."""
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    title, parts, roots = name, [], []
    for cell in notebook.cells:
        try:
            if cell.cell_type == "markdown":
                parts.append(prose(cell.source))
                if title == name and cell.source.startswith("# "):
                    title = cell.source.splitlines()[0].removeprefix("# ").strip()
            elif cell.cell_type == "code":
                if cell.source.strip() and not cell.metadata.get("jupyter", {}).get(
                    "source_hidden"
                ):
                    parts.append(code(cell.source))
                shows = []
                for each in cell.outputs:
                    html, found = output(each, models)
                    shows.append(html)
                    roots += found
                parts.append(f'<div class="output">{"".join(shows)}</div>')
        except (ValueError, RuntimeError) as error:
            raise type(error)(f"{name}, cell {cell.get('id')}: {error}") from error
    try:
        states, twins = shown(models, roots)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    body = (
        '<nav><a href="index.html">All lectures</a></nav>\n<main>\n'
        + "\n".join(parts)
        + "\n</main>"
    )
    if states:
        for long, short in short_names(states).items():
            body = body.replace(f'data-model="{long}"', f'data-model="{short}"')
        body += f'\n<script type="module">\n{script(states, twins)}</script>'
    return title, _document(title, body)


def _document(title: str, body: str) -> str:
    styles = style() + source("page.css") + code_styles()
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{styles}\n</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _index(titles: dict[str, str]) -> str:
    lines = "\n".join(
        f'<li><a href="{escape(name)}">{escape(title)}</a></li>'
        for name, title in sorted(titles.items())
    )
    heading = "Neurons, neural networks and back-propagation"
    return _document(heading, f"<main>\n<h1>{heading}</h1>\n<ul>\n{lines}\n</ul>\n</main>")


def _title_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    start, end = text.find("<title>"), text.find("</title>")
    return text[start + len("<title>") : end] if 0 <= start < end else path.stem
