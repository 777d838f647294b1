"""A8: babysit one model. ``python scripts/slides/a8_babysit.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, GREY, ORANGE, RED, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure

from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

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
Day = tuple[float, float, bool]


def train(alpha: float, days: int, units: int, seed: int, *, watched: bool) -> list[Day]:
    """Train a day, one epoch, at a time; return the journal: α, validation loss at night, whether it was taken back."""
    data = digits()
    valid = data.x_test, data.y_test
    keras.utils.set_random_seed(seed)
    model = build_mlp(NetworkSpec(64, 10, (units, units)), OptimizerSpec("sgd", alpha, momentum=0.9), seed=seed)
    model.optimizer.build(model.trainable_variables)
    lowest = float(model.evaluate(*valid, verbose=0)[0])  # the first evening is judged as well
    yesterday = (model.get_weights(), [v.numpy() for v in model.optimizer.variables])
    journal: list[Day] = []
    for _ in range(days):
        model.optimizer.learning_rate = alpha
        loss = model.fit(data.x, data.y, batch_size=64, verbose=0, validation_data=valid).history["val_loss"][0]
        wrong = watched and not loss <= 1.1 * lowest  # not a number is wrong as well
        journal.append((alpha, loss, wrong))
        if not watched:
            continue
        if wrong:
            weights, state = yesterday
            model.set_weights(weights)
            for variable, value in zip(model.optimizer.variables, state, strict=True):
                variable.assign(value)
            alpha /= 3
        else:
            yesterday, lowest = (model.get_weights(), [v.numpy() for v in model.optimizer.variables]), loss
            alpha *= 1.5
    return journal


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
