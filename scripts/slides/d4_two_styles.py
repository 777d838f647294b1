"""D4: the same in TensorFlow 2. ``python scripts/slides/d4_two_styles.py``"""

from __future__ import annotations

import sys
import time
from functools import partial

import numpy as np
from frame import BLUE, GREEN, ORANGE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from legacy_tf1 import minimize, minimize_tf2

SLIDE = Slide(
    row="D4",
    title="The same in TensorFlow 2",
    claim="Written with GradientTape, the program gives the session program's w at every step.",
    criterion="For three sets of coefficients the largest difference is at most two float32 roundings of w.",
)
CASES: list[tuple[list[float], float]] = [([1, -10, 25], 0.01), ([1, -20, 25], 0.3), ([0.5, 3, 0], 1.9)]


def measure(settings: Settings) -> Outcome:
    """Run both programs on the same coefficients and compare w step by step."""
    steps = settings.pick(1001, 50)
    numbers, ways, roundings = [], [], 0.0
    for coefficients, rate in CASES:
        trajectories, took = [], []
        for program in (minimize, minimize_tf2):
            program.train(coefficients, rate, steps=1)  # loading TensorFlow is not a step
            start = time.perf_counter()
            trajectories.append(np.array(program.train(coefficients, rate, steps)))
            took.append(1e3 * (time.perf_counter() - start) / steps)
        session, tape = trajectories
        ways.append((coefficients, rate, session, tape))
        spacing = np.spacing(np.maximum(np.abs(session), 1e-30).astype("float32"))
        apart = float((np.abs(session - tape) / spacing).max())
        roundings = max(roundings, apart)
        label = ", ".join(f"{c:g}" for c in coefficients)
        numbers += [
            Number(f"[{label}], α = {rate}: largest difference, in roundings", apart, "≤ 2", "g"),
            Number(f"[{label}], α = {rate}: ms a step, session and tape", f"{took[0]:.2f}  {took[1]:.2f}"),
        ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (coefficients, rate, session, tape), colour in zip(ways, (BLUE, ORANGE, GREEN), strict=True):
            label = ", ".join(f"{c:g}" for c in coefficients)
            axes.plot(np.arange(1, len(session)), session[1:], color=colour, label=f"[{label}], α = {rate}: session")
            every = np.unique(np.geomspace(1, len(tape) - 1, 25).astype(int))
            axes.plot(every, tape[every], "o", color=colour, fillstyle="none", label="GradientTape")
        axes.set(xscale="log", xlabel="step", ylabel="w", title="lines: TensorFlow 1 session; circles: GradientTape")
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.15))

    return Outcome(numbers, roundings <= 2, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
