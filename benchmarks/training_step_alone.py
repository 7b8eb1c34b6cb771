"""One training step, each peer alone in a process of its own: `python -m benchmarks.training_step_alone`.

That is how a user's script runs.  In `training_step` all peers share a process, and with it the
memory that the others have made the allocator keep; alone, a peer that makes large arrays anew in
each step gives their pages back to the system and asks for them again, a page fault each.
"""

from __future__ import annotations

import benchmarks._one_thread  # noqa: F401  (before NumPy)

# isort: split
import argparse
import gc
import itertools
import json
import resource
import subprocess
import sys
import time
from statistics import median

import numpy as np

from benchmarks._peers import OURS, PEERS, REFERENCE
from benchmarks.training_step import LR, WORKS, available, batches, weights

Measured = dict[str, float]


def alone(work: str, dtype: type, name: str, seconds: float) -> Measured:
    """Microseconds and page faults a step, measured in this process."""
    widths, size, *_ = WORKS[work]
    step, _ = PEERS[name](weights(widths, dtype), LR)
    turn = itertools.cycle(batches(widths, size, dtype))
    for X, y in itertools.islice(turn, 80):
        step(X, y)
    gc.collect()
    bursts, end = [], time.perf_counter() + seconds
    faults, steps = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, 0
    while time.perf_counter() < end:
        start = time.process_time()
        for X, y in itertools.islice(turn, 8):
            step(X, y)
        bursts.append((time.process_time() - start) / 8)
        steps += 8
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    # The quicker half: the other one was disturbed by what else runs on the machine.
    return {"us": median(sorted(bursts)[: len(bursts) // 2 + 1]) * 1e6, "faults": faults / steps}


def in_new_process(work: str, dtype: type, name: str, seconds: float) -> Measured:
    """The same in a process that has never run another peer."""
    arguments = ["--one", work, np.dtype(dtype).name, name, str(seconds)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training_step_alone", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; there is no gate here."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training_step_alone", description=__doc__
    )
    parser.add_argument("--quick", action="store_true", help="one short run of each peer")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        work, dtype, name, time_given = options.one
        print(json.dumps(alone(work, np.dtype(dtype).type, name, float(time_given))))
        return 0
    runs, seconds = (1, 0.2) if options.quick else (3, 0.4)
    names = list(available())
    for work in WORKS:
        for dtype in (np.float64, np.float32):
            found: dict[str, list[Measured]] = {name: [] for name in names}
            for _, name in itertools.product(range(runs), names):
                found[name].append(in_new_process(work, dtype, name, seconds))
            print(f"\n{work}, {np.dtype(dtype)}, one thread, each alone, {runs} runs")
            print(f"{'':28}{'µs a step':>10}{'ratio':>8}{'÷ ours':>8}{'page faults a step':>20}")
            us = {name: median(one["us"] for one in many) for name, many in found.items()}
            for name, many in found.items():
                faults = median(one["faults"] for one in many)
                print(
                    f"{name:28}{us[name]:10.1f}{us[name] / us[REFERENCE]:8.3f}"
                    f"{us[name] / us[OURS]:8.2f}{faults:20.1f}"
                )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
