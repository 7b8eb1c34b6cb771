"""The scikit-learn faces: conformant, and as good as scikit-learn's own on real data."""

from __future__ import annotations

import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from scipy import special
from sklearn import discriminant_analysis, linear_model, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_limits

from course import data
from course import estimators as e
from course.discriminant import lda_fit
from course.logistic import logistic_fit
from course.optim import DivergenceError

REAL = {
    "breast cancer": data.breast_cancer(),
    "breast cancer, raw": data.breast_cancer("raw"),
    "iris": data.iris(),
    "digits": data.digits(),
}
SMALL_NET = {"hidden_layer_sizes": (32,), "random_state": 0}


@pytest.fixture(autouse=True)
def one_thread():
    """Small products on many threads spend their time waiting, most of all on a busy machine."""
    with threadpool_limits(1):
        yield


def scores(ours, theirs, dataset, splits: int = 3) -> tuple[float, float]:
    """Mean test accuracy of both over the same splits."""
    pairs = []
    for seed in range(splits):
        train, test = dataset.split(rng=np.random.default_rng(seed))
        pairs.append([model.fit(*train).score(*test) for model in (ours, theirs)])
    return tuple(np.mean(pairs, axis=0))


@pytest.mark.parametrize("name", e.__all__)
@pytest.mark.filterwarnings("ignore")  # some checks fit far too short on purpose
def test_estimator_passes_all_checks_of_scikit_learn(name) -> None:
    results = check_estimator(getattr(e, name)(), on_skip=None)
    assert len(results) > 40
    # What is skipped needs software that is not there (pandas, array-API); nothing may fail.
    assert {result["status"] for result in results} <= {"passed", "skipped"}


@pytest.mark.parametrize("dataset", REAL.values(), ids=REAL)
@pytest.mark.parametrize("solver", ["lsqr", "eigen"])
def test_lda_posterior_agrees_with_scikit_learn_to_a_millionth(dataset, solver) -> None:
    if dataset.name == "digits":  # three pixels never vary, and 'eigen' then fails
        dataset = data.Dataset("digits", dataset.X[:, dataset.X.std(axis=0) > 0.01], dataset.y)
    X, y = dataset
    theirs = discriminant_analysis.LinearDiscriminantAnalysis(solver=solver).fit(X, y)
    ours = e.LinearDiscriminantAnalysis().fit(X, y)
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-6)
    assert (ours.predict(X) == theirs.predict(X)).all()


def test_lda_estimator_is_lda_fit() -> None:
    X, y = data.gaussians(np.random.default_rng(0))
    model = e.LinearDiscriminantAnalysis().fit(X, y)
    w, b = lda_fit(X, y)
    assert model.coef_[0] == pytest.approx(w)
    assert model.intercept_[0] == pytest.approx(b)


@pytest.mark.parametrize("dataset", REAL.values(), ids=REAL)
def test_logistic_regression_is_within_a_point_of_scikit_learn(dataset) -> None:
    theirs = linear_model.LogisticRegression(max_iter=10_000)
    ours, other = scores(e.LogisticRegression(), theirs, dataset)
    assert ours == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("name", ["breast cancer", "iris"])
@pytest.mark.parametrize("C", [0.01, 1.0])
def test_logistic_regression_has_the_minimum_of_scikit_learn(name, C) -> None:
    X, y = REAL[name]
    theirs = linear_model.LogisticRegression(C=C, max_iter=10_000, tol=1e-10).fit(X, y)
    ours = e.LogisticRegression(C=C, tol=1e-8).fit(X, y)
    assert ours.coef_ == pytest.approx(
        theirs.coef_ - (theirs.coef_.mean(axis=0) if len(theirs.coef_) > 1 else 0), abs=1e-4
    )
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-5)


def test_logistic_regression_without_penalty_is_logistic_fit() -> None:
    X, y = data.gaussians(np.random.default_rng(0))
    model = e.LogisticRegression(C=np.inf, tol=1e-8).fit(X, y)
    w, b, *_ = logistic_fit(X, y)
    assert model.coef_[0] == pytest.approx(w)
    assert model.intercept_[0] == pytest.approx(b)


