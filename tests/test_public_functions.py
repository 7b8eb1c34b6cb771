"""What holds for every public function: arguments stay as they are, float32 stays, NaN is refused."""

from __future__ import annotations

import copy
import importlib
import inspect
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from course import autodiff, nn
from course.autodiff import Tensor, tanh
from course.nn import MLP, EuclideanCost, SoftmaxCrossEntropy
from course.optim import SGD

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
import make_api

MODULES = [
    *("threshold", "perceptron", "linear", "discriminant", "logistic", "softmax"),
    *("data", "autodiff", "nn", "nn.statistics", "nn.inspection", "optim"),
]
# Public, but no array goes in: names, numbers, generators, finished nets and graphs.
NO_ARRAYS = {
    *("threshold.truth_table", "threshold.gate", "threshold.xor_circuit", "threshold.xor_network"),
    *("threshold.parity_network", "threshold.parity_circuit", "threshold.count_separable"),
    *("linear.numeric_derivative", "softmax.output", "softmax.output_for"),
    *("data.blobs", "data.breast_cancer", "data.digits", "data.gates", "data.gaussians"),
    *("data.iris", "data.moons", "data.noisy_curve", "data.polynomial", "data.signals"),
    *("data.spirals", "autodiff.backward_steps", "autodiff.forward_steps", "autodiff.draw"),
    *("autodiff.nodes_in_order", "nn.count_parameters", "nn.multiply_count", "nn.init_layer"),
    *("nn.linear_pieces", "nn.tent_network", "nn.statistics.linear_layers"),
    *("nn.statistics.filter_normalised_direction", "optim.constant", "optim.cosine"),
    *("optim.exponential", "optim.inverse_time", "optim.max_stable_lr", "optim.minibatches"),
    "optim.step_decay",
}


