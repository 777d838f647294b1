"""C6: the gradient of softmax and cross-entropy. ``python scripts/slides/c6_gradient.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import tensorflow as tf
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide, plot_agreement
from material import digits
from matplotlib.figure import Figure

from tfcourse.equations import softmax

SLIDE = Slide(
    row="C6",
    title="The gradient",
    claim="dz = ŷ − y: the whole derivative of softmax and cross-entropy together.",
    criterion="ŷ − y is within 1e-7 of central differences, step 1e-5, and within 1e-12 of automatic differentiation, "
    "in float64.",
)


def measure(settings: Settings) -> Outcome:
    """Differentiate the loss of a minibatch of digits with respect to its logits in three ways."""
    m, step = settings.pick(64, 8), 1e-5
    data, rng = digits(), np.random.default_rng(settings.seed)
    z = rng.normal(0.0, 1.0, (10, 64)) @ data.x[:m].T.astype(float)
    y = softmax.one_hot(data.y[:m], 10)
    dz = softmax.gradient(z, y)

    differences = np.zeros_like(z)
    for j in range(10):  # logit j of all examples at once: an example's loss has nothing to do with another's logits
        nudge = step * (np.arange(10) == j)[:, None]
        differences[j] = (softmax.losses(z + nudge, y) - softmax.losses(z - nudge, y)) / (2 * step)

    logits = tf.constant(z.T)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(y.T, logits))
    automatic = tape.gradient(loss, logits).numpy().T

    from_differences = float(np.abs(dz - differences).max())
    from_automatic = float(np.abs(dz - automatic).max())
    numbers = [
        Number("against finite differences, largest difference", from_differences, "≤ 1e-7", ".1e"),
        Number("against automatic differentiation, largest difference", from_automatic, "≤ 1e-12", ".1e"),
        Number("sum of dz over the classes, largest", float(np.abs(dz.sum(axis=0)).max()), "0", ".1e"),
        Number("range of dz", f"{dz.min():.3f}…{dz.max():.3f}", "−1…1"),
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        for axes, name, other, colour in (
            (left, "finite differences", differences, BLUE),
            (right, "automatic differentiation", automatic, ORANGE),
        ):
            plot_agreement(axes, other, dz, colour, xlabel=f"dz by {name}", ylabel="ŷ − y")
            axes.set_title(f"differs by {np.abs(dz - other).max():.0e}")

    return Outcome(numbers, from_differences <= 1e-7 and from_automatic <= 1e-12, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
