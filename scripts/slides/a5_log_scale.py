"""A5: the log scale of the learning rate. ``python scripts/slides/a5_log_scale.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure

from tfcourse.equations import scales

SLIDE = Slide(
    row="A5",
    title="Log scale for the learning rate",
    claim="Of learning rates drawn uniformly in 1e-4…1, 90 % fall in 0.1…1; drawn as 10^r, r uniform, 25 % fall in "
    "each decade.",
    criterion="Each decade's share is within five standard errors of the share claimed for it, on both scales.",
)
LOW, HIGH = 1e-4, 1.0
DECADES = np.array([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
NAMES = ["0.0001…0.001", "0.001…0.01", "0.01…0.1", "0.1…1"]
CLAIMED = {"uniform": np.diff(DECADES) / (HIGH - LOW), "log": np.full(4, 0.25)}


def measure(settings: Settings) -> Outcome:
    """Count each scale's draws by decade."""
    draws = settings.pick(100_000, 5_000)
    p = np.random.default_rng(settings.seed).random(draws)
    drawn = {"uniform": scales.linear_from_unit(p, LOW, HIGH), "log": scales.log_from_unit(p, LOW, HIGH)}
    shares = {name: np.histogram(values, DECADES)[0] / draws for name, values in drawn.items()}
    errors = {name: 5 * np.sqrt(share * (1 - share) / draws) for name, share in CLAIMED.items()}
    holds = all((abs(shares[name] - CLAIMED[name]) <= errors[name]).all() for name in shares)
    numbers = [
        Number(f"{name}: share in {decade}", shares[name][i], f"claimed {CLAIMED[name][i]:.1%}", ".2%")
        for name in shares
        for i, decade in enumerate(NAMES)
    ]

    def draw(figure: Figure) -> None:
        for axes, name, colour in zip(figure.subplots(1, 2, sharey=True), shares, (ORANGE, BLUE), strict=True):
            bars = axes.bar(NAMES, shares[name], color=colour, width=0.7)
            axes.bar_label(bars, [f"{share:.1%}" for share in shares[name]], padding=2)
            axes.set(title=f"drawn on the {name} scale", xlabel="learning rate α", ylim=(0, 1))
        figure.axes[0].set_ylabel("share of the draws")

    return Outcome(numbers, bool(holds), draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
