"""Fit of each estimator beside scikit-learn's: `python -m benchmarks.estimator_fit [--quick]`.

Each on its lecture's data and on real data, interleaved in one process on one thread. The gate is
a fit in at most twice scikit-learn's time on the lecture's data, and on all of them a test score at
most a point lower.
"""

from __future__ import annotations

import benchmarks._one_thread  # noqa: F401  (before NumPy)

# isort: split
import argparse
import time
import warnings
from typing import Any

import numpy as np
from sklearn import discriminant_analysis, linear_model, neural_network

from course import data, estimators

RNG = np.random.default_rng
NET: dict[str, Any] = {"hidden_layer_sizes": (32,), "random_state": 0}
GATE, POINT = 2.0, 0.01


def curve() -> data.Dataset:
    """Lecture 03's regression: a noisy cubic as a set of four features."""
    made = data.polynomial(RNG(0), n=200)
    return data.Dataset("cubic", made.X ** np.arange(1, 5), made.y)


def wave() -> data.Dataset:
    """A regression for nets: two inputs, a curved surface."""
    rng = RNG(0)
    X = rng.uniform(-2, 2, (600, 2))
    return data.Dataset("surface", X, np.sin(X[:, 0]) * X[:, 1] + 0.05 * rng.normal(size=600))


# ours, theirs, the lecture's data, other data
WORKS = [
    (
        estimators.LinearRegression(),
        linear_model.LinearRegression(),
        [curve()],
        [],
    ),
    (
        estimators.Perceptron(random_state=0),
        linear_model.Perceptron(random_state=0),
        [data.blobs(RNG(0)), data.gates("and")],
        [data.breast_cancer(), data.iris(), data.digits()],
    ),
    (
        estimators.LinearDiscriminantAnalysis(),
        discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr"),
        [data.gaussians(RNG(0))],
        [data.breast_cancer(), data.iris(), data.digits()],
    ),
    (
        estimators.LogisticRegression(),
        linear_model.LogisticRegression(max_iter=1000),
        [data.gaussians(RNG(0)), data.iris()],
        [data.breast_cancer(), data.digits()],
    ),
    (
        estimators.MLPClassifier(**NET),
        neural_network.MLPClassifier(**NET),
        [data.moons(RNG(0)), data.digits()],
        [data.breast_cancer(), data.iris()],
    ),
    (
        estimators.MLPRegressor(**NET),
        neural_network.MLPRegressor(**NET),
        [wave()],
        [],
    ),
]


def seconds(model, X, y) -> float:
    """Seconds of one fit."""
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start


def compare(ours, theirs, dataset: data.Dataset, budget: float) -> tuple[np.ndarray, np.ndarray]:
    """Seconds (rounds, 2) and mean test scores (2,) of both, over the same splits."""
    splits = (
        [(dataset, dataset)]
        if len(dataset) < 10
        else [dataset.split(rng=RNG(seed)) for seed in range(3)]
    )
    scores = [[model.fit(*tr).score(*te) for model in (ours, theirs)] for tr, te in splits]
    X, y = splits[0][0]
    one = seconds(ours, X, y) + seconds(theirs, X, y)
    rounds = int(np.clip(budget / one, 3, 101))
    times = [[seconds(model, X, y) for model in (ours, theirs)] for _ in range(rounds)]
    return np.array(times), np.mean(scores, axis=0)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if a gate is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimator_fit", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, under 30 seconds")
    budget = 0.3 if parser.parse_args(arguments).quick else 2.0
    warnings.simplefilter("ignore")
    missed = []
    print(f"{'':28}{'data':15}{'ms a fit':>9}{'ratio':>7}{'score':>8}{'theirs':>8}  gate")
    for ours, theirs, lecture, other in WORKS:
        for dataset in lecture + other:
            times, (score, their_score) = compare(ours, theirs, dataset, budget)
            ratio = float(np.median(times[:, 0] / times[:, 1]))
            gated = dataset in lecture
            met = score >= their_score - POINT and (ratio <= GATE or not gated)
            name = type(ours).__name__
            if not met:
                missed.append(f"{name} on {dataset.name}")
            print(
                f"{name:28}{dataset.name:15}{np.median(times[:, 0]) * 1e3:9.2f}{ratio:7.2f}"
                f"{score:8.4f}{their_score:8.4f}  {f'<= {GATE:g} ' if gated else ''}"
                f"{'met' if met else 'MISSED'}"
            )
    print("\nall gates met" if not missed else "\ngates missed: " + "; ".join(missed))
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
