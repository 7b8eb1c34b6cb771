"""docs/api.md: complete, as the docstrings are now, and with links that lead somewhere."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
MODELS = ("threshold", "perceptron", "linear", "discriminant", "logistic", "softmax")


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_api = load_maker()


def prose(text: str) -> str:
    return re.sub(r"(?ms)^```.*?^```$", "", text)


def sections(text: str) -> dict[str, list[str]]:
    """The headings of names under each module's heading."""
    found: dict[str, list[str]] = {}
    for level, title in re.findall(r"(?m)^(##|###) (.+)$", prose(text)):
        if level == "##":
            found[title] = []
        else:
            found[list(found)[-1]].append(title)
    return found


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings, repeated ones numbered."""
    found: set[str] = set()
    for title in re.findall(r"(?m)^#{1,6} (.+)$", prose(text)):
        slug = "".join(c for c in title.lower() if c.isalnum() or c in "_- ").replace(" ", "-")
        n = 0
        while (f"{slug}-{n}" if n else slug) in found:
            n += 1
        found.add(f"{slug}-{n}" if n else slug)
    return found


def promised(path: Path) -> set[str]:
    """The public names of a file, read from its text: `__all__`, else what it defines."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node in body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return set(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    definitions = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {n.name for n in definitions if not n.name.startswith("_")}


def test_the_page_is_as_the_docstrings_are() -> None:
    # In a process of its own: another test may have changed what is imported here.
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'docs')!r}); import make_api; "
    code += "sys.stdout.buffer.write(make_api.page().encode())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert PAGE.read_text(encoding="utf-8") == done.stdout.decode(), (
        "docs/api.md is out of date: run `python docs/make_api.py`"
    )


@pytest.mark.parametrize(
    "name",
    [
        *MODELS,
        *("data", "autodiff", "nn", "nn.statistics", "nn.inspection", "optim", "estimators"),
        *("explore", "grading", "grading.exercise", "grading.misconception"),
    ],
)
def test_every_public_name_of_a_module_is_on_the_page(name: str) -> None:
    path = ROOT / "course" / name.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert promised(file) - set(sections(PAGE.read_text("utf-8"))[f"course.{name}"]) == set()


def test_the_modules_stand_in_the_order_of_the_lectures() -> None:
    titles = [title for title in sections(PAGE.read_text("utf-8")) if title.startswith("course.")]
    assert titles[: len(MODELS)] == [f"course.{name}" for name in MODELS]


def test_every_link_leads_to_a_heading_or_a_file() -> None:
    text = PAGE.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    there = anchors(text)
    astray = [
        link
        for link in links
        if not (link[1:] in there if link.startswith("#") else (PAGE.parent / link).exists())
    ]
    assert len(links) > 150
    assert astray == []


def test_no_name_on_the_page_lacks_a_description() -> None:
    text = PAGE.read_text(encoding="utf-8")
    entries = re.split(r"(?m)^### ", text)[1:]
    bare = [
        e.split("\n")[0]
        for e in entries
        if not prose(e.split("\n## ")[0]).split("\n", 1)[1].strip()
    ]
    assert bare == []


def test_the_page_holds_no_address_and_no_folder_of_this_machine() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"0x[0-9a-f]{6,}|<(?:function|class|object)\b.*", text) == []
    assert str(ROOT) not in text


def test_a_docstring_becomes_paragraphs_lists_and_examples() -> None:
    doc = """Return 2**D of `a*b`, *exactly* (row C-05).

    Parameters
    ----------
    X : (N, D); y : (N,) labels,
        0 or 1.

    >>> 1 + 1
    2

    >>> 2 + 2
    4
    """
    assert make_api.markdown(doc) == (
        "Return 2\\*\\*D of `a*b`, *exactly* (row C-05).\n\n"
        "**Parameters**\n\n"
        "- `X`: (N, D)\n- `y`: (N,) labels, 0 or 1.\n\n"
        "```pycon\n>>> 1 + 1\n2\n\n>>> 2 + 2\n4\n```"
    )


def test_what_markdown_would_take_for_a_list_or_a_tag_stays_text() -> None:
    assert make_api.escaped("x\n- 1 is <b> of coef_\n1. not") == (
        "x\n\\- 1 is &lt;b> of coef\\_\n\\1. not"
    )
