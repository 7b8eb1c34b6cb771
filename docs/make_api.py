"""Write docs/api.md, the page of everything public, from the docstrings: `python docs/make_api.py`.

Signatures are taken from the source text, so that the page is the same on every machine.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
WIDTH = 92

# In the order of the lectures. What a module offers is its `__all__`, else what it defines; named
# beside it are the classes that its functions return.
MODULES: dict[str, tuple[str, ...]] = {
    "course.threshold": (),
    "course.perceptron": (),
    "course.linear": (),
    "course.discriminant": (),
    "course.logistic": (),
    "course.softmax": (),
    "course.data": (),
    "course.autodiff": (
        "course.autodiff.tensor.Interface",
        "course.autodiff.check.GradientCheck",
        "course.autodiff.drawing.Drawing",
        "course.autodiff.graph.ForwardStep",
        "course.autodiff.graph.BackwardStep",
    ),
    "course.nn": ("course.nn.costs.Cost",),
    "course.nn.statistics": (),
    "course.nn.inspection": (),
    "course.optim": (),
    "course.estimators": (),
    "course.explore": (),
    "course.grading": (
        "course.grading.at_home.Checked",
        "course.grading.at_home.ChecksMissing",
        "course.grading.at_home.check_file",
        "course.grading.results.Result",
        "course.grading.results.Outcome",
    ),
    "course.grading.exercise": (),
    "course.grading.misconception": (),
}

INTRODUCTION = """\
# The library, name by name

Everything public in `course`, in the order of the lectures. `python docs/make_api.py` writes this page from the
docstrings; change those, not the page. Letters with a number, such as H-21, are items of the source lectures.

The notation is the same everywhere: one sample a row, `X` (N, D), `W` (D_in, D_out), `Z = X @ W + b`, outputs `H`,
targets `Y`, predictions `Y_hat`. Losses are means over samples, `dW` has the shape of `W`, and an update is
`p -= lr * dp`. No function changes its arguments unless it says so, and what it returns shares no memory with them.
Randomness comes only from the `numpy.random.Generator` that is passed in. Models and nets that are given float32
compute in float32. Wrong shapes raise a ValueError that says what was expected; empty data, NaN and infinite entries
are refused. The operations of `course.autodiff` and the modules of `course.nn` pass NaN on, as arithmetic does;
gradients of a loss that is not finite are refused. A value that the graph still needs cannot change unnoticed.

