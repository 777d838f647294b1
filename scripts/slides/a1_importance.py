"""A1: what to tune first. ``python scripts/slides/a1_importance.py``"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from frame import BLUE, GREEN, GREY, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure
from probing import final_losses
from scipy import stats
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from tfcourse.models.spec import NetworkSpec, OptimizerSpec, optimizer_from_values
from tfcourse.space import Parameter, SearchSpace

SLIDE = Slide(
    row="A1",
    title="What to tune first",
    claim="First the learning rate α; then momentum β, hidden units, minibatch size; then layers and learning-rate "
    "decay; Adam's β1, β2, ε almost never.",
    criterion="α is first under both optimizers, and of the pairs from different steps of the course's order at least "
    "three quarters are measured in that order.",
    size=(9.0, 4.2),
)
COMMON = (
    Parameter("learning_rate", "log", 1e-4, 1.0),
    Parameter("units", "integer", 50, 100),
    Parameter("batch_size", "choice", values=(32, 128)),
    Parameter("layers", "integer", 2, 4),
    Parameter("learning_rate_decay", "log", 1e-3, 1.0),
)
ADAM = (
    Parameter("beta_1", "one_minus_log", 0.9, 0.999),
    Parameter("beta_2", "one_minus_log", 0.9, 0.9999),
    Parameter("epsilon", "log", 1e-10, 1e-6),
)
MOMENTUM = (Parameter("momentum", "one_minus_log", 0.9, 0.999),)
SPACES = {"sgd": SearchSpace(COMMON + MOMENTUM), "adam": SearchSpace(COMMON + ADAM)}
STEP = {"learning_rate": 1, "momentum": 2, "units": 2, "batch_size": 2, "layers": 3, "learning_rate_decay": 3}
STEP |= {"beta_1": 4, "beta_2": 4, "epsilon": 4}


def trial(values: dict[str, Any], name: str, rows: int, seed: int) -> tuple[NetworkSpec, OptimizerSpec, int]:
    """Return the network and the optimizer of a point of a space."""
    optimizer = optimizer_from_values({"optimizer": name} | values, steps_per_epoch=-(-rows // values["batch_size"]))
    return NetworkSpec(64, 10, (values["units"],) * values["layers"]), optimizer, seed


def measure(settings: Settings) -> Outcome:
    """Train at random points of both spaces; ask a random forest how much it needs each hyperparameter."""
    data, rng = digits(), np.random.default_rng(settings.seed)
    trials, epochs = settings.pick((200, 8), (4, 1))
    numbers, importance, agree, pairs, first = [], {}, 0, 0, True
    for name, space in SPACES.items():
        p = rng.random((trials, len(space.names)))
        points = [space.values_at(dict(zip(space.names, row, strict=True))) for row in p]
        members = [trial(values, name, len(data.x), seed) for seed, values in enumerate(points)]
        batch_sizes = [settings.pick(int(values["batch_size"]), 128) for values in points]
        losses = final_losses(members, data, epochs, batch_sizes, jit_compile=not settings.quick)
        y = stats.rankdata(losses)  # ranks, so that a diverged trial counts as the worst and not as infinitely bad
        trees, shuffles = settings.pick((300, 20), (30, 2))
        forest = RandomForestRegressor(trees, min_samples_leaf=2, random_state=settings.seed).fit(p[::2], y[::2])
        result = permutation_importance(forest, p[1::2], y[1::2], n_repeats=shuffles, random_state=settings.seed)
        importance[name] = dict(zip(space.names, result.importances_mean.tolist(), strict=True))
        fits = float(forest.score(p[1::2], y[1::2]))
        numbers.append(Number(f"{name}: R² of the forest on unseen trials", fits, "", ".2f"))
        order = sorted(importance[name], key=importance[name].__getitem__, reverse=True)
        first = first and order[0] == "learning_rate"
        for rank, key in enumerate(order, start=1):
            found = f"{key}  {importance[name][key]:.3f}"
            numbers.append(Number(f"{name}: rank {rank}", found, f"course: step {STEP[key]}"))
        decided = [(a, b) for a in order for b in order if STEP[a] < STEP[b]]
        pairs += len(decided)
        agree += sum(order.index(a) < order.index(b) for a, b in decided)
    numbers.append(Number("pairs in the course's order", f"{agree} of {pairs}", "at least three quarters"))

    def draw(figure: Figure) -> None:
        colours = {1: BLUE, 2: ORANGE, 3: GREEN, 4: GREY}
        for axes, (name, values) in zip(figure.subplots(1, 2), importance.items(), strict=True):
            order = sorted(values, key=values.__getitem__)
            lengths = [max(values[key], 1e-3) for key in order]
            bars = axes.barh(order, lengths, color=[colours[STEP[key]] for key in order])
            axes.bar_label(bars, [f"step {STEP[key]}" for key in order], padding=3)
            axes.set(xscale="log", xlim=(1e-3, 9), title=f"tuning with {name}")
            axes.set_xlabel("loss of R² when shuffled")

    return Outcome(numbers, first and agree >= 0.75 * pairs, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
