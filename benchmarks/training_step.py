"""One training step beside its peers: `python -m benchmarks.training_step [--quick]`.

All peers run interleaved in one process on one thread, from the same weights on the same batches.
A round takes the quickest of a few short bursts of each, in processor time, so that a busy machine
disturbs little; the table gives medians over rounds of the ratio to NumPy written by hand with a
stable loss.
"""

from __future__ import annotations

import benchmarks._one_thread  # noqa: F401  (before NumPy)

# isort: split
import argparse
import gc
import itertools
import time
from collections.abc import Callable

import numpy as np

from benchmarks._peers import OURS, PEERS, REFERENCE, TORCH

LR, BURSTS = 0.05, 4
# name: widths, batch, highest ratio to NumPy by hand, lowest ratio of PyTorch to ours
WORKS = {
    "64-32-10, batch 32, digits": ((64, 32, 10), 32, 1.10, 3.0),
    "784-128-10, batch 64": ((784, 128, 10), 64, 1.03, 1.3),
}


def batches(widths: tuple[int, int, int], size: int, dtype) -> list[tuple[np.ndarray, np.ndarray]]:
    """Eight batches: handwritten digits where they fit the net, else noise of the same range."""
    rng = np.random.default_rng(1)
    X, y = rng.random((8 * size, widths[0])), rng.integers(0, widths[-1], 8 * size)
    if widths[0] == 64:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            print("scikit-learn is missing: noise instead of digits")
        else:
            X, y = load_digits(return_X_y=True)
            X = X / 16
    return [
        (np.ascontiguousarray(X[i : i + size], dtype), y[i : i + size].astype(np.int64))
        for i in range(0, 8 * size, size)
    ]


def weights(widths: tuple[int, int, int], dtype) -> list[np.ndarray]:
    """The same start for every peer: W1, b1, W2, b2."""
    rng = np.random.default_rng(0)
    d, h, k = widths
    W1, W2 = rng.standard_normal((d, h)) * np.sqrt(2 / d), rng.standard_normal((h, k)) / np.sqrt(h)
    return [a.astype(dtype) for a in (W1, np.zeros(h), W2, np.zeros(k))]


def available() -> dict[str, Callable]:
    """The peers that are installed; the others are named."""
    found = {}
    for name, make in PEERS.items():
        try:
            make(weights((3, 2, 2), np.float64), LR)
        except ImportError as error:
            print(f"not installed, left out: {name} ({error.name})")
        else:
            found[name] = make
    return found


def measure(peers: dict[str, Callable], widths, size: int, dtype, rounds: int, seconds: float):
    """Seconds a step of each peer in each round, (rounds, peers), after a check that all agree."""
    data = batches(widths, size, dtype)
    steps, results = {}, {}
    for name, make in peers.items():
        steps[name], results[name] = make(weights(widths, dtype), LR)
        for X, y in data:
            steps[name](X, y)
    tolerance = 1e-9 if dtype is np.float64 else 1e-3
    for name, result in results.items():
        for ours, theirs in zip(results[REFERENCE](), result(), strict=True):
            if not np.allclose(ours, theirs, rtol=tolerance, atol=tolerance):
                raise AssertionError(f"{name} does not compute the same step")

    repeats = {}
    for name, step in steps.items():  # about the same time for each peer in each burst
        start = time.process_time()
        for X, y in itertools.islice(itertools.cycle(data), 40):
            step(X, y)
        repeats[name] = max(8, int(seconds / ((time.process_time() - start) / 40)))
    times = np.full((rounds, len(steps)), np.inf)
    names, rng = list(steps), np.random.default_rng(2)
    gc.disable()
    for row in times:
        for _ in range(BURSTS):  # the quickest burst is the one that was disturbed least
            for column in rng.permutation(len(names)):  # no peer always follows the same other
                step, turns = steps[names[column]], repeats[names[column]]
                for X, y in data[:2]:  # to bring its own arrays back into the cache
                    step(X, y)
                turn = itertools.islice(itertools.cycle(data), turns)
                start = time.process_time()
                for X, y in turn:
                    step(X, y)
                row[column] = min(row[column], (time.process_time() - start) / turns)
        gc.collect()
    gc.enable()
    return names, times


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if a gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_step", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under 30 seconds")
    quick = parser.parse_args(arguments).quick
    rounds, seconds = (15, 0.001) if quick else (61, 0.002)
    peers, missed = available(), []
    for work, (widths, size, highest, lowest) in WORKS.items():
        for dtype in (np.float64, np.float32):
            names, times = measure(peers, widths, size, dtype, rounds, seconds)
            columns = dict(zip(names, times.T, strict=True))
            gates = {OURS: (f"<= {highest}", highest)}
            print(f"\n{work}, {np.dtype(dtype)}, one thread, {rounds} rounds")
            print(f"{'':28}{'µs a step':>10}{'ratio':>8}  {'p25..p75':14} gate")
            for name, column in columns.items():
                ratios = column / columns[REFERENCE]
                low, ratio, high = np.percentile(ratios, [25, 50, 75])
                note = ""
                if name in gates:
                    met = ratio <= gates[name][1]
                    note = f"{gates[name][0]} {'met' if met else 'MISSED'}"
                elif name == TORCH:
                    times_ours = float(np.median(column / columns[OURS]))
                    met = times_ours >= lowest
                    note = f"{times_ours:.2f} × ours, >= {lowest} {'met' if met else 'MISSED'}"
                else:
                    met = True
                if not met:
                    missed.append(f"{work}, {np.dtype(dtype)}: {name}")
                print(
                    f"{name:28}{np.median(column) * 1e6:10.1f}{ratio:8.3f}"
                    f"  {f'{low:.2f}..{high:.2f}':14} {note}"
                )
    print("\nall gates met" if not missed else "\ngates missed: " + "; ".join(missed))
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
