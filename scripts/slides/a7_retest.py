"""A7: re-test hyperparameters occasionally. ``python scripts/slides/a7_retest.py``"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from frame import BLUE, GREY, ORANGE, Number, Outcome, Settings, Slide
from material import Split
from matplotlib.figure import Figure
from probing import final_losses
from sklearn import datasets

from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.retesting import comparison
from tfcourse.retesting.folds import deal
from tfcourse.retesting.recommendation import SEARCH_AGAIN, margin_of, recommend
from tfcourse.space import Parameter, SearchSpace

SLIDE = Slide(
    row="A7",
    title="Re-test hyperparameters occasionally",
    claim="Intuitions go stale: as data change, and from domain to domain, the setting that won need not win again.",
    criterion="For at least one of four changes the rule of tfcourse.retest says to search again: the earlier winner's "
    "regret is above its margin, its 95 % interval above 0, and luck explains it in under 5 %.",
)
NOTE = (
    "The digits stand in the order of their collection, writer after writer: 900 earlier, 897 later. Regret is what "
    "the earlier winner costs more than the best setting now, which is chosen on other rows than it is compared on."
)
SPACE = SearchSpace(
    (
        Parameter("learning_rate", "log", 1e-3, 1.0),
        Parameter("momentum", "one_minus_log", 0.9, 0.999),
        Parameter("units", "integer", 10, 100),
        Parameter("dropout", "linear", 0.0, 0.5),
        Parameter("l2", "log", 1e-6, 1e-1),
    )
)


def costs(points: list[dict[str, Any]], x: np.ndarray, y: np.ndarray, settings: Settings) -> np.ndarray:
    """Train every setting once a repeat, each validated on rows of its own; return the losses (settings, repeats)."""
    classes, columns, (repeats, epochs) = len(np.unique(y)), [], settings.pick((5, 20), (2, 1))
    for seed, (train, valid, _) in enumerate(deal(np.arange(len(y)), y, repeats, seed=0)):
        shared, members = None if x.shape[1] == 64 else 0, []  # pixels share one μ and σ
        now = ((x - x[train].mean(shared)) / x[train].std(shared)).astype("float32")
        for v in points:
            network = NetworkSpec(x.shape[1], classes, (v["units"],) * 2, dropout=v["dropout"], l2=v["l2"])
            members.append((network, OptimizerSpec("sgd", v["learning_rate"], momentum=v["momentum"]), seed))
        rows = Split(now[train], y[train], now[valid], y[valid])
        columns.append(final_losses(members, rows, epochs, jit_compile=not settings.quick))
    return np.minimum(np.stack(columns, axis=1), np.log(classes))  # at worst a network is no better than guessing


def measure(settings: Settings) -> Outcome:
    """Find a winner on the earlier digits; retest it on later ones, on noisy ones and on tumours."""
    rng, numbers, now, actions = np.random.default_rng(settings.seed), [], {}, {}
    count, names = settings.pick(32, 4), SPACE.names
    points = [SPACE.values_at(dict(zip(names, p, strict=True))) for p in rng.random((count, len(names)))]
    x, y = datasets.load_digits(return_X_y=True)
    before = costs(points, x[:900], y[:900], settings).mean(axis=1)
    points, before = [points[i] for i in before.argsort()], np.sort(before)  # the earlier winner first
    x, y = x[900:], y[900:]
    labels = np.where(rng.random(len(y)) < 1 / 3, rng.permutation(y), y)
    places = {"later digits": (x, y), "noisy scanner": (x + rng.normal(0.0, 6.0, x.shape), y)}  # σ = 6 of 16 greys
    places |= {"careless labels": (x, labels), "tumours": datasets.load_breast_cancer(return_X_y=True)}
    for name, place in places.items():
        now[name] = cost = costs(points, *place, settings)
        regret, (rank, low, high) = comparison.cross_fitted_regret(cost, 1 / 3), comparison.rank_of_winner(cost)
        luck = comparison.chance_of_regret(cost, regret.interval.mean, fresh=0, trials=count)
        margin, correlation = margin_of(regret.best_cost), comparison.rank_correlation(before.tolist(), cost)
        actions[name] = recommend(regret.interval, margin, luck, comparison.Interval(0, 0, 0), 0).action  # no old model
        found, alike = regret.interval, correlation.spearman.mean if correlation else np.nan
        numbers += [
            Number(f"{name}: rank of the earlier winner, 95 %", f"{rank} ({low} to {high})", f"of {count}"),
            Number(f"{name}: its regret", f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})", f"> {margin:.3f}"),
            Number(f"{name}: probability of as much by luck", luck, "< 5 %", ".1%"),
            Number(f"{name}: rank correlation with before; the rule says", f"{alike:.2f}; {actions[name]}"),
        ]

    def draw(figure: Figure) -> None:
        for axes, (name, cost) in zip(figure.subplots(1, 4, sharey=True), now.items(), strict=True):
            rank_now = cost.mean(axis=1).argsort().argsort() + 1
            axes.axline((1, 1), slope=1, color=GREY, linewidth=1, zorder=0)
            axes.plot(range(2, count + 1), rank_now[1:], "o", color=BLUE, markersize=5)
            axes.plot(1, rank_now[0], "*", color=ORANGE, markersize=15)
            axes.set(xlabel="rank before", title=name)
        figure.axes[0].set_ylabel("rank now; ★ is the earlier winner")

    return Outcome(numbers, SEARCH_AGAIN in actions.values(), draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
