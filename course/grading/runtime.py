"""What a worker may see: the interpreter, the standard library, and the packages it may import.

The list is found by looking, not by knowing distributions: a fresh interpreter imports everything
that is allowed and reports which shared libraries it has mapped.  Whatever is not listed here does
not exist for a sandboxed worker.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from course.grading.temporary import temporary_folder

PARTS = (  # of course.grading, in the worker
    "exercise", "values", "run", "execute", "confine", "worker", "seccomp", "namespaces", "zygote"
)  # fmt: skip
STAND_IN = '''"""Stands for course.grading in a worker: cells that check their work do nothing."""


def check(*_, **__):
    """Checks nothing: the grader does."""
'''
PROBE = """
import importlib, os, sys
names = sys.argv[1:]
for folder in sys.path:
    if folder.endswith("lib-dynload"):
        names += sorted(os.listdir(folder))
for name in names:
    if not name.startswith(("_test", "_tkinter", "_xx", "xx", "_ssl", "_sql", "readl", "_curs", "nis")):
        try:
            importlib.import_module(name.partition(".")[0])
        except ImportError:
            pass
with open("/proc/self/maps") as maps:
    for line in maps:
        if len(line.split(None, 5)) == 6 and ".so" in line:
            print(line.split(None, 5)[5].strip())
"""


@dataclass(frozen=True)
class Runtime:
    """The files of a worker.

    executable : the interpreter, not that of a virtual environment.
    stdlib : folder of the standard library (its `site-packages` is to be hidden).
    libraries : shared libraries outside `stdlib` and `packages`, path -> real file.
    packages : name -> file or folder, as they are to be found in one folder.
    home : folder with `course` (the few files a worker needs) and `packages` (links).
    imports : what student code may import, by name.
    """

    executable: Path
    stdlib: Path
    libraries: dict[str, Path]
    packages: dict[str, Path]
    home: Path
    imports: tuple[str, ...] = ("numpy",)


def runtime(imports: tuple[str, ...] = ("numpy",)) -> Runtime:
    """The runtime for workers that may import these packages (and what those need).

    imports : import names; 'course.data' and the like give that one part of `course`.
    Made once a process; its folder is removed when the process ends.
    Raises ModuleNotFoundError if one of them is not installed.
    """
    return _runtime(imports)


@functools.cache  # which would keep a second one for `runtime()` beside `runtime(("numpy",))`
def _runtime(imports: tuple[str, ...]) -> Runtime:
    outer = [name for name in imports if name.partition(".")[0] != "course"]
    packages: dict[str, Path] = {}
    for name in {"numpy", *outer}:
        packages |= files_of(name)
    home = temporary_folder("worker")
    (home / "packages").mkdir()
    for name, real in packages.items():
        (home / "packages" / name).symlink_to(real)
    copy_course(home / "course", [name for name in imports if name.startswith("course.")])
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    stdlib = Path(os.path.realpath(sysconfig.get_path("stdlib")))
    compile_all = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([executable, "-I", "-S", *compile_all, home / "course"], check=True)
    shared = libraries(executable, stdlib, home, outer)
    return Runtime(executable, stdlib, shared, packages, home, tuple(imports))


def copy_course(to: Path, names: list[str]) -> None:
    """The parts of this package that workers need, and those an exercise set allows."""
    course = Path(__file__).resolve().parents[1]
    (to / "grading").mkdir(parents=True)
    (to / "__init__.py").touch()
    (to / "grading" / "__init__.py").write_text(STAND_IN, encoding="utf-8")
    for part in PARTS:
        shutil.copy(course / "grading" / f"{part}.py", to / "grading")
    for name in names:
        path = course.joinpath(*name.split(".")[1:])
        if path.is_dir():
            shutil.copytree(path, to / path.relative_to(course), dirs_exist_ok=True)
        elif path.with_suffix(".py").is_file():
            shutil.copy(path.with_suffix(".py"), to / path.relative_to(course).parent)
        else:
            raise ModuleNotFoundError(f"there is no {name} to be allowed in IMPORTS")


def files_of(name: str) -> dict[str, Path]:
    """The installed files of a package and of what it requires, by their first path component."""
    owners = importlib.metadata.packages_distributions() if name != "numpy" else {}
    found = owners.get(name.partition(".")[0], [name])
    needed, packages = list(found), {}
    seen: set[str] = set()
    while needed:
        distribution = needed.pop().lower().replace("_", "-")
        if distribution in seen:
            continue
        seen.add(distribution)
        try:
            installed = importlib.metadata.distribution(distribution)
        except importlib.metadata.PackageNotFoundError:
            if distribution in [d.lower() for d in found]:
                raise ModuleNotFoundError(f"{name} is not installed") from None
            continue  # required on another system only
        for file in installed.files or []:
            if file.parts[0] not in ("..", "__pycache__") and file.suffix != ".pth":
                packages[file.parts[0]] = Path(
                    os.path.realpath(str(installed.locate_file(file.parts[0])))
                )
        for requirement in installed.requires or []:
            if "extra ==" not in requirement:
                needed.append(re.split(r"[^A-Za-z0-9_.-]", requirement.strip(), maxsplit=1)[0])
    return {top: path for top, path in packages.items() if path.exists()}


def libraries(executable: Path, stdlib: Path, home: Path, imports: list[str]) -> dict[str, Path]:
    """The shared libraries that the interpreter and the packages load, under every name they have.

    Empty where /proc does not exist; sandboxes exist only where it does.
    """
    if not os.path.exists("/proc/self/maps"):
        return {}
    environment = {"PYTHONPATH": str(home / "packages"), "MPLBACKEND": "Agg", "HOME": str(home)}
    probe = subprocess.run(
        [str(executable), "-S", "-B", "-c", PROBE, "numpy", *imports],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    inside = [str(stdlib), *(str(p) for p in {p.resolve().parent for p in home.glob("packages/*")})]
    found: dict[str, Path] = {}
    for line in sorted(set(probe.stdout.split("\n")) - {""}):
        real = Path(os.path.realpath(line))
        if any(real.is_relative_to(folder) for folder in inside):
            continue
        folders = {real.parent}
        if real.name.startswith(("ld-linux", "ld-musl")):  # named in the interpreter's header
            folders |= {Path("/lib"), Path("/lib64"), Path("/usr/lib64")}
        for folder in folders:
            for entry in os.scandir(folder) if folder.is_dir() else ():
                stem = real.name.partition(".so")[0].split("-2.")[0]
                if entry.name.endswith(".so") and entry.name != real.name:
                    continue  # for linking programs, not for running them
                if entry.name.startswith(stem) and os.path.realpath(entry.path) == str(real):
                    found[os.path.join(os.path.realpath(folder), entry.name)] = real
    return found
