"""Initial weights: the scale of a layer decides what reaches the layers behind it (H-12)."""

from __future__ import annotations

import numpy as np

SCHEMES = ("zeros", "normal", "fan_in", "fan_in_relu")


def init_layer(
    d_in: int, d_out: int, scheme: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Weights W (d_in, d_out) drawn from a normal distribution, and zero biases b (d_out,).

    The scheme gives the standard deviation: "zeros" 0; "normal" 1; "fan_in" 1/√d_in, which keeps
    the variance of a linear layer; "fan_in_relu" √(2/d_in), because ReLU drops half of it (He et
    al. 2015).

    >>> W, b = init_layer(784, 256, "fan_in", np.random.default_rng(0))
    >>> W.shape, b.shape, round(float(W.std() * 28), 2)
    ((784, 256), (256,), 1.0)
    """
    if d_in < 1 or d_out < 1:
        raise ValueError(f"a layer needs at least one input and one unit, not {d_in} and {d_out}")
    if scheme not in SCHEMES:
        raise ValueError(f"no initialisation {scheme!r}: choose from {', '.join(SCHEMES)}")
    b = np.zeros(d_out)
    if scheme == "zeros":
        return np.zeros((d_in, d_out)), b
    W = rng.standard_normal((d_in, d_out))
    if scheme == "fan_in":
        W /= np.sqrt(d_in)
    elif scheme == "fan_in_relu":
        W *= np.sqrt(2 / d_in)
    return W, b
