"""Which exercises a mistake in one solution cell can change.

A misconception is run on those alone: on the others it gives what the solution gives.  Names decide,
as in a linker: a cell reaches whatever mentions a name that it defines or writes to, and so on from
there.  Code that can reach more than it names (`exec`, `setattr`, global random numbers) reaches
everything.
"""

from __future__ import annotations

import ast
import functools
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from course.grading.execute import without_magics
from course.grading.exercise import ExerciseSet
from course.grading.results import Cell

# Code that says one of these may reach what it does not name.
UNBOUNDED = {
    *("exec", "eval", "compile", "globals", "vars", "setattr", "getattr", "delattr", "__dict__"),
    *("__import__", "importlib", "builtins", "sys", "gc", "inspect", "ctypes", "os", "__bases__"),
    *("seed", "set_state", "seterr", "environ", "__class__", "__globals__", "get_ipython"),
}
SEEDED = {"default_rng", "Generator"}  # of np.random; the rest draws from one generator for all


@dataclass(frozen=True)
class Names:
    """What code says.

    defines : the global names that it binds or writes to (`Linear.X = X` writes to `Linear`).
    state : those of them that are neither functions, classes nor imports.
    mentions : the global names that it uses.
    bounded : whether it reaches nothing else.
    """

    defines: frozenset[str] = frozenset()
    state: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    bounded: bool = True

    @classmethod
    @functools.lru_cache(256)  # the cells of a solution are asked for with each misconception
    def of(cls, source: str) -> Names:
        """The names of some source.  Raises SyntaxError or ValueError if it is not Python."""
        tree = ast.parse(source)
        tables = list(scopes(symtable.symtable(source, "cell", "exec")))
        bound = {s.get_name() for table in tables for s in table.get_symbols() if binds(table, s)}
        named = {s.get_name() for t in tables for s in t.get_symbols() if is_global(t, s)}
        said = set(named)
        bounded = True
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                said.add(node.attr)
                if isinstance(node.value, ast.Attribute) and node.value.attr == "random":
                    bounded = bounded and node.attr in SEEDED
            elif isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                bounded = bounded and "random" not in modules
            if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(
                node.ctx, ast.Load
            ):
                bound |= {root(node)} & named
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        code = {node.name for node in tree.body if isinstance(node, kinds)}
        code |= {s.get_name() for s in tables[0].get_symbols() if s.is_imported()}
        return cls(
            frozenset(bound),
            frozenset(bound - code),
            frozenset(named),
            bounded and not said & UNBOUNDED,
        )


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The scope of a module, and those in it."""
    yield table
    for inner in table.get_children():
        yield from scopes(inner)


def is_global(table: symtable.SymbolTable, symbol: symtable.Symbol) -> bool:
    """Whether a name in this scope is one of the module's."""
    return table.get_type() == "module" or symbol.is_global()


def binds(table: symtable.SymbolTable, symbol: symtable.Symbol) -> bool:
    """Whether the module's name is bound in this scope."""
    return is_global(table, symbol) and (symbol.is_assigned() or symbol.is_imported())


def root(node: ast.expr) -> str:
    """The name that `name.attribute[index]` starts with; '' if there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def drivers(exercises: ExerciseSet) -> dict[str, frozenset[str]]:
    """The names of the student that each exercise's driver uses.

    Raises ValueError if that cannot be said.
    """
    found = {}
    for statement in ast.parse(exercises.source).body:
        uses = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and n.id == "student"]
        names = [
            n.attr
            for n in ast.walk(statement)
            if isinstance(n, ast.Attribute)
            and isinstance(n.value, ast.Name)
            and n.value.id == "student"
        ]
        if len(uses) != len(names) or set(names) & UNBOUNDED:
            raise ValueError("a driver hands the student's names on")
        if isinstance(statement, ast.FunctionDef):
            found[statement.name] = frozenset({statement.name, *names})
    return {exercise: found[exercise] for exercise in exercises}


def reached(
    cells: Sequence[Cell], exercises: ExerciseSet, changed: str, sources: Iterable[str]
) -> list[str]:
    """The exercises that can depend on the cell `changed` (a `grade_id`), in order.

    sources : the texts that may stand in it, the right one and a mistaken one.
    Not to be called in several threads: Python 3.11 parses in one at a time.
    """
    try:
        mine = [Names.of(without_magics(source)) for source in sources]
        others = [Names.of(without_magics(c.source)) for c in cells if c.grade_id != changed]
        said = drivers(exercises)
    except (SyntaxError, ValueError, KeyError, RecursionError):
        return list(exercises)
    if not all(names.bounded for names in mine):
        return list(exercises)
    touched = frozenset({changed}).union(*(names.defines for names in mine))
    # What several cells share, such as a cache, may be changed by whoever mentions it.
    state = frozenset().union(*(names.state for names in (*mine, *others)))
    touched |= state.intersection(frozenset().union(*(names.mentions for names in mine)))
    while True:
        hit = [names for names in others if names.mentions & touched or not names.bounded]
        more = touched.union(*(n.defines | (n.mentions & state) for n in hit))
        if more == touched:
            return [name for name, words in said.items() if words & touched]
        touched = more
