"""Assignment 09, back-propagation: what each exercise is worth, and how your work is called.

Nothing in here is secret: the inputs are drawn at random, here with a public seed, in grading with
another one.  What is compared are the values that the functions below return.

The sizes are chosen with care.  N, D_in and D_out all differ, so a transposed matrix cannot pass for
the right one.  The incoming gradient is random, never all ones.  The layers are so large that
nudging one weight after the other would take minutes.
"""

import numpy as np

from course.grading.exercise import exercise


def sizes(rng, *ranges):
    """One size from each (low, high) range, no two of them equal."""
    while True:
        drawn = [int(rng.integers(low, high)) for low, high in ranges]
        if len(set(drawn)) == len(drawn):
            return drawn


def away_from_zero(rng, low, high, shape):
    """Numbers of either sign whose size lies between low and high."""
    return rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)


def layer(rng, D_in, D_out):
    """Weights and biases of one layer."""
    return rng.standard_normal((D_in, D_out)) / np.sqrt(D_in), rng.standard_normal(D_out)


def kept(value):
    """A copy of an array as it is now, because later calls may change it."""
    return value if value is None else np.array(value)


# ------------------------------------------------------------------------------------------ Linear


def two_batches(rng):
    N, N2, D_in, D_out, D_other = sizes(
        rng, (110, 140), (60, 90), (240, 280), (160, 200), (145, 156)
    )
    W, b = layer(rng, D_in, D_out)
    W_other, b_other = layer(rng, D_other, D_out)
    return {
        "W": W,
        "b": b,
        "X": rng.standard_normal((N, D_in)),
        "dY": rng.standard_normal((N, D_out)),
        "X2": rng.standard_normal((N2, D_in)),
        "dY2": rng.standard_normal((N2, D_out)),
        "W_other": W_other,
        "b_other": b_other,
        "X_other": rng.standard_normal((N2, D_other)),
    }


@exercise(points=20, draw=two_batches)
def Linear(student, W, b, X, dY, X2, dY2, W_other, b_other, X_other):
    W, b = W.copy(), b.copy()  # they are trained below
    module = student.Linear(W, b)
    other = student.Linear(W_other, b_other)

    values = {"Y": kept(module.forward(X)), "dX": kept(module.backward(dY))}
    values["dW"], values["db"] = kept(module.dW), kept(module.db)

    # An optimiser changes W and b in place; then comes the next batch, in a net with other layers.
    W *= 0.5
    b -= 1.0
    values["Y, next step"] = kept(module.forward(X2))
    other.forward(X_other)
    values["dX, next step"] = kept(module.backward(dY2))
    values["dW, next step"], values["db, next step"] = kept(module.dW), kept(module.db)
    return values


# --------------------------------------------------------------------------------------- Pointwise

FUNCTIONS = {  # name -> a function and its derivative
    "sine": (np.sin, np.cos),
    "arctan": (np.arctan, lambda z: 1 / (1 + z**2)),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: 1 / (1 + np.exp(-z))),
}


def pre_activations(rng):
    N, D = sizes(rng, (60, 90), (100, 140))
    return {
        "function": str(rng.choice(list(FUNCTIONS))),
        "Z": rng.uniform(-2, 2, (N, D)),
        "dH": rng.standard_normal((N, D)),
        "Z_other": rng.uniform(-2, 2, (N, D)),
    }


@exercise(points=9, draw=pre_activations)
def Pointwise(student, function, Z, dH, Z_other):
    h, dh = FUNCTIONS[function]
    module, other = student.Pointwise(h, dh), student.Pointwise(h, dh)
    dH = dH.copy()  # the same array serves twice: it must still be the same array then

    values = {"H": kept(module.forward(Z)), "dZ": kept(module.backward(dH))}
    module.forward(Z)
    other.forward(Z_other)
    values["dZ, second time"] = kept(module.backward(dH))
    return values


# ------------------------------------------------------------------------------------------- Costs


def predictions_and_targets(rng):
    N, K = sizes(rng, (700, 760), (80, 100))
    return {"Y_hat": rng.standard_normal((N, K)), "Y": rng.standard_normal((N, K))}


@exercise(points=9, draw=predictions_and_targets, seconds=2)
def EuclideanCost(student, Y_hat, Y):
    Y_hat, half = Y_hat.copy(), len(Y) // 2
    cost = student.EuclideanCost()
    values = {"cost": cost.forward(Y_hat, Y), "dY_hat": kept(cost.backward())}
    cost.forward(Y_hat[:half], Y[:half])  # a smaller batch of the same arrays
    values["dY_hat, second time"] = kept(cost.backward())
    return values


