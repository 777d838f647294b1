"""The rule that turns numbers into a recommendation: keep, retrain, or search again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tfcourse.process.command import OK
from tfcourse.retesting.comparison import Interval, growth

KEEP, RETRAIN, SEARCH_AGAIN = "keep", "retrain", "search again"
STATUSES = {KEEP: OK, RETRAIN: 3, SEARCH_AGAIN: 4}
LEAST_MARGIN = 0.01
"""A hundredth of a nat of log-loss, or one label in a hundred: less is of no practical use anywhere."""
MARGIN_SHARE = 0.05
MOST_CHANCE = 0.05
MOSTLY = 0.5
"""Where more than this share of the rows are those that the run was made on, they say little of new ones."""
RULE = (
    "Search again if the winner's regret is above the margin and its 95 % interval above zero, and the search was not"
    " to blame for it: the regret against the same settings on the run's own data is smaller, the 95 % interval of the"
    " difference above zero; where those data cannot be tried, a search's own luck would leave as much in less than"
    f" {MOST_CHANCE:.0%} of cases. Else retrain if the old model's excess over a retrained one is above its margin and"
    " its interval above zero, or if there are classes that it does not know; else keep. A margin is"
    f" {MARGIN_SHARE:.0%} of the cost compared with, at least {LEAST_MARGIN:g}."
)


@dataclass(frozen=True)
class Recommendation:
    """What to do, and why.

    Args:
        action: ``keep``, ``retrain`` or ``search again``.
        reasons: in words, one sentence each.
        seen: share of the rows that stand in the data that the run was made on too.
    """

    action: str
    reasons: tuple[str, ...]
    seen: float = 0.0

    @property
    def status(self) -> int:
        """The command's exit status."""
        return STATUSES[self.action]

    def to_json(self) -> dict[str, Any]:
        """Return the recommendation JSON-ready."""
        return {**asdict(self), "reasons": list(self.reasons), "status": self.status, "rule": RULE}


def margin_of(cost: float) -> float:
    """Return the smallest difference to a cost that matters in practice.

    >>> margin_of(0.1), margin_of(1.0)
    (0.01, 0.05)
    """
    return max(LEAST_MARGIN, MARGIN_SHARE * cost)


def recommend(
    regret: Interval,
    regret_margin: float,
    chance: float,
    excess: Interval,
    excess_margin: float,
    new_classes: int = 0,
    own_regret: Interval | None = None,
    *,
    cut_short: bool = False,
    seen: float = 0.0,
) -> Recommendation:
    """Return the recommendation of :data:`RULE`.

    Args:
        regret: the winner's.
        regret_margin: the least that matters.
        chance: how probable such a regret is by the search's own luck.
        excess: the old model's.
        excess_margin: the least that matters.
        new_classes: number of classes that the old model does not know.
        own_regret: the winner's against the same settings on the run's own data, None where that is not known.
        cut_short: whether it is not known because the user interrupted the training on these data.
        seen: share of the rows that stand in the run's own data too.

    >>> recommend(Interval(0.0, -0.02, 0.02), 0.01, 0.6, Interval(0.5, 0.3, 0.7), 0.01).action
    'retrain'
    """
    better, stale_weights = is_large(regret, regret_margin), is_large(excess, excess_margin)
    lucky = chance >= MOST_CHANCE if own_regret is None else growth(regret, own_regret).low <= 0
    stale_hyperparameters = better and not lucky
    reasons = []
    if seen > MOSTLY:
        reasons.append(
            f"{seen:.0%} of these rows are rows that the run was made on, on which its model was trained: they cannot"
            " tell whether it is right on new ones. Give rows that came after the run."
        )
    if better:
        reasons.append(
            f"Other hyperparameters do better now, by {_range(regret)}: above the margin {regret_margin:.3g}."
        )
        reasons.append(_whose_fault(regret, own_regret, chance, lucky, cut_short))
    else:
        reasons.append(
            f"No other hyperparameters are found to be better now: the difference is {_range(regret)}, the margin"
            f" {regret_margin:.3g}."
        )
    if stale_weights:
        reasons.append(
            f"The old model does worse than one retrained with its hyperparameters, by {_range(excess)}: above the"
            f" margin {excess_margin:.3g}."
        )
    else:
        reasons.append(
            f"The old model is not found to be worse than a retrained one: the difference is {_range(excess)}, the"
            f" margin {excess_margin:.3g}."
        )
    if new_classes:
        reasons.append(f"The old model cannot predict {new_classes} class{'es' * (new_classes > 1)} of the new data.")
    if stale_hyperparameters:
        return Recommendation(SEARCH_AGAIN, tuple(reasons), seen)
    return Recommendation(RETRAIN if stale_weights or new_classes else KEEP, tuple(reasons), seen)


def _whose_fault(regret: Interval, own_regret: Interval | None, chance: float, lucky: bool, cut_short: bool) -> str:
    """Say whether the data have changed or the search was too short."""
    longer = "a longer search (train --resume RUN --trials N) should find better ones"
    if own_regret is None:
        untried = "Whether the search was to blame could not be tried on the run's own data"
        if cut_short:
            untried = "Trying on the run's own data whether the search was to blame was interrupted"
        if lucky:
            return f"{untried}; it may be its luck (probability {chance:.2g}), and {longer}."
        return f"{untried}; it is too much to be its luck (probability {chance:.2g})."
    there = f"On the run's own data they do better by {_range(own_regret)}"
    if lucky:
        return f"{there}: not so much less that the data must have changed. The search was short; {longer}."
    return f"{there}: less than now, by {_range(growth(regret, own_regret))}. So it is the data that have changed."


def is_large(difference: Interval, margin: float) -> bool:
    """Say whether a difference is both beyond doubt and of practical use."""
    return difference.low > 0 and difference.mean > margin


def _range(interval: Interval) -> str:
    return f"{interval.mean:+.4f} ({interval.low:+.4f} to {interval.high:+.4f})"