def test_linear_regression_agrees_with_scikit_learn_at_full_rank() -> None:
    X, y = data.iris().X[:, :3], data.iris().X[:, 3]
    theirs, ours = linear_model.LinearRegression().fit(X, y), e.LinearRegression().fit(X, y)
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)
    twice = np.hstack([X, X])
    assert e.LinearRegression().fit(twice, y).predict(twice) == pytest.approx(theirs.predict(X))


@pytest.mark.parametrize("dataset", REAL.values(), ids=REAL)
def test_perceptron_is_no_worse_than_scikit_learn(dataset) -> None:
    kwargs = {"random_state": 0}
    ours, other = scores(e.Perceptron(**kwargs), linear_model.Perceptron(**kwargs), dataset, 5)
    assert ours >= other - 0.01


def test_perceptron_estimator_runs_the_rule_of_lecture_02() -> None:
    model = e.Perceptron(shuffle=False, scale=False).fit(*data.gates("and"))
    assert (model.coef_.tolist(), model.intercept_.tolist()) == ([[2.0, 1.0]], [-3.0])


@pytest.mark.parametrize("name", ["breast cancer", "breast cancer, raw", "iris", "digits"])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:not converged")
def test_mlp_classifier_is_no_worse_than_scikit_learn_on_standardised_data(name) -> None:
    dataset = REAL[name]
    theirs = neural_network.MLPClassifier(max_iter=100, **SMALL_NET)
    train, test = dataset.split(rng=np.random.default_rng(1))
    other = theirs.fit(*train.standardised()).score(*test.standardised(like=train))
    assert e.MLPClassifier(max_iter=100, **SMALL_NET).fit(*train).score(*test) >= other - 0.01


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer", "ignore:not converged")
def test_mlp_regressor_is_no_worse_than_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (600, 2))
    y = 5000 + 100 * np.sin(X[:, 0]) * X[:, 1] + rng.normal(size=600)
    train, test = slice(0, 400), slice(400, None)
    theirs = neural_network.MLPRegressor(max_iter=200, **SMALL_NET).fit(
        X[train], (y[train] - 5000) / 50
    )
    ours = e.MLPRegressor(**SMALL_NET).fit(X[train], y[train])
    assert ours.score(X[test], y[test]) > 0.98
    assert ours.score(X[test], y[test]) >= theirs.score(X[test], (y[test] - 5000) / 50) - 0.01


@pytest.mark.filterwarnings("ignore:not converged")
def test_mlp_separates_what_no_line_can() -> None:
    X, y = data.spirals(np.random.default_rng(0), 400, turns=1.5)
    net = e.MLPClassifier((32, 32), activation="tanh", lr=0.05, alpha=1e-4, random_state=0).fit(
        X, y
    )
    assert net.score(X, y) > 0.97
    assert e.LogisticRegression().fit(X, y).score(X, y) < 0.75


@pytest.mark.filterwarnings("ignore:not converged")
def test_a_stronger_penalty_gives_smaller_mlp_weights() -> None:
    X, y = REAL["breast cancer"]
    size = [
        sum((W**2).sum() for W in e.MLPClassifier(alpha=alpha, **SMALL_NET).fit(X, y).coefs_)
        for alpha in (1e-4, 1e-2, 1e-1)
    ]
    assert size[0] > 1.5 * size[1] > 3 * size[2]


@pytest.mark.filterwarnings("ignore:not converged")
def test_mlp_weights_are_a_plain_network_for_the_data_as_given() -> None:
    X, y = data.breast_cancer("raw")
    net = e.MLPClassifier((8, 4), activation="tanh", max_iter=20, random_state=0).fit(X, y)
    H = X
    for W, b in zip(net.coefs_[:-1], net.intercepts_[:-1], strict=True):
        H = np.tanh(H @ W + b)
    Z = (H @ net.coefs_[-1] + net.intercepts_[-1]).ravel()
    assert [W.shape for W in net.coefs_] == [(30, 8), (8, 4), (4, 1)]
    assert net.predict_proba(X)[:, 1] == pytest.approx(special.expit(Z))
    assert net.loss_curve_[-1] < net.loss_curve_[0] / 2
    assert len(net.loss_curve_) == net.n_iter_


