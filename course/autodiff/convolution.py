"""1-D convolution, padding and max-pooling as operations (rows T-38 to T-40).

"Convolution" is cross-correlation, as everywhere in the field: the kernel is not flipped.  Signals
are (B, C, N): a batch of B signals with C channels of length N.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course.autodiff.functions import tensor
from course.autodiff.tensor import Operation, Tensor
from course.validation import floats

PADDINGS = ("zero", "replicate", "reflect", "circular", "valid")


def padded_positions(N: int, M: int, pad: str) -> np.ndarray:
    """Which sample stands at each place of the padded signal, for a kernel of length M; -1 is zero.

    The kernel's centre is M // 2: that many places are added before the signal and M - 1 - M // 2
    after it, so the output is as long as the input.  "valid" adds none.

    >>> padded_positions(5, 3, "reflect")
    array([1, 0, 1, 2, 3, 4, 3])
    """
    if pad not in PADDINGS:
        raise ValueError(f"no padding {pad!r}: choose from {', '.join(PADDINGS)}")
    if pad == "valid":
        if M > N:
            raise ValueError(f"a kernel of length {M} does not fit into a signal of length {N}")
        return np.arange(N)
    places = np.arange(-(M // 2), N + M - 1 - M // 2)
    if pad == "zero":
        return np.where((places < 0) | (places >= N), -1, places)
    if pad == "replicate":
        return places.clip(0, N - 1)
    if pad == "circular":
        return places % N
    if M // 2 >= N:
        raise ValueError(f"reflection needs a signal longer than {M // 2}, not {N}")
    return N - 1 - np.abs(N - 1 - np.abs(places))


class Convolve1d(Operation):
    """y[o, i] = b[o] + sum over c, k of w[o, c, k] x[c, i + k - M // 2], for each signal of a batch.

    X (B, C, N), W (O, C, M), b (O,) -> (B, O, N), or (B, O, N - M + 1) for "valid".
    """

    __slots__ = ("places", "windows")
    symbol = "convolve"

    def __init__(self, X, W, b, pad="zero"):
        if X.ndim != 3 or W.ndim != 3 or X.shape[1] != W.shape[1] or b.shape != W.shape[:1]:
            raise ValueError(
                "convolution takes X (B, C, N), W (O, C, M) and b (O,), "
                f"but X is {X.shape}, W is {W.shape} and b is {b.shape}"
            )
        if not X.shape[2] or not W.shape[2]:
            raise ValueError(f"signal and kernel must not be empty: X is {X.shape}, W {W.shape}")
        M = W.shape[2]
        self.places = padded_positions(X.shape[2], M, pad)
        padded = X._data[:, :, self.places]
        padded[:, :, self.places < 0] = 0
        self.windows = sliding_window_view(padded, M, axis=2)  # (B, C, N_out, M), no copy
        Y = np.tensordot(self.windows, W._data, axes=([1, 3], [1, 2]))
        Y += b._data
        Operation.__init__(self, np.ascontiguousarray(Y.transpose(0, 2, 1)), (X, W, b))

    def vjp(self, grad):
        X, W, _ = self.parents
        dX = None
        if X.requires_grad:
            (B, C, N), n_out = X.shape, grad.shape[2]
            d_padded = np.zeros((B, C, len(self.places)), self._data.dtype)
            for k in range(W.shape[2]):  # each output sends its gradient to all that it saw
                d_padded[:, :, k : k + n_out] += W._data[:, :, k].T @ grad
            dX = np.zeros((N, B, C), self._data.dtype)
            real = self.places >= 0  # what came from padding goes back where it was copied from
            np.add.at(dX, self.places[real], d_padded.transpose(2, 0, 1)[real])
            dX = np.ascontiguousarray(dX.transpose(1, 2, 0))
        dW = np.tensordot(grad, self.windows, axes=([0, 2], [0, 2]))  # shared: all positions add
        return dX, dW, grad.sum(axis=(0, 2))


class MaxPool1d(Operation):
    """The largest entry of each full window along the last axis; ties go to the first."""

    __slots__ = ("winners",)
    symbol = "max pool"

    def __init__(self, X, size, stride=None):
        stride = size if stride is None else stride
        if size < 1 or stride < 1:
            raise ValueError(f"window and stride are at least 1, not {size} and {stride}")
        if X.ndim < 1 or X.shape[-1] < size:
            raise ValueError(f"a window of {size} does not fit into shape {X.shape}")
        windows = sliding_window_view(X._data, size, axis=-1)[..., ::stride, :]
        first = windows.argmax(axis=-1)
        values = np.take_along_axis(windows, first[..., None], axis=-1)[..., 0]
        self.winners = first + stride * np.arange(first.shape[-1])  # positions in the signal
        Operation.__init__(self, np.ascontiguousarray(values), (X,))

    def vjp(self, grad):
        (X,) = self.parents
        dX = np.zeros(X.shape, self._data.dtype)
        rows = dX.reshape(-1, X.shape[-1])
        which = np.arange(len(rows))[:, None]
        shape = (len(rows), self.winners.shape[-1])
        np.add.at(rows, (which, self.winners.reshape(shape)), grad.reshape(shape))
        return (dX,)


def convolve1d(x, w, b=0.0, pad: str = "zero") -> Tensor:
    """Cross-correlation of signals x with kernels w: (B, C, N) with (O, C, M), or (N,) with (M,).

    `pad` says what stands beyond the ends: "zero", "replicate", "reflect", "circular", or "valid"
    for nothing, which gives N - M + 1 outputs.

    >>> convolve1d([1, 2, 3, 4, 5], [1, 2, -1]).data  # T-38
    array([ 0.,  2.,  4.,  6., 14.])
    """
    x, w = tensor(x), tensor(w)
    if x.ndim == w.ndim == 1:
        b = tensor(b).reshape(1)
        return Convolve1d(x.reshape(1, 1, -1), w.reshape(1, 1, -1), b, pad).reshape(-1)
    if isinstance(b, (int, float)):
        b = np.full(w.shape[:1], b, w.dtype)
    return Convolve1d(x, w, tensor(b), pad)


def max_pool1d(x, size: int, stride: int | None = None) -> Tensor:
    """The largest of each window along the last axis; windows follow each other by `stride`.

    >>> max_pool1d([1, 3, 2, 2, 5, -1], size=2).data  # T-40
    array([3., 2., 5.])
    """
    return MaxPool1d(tensor(x), size, stride)


def conv_matrix(w, N: int) -> np.ndarray:
    """The banded (N, N) matrix whose product with a signal is its zero-padded convolution with w.

    >>> conv_matrix([1, 2, -1], 4)
    array([[ 2., -1.,  0.,  0.],
           [ 1.,  2., -1.,  0.],
           [ 0.,  1.,  2., -1.],
           [ 0.,  0.,  1.,  2.]])
    """
    w = floats("w", w, 1)
    places = padded_positions(N, len(w), "zero")
    columns = sliding_window_view(places, len(w))
    rows = np.arange(N)[:, None]
    matrix = np.zeros((N, N), w.dtype)
    real = columns >= 0
    matrix[np.broadcast_to(rows, real.shape)[real], columns[real]] = np.broadcast_to(w, real.shape)[
        real
    ]
    return matrix