def calls(dtype) -> dict[str, list]:
    """Arguments for each public function that takes arrays, arrays of floats in this dtype."""
    rng = np.random.default_rng(0)

    def a(*shape):
        return rng.uniform(0.2, 0.8, shape).astype(dtype)

    def net(dims=(3, 5, 4)):
        return MLP(dims, np.random.default_rng(1), dtype=dtype)

    labels, binary = np.array([0, 1, 2, 3, 1, 2]), np.array([0, 1, 0, 1, 1, 0])
    S = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype)
    direction = [a(3, 5), a(5), a(5, 4), a(4)]
    signed = np.array([-1, 1, 1, -1, 1, 1], dtype)
    unary = ["cos", "elu", "exp", "leaky_relu", "log", "relu", "sigmoid", "sin"]
    unary += ["softplus", "sqrt", "step", "tanh"]
    trained = net()
    return {
        "threshold.step": [a(4)],
        "threshold.pre_activation": [a(6, 3), a(3), 0.5],
        "threshold.threshold_unit": [a(6, 3), a(3), 0.5],
        "threshold.run_network": [a(6, 2), (a(2, 3), a(3), a(3), 0.5)],
        "threshold.run_layers": [a(6, 2), [(a(2, 3), a(3)), (a(3, 1), a(1))]],
        "threshold.boolean_network": [signed.reshape(3, 2), np.array([1, -1, 1], dtype)],
        "threshold.circuit_of": [np.array([0, 1, 1, 0])],
        "perceptron.decision_function": [a(6, 3), a(3), 0.5],
        "perceptron.predict": [a(6, 3), a(3), 0.5],
        "perceptron.signed_distance": [a(6, 3), a(3), 0.5],
        "perceptron.accuracy": [binary, binary[::-1].copy()],
        "perceptron.perceptron_update": [a(3), 0, a(3), 0.5],
        "perceptron.perceptron_fit": [a(6, 3), binary],
        "linear.predict": [a(6, 3), a(3), 0.5],
        "linear.cost": [a(6), a(6)],
        "linear.gradients": [a(6, 3), a(6), a(3), 0.5],
        "linear.add_ones": [a(6, 3)],
        "linear.fit_direct": [a(6, 3), a(6)],
        "linear.poly_features": [a(6), 3],
        "linear.fit_polynomial": [a(6), a(6), 2],
        "linear.validation_curve": [a(6), a(6), a(5), a(5), [0, 1, 2]],
        "linear.choose_degree": [a(6), a(6), a(5), a(5), [0, 1, 2]],
        "discriminant.class_statistics": [a(6, 3), binary],
        "discriminant.class_scores": [a(2, 3), S, np.array([0.25, 0.75], dtype)],
        "discriminant.lda_weights": [a(3), a(3), S],
        "discriminant.lda_fit": [a(6, 3), binary],
        "discriminant.gaussian_log_density": [a(6, 3), a(3), S],
        "logistic.sigmoid": [a(6)],
        "logistic.d_sigmoid": [a(6)],
        "logistic.softplus": [a(6)],
        "logistic.bce_with_logits": [a(6), a(6)],
        "logistic.bce_with_logits_grad": [a(6), a(6)],
        "logistic.logistic_gradients": [a(6, 3), a(6), a(3), 0.5],
        "logistic.to_signed": [binary],
        "logistic.logistic_loss_signed": [a(6), signed],
        "logistic.logistic_fit": [a(6, 3), binary, 0.1],
        "softmax.log_softmax": [a(6, 4)],
        "softmax.softmax": [a(6, 4)],
        "softmax.softmax_jacobian": [np.array([0.25, 0.5, 0.25], dtype)],
        "softmax.one_hot": [labels, 4],
        "softmax.cross_entropy": [a(6, 4), labels],
        "softmax.cross_entropy_grad": [a(6, 4), labels],
        "softmax.softmax_gradients": [a(6, 3), labels, a(3, 4), a(4)],
        "softmax.multilabel_bce": [a(6, 4), a(6, 4)],
        "softmax.multilabel_bce_grad": [a(6, 4), a(6, 4)],
        "softmax.squared_error": [a(6, 4), a(6, 4)],
        "softmax.squared_error_grad": [a(6, 4), a(6, 4)],
        "softmax.expected_score": [0.3, a(5)],
        **{f"autodiff.{name}": [a(3, 4)] for name in unary},
        "autodiff.affine": [a(6, 3), a(3, 4), a(4)],
        "autodiff.maximum": [a(3, 4), a(4)],
        "autodiff.euclidean_cost": [a(6, 4), a(6, 4)],
        "autodiff.binary_cross_entropy": [a(6, 4), a(6, 4)],
        "autodiff.softmax_cross_entropy": [a(6, 4), labels],
        "autodiff.check_gradients": [lambda x: tanh(x).sum(), a(3)],
        "autodiff.conv_matrix": [a(3), 5],
        "autodiff.convolve1d": [a(2, 1, 5), a(2, 1, 3), a(2)],
        "autodiff.max_pool1d": [a(2, 6), 2],
        "nn.activation": ["tanh", a(3, 4)],
        "nn.activation_slope": ["tanh", a(3, 4)],
        "nn.check_module": [net(), a(2, 3), np.random.default_rng(0)],
        "nn.collapse_linear": [[(a(3, 2), a(2)), (a(2, 4), a(4))]],
        "nn.statistics.layer_outputs": [net(), a(6, 3)],
        "nn.statistics.forward_statistics": [net(), a(6, 3)],
        "nn.statistics.gradient_norms": [net(), SoftmaxCrossEntropy(), a(6, 3), labels],
        "nn.statistics.error_signal_norms": [net(), EuclideanCost(), a(6, 3), a(6, 4)],
        "nn.statistics.dead_fraction": [a(6, 4)],
        "nn.statistics.loss_slice": [lambda t: float(t @ t), a(3), a(3), a(3), a(2)],
        "nn.statistics.loss_plane": [
            *(net(), SoftmaxCrossEntropy(), a(6, 3), labels),
            *(direction, [2 * d for d in direction], a(2)),
        ],
        "nn.statistics.path_in_plane": [
            *([direction, [3 * d for d in direction]], direction),
            [a(*d.shape) for d in direction],
        ],
        "nn.inspection.input_gradient": [net(), a(6, 3), 1],
        "nn.inspection.linear_probe_accuracy": [a(6, 3), binary],
        "nn.inspection.maximise_activation": [net(), 1, a(3), 0.1, 3],
        "nn.inspection.pre_activation": [net(), a(6, 3), 1],
        "nn.inspection.top_examples": [net(), a(6, 3), 1, 2],
        "nn.inspection.weight_images": [a(6, 4), (2, 3)],
        "optim.gradient_descent": [lambda theta: 2 * theta, a(3), 0.1, 4],
        "optim.numeric_gradient": [lambda theta: float(theta @ theta), a(3)],
        "optim.sgd": [
            *(lambda theta, X, y: 2 * theta, a(3), a(6, 3), a(6), 0.1, 2, 2),
            np.random.default_rng(0),
        ],
        "optim.train": [trained, SoftmaxCrossEntropy(), a(6, 3), labels],
    }