def scores_and_classes(rng):
    N, K = sizes(rng, (560, 640), (40, 60))
    return {
        "Z": 2 * rng.standard_normal((N, K)) + rng.standard_normal(N)[:, None],
        "y": rng.integers(0, K, N),
        "Z_large": 3000 * rng.standard_normal((N // 2, K)),
        "y_large": rng.integers(0, K, N // 2),
    }


@exercise(points=12, draw=scores_and_classes, seconds=2)
def SoftmaxCrossEntropy(student, Z, y, Z_large, y_large):
    cost = student.SoftmaxCrossEntropy()
    values = {"cost": cost.forward(Z, y), "dZ": kept(cost.backward())}
    values["cost, large Z"] = cost.forward(Z_large, y_large)
    values["dZ, large Z"] = kept(cost.backward())
    return values


# -------------------------------------------------------------------------------------- Sequential


class Stage:
    """A stand-in for a module, without parameters.

    Its two directions have nothing to do with each other: what is looked at is only whether the
    right method of the right module is called at the right time.
    """

    def __init__(self, stretch, shift, back_stretch, back_shift):
        self.there, self.back = (stretch, shift), (back_stretch, back_shift)

    def forward(self, A):
        return A * self.there[0] + self.there[1]

    def backward(self, dA):
        return dA * self.back[0] + self.back[1]


def stack(rng):
    # All widths are equal, for once: modules called in the wrong order then give wrong numbers and
    # not just an error.
    N, D = sizes(rng, (20, 30), (40, 50))
    (W1, b1), (W2, b2) = layer(rng, D, D), layer(rng, D, D)
    return {
        "stages": [[float(v) for v in away_from_zero(rng, 1.2, 2, 4)] for _ in range(4)],
        "A": rng.standard_normal((N, D)),
        "dA": rng.standard_normal((N, D)),
        "W1": W1,
        "b1": b1,
        "W2": W2,
        "b2": b2,
        "X": rng.standard_normal((2, N, D)),
        "dY": rng.standard_normal((2, N, D)),
    }


@exercise(points=12, draw=stack)
def Sequential(student, stages, A, dA, W1, b1, W2, b2, X, dY):
    stand_ins = student.Sequential([Stage(*numbers) for numbers in stages])
    values = {"Y": kept(stand_ins.forward(A)), "dX": kept(stand_ins.backward(dA))}

    weights = [W1.copy(), b1.copy(), W2.copy(), b2.copy()]
    net = student.Sequential(
        [
            student.Linear(*weights[:2]),
            student.Pointwise(np.sin, np.cos),
            student.Linear(*weights[2:]),
        ]
    )
    for batch, gradient in zip(X, dY, strict=True):
        net.forward(batch)
        net.backward(gradient)
        pairs = list(net.params())  # asked for after each backward, as training does
    values["parameters"] = [kept(p) for p, _ in pairs]
    values["gradients"] = [kept(dp) for _, dp in pairs]
    for p, _ in pairs:
        p -= 0.1
    values["Y after an update"] = net.forward(X[0])
    return values


# ----------------------------------------------------------------------------------- mlp_gradients


def net_and_data(rng):
    N, D, D1, D2, K = sizes(rng, (80, 110), (180, 220), (120, 150), (60, 79), (5, 15))
    return {
        "X": rng.standard_normal((N, D)),
        "Y": rng.standard_normal((N, K)),
        "params": [list(layer(rng, D, D1)), list(layer(rng, D1, D2)), list(layer(rng, D2, K))],
        "no_hidden_layer": [list(layer(rng, D, K))],
    }


@exercise(points=16, draw=net_and_data)
def mlp_gradients(student, X, Y, params, no_hidden_layer):
    loss, grads = student.mlp_gradients(X, Y, [(W, b) for W, b in params])
    values = {"loss": loss, "dW": [dW for dW, _ in grads], "db": [db for _, db in grads]}
    loss, grads = student.mlp_gradients(X, Y, [(W, b) for W, b in no_hidden_layer])
    values["no hidden layer"] = [loss] + [dp for pair in grads for dp in pair]
    return values


# ----------------------------------------------------------------------------------- one_iteration


def tiny_net(rng):
    W1 = away_from_zero(rng, 0.4, 1, 2)
    return {
        "W0": away_from_zero(rng, 0.3, 1, (2, 2)),
        "W1": W1,
        "W1_column": W1[:, None],
        "x": away_from_zero(rng, 0.5, 1.5, 2),
        "y": float(away_from_zero(rng, 2.5, 4, ())),
        "lr": float(rng.uniform(0.2, 0.6)),
    }


# So few weights could be nudged one by one; the tolerance is finer than that can be.
@exercise(points=12, draw=tiny_net, cases=5, rtol=1e-12, atol=1e-14)
def one_iteration(student, W0, W1, W1_column, x, y, lr):
    W0, W1 = W0.copy(), W1.copy()  # W0 serves twice: it must still be the same array then
    W0_new, W1_new, loss = student.one_iteration(W0, W1, x, y, lr)
    values = {"W0_new": kept(W0_new), "W1_new": np.ravel(kept(W1_new)), "loss": loss}
    _, W1_new, _ = student.one_iteration(W0, W1_column.copy(), x, y, lr)
    values["W1_new, W1 a column"] = np.ravel(kept(W1_new))
    return values


# ------------------------------------------------------------------- jacobian_linear, multiply_count


def weight_matrix(rng):
    D_in, D_out = sizes(rng, (4, 9), (3, 8))
    return {"W": rng.standard_normal((D_in, D_out))}


@exercise(points=4, draw=weight_matrix)
def jacobian_linear(student, W):
    return {"J": student.jacobian_linear(W)}


def layer_sizes(rng):
    return {"dims": sizes(rng, *[(3, 400)] * int(rng.integers(4, 8)))}


@exercise(points=6, draw=layer_sizes, cases=5)
def multiply_count(student, dims):
    forward, backward = student.multiply_count(dims)
    _, with_input = student.multiply_count(dims, input_grad=True)
    return {"forward": forward, "backward": backward, "backward, input_grad=True": with_input}
