"""What happens inside a net before and while it learns (lecture 10).

Signals forward, gradients backward, units that have died, and slices through the landscape of the
loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from course.autodiff import Constant, Tensor
from course.nn.layers import Linear
from course.nn.sequential import Sequential
from course.validation import floats


class LayerOutputs(NamedTuple):
    """The pre-activations Z and the outputs H of one layer for a batch, each (N, D)."""

    Z: np.ndarray
    H: np.ndarray


def layer_outputs(net: Sequential, X) -> list[LayerOutputs]:
    """Z and H of each linear layer with the modules that follow it, from the input to the output.

    >>> from course.nn import MLP
    >>> layers = layer_outputs(MLP([4, 3, 2], np.random.default_rng(0), "relu"), np.ones((5, 4)))
    >>> [(layer.Z.shape, bool((layer.H >= 0).all())) for layer in layers[:1]]
    [((5, 3), True)]
    """
    layers: list[LayerOutputs] = []
    H: Any = floats("X", X)
    for module in net.modules:
        H = module(H).data
        if isinstance(module, Linear):
            layers.append(LayerOutputs(H, H))
        elif layers:
            layers[-1] = LayerOutputs(layers[-1].Z, H)
    return layers


def forward_statistics(net: Sequential, X) -> list[tuple[float, float]]:
    """Mean and standard deviation of each layer's output H over batch and units."""
    return [(float(H.mean()), float(H.std())) for _, H in layer_outputs(net, X)]


def gradient_norms(net: Sequential, cost: Callable[..., Tensor], X, Y) -> np.ndarray:
    """The Frobenius norm of each layer's weight gradient dW, (L,), from the first layer to the last.

    The net's own gradients are set by this.
    """
    cost(net(floats("X", X)), Y).backward()
    return np.array([np.linalg.norm(np.asarray(layer.dW)) for layer in linear_layers(net)])


def error_signal_norms(net: Sequential, cost: Callable[..., Tensor], X, Y) -> np.ndarray:
    """The Frobenius norm of the gradient at each layer's pre-activations Z, (L,) (H-37, E-H18).

    This is the message that travels down: a ratio of first to last far below 1 is a vanishing
    gradient, far above an exploding one.  The weight gradient `H.T @ dZ` can hide both, because
    outputs that grow from layer to layer make up for error signals that shrink.
    """
    Z = []
    node: Tensor = Constant(floats("X", X))
    for module in net.modules:
        node = module(node)
        if isinstance(module, Linear):
            Z.append(node)
    cost(node, Y).backward()
    return np.array([np.linalg.norm(z.grad) for z in Z])


def linear_layers(net: Sequential) -> list[Linear]:
    """The modules of a net that have weights, in order."""
    return [module for module in net.modules if isinstance(module, Linear)]


def dead_fraction(H) -> float:
    """The share of the units (columns of H (N, D)) that give 0 for every sample of the batch.

    >>> dead_fraction([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    0.3333333333333333
    """
    H = floats("H", H)
    if H.ndim != 2 or not H.size:
        raise ValueError(f"outputs are (N, D) with at least one sample and unit, not {H.shape}")
    return float(np.mean(~H.any(axis=0)))


def loss_slice(loss: Callable[[np.ndarray], float], theta, d1, d2, grid) -> np.ndarray:
    """`loss(theta + grid[i] d1 + grid[j] d2)` for all i and j, (len(grid), len(grid)) (P-47).

    theta is not changed, and d1, d2 have its shape.
    """
    theta, d1, d2 = floats("theta", theta), floats("d1", d1), floats("d2", d2)
    if d1.shape != theta.shape or d2.shape != theta.shape:
        raise ValueError(f"directions of shape {d1.shape}, {d2.shape} for theta {theta.shape}")
    grid = floats("grid", grid, 1)
    return np.array([[loss(theta + a * d1 + b * d2) for b in grid] for a in grid])


Direction = list[np.ndarray]


def filter_normalised_direction(net: Sequential, rng: np.random.Generator) -> Direction:
    """A random direction in weight space, one array a parameter, scaled unit by unit.

    Each unit's incoming weights get a random direction as long as they are themselves, so that
    slices of nets with weights of different scales can be compared; biases stay (Li et al.,
    "Visualizing the loss landscape of neural nets", NeurIPS 2018).
    """
    direction = []
    for p in net.parameters:
        if p.ndim < 2:
            direction.append(np.zeros(p.shape))
            continue
        d = rng.standard_normal(p.shape)
        # (D_in, D_out): a unit is a column; (O, C, M): a filter is a leading index.
        axes = (0,) if p.ndim == 2 else tuple(range(1, p.ndim))
        d /= np.sqrt((d**2).sum(axis=axes, keepdims=True))
        direction.append(d * np.sqrt((np.asarray(p.data) ** 2).sum(axis=axes, keepdims=True)))
    return direction


def loss_plane(
    net: Sequential,
    cost: Callable[..., Tensor],
    X,
    Y,
    d1: Direction,
    d2: Direction,
    grid: Sequence[float],
) -> np.ndarray:
    """The loss of the net in the plane through its parameters along d1 and d2, (len(grid),)².

    Entry [i, j] is at `grid[i]` steps along d1 and `grid[j]` along d2.  The net's parameters are as
    they were afterwards, even after an error.
    """
    X, steps = floats("X", X), floats("grid", grid, 1)
    d1, d2 = [floats("d1", d) for d in d1], [floats("d2", d) for d in d2]
    start = [np.array(p.data) for p in net.parameters]
    for p, a, b in zip(net.parameters, d1, d2, strict=True):
        if a.shape != p.shape or b.shape != p.shape:
            raise ValueError(f"directions of shape {a.shape}, {b.shape} for {p.name} {p.shape}")
    plane = np.empty((len(steps), len(steps)))
    try:
        for i, step1 in enumerate(steps):
            for j, step2 in enumerate(steps):
                for p, centre, e1, e2 in zip(net.parameters, start, d1, d2, strict=True):
                    p.data[...] = centre + step1 * e1 + step2 * e2
                plane[i, j] = float(cost(net(X), Y).data)
    finally:
        for p, centre in zip(net.parameters, start, strict=True):
            p.data[...] = centre
    return plane


def path_in_plane(path: Sequence[Direction], d1: Direction, d2: Direction) -> np.ndarray:
    """Where a training path lies in the plane: (len(path), 2), relative to its last point.

    Each point is a list of parameter arrays, like the directions; the coordinates are those of the
    nearest point in the plane (least squares).
    """

    def flat(arrays: Direction) -> np.ndarray:
        return np.concatenate([floats("path, d1 and d2", a).ravel() for a in arrays])

    basis = np.column_stack([flat(d1), flat(d2)])
    offsets = np.array([flat(point) - flat(path[-1]) for point in path])
    return np.linalg.lstsq(basis, offsets.T, rcond=None)[0].T
