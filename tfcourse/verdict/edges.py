r"""Do the leading trials crowd a border of the space? Then better settings may lie beyond it.

The rule, for each hyperparameter with a range and each of its two ends: among the trials that have it, the leaders
(the best quarter of all trials) in the outer fifth of its scale are counted. If leading had nothing to do with the
hyperparameter, the leaders of each round would be a random choice from that round's trials and the count a sum of
hypergeometric variables, one a round. That also holds where a later round searched only a part of the space; settings
that were given, and are alike in more than one way, count as a round of their own. An end is crowded when at least half
of the leaders are there and such a count or a higher one has a probability of at most 5 % divided by the number of ends
that are looked at (Bonferroni), so that at most one search in twenty raises a false alarm of any kind. Where halving
ended some trials early, those lead that did best in the epochs that all trials had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.known import known
from tfcourse.verdict.sentence import Finding, Sentence
from tfcourse.verdict.setting import comparable_costs, ended, epochs_said, free, position
from tfcourse.words import listed

BAND, LEADING, CROWDED, ALARM = 0.2, 0.25, 0.5, 0.05
LEAST_TRIALS, LEAST_LEADERS = 20, 5
MARGIN = 1e-9


def judge_edges(trials: Sequence[TrialRecord], space: SearchSpace, objective: str) -> Finding:
    """Say at which ends of which hyperparameters the leading trials crowd.

    Args:
        trials: all trials.
        space: what is searched.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    everyone = ended(trials)
    costs, until = comparable_costs(everyone, objective)
    ranked = sorted(costs, key=lambda number: (costs[number], number))
    best = set(ranked[: max(LEAST_LEADERS, round(LEADING * len(everyone)))])
    scores = set(costs.values())
    looked_at: dict[str, dict[str, Any]] = {}
    for parameter in free(space):
        if parameter.scale == "choice" or (parameter.scale == "integer" and parameter.high - parameter.low < 2):
            continue  # With two numbers each is at an end.
        looked_at[parameter.name] = _look(parameter, everyone, best, judged=len(scores) > 1)
    ends = 2 * sum(found["judged"] for found in looked_at.values())
    numbers = {
        "rule": {"outer_part": BAND, "leading_part": LEADING, "false_alarms": ALARM, "least_trials": LEAST_TRIALS},
        "epochs": until,
        "hyperparameters": looked_at,
    }
    sentences, quiet = [], []
    for name, found in looked_at.items():
        if not found["judged"]:
            continue
        for end in ("low", "high"):
            if found[end] >= CROWDED and found[f"p_{end}"] <= ALARM / ends:
                found["crowded"] = end
                sentences.append(_sentence(space[name], end, found, until))
        if found["crowded"] is None:
            quiet.append(name)
    if len(scores) < 2 and len(everyone) >= LEAST_TRIALS:  # nothing leads
        return Finding([], numbers)
    if not ends:
        text = f"Too few trials to tell whether the leaders crowd a border of the space: {LEAST_TRIALS} are needed."
        return Finding([Sentence("edges", "note", text)] if looked_at else [], numbers)
    if not sentences:
        sentences = [
            Sentence(
                "edges", "good", f"The leaders{epochs_said(until)} crowd no border of the space ({listed(quiet)})."
            )
        ]
    return Finding(sentences, numbers)


def _look(parameter: Parameter, trials: Sequence[TrialRecord], best: set[int], *, judged: bool) -> dict[str, Any]:
    """Return the shares of the leaders, and of all trials, in the outer parts, and how probable so many are there."""
    placed = [(p, trial) for trial in trials if (p := position(parameter, trial)) is not None]
    leading = [p for p, trial in placed if trial.number in best]
    found: dict[str, Any] = {
        "trials": len(placed),
        "leaders": len(leading),
        "judged": judged and len(placed) >= LEAST_TRIALS and len(leading) >= LEAST_LEADERS,
        "crowded": None,
    }
    for end in ("low", "high"):
        rounds: dict[tuple[int, str], list[tuple[bool, bool]]] = {}
        for p, trial in placed:
            outer = (p if end == "low" else 1 - p) <= BAND + MARGIN
            rounds.setdefault((trial.round, trial.given), []).append((outer, trial.number in best))
        table = [(len(r), sum(o for o, _ in r), sum(b for _, b in r)) for r in rounds.values()]
        count = sum(outer and leads for r in rounds.values() for outer, leads in r)
        found[end] = count / len(leading) if leading else None
        found[f"all_{end}"] = sum(outer for _, outer, _ in table) / len(placed) if placed else None
        found[f"p_{end}"] = chance(table, count)
    return found


def chance(rounds: Sequence[tuple[int, int, int]], count: int) -> float:
    """Return the probability that at least ``count`` leaders lie in the outer part if leading is by chance.

    Args:
        rounds: for each round its trials, those in the outer part, and its leaders.
        count: leaders in the outer part, over all rounds.

    >>> round(chance([(4, 2, 2)], 2), 6)  # one of the 6 pairs that can lead
    0.166667
    """
    from scipy.stats import hypergeom

    distribution = np.ones(1)
    for size, outer, leading in rounds:
        each = hypergeom.pmf(np.arange(leading + 1), size, outer, leading)
        distribution = np.convolve(distribution, each)
    return float(min(1.0, distribution[count:].sum()))


def _sentence(parameter: Parameter, end: str, found: dict[str, Any], until: int | None) -> Sentence:
    bound, limits = (parameter.low if end == "low" else parameter.high), known(parameter.name)
    last = limits is not None and bound == (limits.low if end == "low" else limits.high)
    text = (
        f"{found[end]:.0%} of the leaders that have {parameter.name}{epochs_said(until)} lie in the outer fifth of its"
        f" scale at its {end} end, {bound:g}; of all trials {found[f'all_{end}']:.0%}."
    )
    if last:
        return Sentence("edges", "note", f"{text} It can go no further.")
    return Sentence("edges", "warning", f"{text} Better settings may lie beyond: widen the space there.")
