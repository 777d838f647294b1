"""D3: the same program, other data. ``python scripts/slides/d3_other_data.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, GREEN, ORANGE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from legacy_tf1 import minimize

SLIDE = Slide(
    row="D3",
    title="Same program, other data",
    claim="The coefficients are fed, so [1, −20, 100] minimizes (w − 10)² with the same program. The slide's [1, "
    "−20, 25] does too, at cost −75, though its comment says (w − 5)².",
    criterion="After 1001 steps w is within 1e-4 of 5, 10 and 10, and the cost within 1e-6 of 0, 0 and −75.",
)
NOTE = (
    "The slide's array and comment do not belong together: the constant moves the curve up or down, never its minimum."
)
CASES = {(1, -10, 25): (5, 0), (1, -20, 100): (10, 0), (1, -20, 25): (10, -75)}


def measure(settings: Settings) -> Outcome:
    """Feed three sets of coefficients to the session program."""
    numbers, ways, holds = [], {}, True
    for (a, b, c), (best, lowest) in CASES.items():
        w = np.array(minimize.train([a, b, c], learning_rate=0.01, steps=1001))
        ways[a, b, c] = w
        cost = float((a * w[-1] + b) * w[-1] + c)
        holds = holds and abs(w[-1] - best) <= 1e-4 and abs(cost - lowest) <= 1e-6
        numbers += [
            Number(f"[{a}, {b}, {c}]: w at the end", float(w[-1]), f"{best}", ".8g"),
            Number(f"[{a}, {b}, {c}]: cost there", cost, f"{lowest}", ".7g"),
        ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        grid = np.linspace(-1, 21, 400)
        for ((a, b, c), w), colour in zip(ways.items(), (BLUE, ORANGE, GREEN), strict=True):
            axes.plot(grid, (a * grid + b) * grid + c, color=colour, linewidth=1.2, label=f"[{a}, {b}, {c}]")
            axes.plot(w[::20], (a * w[::20] + b) * w[::20] + c, "o", color=colour, markersize=4)
            axes.plot(w[-1], (a * w[-1] + b) * w[-1] + c, "*", color=colour, markersize=15)
        axes.set(xlabel="w", ylabel="cost J", ylim=(-90, 130), title="one graph, three feeds; ★ where each ends")
        axes.legend()

    return Outcome(numbers, bool(holds), draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
