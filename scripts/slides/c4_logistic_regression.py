"""C4: softmax with two classes. ``python scripts/slides/c4_logistic_regression.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide, plot_agreement
from material import breast_cancer
from matplotlib.figure import Figure
from scipy.special import expit

from tfcourse.equations import softmax
from tfcourse.models.builders import build_softmax_regression
from tfcourse.models.spec import OptimizerSpec

SLIDE = Slide(
    row="C4",
    title="C = 2 reduces to logistic regression",
    claim="Softmax of two logits is the sigmoid of their difference; trained, both give the same predictions.",
    criterion="The two functions differ by at most 1e-15; softmax regression at rate α and logistic regression at 2α, "
    "from the same start, end with probabilities that differ by at most 1e-5 on the test set, and with the "
    "same labels.",
)
NOTE = "The rate is 2α because a step of softmax regression moves both logits, in opposite directions."


def measure(settings: Settings) -> Outcome:
    """Compare the functions, then train both on two classes from matching weights."""
    rng = np.random.default_rng(settings.seed)
    logits = rng.uniform(-20.0, 20.0, (2, 10_000))
    functions_apart = float(np.abs(softmax.softmax(logits)[0] - expit(logits[0] - logits[1])).max())

    data, epochs, rate = breast_cancer(), settings.pick(60, 3), 0.05
    two = build_softmax_regression(30, 2, OptimizerSpec("sgd", learning_rate=rate), seed=settings.seed)
    one = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1)])
    kernel, bias = two.layers[-1].get_weights()
    one.layers[0].set_weights([kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]])
    one.compile(keras.optimizers.SGD(2 * rate), keras.losses.BinaryCrossentropy(from_logits=True))
    costs = {}
    for name, model, y in (("softmax, C = 2", two, data.y), ("logistic", one, data.y[:, None])):
        costs[name] = model.fit(data.x, y, batch_size=50, epochs=epochs, shuffle=False, verbose=0).history["loss"]
    by_softmax = softmax.softmax(two(data.x_test).numpy().T)[1]
    by_sigmoid = softmax.sigmoid(one(data.x_test).numpy().ravel())
    trained_apart = float(np.abs(by_softmax - by_sigmoid).max())
    same = float(np.mean((by_softmax > 0.5) == (by_sigmoid > 0.5)))
    accuracy = float(np.mean((by_softmax > 0.5) == data.y_test))
    numbers = [
        Number("softmax(z)₁ − σ(z₁ − z₂) by SciPy, largest of 10,000", functions_apart, "≤ 1e-15", ".1e"),
        Number("probabilities after training, largest difference", trained_apart, "≤ 1e-5", ".1e"),
        Number("test examples with the same label", same, "100 %", ".1%"),
        Number("test accuracy of both", accuracy, "", ".1%"),
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for (name, cost), colour, style in zip(costs.items(), (BLUE, ORANGE), ("-", "--"), strict=True):
            left.plot(range(1, epochs + 1), cost, style, color=colour, label=name)
        left.set(xlabel="epoch", ylabel="cost J", title="training, tumours of two kinds", yscale="log")
        left.legend()
        plot_agreement(right, by_sigmoid, by_softmax, BLUE, title="probability of class 1, test set")
        right.set(xlabel="by logistic regression", ylabel="by softmax")

    return Outcome(numbers, functions_apart <= 1e-15 and trained_apart <= 1e-5 and same == 1.0, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
