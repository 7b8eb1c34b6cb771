"""`import course` beside `import numpy`: `python -m benchmarks.import_time [--quick]`.

Fresh processes, interleaved; the times are those of the import alone, inside the process.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np

GATE = 1.2
IMPORTS = {
    "numpy": "numpy",
    "course": "course, numpy",  # a package that NumPy is not part of could not be dearer
    "course.autodiff": "course.autodiff",
    "course.nn and course.optim": "course.nn, course.optim",
}


def seconds(modules: str) -> float:
    """Time of one import in a new process."""
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if the gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer processes")
    rounds = 15 if parser.parse_args(arguments).quick else 60
    for modules in IMPORTS.values():  # compiled and in the disk cache
        seconds(modules)
    rng = np.random.default_rng(0)
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name in rng.permutation(list(IMPORTS)):
            times[name].append(seconds(IMPORTS[name]))
    base = float(np.median(times["numpy"]))
    missed = False
    print(f"{'import':28}{'ms':>8}{'ratio':>8}  gate ({rounds} processes each, medians)")
    for name, column in times.items():
        ratio = float(np.median(column)) / base
        note = ""
        if name == "course":
            missed = ratio > GATE
            note = f"<= {GATE} {'MISSED' if missed else 'met'}"
        print(f"{name:28}{np.median(column) * 1e3:8.1f}{ratio:8.3f}  {note}")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