In signatures an `ArrayLike` is anything that NumPy makes an array of, an `Array` is a NumPy array of floats.
"""


# ---------------------------------------------------------------- what is public


def public(module: ModuleType) -> dict[str, Any]:
    """The public names of a module and what they stand for, in the order of the module."""
    names = getattr(module, "__all__", None)
    if names is None:
        tree = _tree(Path(str(module.__file__)))
        names = [
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
    found = {name: getattr(module, name) for name in names}
    for path in MODULES[module.__name__]:
        home, _, name = path.rpartition(".")
        found[name] = getattr(importlib.import_module(home), name)
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _file(thing: Any) -> Path:
    return Path(inspect.getsourcefile(inspect.unwrap(thing)) or "")


def _definition(thing: Any) -> ast.FunctionDef | ast.ClassDef:
    thing = inspect.unwrap(thing)
    for node in _tree(_file(thing)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == thing.__name__:
            return node
    raise LookupError(f"{thing.__module__}.{thing.__name__} is not defined at the top of its file")


# ---------------------------------------------------------------- signatures


def _arguments(node: ast.FunctionDef, *, bound: bool) -> list[str]:
    """The arguments as written, one text each; `bound` leaves `self` or `cls` out."""
    a = node.args
    plain = [*a.posonlyargs, *a.args]
    defaults = [None] * (len(plain) - len(a.defaults)) + list(a.defaults)
    texts = [_argument(*pair) for pair in zip(plain, defaults, strict=True)][bound:]
    if a.vararg:
        texts.append("*" + ast.unparse(a.vararg))
    elif a.kwonlyargs:
        texts.append("*")
    texts += [_argument(*pair) for pair in zip(a.kwonlyargs, a.kw_defaults, strict=True)]
    if a.kwarg:
        texts.append("**" + ast.unparse(a.kwarg))
    return texts


def _argument(name: ast.arg, default: ast.expr | None) -> str:
    if default is None:
        return ast.unparse(name)
    return f"{ast.unparse(name)}{' = ' if name.annotation else '='}{ast.unparse(default)}"


def _call(start: str, arguments: list[str], end: str = "") -> str:
    line = f"{start}({', '.join(arguments)}){end}"
    if len(line) <= WIDTH:
        return line
    return f"{start}(\n" + "".join(f"    {each},\n" for each in arguments) + f"){end}"


def _fields(node: ast.ClassDef) -> list[str]:
    """The fields of a dataclass or named tuple, as arguments of its constructor."""
    fields = []
    for entry in node.body:
        if isinstance(entry, ast.AnnAssign) and not ast.unparse(entry.target).startswith("_"):
            text = f"{ast.unparse(entry.target)}: {ast.unparse(entry.annotation)}"
            if entry.value is not None:
                default = ast.unparse(entry.value)
                if not default.startswith("field("):
                    text += f" = {default}"
                elif "default" in default:
                    text += " = ..."
            fields.append(text)
    return fields


def _ours(cls: type) -> list[type]:
    """The class and its bases, as far as they belong to the course."""
    return [base for base in cls.__mro__ if base.__module__.startswith("course.")]


def signature(thing: Any) -> str:
    """How a function or class is called, as Python text."""
    node = _definition(thing)
    if isinstance(node, ast.FunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return _call(node.name, _arguments(node, bound=False), returns)
    start = f"class {node.name}"
    if any("dataclass" in ast.unparse(d) for d in node.decorator_list) or hasattr(thing, "_fields"):
        return _call(start, _fields(node))
    for cls in _ours(thing):
        for entry in _definition(cls).body:
            if isinstance(entry, ast.FunctionDef) and entry.name == "__init__":
                return _call(start, _arguments(entry, bound=True))
    return start + ("" if issubclass(thing, BaseException) else "()")


def _aliases(things: list[Any]) -> dict[str, str]:
    """What the type aliases in the signatures stand for, where their own files define them."""
    found = {}
    for thing in filter(_is_defined, things):
        used = set(re.findall(r"\b[A-Z]\w+", signature(thing)))
        for node in _tree(_file(thing)).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript):
                name = ast.unparse(node.targets[0])
                if name in used:
                    found[name] = ast.unparse(node.value)
    return found


def _is_defined(thing: Any) -> bool:
    """Whether this is a function or class, not another name for a type."""
    return callable(thing) and not hasattr(thing, "__origin__")


# ---------------------------------------------------------------- docstrings as Markdown

DEFINITION = re.compile(r"([\w‑.]+(?:, [\w.]+)*) : ")
EMPHASIS = re.compile(r"(?P<meant>(?<![\w*])(\*{1,2})[^\W\d_][^*]*[\w.]\2(?![\w*]))|\*")


def escaped(text: str) -> str:
    """Prose with what Markdown would take for its own signs made harmless; `code` stays."""
    parts = re.split(r"(``.+?``|`[^`]+`)", text, flags=re.DOTALL)
    for i in range(0, len(parts), 2):
        part = EMPHASIS.sub(lambda found: found["meant"] or r"\*", parts[i])
        part = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", part)
        part = re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", part)
        parts[i] = re.sub(r"(?m)^([-+#>]|\d+\.)(?= )", r"\\\1", part)
    return "".join(parts)


def _definitions(lines: list[str]) -> str:
    """`name : what it is`, each a point of a list; the indented lines below belong to it."""
    entries: list[str] = []
    for line in lines:
        if line.startswith(" ") and entries:
            entries[-1] += " " + line.strip()
        elif DEFINITION.match(line):
            entries += re.split(r"; (?=[\w.]+ : )", line)
        elif entries:
            entries[-1] += " " + line
    points = []
    for entry in entries:
        found = DEFINITION.match(entry)
        assert found is not None
        names = ", ".join(f"`{name}`" for name in found[1].split(", "))
        points.append(f"- {names}: {escaped(entry[found.end() :])}")
    return "\n".join(points)


def _blocks(doc: str) -> Iterator[list[str]]:
    """The paragraphs of a docstring; examples that follow each other are one."""
    examples: list[str] = []
    for paragraph in re.split(r"\n\s*\n", doc):
        lines = paragraph.split("\n")
        if lines[0].startswith((">>>", "...")):
            examples += ["", *lines] if examples else lines
            continue
        if examples:
            yield examples
            examples = []
        yield lines
    if examples:
        yield examples


def markdown(doc: str) -> str:
    """A docstring as Markdown: paragraphs, lists of definitions, examples as code."""
    parts = []
    for lines in _blocks(inspect.cleandoc(doc)):
        if len(lines) > 1 and re.fullmatch("-{3,}", lines[1]):
            parts.append(f"**{lines[0]}**")
            lines = lines[2:]
        if lines[0].startswith(">>>"):
            parts.append("```pycon\n" + "\n".join(lines) + "\n```")
        elif all(line.startswith("    ") for line in lines):
            parts.append("```python\n" + inspect.cleandoc("\n" + "\n".join(lines)) + "\n```")
        else:
            first = next((i for i, line in enumerate(lines) if DEFINITION.match(line)), len(lines))
            if lines[:first]:
                parts.append(escaped("\n".join(lines[:first])))
            if lines[first:]:
                parts.append(_definitions(lines[first:]))
    return "\n\n".join(parts)


def opening(doc: str) -> str:
    """The start of a module's docstring: up to its first example, else the first paragraph."""
    blocks = list(_blocks(inspect.cleandoc(doc)))
    end = next((i for i, lines in enumerate(blocks) if lines[0].startswith(">>>")), 0)
    return markdown("\n\n".join("\n".join(lines) for lines in blocks[: end + 1]))


