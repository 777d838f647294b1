"""C5: the loss from logits. ``python scripts/slides/c5_stable_loss.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, GREEN, ORANGE, RED, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from tfcourse.equations import softmax

SLIDE = Slide(
    row="C5",
    title="The loss, from logits",
    claim="L = −Σ y log ŷ = −log ŷ of the true class; computed from the logits it is right at ±1000, from a rounded "
    "softmax not.",
    criterion="For true-class margins of 0…2000 the loss from logits, by NumPy and by Keras, is within 1e-6 of log(1 + "
    "e^margin); through a float32 softmax it is off by more than half somewhere.",
)


def measure(settings: Settings) -> Outcome:
    """Compute the loss of two logits ±margin/2, the true class the lower, in four ways."""
    margin = np.linspace(0.0, 2000.0, settings.pick(2001, 101))
    z = np.stack([-margin / 2, margin / 2])
    y = softmax.one_hot(np.zeros(len(margin), dtype=int), 2)
    exact = np.logaddexp(0.0, margin)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        t = np.exp(z.astype("float32"))
        naive = -np.log((t / t.sum(axis=0))[0])
    rounded = np.asarray(keras.ops.softmax(z.T.astype("float32")))
    ways = {
        "from logits, NumPy": softmax.losses(z, y),
        "from logits, Keras": _keras_losses(y, z.T, from_logits=True),
        "from float32 softmax, Keras": _keras_losses(y, rounded, from_logits=False),
        "from float32 e^z / Σe^z": naive,
    }
    errors = {}
    for name, losses in ways.items():
        error = np.abs(losses - exact) / exact
        errors[name] = float(np.where(np.isfinite(error), error, np.inf).max())
    finite = float(margin[np.isfinite(naive)].max())
    numbers = [Number(f"{name}: largest relative error", error, "", ".1e") for name, error in errors.items()]
    numbers += [
        Number("float32 e^z / Σe^z: last margin with a finite loss", finite, "", "g"),
        Number("Keras from softmax: the loss at margin 2000", float(ways["from float32 softmax, Keras"][-1]), "2000"),
        Number("Keras from logits: the loss at margin 2000", float(ways["from logits, Keras"][-1]), "2000", "g"),
    ]
    good, bad = list(errors.values())[:2], list(errors.values())[2:]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, losses), colour, width in zip(ways.items(), (BLUE, GREEN, ORANGE, RED), (5, 2, 2, 2), strict=True):
            shown = np.where(np.isfinite(losses), losses, np.nan)
            axes.plot(margin + 1, shown, color=colour, linewidth=width, label=name, alpha=0.9)
        axes.plot(finite + 1, naive[margin == finite], "x", color=RED, markersize=9, markeredgewidth=2)
        axes.set(
            xscale="log",
            yscale="log",
            xlabel="1 + how far the true class's logit lies below the other's",
            ylabel="loss L",
        )
        axes.set_title("The loss of one example; × marks where e^z / Σe^z ends: beyond, it is ∞ or not a number")
        axes.legend()

    return Outcome(numbers, max(good) <= 1e-6 and min(bad) > 0.5, draw)


def _keras_losses(y: np.ndarray, predicted: np.ndarray, *, from_logits: bool) -> np.ndarray:
    target, predicted = y.T.astype("float32"), predicted.astype("float32")
    return np.asarray(keras.losses.categorical_crossentropy(target, predicted, from_logits=from_logits))


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
