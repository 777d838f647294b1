"""A8: babysit one model. ``python scripts/slides/a8_babysit.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, GREY, ORANGE, RED, Number, Outcome, Settings, Slide
from matplotlib.figure import Figure
from watching import train

SLIDE = Slide(
    row="A8",
    title="Panda: babysit one model",
    claim="With one model to train, watch its curve day by day, nudge α up or down, and go back to yesterday's "
    "model when it goes wrong.",
    criterion="From a start α far too small and one far too large, the watched model's best validation loss is under "
    "half of the one left alone for as many days; at least one day is taken back.",
    size=(9.0, 4.6),
)
NOTE = "The rule: α × 1.5 after a good day; after a day that ends over 10 % worse, yesterday's model and α / 3."


def measure(settings: Settings) -> Outcome:
    """Watch a model, and leave one alone, from two bad learning rates."""
    days, units = settings.pick((25, 64), (3, 8))
    numbers, runs, holds, back = [], {}, True, 0
    for name, alpha in (("too small", 1e-5), ("too large", 10.0)):
        runs[name] = [train(alpha, days, units, settings.seed, watched=watched) for watched in (True, False)]
        watched, alone = ([loss for _, loss, _ in journal] for journal in runs[name])
        taken_back = sum(wrong for *_, wrong in runs[name][0])
        back += taken_back
        holds = holds and bool(np.nanmin(watched) < np.nanmin(alone) / 2)
        numbers += [
            Number(
                f"α {name}, {alpha:g}: best loss, watched and alone",
                f"{np.nanmin(watched):.3f}  {np.nanmin(alone):.3f}",
            ),
            Number(
                f"α {name}: where α came to; days taken back", f"{runs[name][0][-1][0]:.3g}; {taken_back} of {days}"
            ),
        ]

    def draw(figure: Figure) -> None:
        for column, (name, (watched, alone)) in zip(figure.subplots(2, 2, sharex=True).T, runs.items(), strict=True):
            alpha, loss, wrong = (np.array(values) for values in zip(*watched, strict=True))
            day = np.arange(1, len(loss) + 1)
            column[0].plot(day, [loss for _, loss, _ in alone], color=ORANGE, label="left alone")
            column[0].plot(day[~wrong], loss[~wrong], "o-", color=BLUE, markersize=4, label="watched")
            column[0].plot(day[wrong], loss[wrong], "x", color=RED, markersize=7, label="taken back")
            column[0].set(yscale="log", title=f"started with α {name}", ylabel="validation loss")
            column[0].legend()
            column[1].plot(day, alpha, "o-", color=BLUE, markersize=4)
            column[1].plot(day[wrong], alpha[wrong], "x", color=RED, markersize=7)
            column[1].axhline(alpha[0], color=GREY, linewidth=1, linestyle="--")
            column[1].set(yscale="log", xlabel="day", ylabel="learning rate α")

    return Outcome(numbers, holds and back > 0, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
