"""B4: no bias under batch norm. ``python scripts/slides/b4_bias.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure

SLIDE = Slide(
    row="B4",
    title="No bias under batch norm",
    claim="Batch norm subtracts the bias b[l] out again: it changes no output and has zero gradient, so W, γ, β are "
    "all there is.",
    criterion="Any bias of up to 10 changes the logits by at most 1e-4 of their largest, and the bias's gradient is at "
    "most 1e-5 of the kernel's; without batch norm both are larger than 1e-2.",
)
BIASES = np.array([0.0, 0.01, 0.1, 1.0, 3.0, 10.0])


def network(batch_norm: bool, units: int, seed: int) -> keras.Model:
    """Return Dense with a bias → batch norm or not → ReLU → Dense, for digits."""
    keras.utils.set_random_seed(seed)
    layers: list[keras.layers.Layer] = [keras.Input((64,)), keras.layers.Dense(units)]
    if batch_norm:
        layers.append(keras.layers.BatchNormalization())
    return keras.Sequential([*layers, keras.layers.ReLU(), keras.layers.Dense(10)])


def measure(settings: Settings) -> Outcome:
    """Change the hidden bias and look at the logits; differentiate the loss with respect to it."""
    data = digits()
    x, y = data.x[:256], data.y[:256]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    directions = np.random.default_rng(settings.seed).uniform(-1.0, 1.0, settings.pick(50, 8))
    changes: dict[str, list[float]] = {}
    ratios: dict[str, float] = {}
    norms: dict[str, dict[str, float]] = {}
    for name, batch_norm in (("with batch norm", True), ("without", False)):
        model = network(batch_norm, len(directions), settings.seed)
        dense = model.layers[0]
        with tf.GradientTape() as tape:
            J = loss(y, model(x, training=True))
        variables = {"dW": dense.kernel, "db": dense.bias}
        if batch_norm:
            variables |= {"dγ": model.layers[1].gamma, "dβ": model.layers[1].beta}
        gradients = tape.gradient(J, [variable.value for variable in variables.values()])
        norms[name] = {key: float(tf.norm(g)) for key, g in zip(variables, gradients, strict=True)}
        ratios[name] = norms[name]["db"] / norms[name]["dW"]
        before = model(x, training=True).numpy()
        changes[name] = []
        for size in BIASES:
            dense.bias.assign(size * directions)
            after = model(x, training=True).numpy()
            changes[name].append(float(np.abs(after - before).max() / np.abs(before).max()))
    worst = {name: max(change) for name, change in changes.items()}
    holds = worst["with batch norm"] <= 1e-4 and ratios["with batch norm"] <= 1e-5
    numbers = [Number(f"{name}: largest change of the logits", worst[name], "", ".1e") for name in worst]
    numbers += [Number(f"{name}: gradient of b over that of W", ratios[name], "", ".1e") for name in ratios]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for (name, change), colour in zip(changes.items(), (BLUE, ORANGE), strict=True):
            left.plot(BIASES[1:], np.maximum(change[1:], 1e-9), "o-", color=colour, label=name)
        left.set(xscale="log", yscale="log", xlabel="largest bias added", ylabel="relative change of the logits")
        left.legend(loc="center right")
        shown = [(f"{key}\n{name}", value) for name, group in norms.items() for key, value in group.items()]
        colours = [BLUE] * len(norms["with batch norm"]) + [ORANGE] * len(norms["without"])
        right.bar([label.replace("with batch norm", "BN") for label, _ in shown], [v for _, v in shown], color=colours)
        right.set(yscale="log", ylabel="norm of the gradient")

    return Outcome(numbers, holds and worst["without"] > 1e-2 and ratios["without"] > 1e-2, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