# ---------------------------------------------------------------- the page


class Page:
    """The page as it grows: its headings get the anchors that GitHub will give them."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.contents: list[str] = []
        self.anchors: dict[Any, str] = {}
        self._uses: dict[str, int] = {}

    def anchor(self, title: str) -> str:
        """The anchor of the next heading with this title: GitHub numbers those that repeat."""
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        n = self._uses.get(slug, 0)
        self._uses[slug] = n + 1
        return f"{slug}-{n}" if n else slug

    def write(self) -> str:
        """The whole page as text."""
        modules = {name: importlib.import_module(name) for name in MODULES}
        for title in [*re.findall("(?m)^#+ (.+)$", INTRODUCTION), "Contents"]:
            self.anchor(title)
        things = {name: public(module) for name, module in modules.items()}
        for name in modules:  # first all anchors, so that links can lead downwards too
            entry = f"- [`{name}`](#{self.anchor(name)})"
            links = []
            for each, thing in things[name].items():
                links.append(f"[{each}](#{self.anchor(each)})".replace("_]", r"\_]"))
                if inspect.isclass(thing):
                    self.anchors[thing] = links[-1].split("(#")[1][:-1]
            self.contents.append(f"{entry}  \n  " + " ·\n  ".join(links))
        for name, module in modules.items():
            self._module(name, module, things[name])
        return (
            "\n\n".join(
                [INTRODUCTION.strip(), "## Contents", "\n".join(self.contents), *self.parts, ""]
            )
            .replace("\n\n\n", "\n\n")
            .rstrip()
            + "\n"
        )

    def _module(self, name: str, module: ModuleType, things: dict[str, Any]) -> None:
        path = Path(str(module.__file__)).relative_to(ROOT)
        source = path.parent if path.name == "__init__.py" else path
        self.parts += [
            f"## {name}",
            opening(module.__doc__ or ""),
            f"Source: [{source.as_posix()}](../{source.as_posix()})",
        ]
        aliases = _aliases(list(things.values()))
        if said := [f"`{a}` is `{aliases[a]}`" for a in sorted(aliases) if a not in things]:
            self.parts.append(f"In the signatures {', '.join(said)}.")
        for each, thing in things.items():
            self.parts.append(f"### {each}")
            if not _is_defined(thing):
                self.parts.append(f"Another name for `{thing!r}`.".replace("typing.", ""))
                continue
            self.parts.append(f"```python\n{signature(thing)}\n```")
            self.parts.append(markdown(thing.__doc__ or ""))
            if inspect.isclass(thing):
                self._bases(thing)
                self._members(thing)

    def _bases(self, cls: type) -> None:
        links = ["named tuple"] if hasattr(cls, "_fields") else []
        bases = list(cls.__bases__)
        for base in bases:  # which grows by the bases of those that are not on the page
            if base in self.anchors:
                links.append(f"[{base.__name__}](#{self.anchors[base]})")
            elif base.__module__.startswith("course."):
                bases.extend(base.__bases__)
            elif base not in (object, tuple):
                links.append(f"`{base.__name__}`")
        if links:
            self.parts.append(f"Inherits from: {', '.join(dict.fromkeys(links))}.")

    def _members(self, cls: type) -> None:
        """Methods and properties of the class itself and of bases that are not on the page."""
        kinds: dict[str, dict[str, str]] = {"Properties": {}, "Methods": {}}
        above = {name for base in cls.__mro__[1:] if base in self.anchors for name in dir(base)}
        for base in _ours(cls):
            if base is not cls and base in self.anchors:
                continue
            for node in _definition(base).body:
                if not isinstance(node, ast.FunctionDef):
                    continue
                decorators = [ast.unparse(d) for d in node.decorator_list]
                doc = ast.get_docstring(node)
                hidden = node.name.startswith("_") and (node.name != "__call__" or not doc)
                if hidden or (not doc and node.name in above) or any("." in d for d in decorators):
                    continue
                is_property = any("property" in d for d in decorators)
                call = cls.__name__.lower() if node.name == "__call__" else f".{node.name}"
                if not is_property:
                    bound = "staticmethod" not in decorators
                    call += f"({', '.join(_plain(node, bound=bound))})"
                says = ": " + escaped(" ".join(doc.split("\n\n")[0].split())) if doc else ""
                kind = kinds["Properties" if is_property else "Methods"]
                kind.setdefault(node.name, f"- `{call}`{says}")
        for title, points in kinds.items():
            if points:
                self.parts += [f"**{title}**", "\n".join(points.values())]


def _plain(node: ast.FunctionDef, *, bound: bool) -> list[str]:
    """The arguments without their types."""
    copy = ast.parse(ast.unparse(node)).body[0]
    for part in ast.walk(copy):
        if isinstance(part, ast.arg):
            part.annotation = None
    assert isinstance(copy, ast.FunctionDef)
    return _arguments(copy, bound=bound)


def page() -> str:
    """The text of docs/api.md as the docstrings are now."""
    return Page().write()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} written\n")
