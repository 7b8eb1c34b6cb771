"""Assignment 09 by somebody who knows the shapes and nothing else: zeros, and arguments handed back."""

# %%
import numpy as np


# %% Linear
class Linear:
    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, np.zeros_like(W), np.zeros_like(b)

    def forward(self, X):
        return np.zeros((len(X), len(self.b)))

    def backward(self, dY):
        return np.zeros((len(dY), len(self.W)))


# %% Pointwise
class Pointwise:
    def __init__(self, h, dh):
        pass

    def forward(self, Z):
        return Z

    def backward(self, dH):
        return dH


# %% EuclideanCost
class EuclideanCost:
    def forward(self, Y_hat, Y):
        self.shape = Y.shape
        return 0.0

    def backward(self):
        return np.zeros(self.shape)


# %% SoftmaxCrossEntropy
class SoftmaxCrossEntropy:
    def forward(self, Z, y):
        self.shape = Z.shape
        return 0.0

    def backward(self):
        return np.zeros(self.shape)


# %% Sequential
class Sequential:
    def __init__(self, modules):
        self.pairs = [(np.zeros_like(m.W), np.zeros_like(m.W)) for m in modules if hasattr(m, "W")]

    def forward(self, X):
        return X

    def backward(self, dY):
        return dY

    def params(self):
        return self.pairs


# %% mlp_gradients
def mlp_gradients(X, Y, params):
    return 0.0, [(np.zeros_like(W), np.zeros_like(b)) for W, b in params]


# %% one_iteration
def one_iteration(W0, W1, x, y, lr):
    return W0, W1, 0.0


# %% jacobian_linear
def jacobian_linear(W):
    return np.ones(W.shape[::-1])


# %% multiply_count
def multiply_count(dims, input_grad=False):
    return sum(dims), 2 * sum(dims)
