"""A6: the scale of β. ``python scripts/slides/a6_moving_average_scale.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, GREEN, ORANGE, Number, Outcome, Settings, Slide
from keras_tuner.engine.hyperparameters import Float
from matplotlib.figure import Figure

from tfcourse.equations import scales
from tfcourse.equations.moving_average import window

SLIDE = Slide(
    row="A6",
    title="Scale for exponentially weighted averages",
    claim="β averages over 1/(1−β) values: 0.9000→0.9005 changes that by 0.05 of 10, 0.9990→0.9995 doubles 1000 to "
    "2000. So draw 1−β = 10^r, r uniform in [−3, −1].",
    criterion="The windows are the slide's to 0.1 %; 1−β on its log scale puts half the draws above 0.99 (within five "
    "standard errors); the linear scale and KerasTuner's reverse_log each put less than 15 % there.",
    size=(9.0, 6.2),
)
LOW, HIGH = 0.9, 0.999
SLIDES_WINDOWS = {0.9: 10.0, 0.9005: 10.05, 0.999: 1000.0, 0.9995: 2000.0}


def measure(settings: Settings) -> Outcome:
    """Draw β on three scales; compare their shares above 0.99 and the windows they give."""
    draws = settings.pick(20_000, 3_000)
    p = np.random.default_rng(settings.seed).random(draws)
    reverse_log = Float("beta", LOW, HIGH, sampling="reverse_log")
    drawn = {
        "log of 1−β (the course)": scales.one_minus_log_from_unit(p, LOW, HIGH),
        "linear": scales.linear_from_unit(p, LOW, HIGH),
        "KerasTuner's reverse_log": np.array([reverse_log.prob_to_value(value) for value in p]),
    }
    above = {name: float(np.mean(beta > 0.99)) for name, beta in drawn.items()}
    course, linear, reverse = above.values()
    windows_right = all(abs(float(window(b)) / w - 1) < 0.001 for b, w in SLIDES_WINDOWS.items())
    holds = windows_right and abs(course - 0.5) < 5 * 0.5 / np.sqrt(draws) and max(linear, reverse) < 0.15
    claimed = dict(zip(drawn, ("50 %", "9.1 %", "near the linear one"), strict=True))
    numbers = [Number(f"window of β = {b:.4f}", float(window(b)), f"{w:g}", ".6g") for b, w in SLIDES_WINDOWS.items()]
    numbers += [Number(f"{name}: share above 0.99", above[name], claimed[name], ".1%") for name in drawn]
    numbers += [Number(f"{name}: median of β", float(np.median(beta)), "", ".4f") for name, beta in drawn.items()]

    def draw(figure: Figure) -> None:
        axes = figure.subplots(2, 3)
        for column, (name, beta), colour in zip(axes.T, drawn.items(), (BLUE, ORANGE, GREEN), strict=True):
            column[0].hist(beta, np.linspace(LOW, HIGH, 40), weights=np.full(draws, 1 / draws), color=colour)
            column[0].set(title=name, xlabel="β", ylim=(0, 0.3))
            column[1].hist(window(beta), np.geomspace(10, 1000, 25), weights=np.full(draws, 1 / draws), color=colour)
            column[1].set(xscale="log", xlabel="window 1/(1−β)", ylim=(0, 0.22))
        for row in axes:
            row[0].set_ylabel("share of the draws")

    return Outcome(numbers, bool(holds), draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
