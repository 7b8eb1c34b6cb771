"""Modules of neural networks, used by hand (`forward`, `backward`) or on the tape: the same code.

>>> import numpy as np
>>> from course.nn import MLP, SoftmaxCrossEntropy
>>> rng = np.random.default_rng(0)
>>> X, y = rng.standard_normal((8, 4)), rng.integers(0, 3, 8)
>>> net, cost = MLP([4, 5, 3], rng), SoftmaxCrossEntropy()
>>> loss = cost.forward(net.forward(X), y)  # by hand
>>> dX = net.backward(cost.backward())
>>> by_hand = net.layers[0].dW
>>> tape_loss = cost(net(X), y)  # on the tape
>>> tape_loss.backward()
>>> loss == float(tape_loss.data) and np.array_equal(by_hand, net.layers[0].dW)
True
"""

from course.nn.activations import activation, activation_slope
from course.nn.check import check_module
from course.nn.convolution import Conv1d, Flatten, MaxPooling1d
from course.nn.costs import BinaryCrossEntropy, EuclideanCost, SoftmaxCrossEntropy
from course.nn.counting import count_parameters, multiply_count
from course.nn.expressivity import collapse_linear, linear_pieces, tent_network
from course.nn.initialisation import init_layer
from course.nn.layers import Linear, Pointwise
from course.nn.module import Module
from course.nn.sequential import MLP, Sequential

__all__ = [
    "MLP",
    "BinaryCrossEntropy",
    "Conv1d",
    "EuclideanCost",
    "Flatten",
    "Linear",
    "MaxPooling1d",
    "Module",
    "Pointwise",
    "Sequential",
    "SoftmaxCrossEntropy",
    "activation",
    "activation_slope",
    "check_module",
    "collapse_linear",
    "count_parameters",
    "init_layer",
    "linear_pieces",
    "multiply_count",
    "tent_network",
]
