"""Lecture 09a's last explorable: a small net learns handwritten digits while you watch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController  # scikit-learn brings it

from course import data
from course.explore import (
    Explorable,
    axis,
    choice,
    curve,
    figure,
    images,
    number,
    panel,
    slider,
)
from course.nn import MLP, SoftmaxCrossEntropy
from course.optim import SGD, minibatches

EPOCHS = 20
SHOWN = 15  # digits of the test set in the picture
BEST, WORST = 0.001, 1000.0  # the limits of the loss axis


@cache
def split() -> tuple[data.Dataset, data.Dataset]:
    """The digits as (train, test), always the same split."""
    return data.digits().split(rng=np.random.default_rng(9))


@cache
def threads() -> ThreadpoolController:
    """The threads of NumPy's matrix products: for matrices this small, one is 3 times as fast."""
    return ThreadpoolController()


def training(lr: float, batch_size: int = 32, epochs: int = EPOCHS) -> Iterator[dict[str, Any]]:
    """Train a 64-32-10 tanh net on the digits; yields the history at the start and each epoch.

    `loss` and `accuracy` are lists with one number an epoch, over all training data and over the
    test data; `predicted` (SHOWN,) are the classes of the first test digits.  Start and order of
    the batches are seeded, so that only the parameters make a difference.

    >>> *_, last = training(0.5, epochs=3)
    >>> len(last["loss"]), last["accuracy"][-1] > 0.9
    (4, True)
    """
    train, test = split()
    rng = np.random.default_rng(0)
    net, cost = MLP([64, 32, 10], rng), SoftmaxCrossEntropy()
    optimiser = SGD(net.parameters, lr)
    history: dict[str, Any] = {"loss": [], "accuracy": []}
    for epoch in range(epochs + 1):
        with threads().limit(limits=1):
            for batch in minibatches(len(train), batch_size, rng) if epoch else []:
                cost(net(train.X[batch]), train.y[batch]).backward()
                optimiser.step()
            classes = net.forward(test.X).argmax(axis=1)
            history["loss"].append(cost.forward(net.forward(train.X), train.y))
        history["accuracy"].append(float(np.mean(classes == test.y)))
        yield history | {"predicted": classes[:SHOWN]}


class DigitTraining(Explorable):
    """How far should a net believe its gradients? The loss curve over the learning rate."""

    title = "Learning to read digits"
    lr = slider(0.1, 0.001, 10.0, log=True, step=0.25, label="learning rate η")
    batch_size = choice([8, 32, 128], default=32, label="samples per step")
    frames = {
        "lr": [round(10 ** (e / 4), 6) for e in range(-12, 5)],
        "batch_size": [8, 32, 128],
    }

    def scenes(self, lr: float, batch_size: int) -> Iterator[dict[str, Any]]:
        for state in training(lr, batch_size):
            yield picture(state, lr, batch_size)


def picture(state: dict[str, Any], lr: float, batch_size: int) -> dict[str, Any]:
    """The loss curve and the accuracy so far, and some test digits with what the net calls them."""
    _, test = split()
    loss, accuracy = state["loss"], state["accuracy"]
    epoch, predicted = len(loss) - 1, state["predicted"]
    epochs = np.arange(epoch + 1)
    right = [bool(guess == truth) for guess, truth in zip(predicted, test.y, strict=False)]
    passes = axis("passes over the data", 0, EPOCHS)
    shown = np.clip(loss, BEST, WORST)
    return figure(
        panel(
            curve(epochs, shown, "loss", dots=True, label=number(loss[-1], 3)),
            x=passes,
            y=axis("training loss (log scale)", BEST, WORST, log=True),
        ),
        panel(
            curve(epochs, accuracy, "model", dots=True, label=f"{accuracy[-1]:.1%}"),
            x=passes,
            y=axis("share of test digits read correctly", 0, 1.05),
        ),
        panel(
            images(
                (255 * test.X[:SHOWN].reshape(-1, 8, 8)).astype(np.uint8),
                columns=5,
                labels=[str(each) for each in predicted],
                roles=["positive" if each else "negative" for each in right],
                limits=[0, 255],
            ),
            title="Test digits and what the net reads",
        ),
        words=f"With η = {number(lr)} and {batch_size} samples per step, after {epoch} passes the"
        f" training loss is {number(loss[-1], 3)} and {accuracy[-1]:.1%} of the test digits are"
        f" read correctly; of the {SHOWN} shown, {sum(right)} are.",
    )
