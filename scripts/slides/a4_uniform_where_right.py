"""A4: integers that are drawn uniformly. ``python scripts/slides/a4_uniform_where_right.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure
from scipy import stats

from tfcourse.space import Parameter

SLIDE = Slide(
    row="A4",
    title="Uniform sampling where it is right",
    claim="Hidden units 50…100 and layers 2…4 can be drawn uniformly: every value is as likely as any other, the "
    "ends too.",
    criterion="All values and no others are drawn, and a χ² test does not tell their counts from equal ones (p > "
    "0.001).",
)
UNITS = Parameter("units", "integer", 50, 100)
LAYERS = Parameter("layers", "integer", 2, 4)


def measure(settings: Settings) -> Outcome:
    """Draw both hyperparameters through the package's integer scale and test their counts."""
    draws = settings.pick(50_000, 5_000)
    rng = np.random.default_rng(settings.seed)
    numbers, counts, holds = [], {}, True
    for parameter in (UNITS, LAYERS):
        drawn = [int(parameter.from_unit(p)) for p in rng.random(draws)]
        values, counts[parameter.name] = np.unique(drawn, return_counts=True)
        p = float(stats.chisquare(counts[parameter.name]).pvalue)
        complete = values.tolist() == list(range(int(parameter.low), int(parameter.high) + 1))
        holds = holds and complete and p > 0.001
        numbers += [
            Number(
                f"{parameter.name}: values drawn", f"{values.min()}…{values.max()}", f"{parameter.low}…{parameter.high}"
            ),
            Number(f"{parameter.name}: rarest value's share", counts[parameter.name].min() / draws, f"1/{len(values)}"),
            Number(
                f"{parameter.name}: commonest value's share", counts[parameter.name].max() / draws, f"1/{len(values)}"
            ),
            Number(f"{parameter.name}: p of the χ² test", p, "> 0.001"),
        ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=[3, 1])
        for axes, parameter, colour in ((left, UNITS, BLUE), (right, LAYERS, ORANGE)):
            share = counts[parameter.name] / draws
            axes.bar(range(int(parameter.low), int(parameter.low) + len(share)), share, color=colour, width=0.8)
            axes.axhline(1 / len(share), linestyle="--", color="0.5", linewidth=1.2)
            axes.set(title=f"{parameter.name}, {draws:,} draws", xlabel=parameter.name, ylabel="share of the draws")
        right.set_xticks([2, 3, 4])

    return Outcome(numbers, holds, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
