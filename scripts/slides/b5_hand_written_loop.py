"""B5: gradient descent with batch norm, written by hand. ``python scripts/slides/b5_hand_written_loop.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import Number, Outcome, Settings, Slide
from by_hand import backpropagate, update
from material import digits
from matplotlib.figure import Figure
from probing import in_float64

from tfcourse.data.minibatches import minibatch_order
from tfcourse.equations import softmax
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="B5",
    title="Gradient descent with batch norm",
    claim="For each minibatch: forward with z̃, backward for dW, dγ, dβ (no db), update. It works with momentum, "
    "RMSprop and Adam.",
    criterion="After all minibatches, in float64, every weight of the NumPy loop is within 1e-9 of Model.fit's under "
    "all three optimizers, and each lowers the cost to under a tenth of its first epoch's.",
)
OPTIMIZERS = {
    "momentum": OptimizerSpec("sgd", learning_rate=0.05, momentum=0.9),
    "RMSprop": OptimizerSpec("rmsprop", learning_rate=0.003, rho=0.9),
    "Adam": OptimizerSpec("adam", learning_rate=0.005),
}
NOTE = "Keras rounds momentum, and β1 and β2 where it takes their powers, to float32 even in float64; so does the loop."


def measure(settings: Settings) -> Outcome:
    """Train from the same weights on the same minibatches, by hand and by Keras."""
    data, epochs, size = digits(), settings.pick(10, 1), 64
    rows, units = settings.pick((1200, (50, 50)), (256, (8,)))
    x, y = data.x[:rows].astype("float64"), data.y[:rows]
    curves, differences, numbers = {}, {}, []
    for name, optimizer in OPTIMIZERS.items():
        with in_float64():
            model = build_mlp(NetworkSpec(64, 10, units), optimizer, seed=settings.seed)
        w = [v.numpy().T.reshape(v.shape[-1], -1) for v in model.trainable_variables]
        v, s = ([np.zeros_like(value) for value in w] for _ in range(2))
        by_hand, by_keras, t = [], [], 0
        for epoch in range(epochs):
            order, J = minibatch_order(settings.seed, epoch, rows), 0.0
            with in_float64():
                by_keras += model.fit(x[order], y[order], batch_size=size, shuffle=False, verbose=0).history["loss"]
            for rows_now in np.split(order, range(size, rows, size)):
                cost, gradients = backpropagate(w, x[rows_now].T, softmax.one_hot(y[rows_now], 10))
                update(optimizer, w, v, s, gradients, t := t + 1)
                J += cost * len(rows_now) / rows
            by_hand.append(J)
        theirs = [v.numpy().T.reshape(v.shape[-1], -1) for v in model.trainable_variables]
        differences[name] = max(float(np.abs(a - b).max()) for a, b in zip(w, theirs, strict=True))
        curves[name] = (by_hand, by_keras)
        numbers += [
            Number(f"{name}: largest difference of any weight after {t} steps", differences[name], "≤ 1e-9", ".1e"),
            Number(f"{name}: cost of the first and last epoch", f"{by_hand[0]:.3f} → {by_hand[-1]:.4f}"),
        ]
    lowered = all(by_hand[-1] < by_hand[0] / 10 for by_hand, _ in curves.values())

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for name, (by_hand, by_keras) in curves.items():
            line = axes.plot(range(1, epochs + 1), by_hand, label=f"{name}, by hand")[0]
            axes.plot(
                range(1, epochs + 1),
                by_keras,
                "o",
                color=line.get_color(),
                markersize=8,
                fillstyle="none",
                label=f"{name}, Model.fit",
            )
        axes.set(
            yscale="log",
            xlabel="epoch",
            ylabel="cost J of the epoch",
            title="The loop written by hand and Model.fit, on digits",
        )
        axes.legend(ncols=3)

    return Outcome(numbers, max(differences.values()) <= 1e-9 and lowered, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
