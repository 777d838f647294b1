"""A7: re-test hyperparameters occasionally. ``python scripts/slides/a7_retest.py``"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from frame import BLUE, GREY, ORANGE, Number, Outcome, Settings, Slide
from material import Split, breast_cancer
from matplotlib.figure import Figure
from probing import final_losses
from scipy import stats
from sklearn.datasets import load_digits

from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.space import Parameter, SearchSpace

SLIDE = Slide(
    row="A7",
    title="Re-test hyperparameters occasionally",
    claim="Intuitions go stale: as the data change, and from one domain to another, the setting that won need not "
    "win again.",
    criterion="On the later digits the setting that won on the earlier ones loses to another by more than two standard "
    "errors over new weights that had no part in finding either.",
)
NOTE = "The digits stand in the order of their collection, writer after writer; the tumours are another domain."
SPACE = SearchSpace(
    (
        Parameter("learning_rate", "log", 1e-3, 1.0),
        Parameter("momentum", "one_minus_log", 0.9, 0.999),
        Parameter("units", "integer", 10, 100),
        Parameter("dropout", "linear", 0.0, 0.5),
        Parameter("l2", "log", 1e-6, 1e-1),
    )
)


def digits_of_time(start: int, stop: int) -> Split:
    """Return rows ``start`` to ``stop`` of the digits as collected, the last quarter to validate on."""
    images = load_digits()
    cut = start + (stop - start) * 3 // 4
    x = (images.data / 16.0).astype("float32")
    return Split(x[start:cut], images.target[start:cut], x[cut:stop], images.target[cut:stop])


def member(values: dict[str, Any], data: Split, seed: int) -> tuple[NetworkSpec, OptimizerSpec, int]:
    """Return the network and optimizer of a setting for ``data``."""
    classes, inputs = int(data.y.max()) + 1, data.x.shape[1]
    network = NetworkSpec(inputs, classes, (values["units"],) * 2, dropout=values["dropout"], l2=values["l2"])
    return network, OptimizerSpec("sgd", values["learning_rate"], momentum=values["momentum"]), seed


def measure(settings: Settings) -> Outcome:
    """Rank the same settings on earlier digits, later digits and tumours; give each several initial weights."""
    rng = np.random.default_rng(settings.seed)
    count, seeds, epochs = settings.pick((32, 10, 10), (3, 4, 1))
    points = [SPACE.values_at(dict(zip(SPACE.names, p, strict=True))) for p in rng.random((count, len(SPACE.names)))]
    places = {"earlier digits": digits_of_time(0, 900), "later digits": digits_of_time(900, 1797)}
    places["tumours"] = breast_cancer()
    losses = {}
    for name, data in places.items():
        members = [member(values, data, seed) for values in points for seed in range(seeds)]
        losses[name] = final_losses(members, data, epochs, jit_compile=not settings.quick).reshape(count, seeds)
    choose, judge = slice(0, seeds // 2), slice(seeds // 2, seeds)  # one half of the weights finds, the other measures
    ranked = {name: np.median(loss[:, choose], axis=1) for name, loss in losses.items()}
    winner = int(ranked["earlier digits"].argmin())
    numbers, costs = [], {}
    for name, loss in losses.items():
        best = int(ranked[name].argmin())
        cost = loss[winner, judge] - loss[best, judge]
        costs[name] = float(cost.mean()), float(cost.std(ddof=1) / np.sqrt(len(cost)))
        rank = int((ranked[name] < ranked[name][winner]).sum()) + 1
        correlation = float(stats.spearmanr(ranked["earlier digits"], ranked[name]).statistic)
        numbers += [
            Number(f"{name}: rank of the earlier winner, of {count}", rank, "", "d"),
            Number(f"{name}: what it costs against the best here", f"{costs[name][0]:.3f} ± {costs[name][1]:.3f}"),
            Number(f"{name}: rank correlation with the earlier digits", correlation, "", ".2f"),
        ]
    cost, error = costs["later digits"]

    def draw(figure: Figure) -> None:
        order = ranked["earlier digits"].argsort()
        for axes, name in zip(figure.subplots(1, 2, sharey=True), ("later digits", "tumours"), strict=True):
            place = stats.rankdata(ranked[name])[order]
            axes.plot([1, count], [1, count], color=GREY, linewidth=1, zorder=0)
            axes.plot(range(1, count + 1), place, "o", color=BLUE)
            axes.plot(1, place[0], "*", color=ORANGE, markersize=15, label="the earlier winner")
            axes.set(xlabel="rank on the earlier digits", ylabel="rank now", title=f"{count} settings on: {name}")
            axes.legend(loc="upper left")

    return Outcome(numbers, cost > 2 * error and cost > 0, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
