"""Data sets: what they promise to hold, the seed, the split, the picture."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from course import data
from course.discriminant import class_statistics
from course.linear import fit_polynomial
from course.perceptron import perceptron_fit

mpl.use("Agg")

RANDOM = {
    "blobs": data.blobs,
    "gaussians": data.gaussians,
    "moons": data.moons,
    "spirals": data.spirals,
    "noisy_curve": data.noisy_curve,
    "polynomial": data.polynomial,
    "signals": data.signals,
}
REAL = {"digits": data.digits, "breast_cancer": data.breast_cancer, "iris": data.iris}


@pytest.fixture(autouse=True)
def one_thread():
    """Small products on many threads spend their time waiting, most of all on a busy machine."""
    with threadpool_limits(1):
        yield


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def every_set() -> list[data.Dataset]:
    made = [make(rng()) for make in RANDOM.values()]
    return [*made, *(make() for make in REAL.values()), data.gates("xor")]


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
def test_the_same_seed_gives_the_same_set_and_another_a_different_one(make) -> None:
    (X, y), (X_again, y_again), (X_other, y_other) = make(rng(1)), make(rng(1)), make(rng(2))
    assert np.array_equal(X, X_again)
    assert np.array_equal(y, y_again)
    assert not (np.array_equal(X, X_other) and np.array_equal(y, y_other))


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
@pytest.mark.parametrize("n", [10, 57])
def test_a_set_has_the_size_asked_for(make, n) -> None:
    X, y = make(rng(), n=n)
    assert X.ndim == 2
    assert len(X) == len(y) == n


@pytest.mark.parametrize("dataset", every_set(), ids=lambda d: d.name)
def test_every_set_is_finite_and_every_class_occurs(dataset) -> None:
    assert np.isfinite(dataset.X).all()
    assert dataset.X.dtype == np.float64
    if dataset.classes:
        assert sorted(set(dataset.y.tolist())) == list(range(len(dataset.classes)))
    assert len(dataset.features) in (0, dataset.X.shape[1])


@pytest.mark.parametrize(
    ("make", "shape"),
    [(data.digits, (1797, 64)), (data.breast_cancer, (569, 30)), (data.iris, (150, 4))],
)
def test_real_sets_have_their_known_shapes_and_scales(make, shape) -> None:
    raw, unit, standard = (make(scale=scale).X for scale in ("raw", "unit", "standard"))
    assert raw.shape == shape
    assert (unit.min(), unit.max()) == (0.0, 1.0)
    varies = raw.std(axis=0) > 0
    assert standard.mean(axis=0) == pytest.approx(0, abs=1e-12)
    assert standard.std(axis=0) == pytest.approx(varies.astype(float))
    with pytest.raises(ValueError, match="scale must be 'unit', 'standard' or 'raw'"):
        make(scale="minmax")


def test_digits_are_grey_levels_over_16() -> None:
    levels = data.digits().X * 16
    assert np.array_equal(levels, data.digits("raw").X)
    assert sorted(set(levels.ravel().tolist())) == list(range(17))


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
@settings(max_examples=25)
def test_a_split_loses_no_sample_and_keeps_proportions(seed, test_size) -> None:
    whole = data.iris()
    whole = whole.take(np.arange(len(whole) - 20))  # 50, 50 and 30 samples
    train, test = whole.split(test_size, rng=rng(seed))
    assert len(test) == round(test_size * len(whole))
    both = np.vstack([np.column_stack(tuple(part)) for part in (train, test)])
    assert np.array_equal(np.sort(both, axis=0), np.sort(np.column_stack(tuple(whole)), axis=0))
    shares = np.bincount(test.y, minlength=3) / np.array([50, 50, 30])
    assert shares == pytest.approx(test_size, abs=1 / 30 + 1e-9)


def test_a_split_of_curves_shuffles_and_a_bad_share_is_refused() -> None:
    curve = data.polynomial(rng(), n=40)
    train, test = curve.split(0.5, rng=rng())
    assert len(train) == len(test) == 20
    assert (np.diff(test.X[:, 0]) < 0).any()
    for share in (0, 1, 25):
        with pytest.raises(ValueError, match="test_size must lie between 0 and 1"):
            curve.split(share, rng=rng())
    with pytest.raises(ValueError, match="4 samples cannot be split"):
        data.gates("and").split(0.01, rng=rng())


def test_the_test_set_is_standardised_with_the_training_set() -> None:
    train, test = data.breast_cancer("raw").split(rng=rng())
    scaled = test.standardised(like=train)
    assert scaled.X * train.X.std(axis=0) + train.X.mean(axis=0) == pytest.approx(test.X)
    with pytest.raises(ValueError, match="like has 30 features, this set has 4"):
        data.iris().standardised(like=train)


def test_a_set_is_not_changed_by_what_is_done_with_it() -> None:
    whole = data.digits()
    kept = whole.X.copy()
    whole.split(rng=rng())
    whole.standardised()
    whole.plot()
    assert np.array_equal(whole.X, kept)


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor", "xor", "xnor"])
def test_gates_compute_what_python_does(name) -> None:
    python = {
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "nand": lambda a, b: not (a and b),
        "nor": lambda a, b: not (a or b),
        "xor": lambda a, b: a != b,
        "xnor": lambda a, b: a == b,
    }[name]
    X, y = data.gates(name)
    assert [bool(python(bool(a), bool(b))) for a, b in X] == y.astype(bool).tolist()
    with pytest.raises(ValueError, match="unknown gate 'not'"):
        data.gates("not")


@pytest.mark.parametrize("margin", [0.2, 1.0, 3.0])
def test_the_widest_strip_between_blobs_is_as_wide_as_asked_for_or_a_little_wider(margin) -> None:
    for seed in range(5):
        X, y = data.blobs(rng(seed), n=200, margin=margin)
        widest = SVC(kernel="linear", C=1e6).fit(X, y)
        assert widest.score(X, y) == 1
        width = 2 / np.linalg.norm(widest.coef_)
        assert margin * 0.999 <= width <= margin + 1


def test_blobs_overlap_when_the_margin_is_negative() -> None:
    X, y = data.blobs(rng(), n=200, margin=-2)
    assert not perceptron_fit(X, y, max_epochs=50).converged


def test_gaussians_have_the_statistics_of_row_C_18() -> None:
    X, y = data.gaussians(rng(), n=100_000)
    means, covariance, priors = class_statistics(X, y)
    assert means == pytest.approx(np.array([[0, 0], [2, 1]]), abs=0.03)
    assert covariance == pytest.approx(np.array([[2, 0.5], [0.5, 1]]), abs=0.03)
    assert priors == pytest.approx([0.6, 0.4], abs=0.01)


@pytest.mark.parametrize("make", [data.moons, data.spirals])
def test_moons_and_spirals_are_not_linearly_separable_but_their_neighbours_agree(make) -> None:
    X, y = make(rng(), n=400)
    assert not perceptron_fit(X, y, max_epochs=50).converged
    distance = ((X[:, None] - X) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    assert np.mean(y[distance.argmin(axis=1)] == y) > 0.97


def test_polynomial_data_give_their_coefficients_back() -> None:
    X, y = data.polynomial(rng(), n=5000, noise=0.1)
    assert fit_polynomial(X[:, 0], y, 3) == pytest.approx([0, -1, 0, 1.5], abs=0.03)
    _, exact = data.polynomial(rng(), coefficients=[2.0], noise=0)
    assert exact.tolist() == [2.0] * 30


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_on_signals_a_convolution_beats_a_dense_net() -> None:
    train, test = data.signals(rng(), 1200).split(1 / 3, rng=rng())
    dense = MLPClassifier((32,), max_iter=40, alpha=0.3, random_state=0).fit(*train)
    # The simplest convolution: patches of the training set as kernels, max-pooled.
    draw = rng()
    kernels = np.array([np.roll(row, -draw.integers(48))[:9] for row in train.X[:120]])
    kernels -= kernels.mean(axis=1, keepdims=True)

    def pooled(X: np.ndarray) -> np.ndarray:
        return (sliding_window_view(X, 9, axis=1) @ kernels.T).max(axis=1)

    readout = LogisticRegression(max_iter=1000).fit(pooled(train.X), train.y)
    convolution = readout.score(pooled(test.X), test.y)
    assert convolution > 0.85
    assert convolution > dense.score(*test) + 0.15


@pytest.mark.parametrize("dataset", every_set(), ids=lambda d: d.name)
def test_a_plot_has_a_title_and_shows_every_class(dataset) -> None:
    ax = dataset.plot()
    assert ax.get_title() == f"{dataset.name} (N = {len(dataset)})"
    shown = {text.get_text() for text in ax.get_legend().get_texts()} if ax.get_legend() else set()
    if dataset.kind == "image":
        shown = {label.get_text() for label in ax.get_yticklabels()}
    assert shown == set(dataset.classes)
    assert dataset.plot(ax) is ax
    mpl.pyplot.close("all")


def test_importing_data_imports_neither_matplotlib_nor_scikit_learn() -> None:
    code = (
        "import sys, numpy as np, course.data as d; d.moons(np.random.default_rng(0)); "
        "print({'matplotlib', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.moons(rng(), n=1), "n must be at least 2"),
        (lambda: data.moons(rng(), noise=-1), "expected 0 or more"),
        (lambda: data.signals(rng(), length=10), "length must be at least 18"),
        (lambda: data.signals(rng(), noise=-1), "expected 0 or more"),
        (lambda: data.gaussians(rng(), prior=1), "strictly between 0 and 1"),
        (lambda: data.gaussians(rng(), covariance=np.eye(3)), r"covariance has shape \(3, 3\)"),
        (lambda: data.spirals(rng(), n=2, n_classes=3), "n must be at least 3"),
    ],
)
def test_bad_input_is_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
