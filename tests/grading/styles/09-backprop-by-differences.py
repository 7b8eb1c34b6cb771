"""Assignment 09 by somebody who nudges every number and looks at what happens.

The results are close enough; the time is what stops it.  Written to be fast: one-sided differences,
nothing copied.
"""

# %%
import numpy as np


def differences(value, A, h=1e-6):
    """One-sided differences of value() for every entry of A."""
    gradient, start, flat = np.empty(A.size), value(), A.reshape(-1)
    for i in range(flat.size):
        kept = flat[i]
        flat[i] = kept + h
        gradient[i] = (value() - start) / h
        flat[i] = kept
    return gradient.reshape(A.shape)


# %% Linear
class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dY):
        def value():
            return np.vdot(self.X @ self.W + self.b, dY)

        self.dW, self.db = differences(value, self.W), differences(value, self.b)
        return differences(value, self.X.copy())


# %% EuclideanCost
class EuclideanCost:
    def forward(self, Y_hat, Y):
        self.Y_hat, self.Y = Y_hat.copy(), Y
        return self.value()

    def value(self):
        R = self.Y_hat - self.Y
        return 0.5 * np.vdot(R, R) / len(R)

    def backward(self):
        return differences(self.value, self.Y_hat)


# %% SoftmaxCrossEntropy
class SoftmaxCrossEntropy:
    def forward(self, Z, y):
        self.Z, self.right = Z.copy(), (np.arange(len(y)), y)
        return self.value()

    def value(self):
        shifted = self.Z - self.Z.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[self.right])

    def backward(self):
        return differences(self.value, self.Z)


# %% mlp_gradients
def mlp_gradients(X, Y, params):
    def value():
        H = X
        for W, b in params[:-1]:
            H = np.tanh(H @ W + b)
        W, b = params[-1]
        R = H @ W + b - Y
        return 0.5 * np.vdot(R, R) / len(X)

    return value(), [(differences(value, W), differences(value, b)) for W, b in params]
