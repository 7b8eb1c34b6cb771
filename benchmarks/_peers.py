"""One training step of a ReLU net, as each library writes it: the peers of `training_step`.

Every maker takes the same weights, learning rate and dtype, and gives `step(X, y)`, one step of
stochastic gradient descent on softmax cross-entropy, and `weights()`, to see that all agree.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

Arrays = list[np.ndarray]
Peer = tuple[Callable, Callable[[], Arrays]]


def course_tape(weights: Arrays, lr: float) -> Peer:
    """Ours: modules on the tape, and SGD."""
    from course.nn import Linear, Pointwise, Sequential, SoftmaxCrossEntropy
    from course.optim import SGD

    W1, b1, W2, b2 = weights
    net = Sequential([Linear(W1, b1), Pointwise("relu"), Linear(W2, b2)])
    cost, optimiser = SoftmaxCrossEntropy(), SGD(net.parameters, lr)

    def step(X, y):
        loss = cost(net(X), y)
        loss.backward()
        optimiser.step()
        return loss.data

    return step, lambda: [p.data for p in net.parameters]


def course_modules(weights: Arrays, lr: float) -> Peer:
    """Ours: the same modules with explicit forward and backward, and SGD."""
    from course.nn import Linear, Pointwise, Sequential, SoftmaxCrossEntropy
    from course.optim import SGD

    W1, b1, W2, b2 = weights
    net = Sequential([Linear(W1, b1), Pointwise("relu"), Linear(W2, b2)])
    cost, optimiser = SoftmaxCrossEntropy(), SGD(net.parameters, lr)

    def step(X, y):
        loss = cost.forward(net.forward(X), y)
        net.backward(cost.backward(), input_grad=False)
        optimiser.step()
        return loss

    return step, lambda: [p.data for p in net.parameters]


def numpy_stable(weights: Arrays, lr: float) -> Peer:
    """By hand, with a loss that no score overflows: the measure of all others."""
    W1, b1, W2, b2 = weights

    def step(X, y):
        rows = np.arange(len(y))
        Z = X @ W1
        Z += b1
        H = np.maximum(Z, 0)
        P = H @ W2
        P += b2
        P -= P.max(axis=1, keepdims=True)
        chosen = P[rows, y]
        np.exp(P, out=P)
        total = P.sum(axis=1)
        loss = (np.log(total) - chosen).mean()
        P /= total[:, None]
        P[rows, y] -= 1
        P /= len(y)
        dW2, db2 = H.T @ P, P.sum(axis=0)
        dZ = P @ W2.T
        dZ *= Z > 0
        dW1, db1 = X.T @ dZ, dZ.sum(axis=0)
        for p, dp in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
            p -= lr * dp
        return loss

    return step, lambda: [W1, b1, W2, b2]


def numpy_plain(weights: Arrays, lr: float) -> Peer:
    """By hand, as in a first lecture: exp without a guard, nothing in place but the update."""
    W1, b1, W2, b2 = weights

    def step(X, y):
        rows = np.arange(len(y))
        Z = X @ W1 + b1
        H = np.maximum(Z, 0)
        E = np.exp(H @ W2 + b2)
        P = E / E.sum(axis=1, keepdims=True)
        loss = -np.log(P[rows, y]).mean()
        P[rows, y] -= 1
        dS = P / len(y)
        dW2, db2 = H.T @ dS, dS.sum(axis=0)
        dZ = (dS @ W2.T) * (Z > 0)
        dW1, db1 = X.T @ dZ, dZ.sum(axis=0)
        for p, dp in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
            p -= lr * dp
        return loss

    return step, lambda: [W1, b1, W2, b2]


def numpy_buffers(weights: Arrays, lr: float) -> Peer:
    """By hand, every array written into memory kept from the step before."""
    W1, b1, W2, b2 = weights
    dW1, db1, dW2, db2 = (np.empty_like(w) for w in weights)
    kept: dict[int, Arrays] = {}

    def step(X, y):
        n = len(y)
        if n not in kept:
            sizes = [W1.shape[1], W1.shape[1], W2.shape[1]]
            kept[n] = [np.empty((n, size), W1.dtype) for size in sizes]
        Z, dZ, P = kept[n]
        rows = np.arange(n)
        np.matmul(X, W1, out=Z)
        np.add(Z, b1, out=Z)
        np.maximum(Z, 0, out=Z)
        np.matmul(Z, W2, out=P)
        np.add(P, b2, out=P)
        np.subtract(P, np.maximum.reduce(P, axis=1, keepdims=True), out=P)
        chosen = P[rows, y]
        np.exp(P, out=P)
        total = np.add.reduce(P, axis=1)
        loss = np.add.reduce(np.log(total) - chosen) / n
        np.divide(P, total[:, None], out=P)
        P[rows, y] -= 1
        np.divide(P, n, out=P)
        np.matmul(Z.T, P, out=dW2)
        np.add.reduce(P, axis=0, out=db2)
        np.matmul(P, W2.T, out=dZ)
        np.multiply(dZ, Z > 0, out=dZ)
        np.matmul(X.T, dZ, out=dW1)
        np.add.reduce(dZ, axis=0, out=db1)
        for p, dp in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
            np.multiply(dp, lr, out=dp)
            np.subtract(p, dp, out=p)
        return loss

    return step, lambda: [W1, b1, W2, b2]


def torch_sequential(weights: Arrays, lr: float) -> Peer:
    """PyTorch eager, as its tutorials write it: nn.Sequential and optim.SGD."""
    import torch

    torch.set_num_threads(1)
    W1, b1, W2, b2 = weights
    (d, h), k = W1.shape, len(b2)
    net = torch.nn.Sequential(torch.nn.Linear(d, h), torch.nn.ReLU(), torch.nn.Linear(h, k))
    net.to(torch.from_numpy(W1).dtype)
    with torch.no_grad():
        for p, w in zip(net.parameters(), (W1.T, b1, W2.T, b2), strict=True):
            p.copy_(torch.from_numpy(np.ascontiguousarray(w)))
    cost, optimiser = torch.nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=lr)

    def step(X, y):
        optimiser.zero_grad()
        loss = cost(net(torch.from_numpy(X)), torch.from_numpy(y))
        loss.backward()
        optimiser.step()
        return loss

    def result():
        A, a, B, b = (p.detach().numpy() for p in net.parameters())
        return [A.T, a, B.T, b]

    return step, result


def torch_lean(weights: Arrays, lr: float) -> Peer:
    """PyTorch eager with nothing around it: bare tensors, autograd.grad, updates in place."""
    import torch

    torch.set_num_threads(1)
    params = [torch.from_numpy(w).requires_grad_() for w in weights]
    W1, b1, W2, b2 = params
    cross_entropy = torch.nn.functional.cross_entropy

    def step(X, y):
        H = torch.relu(torch.addmm(b1, torch.from_numpy(X), W1))
        loss = cross_entropy(torch.addmm(b2, H, W2), torch.from_numpy(y))
        gradients = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, dp in zip(params, gradients, strict=True):
                p.sub_(dp, alpha=lr)
        return loss

    return step, lambda: [p.detach().numpy() for p in params]


def hips_autograd(weights: Arrays, lr: float) -> Peer:
    """HIPS autograd: NumPy wrapped, gradients of a list of arrays."""
    import autograd.numpy as anp
    from autograd import grad

    def loss(params, X, y):
        W1, b1, W2, b2 = params
        Z = anp.maximum(X @ W1 + b1, 0) @ W2 + b2
        Z = Z - anp.max(Z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(Z), axis=1)) - Z[anp.arange(len(y)), y])

    gradient = grad(loss)

    def step(X, y):
        for p, dp in zip(weights, gradient(weights, X, y), strict=True):
            p -= lr * dp

    return step, lambda: weights


def mygrad(weights: Arrays, lr: float) -> Peer:
    """MyGrad, with its own softmax cross-entropy."""
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    params = [mg.tensor(w) for w in weights]
    W1, b1, W2, b2 = params

    def step(X, y):
        Z = mg.maximum(X @ W1 + b1, 0) @ W2 + b2
        loss = softmax_crossentropy(Z, y)
        loss.backward()
        for p in params:
            p.data -= lr * np.asarray(p.grad)
        return loss

    return step, lambda: [p.data for p in params]


def scikit_learn(weights: Arrays, lr: float) -> Peer:
    """scikit-learn's MLPClassifier, one partial_fit a step."""
    from sklearn.neural_network import MLPClassifier

    W1, b1, W2, b2 = weights
    net = MLPClassifier(
        (W1.shape[1],), solver="sgd", learning_rate_init=lr, alpha=0, momentum=0, shuffle=False
    )
    classes = np.arange(len(b2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.partial_fit(np.zeros((len(b2), len(W1)), W1.dtype), classes, classes=classes)
    net.coefs_, net.intercepts_ = [W1, W2], [b1, b2]

    def step(X, y):
        net.batch_size = len(y)
        net.partial_fit(X, y)

    return step, lambda: [net.coefs_[0], net.intercepts_[0], net.coefs_[1], net.intercepts_[1]]


OURS, REFERENCE, TORCH = "course, on the tape", "NumPy by hand, stable loss", "PyTorch nn + SGD"
PEERS: dict[str, Callable[[Arrays, float], Peer]] = {
    OURS: course_tape,
    "course, by hand": course_modules,
    REFERENCE: numpy_stable,
    "NumPy by hand, plain": numpy_plain,
    "NumPy by hand, buffers": numpy_buffers,
    TORCH: torch_sequential,
    "PyTorch, leanest": torch_lean,
    "HIPS autograd": hips_autograd,
    "MyGrad": mygrad,
    "scikit-learn partial_fit": scikit_learn,
}
