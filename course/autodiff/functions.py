"""The operations as functions of tensors, arrays or numbers: `exp(x)`, `affine(X, W, b)` …"""

from __future__ import annotations

import numpy as np

from course.autodiff import activations, costs, operations
from course.autodiff.tensor import Constant, Tensor, as_tensor


def tensor(value) -> Tensor:
    """`value` itself if it is a tensor, else a constant array."""
    return value if isinstance(value, Tensor) else Constant(value)


def exp(x) -> Tensor:
    """`e ** x`, entry by entry."""
    return operations.Exp(tensor(x))


def log(x) -> Tensor:
    """Natural logarithm, entry by entry."""
    return operations.Log(tensor(x))


def sqrt(x) -> Tensor:
    """Square root, entry by entry."""
    return operations.Sqrt(tensor(x))


def sin(x) -> Tensor:
    """Sine, entry by entry."""
    return operations.Sin(tensor(x))


def cos(x) -> Tensor:
    """Cosine, entry by entry."""
    return operations.Cos(tensor(x))


def maximum(a, b) -> Tensor:
    """The larger one, entry by entry; where they tie, the first gets the gradient."""
    return operations.Maximum(as_tensor(a), as_tensor(b))


def affine(X, W, b) -> Tensor:
    """`X @ W + b` for X (N, D), W (D, H), b (H,): one layer's pre-activations (N, H)."""
    X, W, b = tensor(X), tensor(W), tensor(b)
    if b.shape != W.shape[1:] or b.ndim != 1:
        raise operations.affine_error(X, W, b)
    return operations.Affine(X, W, b)


def tanh(z) -> Tensor:
    """Hyperbolic tangent."""
    return activations.Tanh(tensor(z))


def sigmoid(z) -> Tensor:
    """The logistic function `1 / (1 + exp(-z))`, for logits of any size."""
    return activations.Sigmoid(tensor(z))


def relu(z) -> Tensor:
    """`max(z, 0)`; slope 0 at 0."""
    return activations.ReLU(tensor(z))


def leaky_relu(z, slope: float = 0.01) -> Tensor:
    """`z` where `z > 0`, else `slope * z`."""
    return activations.LeakyReLU(tensor(z), slope)


def softplus(z) -> Tensor:
    """`log(1 + exp(z))`, the soft ReLU."""
    return activations.Softplus(tensor(z))


def elu(z) -> Tensor:
    """`z` where `z > 0`, else `exp(z) - 1`."""
    return activations.ELU(tensor(z))


def step(z) -> Tensor:
    """1 where `z >= 0`, else 0; its derivative is 0 (row C-12)."""
    return activations.Step(tensor(z))


def euclidean_cost(Y_hat, Y) -> Tensor:
    """Mean over the rows of ½ ‖Y_hat - Y‖²."""
    return costs.EuclideanCost(tensor(Y_hat), Y)


def softmax_cross_entropy(Z, labels) -> Tensor:
    """Mean of `-log softmax(Z)[label]` for scores Z (N, K) and class numbers (N,)."""
    return costs.SoftmaxCrossEntropy(tensor(Z), np.asarray(labels))


def binary_cross_entropy(z, y) -> Tensor:
    """Mean of the cross-entropy between targets y in [0, 1] and σ(z), from the logits z."""
    return costs.BinaryCrossEntropy(tensor(z), y)
