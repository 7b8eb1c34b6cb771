"""What the course needs on a machine: what is there, what is missing, how to get it."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.markup import escape

LIBRARY = ("numpy", "matplotlib", "scikit-learn", "ipywidgets", "anywidget", "jupyterlab")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    good : True it is there; False it is missing and needed; None it is missing, and only some need it.
    """

    what: str
    good: bool | None
    says: str


def findings() -> Iterator[Finding]:
    """Look at the machine."""
    version = platform.python_version()
    yield Finding("Python", sys.version_info >= (3, 11), f"{version} ({sys.executable})")
    for name in LIBRARY:
        yield package(name, "pip install -c constraints.txt -e .", needed=True)
    yield package("nbgrader", "for grading: pip install 'course[grade]'", needed=False)
    yield kernel()
    if find_spec("nbgrader") is not None:
        yield extension()
    yield sandbox()
    yield browser()


def package(name: str, how: str, *, needed: bool) -> Finding:
    """An installed package, and whether its version is one that the course was made for."""
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False if needed else None, f"not installed; {how}")
    wanted = required_range(name)
    if wanted is not None and not satisfies(version, wanted):
        return Finding(name, False, f"{version}, but the course needs {wanted}; {how}")
    return Finding(name, True, version)


def required_range(name: str) -> str | None:
    """The range of versions that the course's own metadata gives for a package."""
    for requirement in importlib.metadata.requires("course") or []:
        found = re.match(r"([\w.-]+)\s*([<>=!~][^;]*)", requirement)
        if found and found[1].lower() == name:
            return found[2].strip()
    return None


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version lies in a range.

    >>> satisfies("2.4.6", ">=1.26,<3"), satisfies("3.0", ">=1.26,<3")
    (True, False)
    """
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def kernel() -> Finding:
    """The kernel that notebooks ask for, and whether it runs this Python."""
    how = f"{sys.executable} -m ipykernel install --sys-prefix"
    if find_spec("jupyter_client") is None:
        return Finding("kernel", False, "jupyter_client is not installed; see jupyterlab above")
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return Finding("kernel", False, f"there is no kernel called python3; run  {how}")
    program = spec.argv[0]
    found = program if Path(program).is_absolute() else shutil.which(program)
    same = found is not None and Path(found).parent.samefile(Path(sys.executable).parent)
    if program in ("python", "python3") or same:
        return Finding("kernel", True, f"python3 in {spec.resource_dir}")
    return Finding(
        "kernel",
        None,
        f"python3 runs {program}, not this Python; if that lacks the course, run  {how}",
    )


def extension() -> Finding:
    """nbgrader's part in JupyterLab: formgrader and the assignment tool bar."""
    from jupyter_core.paths import jupyter_path

    places = [Path(p) / "labextensions" / "@jupyter" / "nbgrader" for p in jupyter_path()]
    if any(place.is_dir() for place in places):
        return Finding("formgrader", True, "nbgrader's extension of JupyterLab is installed")
    return Finding(
        "formgrader",
        None,
        "nbgrader's extension of JupyterLab was not found; reinstall"
        " nbgrader:  pip install --force-reinstall --no-deps nbgrader",
    )


def sandbox() -> Finding:
    """The sandbox for student code, tried and not guessed."""
    from course.grading.container import HERE
    from course.grading.sandbox import SandboxUnavailable, find

    try:
        text = f"{find().name} starts workers here"
    except SandboxUnavailable as error:
        return Finding("sandbox", None, f"needed to grade other people's code. {error}")
    if HERE.refused:
        text += (
            f", though slowly: each in a container of its own ({next(iter(HERE.refused.values()))})"
        )
    return Finding("sandbox", True, text)


def browser() -> Finding:
    """The browser that the contributors' tests drive."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Finding("browser", True, f"{found} (for the tests of the explorables)")
    return Finding(
        "browser",
        None,
        "Chromium is not on the path; only contributors need it, for the"
        " tests of the explorables (Debian, Ubuntu: apt install chromium)",
    )


MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}


def report(console: Console) -> bool:
    """Print what was found; whether everything that everybody needs is there."""
    found = list(findings())
    width = max(len(f.what) for f in found)
    for finding in found:
        console.print(
            f"{MARKS[finding.good]} {finding.what:{width}}  {escape(finding.says)}",
            highlight=False,
            soft_wrap=True,
        )
    missing = [f.what for f in found if f.good is False]
    if missing:
        console.print(f"\n[red]Missing:[/] {', '.join(missing)}")
    else:
        console.print("\nLectures and assignments will run here.")
    return not missing
