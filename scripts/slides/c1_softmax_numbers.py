"""C1: the softmax layer's numbers. ``python scripts/slides/c1_softmax_numbers.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, GREEN, ORANGE, PURPLE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from tfcourse.equations import softmax

SLIDE = Slide(
    row="C1",
    title="The softmax layer",
    claim="z = (5, 2, −1, 3) gives t = e^z = (148.4, 7.4, 0.4, 20.1), Σt = 176.3, a = t/Σt = (0.842, 0.042, 0.002, "
    "0.114).",
    criterion="t and Σt rounded to one decimal and a rounded to three are the claimed numbers, by NumPy and by Keras's "
    "layer.",
)
Z = np.array([[5.0], [2.0], [-1.0], [3.0]])
T, SUM, A = [148.4, 7.4, 0.4, 20.1], 176.3, [0.842, 0.042, 0.002, 0.114]
NOTE = "The slide prints 20.7 for e³; it is 20.1, and the slide's own sum of 176.3 agrees with 20.1."


def measure(settings: Settings) -> Outcome:
    """Compute the slide's example."""
    t = np.exp(Z).ravel()
    a = softmax.softmax(Z).ravel()
    by_keras = np.asarray(keras.layers.Softmax()(Z.T)).ravel()
    hard = softmax.hard_max(Z).ravel()
    numbers = [
        *[Number(f"t{j} = e^{Z[j, 0]:g}", float(t[j]), f"{T[j]}", ".3f") for j in range(4)],
        Number("Σt", float(t.sum()), f"{SUM}", ".3f"),
        *[Number(f"a{j}, and by Keras", f"{a[j]:.4f}  {by_keras[j]:.4f}", f"{A[j]}") for j in range(4)],
        Number("Σa", float(a.sum()), "1", ".15g"),
        Number("hard max", " ".join(f"{h:g}" for h in hard), "1 0 0 0"),
    ]
    rounded = [np.round(t, 1).tolist(), round(float(t.sum()), 1), np.round(a, 3).tolist()]
    holds = (
        rounded == [T, SUM, A] and np.round(by_keras.astype(float), 3).tolist() == A and hard.tolist() == [1, 0, 0, 0]
    )

    def draw(figure: Figure) -> None:
        panels = (("z", Z.ravel(), "g"), ("t = e^z", t, ".1f"), ("a = t / Σt", a, ".3f"), ("hard max", hard, "g"))
        for axes, (title, values, form), colour in zip(
            figure.subplots(1, 4), panels, (BLUE, ORANGE, GREEN, PURPLE), strict=True
        ):
            bars = axes.bar(range(4), values, color=colour, width=0.7)
            axes.bar_label(bars, [format(value, form) for value in values], padding=2)
            axes.set(title=title, xlabel="class", xticks=range(4))
            axes.margins(y=0.15)

    return Outcome(numbers, holds, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
