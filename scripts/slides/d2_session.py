"""D2: the motivating problem in a TensorFlow 1 session. ``python scripts/slides/d2_session.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, GREY, ORANGE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from legacy_tf1 import minimize

SLIDE = Slide(
    row="D2",
    title="Motivating problem",
    claim="Gradient descent at 0.01 on J(w) = w² − 10w + 25, in a session: w = 0, 0.1 after one step, 4.9999886 "
    "after 1000 more.",
    criterion="The session's w is within 1e-6 of these three numbers, and at every step within 2e-5 of 5 (1 − 0.98^t).",
)


def measure(settings: Settings) -> Outcome:
    """Run the course's program and compare w at every step with the closed form."""
    w = np.array(minimize.train([1, -10, 25], learning_rate=0.01, steps=1001))
    exact = 5 * (1 - 0.98 ** np.arange(len(w)))
    apart = float(np.abs(w - exact).max())
    claimed = {0: 0.0, 1: 0.1, 1001: 4.9999886}
    names = {0: "before training", 1: "after one step", 1001: "after 1000 more"}
    numbers = [
        Number(f"w {names[t]}", float(w[t]), f"[{claimed[t]:g}]" if t < 2 else "[4.9999886]", ".8g") for t in claimed
    ]
    numbers.append(Number("largest difference from 5 (1 − 0.98^t)", apart, "≤ 2e-5", ".1e"))
    holds = all(abs(w[t] - value) <= 1e-6 for t, value in claimed.items()) and apart <= 2e-5

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        grid = np.linspace(-0.5, 10.5, 300)
        left.plot(grid, (grid - 5) ** 2, color=GREY, label="J(w) = w² − 10w + 25")
        left.plot(w[::20], (w[::20] - 5) ** 2, "o", color=BLUE, markersize=5, label="every 20th step")
        left.set(xlabel="w", ylabel="cost J", title="down the cost")
        left.legend()
        right.plot(np.maximum(5 - w, 1e-6), color=BLUE, label="5 − w in the session (float32)")
        right.plot(np.maximum(5 - exact, 1e-6), "--", color=ORANGE, label="5 · 0.98^t")
        right.set(xlabel="step", yscale="log", ylim=(1e-6, 10), title="distance to the minimum")
        right.legend()

    note = f"The last gap, {5 - w[-1]:.1e}, is float32's: there a step is too short to change w."
    return Outcome(numbers, holds, draw, note)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