KEYWORDS = {
    "optim.train": lambda args: dict(
        optimiser=SGD(args[0].parameters, 0.1),
        batch_size=3,
        epochs=2,
        rng=np.random.default_rng(0),
    )
}
# Float64 whatever comes in: finite differences, paths of many steps, tables made from numbers.
IN_FLOAT64 = {
    *("nn.statistics.loss_slice", "nn.statistics.loss_plane", "nn.statistics.path_in_plane"),
    *("nn.inspection.maximise_activation", "optim.gradient_descent", "optim.numeric_gradient"),
    *("optim.sgd", "softmax.one_hot", "threshold.boolean_network", "linear.validation_curve"),
}
NAMES = sorted(calls(np.float64))


def function(name: str):
    home, _, last = name.rpartition(".")
    return getattr(importlib.import_module(f"course.{home}"), last)


def run(name: str, args: list):
    with np.errstate(invalid="ignore"):
        return function(name)(*args, **KEYWORDS.get(name, lambda _: {})(args))


def arrays(value) -> list[np.ndarray]:
    """Every array in a value, however deep in lists, tuples, records and nodes."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, Tensor):
        return [np.asarray(value.data)]
    if isinstance(value, dict):
        return arrays(list(value.values()))
    if isinstance(value, list | tuple):
        return [array for each in value for array in arrays(each)]
    if is_dataclass(value):
        return arrays([getattr(value, field.name) for field in fields(value)])
    return []


def test_every_public_function_is_in_the_table() -> None:
    public = {
        f"{module}.{name}"
        for module in MODULES
        for name, thing in make_api.public(importlib.import_module(f"course.{module}")).items()
        if inspect.isfunction(thing)
    }
    assert public == set(NAMES) | NO_ARRAYS


@pytest.mark.parametrize("name", NAMES)
def test_no_argument_is_changed(name: str) -> None:
    args = calls(np.float64)[name]
    before = copy.deepcopy(arrays(args))
    run(name, args)
    for array, was in zip(arrays(args), before, strict=True):
        np.testing.assert_array_equal(array, was)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_returned_shares_no_memory_with_the_arguments(name: str) -> None:
    args = calls(np.float64)[name]
    for result in arrays(run(name, args)):
        assert not any(np.shares_memory(result, array) for array in arrays(args))


@pytest.mark.parametrize("name", sorted(set(NAMES) - IN_FLOAT64))
def test_float32_stays_float32(name: str) -> None:
    results = arrays(run(name, calls(np.float32)[name]))
    assert {r.dtype for r in results if r.dtype.kind == "f"} <= {np.dtype(np.float32)}


# These pass NaN on, as arithmetic does; a gradient of it is refused (tests/autodiff/test_changes.py).
PASSES_NAN_ON = {name for name in NAMES if name.startswith("autodiff.")} - {"autodiff.conv_matrix"}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("name", sorted(set(NAMES) - PASSES_NAN_ON))
def test_nan_and_infinity_are_refused_in_every_array(name: str, bad: float) -> None:
    count = len([x for x in arrays(calls(np.float64)[name]) if x.dtype.kind == "f"])
    for i in range(count):
        args = calls(np.float64)[name]
        [x for x in arrays(args) if x.dtype.kind == "f"][i].flat[0] = bad
        with pytest.raises((ValueError, FloatingPointError), match=r"NaN|finite|nan|inf"):
            run(name, args)


def test_modules_change_neither_batch_nor_message() -> None:
    rng = np.random.default_rng(0)
    for module, X in [
        (nn.Linear(rng.standard_normal((3, 2)), np.zeros(2)), rng.standard_normal((4, 3))),
        (nn.Conv1d(rng.standard_normal((2, 1, 3)), np.zeros(2)), rng.standard_normal((4, 1, 6))),
        *((nn.Pointwise(name), rng.standard_normal((4, 3))) for name in autodiff.activations.ACTIVATIONS),
        (nn.MaxPooling1d(2), rng.standard_normal((4, 6))),
        (nn.Flatten(), rng.standard_normal((4, 2, 3))),
    ]:  # fmt: skip
        Y = module.forward(X)
        dY = rng.standard_normal(Y.shape)
        kept = X.copy(), dY.copy()
        dX = module.backward(dY)
        assert not any(np.shares_memory(one, other) for one in (Y, dX) for other in (X, dY))
        np.testing.assert_array_equal(X, kept[0])
        np.testing.assert_array_equal(dY, kept[1])
