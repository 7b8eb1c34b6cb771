"""Reverse-mode automatic differentiation over NumPy arrays, small enough to be read in class.

>>> from course.autodiff import Tensor, cos, exp, sqrt
>>> x = Tensor(2.0, name="x")
>>> a = x**2
>>> c = a + exp(a)
>>> f = sqrt(c) + cos(c)
>>> f.backward()
>>> print(f"{f.data:.6g}, {c.grad:.6g}, {a.grad:.6g}, {x.grad:.6g}")  # P-37, P-38
7.19433, -0.822284, -45.7175, -182.87

Read `tensor.py` first: it is the whole idea.  `operations.py`, `activations.py` and `costs.py` hold
the rules, `functions.py` their names; `graph.py` steps through a graph, `drawing.py` draws it, and
`check.py` compares gradients with finite differences.
"""

from course.autodiff.tensor import Constant, Operation, Tensor  # isort: skip  (it comes first)
from course.autodiff.check import check_gradients
from course.autodiff.convolution import conv_matrix, convolve1d, max_pool1d
from course.autodiff.drawing import draw
from course.autodiff.functions import (
    affine,
    binary_cross_entropy,
    cos,
    elu,
    euclidean_cost,
    exp,
    leaky_relu,
    log,
    maximum,
    relu,
    sigmoid,
    sin,
    softmax_cross_entropy,
    softplus,
    sqrt,
    step,
    tanh,
)
from course.autodiff.graph import backward_steps, forward_steps, nodes_in_order

__all__ = [
    "Constant",
    "Operation",
    "Tensor",
    "affine",
    "backward_steps",
    "binary_cross_entropy",
    "check_gradients",
    "conv_matrix",
    "convolve1d",
    "cos",
    "draw",
    "elu",
    "euclidean_cost",
    "exp",
    "forward_steps",
    "leaky_relu",
    "log",
    "max_pool1d",
    "maximum",
    "nodes_in_order",
    "relu",
    "sigmoid",
    "sin",
    "softmax_cross_entropy",
    "softplus",
    "sqrt",
    "step",
    "tanh",
]
