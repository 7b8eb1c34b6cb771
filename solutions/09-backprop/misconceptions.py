"""Assignment 09: the mistakes that people make in back-propagation, and what a tutor would say.

The numbers in comments are those of lecture 09's list of mistakes.  Never released: students get the hints and the
values that these mistakes lead to, no code.
"""

from course.grading.misconception import Misconception

MISCONCEPTIONS = [
    # ------------------------------------------------------------------------------------- Linear
    Misconception(  # 1
        name="dW transposed",
        cell="Linear",
        replace={"self.X.T @ dY": "dY.T @ self.X"},
        hint="Your dW has the right numbers with rows and columns exchanged: it has a row for each"
        " output. A gradient has the shape of what it belongs to, (D_in, D_out) here. Which factor"
        " must bring D_in, and which D_out?",
    ),
    Misconception(  # 5
        name="db not summed over the batch",
        cell="Linear",
        replace={"dY.sum(axis=0)": "dY"},
        hint="Your db has a row for each sample of the batch. The same bias is added in every"
        " sample, so what the samples say about it has to be put together into one number for each"
        " output.",
    ),
    Misconception(  # 5
        name="db averaged over the batch",
        cell="Linear",
        replace={"dY.sum(axis=0)": "dY.mean(axis=0)"},
        hint="Your db is too small by a factor N, while dW has the right size: it is averaged twice."
        " The 1/N of the mean cost is already in dY when it arrives; what is left for the samples"
        " to do?",
    ),
    Misconception(  # 5
        name="db summed over the outputs",
        cell="Linear",
        replace={"dY.sum(axis=0)": "dY.sum(axis=1)"},
        hint="Your db has an entry for each sample: the outputs have been added up, and the samples"
        " left apart. Which of the two axes of dY does b have?",
    ),
    Misconception(  # 6
        name="1/N in the layer",
        cell="Linear",
        replace={
            "self.X.T @ dY": "self.X.T @ dY / len(dY)",
            "dY.sum(axis=0)": "dY.sum(axis=0) / len(dY)",
        },
        hint="Both dW and db are too small by the same factor, the number of samples. The cost is a"
        " mean, but its 1/N enters once, where the backward pass begins; with one more in each"
        " layer, it would be counted again and again.",
    ),
    Misconception(  # 7
        name="dX from the last output only",
        cell="Linear",
        replace={"return dY @ self.W.T": "return dY[:, -1:] * self.W[:, -1]"},
        hint="Your dX holds the message of the last output unit alone, as if each unit's message"
        " had replaced the one before. An input unit feeds all output units: what has to happen to"
        " their messages where the paths meet?",
    ),
    Misconception(  # 7
        name="messages in dX not summed",
        cell="Linear",
        replace={"return dY @ self.W.T": "return dY[:, None, :] * self.W"},
        hint="Your dX has an axis too many: the messages of all output units lie in it side by side."
        " An input that feeds several units changes the cost through each of them, and these"
        " changes add.",
    ),
    Misconception(  # 8
        name="one memory for all layers",
        cell="Linear",
        replace={"self.X = X": "Linear.X = X"},
        hint="One layer alone works, but after the forward pass of a second layer the first one"
        " uses that other layer's input: they share one memory. What a layer remembers belongs to"
        " that very object, not to the class or to a global variable.",
    ),
    Misconception(
        name="dX through W as it stands",
        cell="Linear",
        replace={"return dY @ self.W.T": "return dY @ self.W"},
        hint="The product for dX does not fit: dY has D_out columns, and W has D_in rows. Going down,"
        " messages take each weight the other way: from output j to input i. Which form of W has"
        " a row for each output?",
    ),
    Misconception(
        name="dX transposed",
        cell="Linear",
        replace={"return dY @ self.W.T": "return self.W @ dY.T"},
        hint="Your dX has the right numbers, but a column for each sample. Batches come first, in"
        " gradients too: dX has the shape of X.",
    ),
    Misconception(
        name="gradients pile up",
        cell="Linear",
        replace={
            "self.dW, self.db = None, None": "self.dW, self.db = np.zeros(W.shape), np.zeros(b.shape)",
            "self.dW = self.X.T @ dY": "self.dW = self.dW + self.X.T @ dY",
            "self.db = dY": "self.db = self.db + dY",
        },
        hint="The first backward is right; after the second one dW and db still contain the"
        " gradients of the first. Each backward starts anew: the sum over samples is one thing,"
        " a sum over batches another.",
    ),
    Misconception(
        name="W and b copied",
        cell="Linear",
        replace={"self.W, self.b = W, b": "self.W, self.b = W.copy(), b.copy()"},
        hint="Your layer does not notice that W and b have been changed in place: it goes on with the"
        " numbers of the day it was made. Then training has no effect on it. Are these the arrays"
        " that it was given, or copies of them?",
    ),
    Misconception(
        name="bias left out",
        cell="Linear",
        replace={"X @ self.W + self.b": "X @ self.W"},
        hint="Your Y is what comes out without the bias: each column is off by a constant of its own.",
    ),
    # ---------------------------------------------------------------------------------- Pointwise
    Misconception(  # 4
        name="slope taken at the output",
        cell="Pointwise",
        replace={"self.Z = Z\n": "self.Z = self.h(Z)\n"},
        hint="Your dZ uses the slope of h at the output H. The question is how h reacts to a change"
        " of its argument, so at which of the two numbers, before or after h, is the slope wanted?",
    ),
    Misconception(
        name="slope forgotten",
        cell="Pointwise",
        replace={"dH * self.dh(self.Z)": "1.0 * dH"},
        hint="Your dZ is dH unchanged. When an entry of Z moves a little, does H move by just as"
        " much?",
    ),
    Misconception(
        name="slope without the incoming gradient",
        cell="Pointwise",
        replace={"dH * self.dh(self.Z)": "self.dh(self.Z)"},
        hint="Your dZ is the slope of h by itself, whatever dH was. The slope says how H moves with"
        " Z; how the cost moves with H has to come in too.",
    ),
    Misconception(
        name="slope taken at the incoming gradient",
        cell="Pointwise",
        replace={"dH * self.dh(self.Z)": "self.dh(dH)"},
        hint="Your dZ applies dh to the incoming gradient. dH is not a place on the curve of h; it is"
        " what the slope is to be combined with. On which numbers was h itself evaluated?",
    ),
    Misconception(  # 8
        name="in-place mask on the caller's array",
        cell="Pointwise",
        replace={
            "return dH * self.dh(self.Z)": "dH *= self.dh(self.Z)\n        return dH",
        },
        hint="The first result is right, but backward has changed the array dH that it was given, so"
        " whoever uses that array again gets wrong numbers. An operator such as *= writes into an"
        " existing array: whose is it?",
    ),
    Misconception(  # 8
        name="one memory for all pointwise modules",
        cell="Pointwise",
        replace={"self.Z = Z\n": "Pointwise.Z = Z\n"},
        hint="One module alone works, but after the forward pass of another Pointwise the first one"
        " takes its slope at the other one's pre-activations. What a module remembers has to belong"
        " to that object alone.",
    ),
    # ------------------------------------------------------------------------------ EuclideanCost
    Misconception(  # 6
        name="no 1/N in the gradient",
        cell="EuclideanCost",
        replace={"self.residual / len(self.residual)": "self.residual"},
        hint="Your dY_hat is N times too large: it is the gradient of the sum over the samples. The"
        " cost is their mean, and this is the one place of the whole backward pass where that"
        " enters.",
    ),
    Misconception(  # 6
        name="cost summed over the samples",
        cell="EuclideanCost",
        replace={"np.sum(self.residual**2) / len(Y)": "np.sum(self.residual**2)"},
        hint="Your cost is N times too large: a sum over the samples, where the mean is wanted.",
    ),
    Misconception(
        name="mean over all entries",
        cell="EuclideanCost",
        replace={
            "np.sum(self.residual**2) / len(Y)": "np.mean(self.residual**2)",
            "self.residual / len(self.residual)": "self.residual / self.residual.size",
        },
        hint="Your cost is K times too small: the mean has been taken over all N·K numbers. The"
        " squared distance of one sample is a sum over its K components; the mean is over samples"
        " only.",
    ),
    Misconception(
        name="half forgotten in the cost",
        cell="EuclideanCost",
        replace={"0.5 * np.sum": "np.sum"},
        hint="Your cost is twice what is asked for: it lacks the one half, which is there so that"
        " the derivative of the square has no factor 2.",
    ),
    Misconception(
        name="factor 2 in the gradient",
        cell="EuclideanCost",
        replace={"self.residual / len(self.residual)": "2 * self.residual / len(self.residual)"},
        hint="Your dY_hat is twice too large. The derivative of a square brings a factor 2, but the"
        " cost is half the squared distance.",
    ),
    Misconception(
        name="residual the wrong way round",
        cell="EuclideanCost",
        replace={"Y_hat - Y": "Y - Y_hat"},
        hint="Your dY_hat has the wrong sign; the cost does not show it, because it squares. If a"
        " prediction lies above its target and rises further, does the cost rise or fall?",
    ),
    Misconception(
        name="cost of each sample",
        cell="EuclideanCost",
        replace={
            "np.sum(self.residual**2) / len(Y)": "np.sum(self.residual**2, axis=1)",
        },
        hint="Your forward returns one cost for each sample. The cost is one number for the batch,"
        " their mean.",
    ),
    Misconception(  # 8
        name="residual written into the caller's array",
        cell="EuclideanCost",
        replace={"self.residual = Y_hat - Y": "Y_hat -= Y\n        self.residual = Y_hat"},
        hint="The first result is right, but forward has changed the predictions that it was given:"
        " afterwards Y_hat holds something else. An operator such as -= writes into the array on its"
        " left, and that array belongs to somebody else here.",
    ),
    # ------------------------------------------------------------------------ SoftmaxCrossEntropy
    Misconception(  # 6
        name="no 1/N in the gradient (cross-entropy)",
        cell="SoftmaxCrossEntropy",
        replace={"dZ / len(self.y)": "dZ"},
        hint="Your dZ is N times too large: it is the gradient of the summed cross-entropy. forward"
        " returns a mean, and backward must be the derivative of that same number.",
    ),
    Misconception(  # 6
        name="cross-entropy summed over the samples",
        cell="SoftmaxCrossEntropy",
        replace={"-np.mean(": "-np.sum("},
        hint="Your cross-entropy is N times too large: it is added up over the samples and not"
        " averaged.",
    ),
    Misconception(
        name="softmax over the samples",
        cell="SoftmaxCrossEntropy",
        replace={
            "Z.max(axis=1, keepdims=True)": "Z.max(axis=0, keepdims=True)",
            "np.exp(shifted).sum(axis=1, keepdims=True)": "np.exp(shifted).sum(axis=0, keepdims=True)",
        },
        hint="Your probabilities add up to 1 down each column, so the samples compete with one"
        " another for a class. It is the classes of one sample that compete: over which axis should"
        " they be normalised?",
    ),
    Misconception(
        name="sums over the classes lose their axis",
        cell="SoftmaxCrossEntropy",
        replace={
            ".max(axis=1, keepdims=True)": ".max(axis=1)",
            ".sum(axis=1, keepdims=True)": ".sum(axis=1)",
        },
        hint="Something of shape (N, K) meets something of shape (N,): NumPy lines up the last axes,"
        " so it wants K numbers and gets N. The result of a maximum or sum over the classes should"
        " still stand as a column beside its sample.",
    ),
    Misconception(
        name="gradient with respect to the probabilities",
        cell="SoftmaxCrossEntropy",
        replace={
            "dZ = self.P.copy()": "dZ = np.zeros(self.P.shape)",
            "dZ[np.arange(len(self.y)), self.y] -= 1": "rows = np.arange(len(self.y))\n"
            "        with np.errstate(all='ignore'):\n"
            "            dZ[rows, self.y] = -1 / self.P[rows, self.y]",
        },
        hint="Your dZ is zero except at the right classes, where it is -1/p: that is the derivative"
        " with respect to the probabilities. The scores lie one step further down, and through the"
        " normalisation every score of a sample moves the probability of the right class.",
    ),
    Misconception(
        name="targets not subtracted",
        cell="SoftmaxCrossEntropy",
        replace={"dZ[np.arange(len(self.y)), self.y] -= 1\n": "\n"},
        hint="Your dZ is the probabilities, so it is positive everywhere. But a higher score of the"
        " right class must make the cost smaller. What does the target contribute?",
    ),
    Misconception(
        name="exponential overflows",
        cell="SoftmaxCrossEntropy",
        replace={
            "shifted = Z - Z.max(axis=1, keepdims=True)": "shifted = Z",
            "log_P = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))": "with np.errstate(all='ignore'):\n"
            "            P = np.exp(shifted)\n"
            "            log_P = np.log(P / P.sum(axis=1, keepdims=True))",
        },
        hint="For moderate scores all is right; for large ones you get nan, because exp of a number"
        " above 709 is infinite and infinity divided by itself is not a number. Softmax does not"
        " change when the same number is subtracted from all scores of a sample: which number helps?",
    ),
    Misconception(
        name="logarithm of a probability rounded to 0",
        cell="SoftmaxCrossEntropy",
        replace={
            "log_P = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))": "P = np.exp(shifted)\n"
            "        with np.errstate(divide='ignore'):\n"
            "            log_P = np.log(P / P.sum(axis=1, keepdims=True))",
        },
        hint="The gradient is right, but for large scores the cost is infinite: a very small"
        " probability has been rounded to 0 before its logarithm was taken. Write log p out as a"
        " formula in the scores; which exponential and logarithm cancel?",
    ),
    # --------------------------------------------------------------------------------- Sequential
    Misconception(
        name="backward from the first module up",
        cell="Sequential",
        replace={"reversed(self.modules)": "self.modules"},
        hint="Your backward calls the modules in the order of the forward pass. The gradient comes in"
        " at the top, at the last module; which one can use it first?",
    ),
    Misconception(
        name="pairs made before the gradients",
        cell="Sequential",
        replace={
            "self.modules = list(modules)": "self.modules = list(modules)\n"
            "        self.pairs = [p for m in modules if isinstance(m, Linear)"
            " for p in ((m.W, m.dW), (m.b, m.db))]",
            "return [pair for l in layers": "return self.pairs or [pair for l in layers",
        },
        hint="The gradients that params() gives are not there yet: the pairs were put together before"
        " any backward pass. backward makes new arrays, and a pair made earlier does not hear of"
        " them. When must the pairs be formed?",
    ),
    Misconception(
        name="pairs of an earlier backward",
        cell="Sequential",
        replace={
            "return [pair for l in layers for pair in ((l.W, l.dW), (l.b, l.db))]": "if not hasattr(self, 'pairs'):\n"
            "            self.pairs = [pair for l in layers for pair in ((l.W, l.dW), (l.b, l.db))]\n"
            "        return self.pairs",
        },
        hint="After the second backward, params() still gives the gradients of the first: the pairs"
        " have been kept from an earlier call, while the layers have made new gradients since.",
    ),
    Misconception(
        name="b before W",
        cell="Sequential",
        replace={"((l.W, l.dW), (l.b, l.db))": "((l.b, l.db), (l.W, l.dW))"},
        hint="The pairs are right, but in each layer b comes before W. The order agreed on is W, b,"
        " W, b, from the first layer to the last.",
    ),
    Misconception(
        name="last layer first in params",
        cell="Sequential",
        replace={"for module in self.modules if": "for module in reversed(self.modules) if"},
        hint="params() begins with the last layer. Only the messages of backward travel downwards;"
        " the list of parameters is to begin at the first module.",
    ),
    Misconception(
        name="copies of the parameters",
        cell="Sequential",
        replace={"((l.W, l.dW), (l.b, l.db))": "((l.W.copy(), l.dW), (l.b.copy(), l.db))"},
        hint="params() gives copies of the parameters: the training loop would change the copies, and"
        " the net would stay as it is.",
    ),
    # ------------------------------------------------------------------------------ mlp_gradients
    Misconception(  # 1
        name="dW transposed (whole net)",
        cell="mlp_gradients",
        replace={"(H[l].T @ dZ,": "(dZ.T @ H[l],"},
        hint="Each dW has the right numbers, but lies on its side: rows and columns are exchanged."
        " With square weights you would not even notice. Compare the shape of each dW with that of"
        " its W.",
    ),
    Misconception(  # 4
        name="slope at the output (whole net)",
        cell="mlp_gradients",
        replace={"(1 - H[l] ** 2)": "(1 - np.tanh(H[l]) ** 2)"},
        hint="The last layer's gradients are right, those below are not: tanh has been applied to the"
        " hidden outputs once more before taking the slope. You hold h = tanh(z) already; what is"
        " the slope at z, written with h?",
    ),
    Misconception(
        name="slope forgotten (whole net)",
        cell="mlp_gradients",
        replace={"dH * (1 - H[l] ** 2)": "dH"},
        hint="The last layer's gradients are right, those below are too large: the messages pass"
        " through tanh as if its slope were 1 everywhere.",
    ),
    Misconception(  # 5
        name="db not summed (whole net)",
        cell="mlp_gradients",
        replace={"dZ.sum(axis=0)": "dZ"},
        hint="Each db has N rows, one for each sample. A bias is shared by the whole batch: how do"
        " its effects on the samples make one number?",
    ),
    Misconception(  # 5
        name="db averaged twice (whole net)",
        cell="mlp_gradients",
        replace={"dZ.sum(axis=0)": "dZ.mean(axis=0)"},
        hint="Every db is N times too small, and every dW is right. The mean was taken when the"
        " residual was divided by N; what remains to be done over the batch is not a mean.",
    ),
    Misconception(  # 6
        name="no 1/N (whole net)",
        cell="mlp_gradients",
        replace={"residual / N": "residual"},
        hint="The loss is right, and all gradients are N times too large: they belong to the sum over"
        " the samples. Where, on the way down, does the mean come in, and how often?",
    ),
    Misconception(  # 6
        name="1/N in every layer (whole net)",
        cell="mlp_gradients",
        replace={"dZ = dH * (1 - H[l] ** 2)": "dZ = dH * (1 - H[l] ** 2) / N"},
        hint="The last layer's gradients are right, and each layer further down is smaller by one"
        " more factor N: the mean is taken again in every layer. How many means are there in the"
        " formula of the cost?",
    ),
    Misconception(  # 7
        name="fan-out not summed (whole net)",
        cell="mlp_gradients",
        replace={"dZ @ params[l][0].T": "dZ[:, -1:] * params[l][0][:, -1]"},
        hint="The last layer's gradients are right, those below hear only of the last unit above"
        " them, as if a loop over the units had kept only its last turn. A hidden unit feeds every"
        " unit of the next layer.",
    ),
    Misconception(
        name="tanh at the output too",
        cell="mlp_gradients",
        replace={"H[-1] @ W + b - Y": "np.tanh(H[-1] @ W + b) - Y"},
        hint="Already the loss is different: the outputs have gone through tanh. The last layer is"
        " linear here, so that predictions may lie anywhere.",
    ),
    Misconception(
        name="sample costs not halved",
        cell="mlp_gradients",
        replace={"0.5 * np.sum(residual**2)": "np.sum(residual**2)"},
        hint="The gradients are right, but your loss is twice what they are the gradients of: half"
        " the squared distance is asked for.",
    ),
    # ------------------------------------------------------------------------------ one_iteration
    Misconception(  # 1
        name="update of W0 transposed",
        cell="one_iteration",
        replace={"np.outer(x, dz)": "np.outer(dz, x)"},
        hint="Your W0 has moved by the transpose of its gradient. The shapes cannot warn you here,"
        " everything is 2 × 2 (for the lecture's numbers the new loss would be 0.0126295)."
        " W0[i, j] leads from input i to unit j: which input and which error belong to it?",
    ),
    Misconception(  # 2
        name="plus sign in the update",
        cell="one_iteration",
        replace={"W0 - lr": "W0 + lr", "w1 - lr": "w1 + lr"},
        hint="Your weights have moved the wrong way, uphill (with the lecture's numbers the loss"
        " grows to 0.0313750). The gradient points to where the loss increases; lr is positive.",
    ),
    Misconception(  # 3
        name="W1 updated before W0's gradient",
        cell="one_iteration",
        replace={
            "    dz = w1 * dy_hat": "    w1 = w1 - lr * dw1\n    dz = w1 * dy_hat",
            "w1_new = w1 - lr * dw1": "w1_new = w1",
        },
        hint="W1 is right, W0 a little off: W0's gradient was computed with the W1 that had already"
        " been updated. All gradients belong to one and the same point; which weights were in force"
        " in the forward pass?",
    ),
    Misconception(  # 3
        name="W0 updated before W1's gradient",
        cell="one_iteration",
        replace={
            "w1_new = w1 - lr * dw1": "h = np.tanh(x @ W0_new)\n"
            "    w1_new = w1 - lr * h * (h @ w1 - y)",
        },
        hint="W0 is right, W1 a little off: its gradient was computed after W0 had moved, from new"
        " hidden outputs. Finish all gradients before the first weight changes.",
    ),
    Misconception(  # 4
        name="slope at the output (one iteration)",
        cell="one_iteration",
        replace={"(1 - h**2)": "(1 - np.tanh(h) ** 2)"},
        hint="W1 is right, W0 is not: the slope of tanh was taken at the hidden outputs, so tanh was"
        " applied twice (with the lecture's numbers you would find (-0.132401, 0.171936) at the"
        " pre-activations).",
    ),
    Misconception(
        name="slope forgotten (one iteration)",
        cell="one_iteration",
        replace={"w1 * dy_hat * (1 - h**2)": "w1 * dy_hat"},
        hint="W1 is right, W0 has moved too far: on its way from the hidden outputs to the"
        " pre-activations the gradient did not meet the slope of tanh.",
    ),
    Misconception(
        name="wrong factor for W1",
        cell="one_iteration",
        replace={"w1_new = w1 - lr * dw1": "w1_new = w1 - lr * h * dz"},
        hint="W0 is right, W1 is not: its step contains the error of the hidden units. W1 lies above"
        " them; which error arrives at its upper end? (The original slides misprint this very factor.)",
    ),
    Misconception(
        name="loss before the update",
        cell="one_iteration",
        replace={"(np.tanh(x @ W0_new) @ w1_new - y) ** 2": "dy_hat**2"},
        hint="The new weights are right; the loss is that of the old ones. Asked for is the loss"
        " after the update, so that one sees whether the step has helped.",
    ),
    Misconception(  # 8
        name="the caller's weights changed",
        cell="one_iteration",
        replace={
            "W0_new = W0 - lr * dW0": "W0 -= lr * dW0\n    W0_new = W0",
            "w1_new = w1 - lr * dw1": "w1 -= lr * dw1\n    w1_new = w1",
        },
        hint="The first call is right, a second one with the same arrays goes on from other weights:"
        " your function has changed the arrays that it was given. It should return new ones.",
    ),
    # ----------------------------------------------------------- jacobian_linear, multiply_count
    Misconception(  # 1
        name="Jacobian transposed",
        cell="jacobian_linear",
        replace={"W.T": "W.copy()"},
        hint="Your Jacobian has a row for each input. The convention is a row for each output and a"
        " column for each input, so that a row of output gradients can be multiplied by it.",
    ),
    Misconception(
        name="messages in the Jacobian summed",
        cell="jacobian_linear",
        replace={"W.T": "W.sum(axis=1)"},
        hint="You return one number for each input: the outputs have been added up, as if each of"
        " them counted once. The Jacobian keeps them apart.",
    ),
    Misconception(
        name="twice the forward pass, always",
        cell="multiply_count",
        replace={"forward if input_grad else forward - weights[0]": "forward"},
        hint="Your backward count is always twice the forward count. By default the gradient for the"
        " net's own input is not needed: in which layer is something saved, and how much?",
    ),
    Misconception(
        name="only weight gradients counted",
        cell="multiply_count",
        replace={"forward + sent_down": "forward"},
        hint="You count the products for the weight gradients only. Something is also sent down from"
        " layer to layer, through the weights.",
    ),
    Misconception(
        name="message saved in the last layer",
        cell="multiply_count",
        replace={"forward - weights[0]": "forward - weights[-1]"},
        hint="You save the products of the last layer. The last layer's message is the one that"
        " everything below waits for; whose message does nobody need?",
    ),
    Misconception(
        name="biases counted",
        cell="multiply_count",
        replace={"dims[l] * dims[l + 1]": "(dims[l] + 1) * dims[l + 1]"},
        hint="Your counts contain the biases. A bias is added, it multiplies nothing.",
    ),
]