@pytest.mark.filterwarnings("ignore:not converged")
@pytest.mark.parametrize(
    "make",
    [
        partial(e.MLPClassifier, (8,), max_iter=10, random_state=0),
        partial(e.Perceptron, random_state=0),
        e.LogisticRegression,
        e.LinearDiscriminantAnalysis,
    ],
)
def test_units_of_the_features_hardly_matter_where_no_penalty_ties_them(make) -> None:
    X, y = REAL["breast cancer"]
    units = 10.0 ** np.arange(-3, 3).repeat(5)
    same = make().fit(X, y).predict(X) == make().fit(X * units, y).predict(X * units)
    assert same.mean() > (0.95 if make is e.LogisticRegression else 0.999)


@pytest.mark.filterwarnings("ignore:not converged")
@pytest.mark.parametrize("name", e.__all__)
@pytest.mark.parametrize("source", ["breast cancer", "iris"])
def test_a_fit_is_repeatable_pickles_and_keeps_float32(name, source) -> None:
    make = partial(getattr(e, name))
    short = {"max_iter": 5} if name.startswith("MLP") else {}
    if "random_state" in make().get_params():
        short["random_state"] = 3
    X, y = REAL[source]
    X32, kept = X.astype("f4"), X.astype("f4")
    model, again = (make(**short).fit(X32, y) for _ in range(2))
    assert np.array_equal(model.predict(X32), again.predict(X32))
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X32), model.predict(X32))
    assert np.array_equal(X32, kept)
    output = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    if hasattr(model, "decision_function"):
        output = model.decision_function
    assert output(X32).dtype == np.float32


def test_class_labels_may_be_words() -> None:
    X, y = data.iris()
    words = np.array(data.iris().classes)[y]
    for model in (e.LinearDiscriminantAnalysis(), e.LogisticRegression(), e.Perceptron()):
        assert set(model.fit(X, words).predict(X)) <= set(data.iris().classes)
        assert model.score(X, words) > 0.7


def test_probabilities_are_ordered_like_classes_and_sum_to_one() -> None:
    for dataset in (data.iris(), data.breast_cancer()):
        model = e.LogisticRegression().fit(*dataset)
        P = model.predict_proba(dataset.X)
        assert P.sum(axis=1) == pytest.approx(1)
        assert (model.classes_[P.argmax(axis=1)] == model.predict(dataset.X)).all()
        assert np.exp(model.predict_log_proba(dataset.X)) == pytest.approx(P)
        far = 1e6 * dataset.X  # where probabilities round to 0, their logarithms stay finite
        assert np.isfinite(model.predict_log_proba(far)).all()
        assert (model.predict_proba(far) == 0).any()


@pytest.mark.parametrize(
    "name", [n for n in e.__all__ if n not in ("LinearRegression", "MLPRegressor")]
)
def test_one_class_is_too_few(name) -> None:
    with pytest.raises(ValueError, match="at least two classes, got only one class"):
        getattr(e, name)().fit([[1.0], [2.0]], [1, 1])


def test_what_went_wrong_is_said() -> None:
    X, y = data.iris()
    with pytest.raises(ValueError, match="C must be positive, got 0"):
        e.LogisticRegression(C=0).fit(X, y)
    with pytest.raises(ValueError, match="give more samples than classes"):
        e.LinearDiscriminantAnalysis().fit(X[[0, 60, 120]], y[[0, 60, 120]])
    for classes in (2, 3):
        with pytest.warns(ConvergenceWarning, match="not converged after 2 steps"):
            e.LogisticRegression(max_iter=2).fit(X[y < classes], y[y < classes])
    with pytest.warns(ConvergenceWarning, match="not converged after 2 epochs"):
        e.MLPClassifier((3,), max_iter=2, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(DivergenceError, match="choose lr <"):
            e.MLPRegressor((8,), lr=1e6, random_state=0).fit(X, X[:, 0])
