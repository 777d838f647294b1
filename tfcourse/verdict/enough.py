r"""Were there enough trials? The best of k trials against k, by the bootstrap.

The scores of n trials stand for the distribution they were drawn from. The best of k draws from it, with replacement,
is no worse than the i-th best with probability :math:`1 - ((n-i)/n)^k`; this is what infinitely many bootstrap
samples would give, so none is drawn. Its mean is the expected best after k trials (Dodge et al. 2019), its 2.5 % and
97.5 % quantiles the interval. A diverged trial counts as the worst completed one.

The best of more than n cannot be known from n; what the last doubling brought, from n/2 to n, is at most about what
the next one will bring, because the curve flattens. That was enough when it brought less than the spread of the seeds
(one standard deviation of the winner trained again), or, where that is not known, less than a twentieth of the way
from the middling trial to the best.

With rounds only the last that has eight trials is looked at, because its trials alone are draws from one
distribution, and settings that were given are left out. Where halving ended some of them early, all are compared by
their best until then, and the spread of the seeds, which is that of whole trainings, is no measure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.run.trials import TrialRecord
from tfcourse.space.objective import Objective
from tfcourse.verdict.sentence import Finding, Sentence
from tfcourse.verdict.setting import comparable_costs, ended, epochs_said, is_scored

LEAST_TRIALS = 8
SMALL = 0.05


def judge_enough(trials: Sequence[TrialRecord], objective: str, spread: float | None = None) -> Finding:
    """Say how the best score grew with the number of trials, and whether more would help.

    Args:
        trials: all trials.
        objective: ``val_loss`` or ``val_accuracy``.
        spread: standard deviation of the winner's score over fresh seeds.
    """
    everyone = [trial for trial in ended(trials) if not trial.given]
    drawn = " drawn" * any(trial.given for trial in trials)
    rounds = sorted({trial.round for trial in everyone}, reverse=True)
    of_round = {number: [trial for trial in everyone if trial.round == number] for number in rounds}
    looked_at = next((number for number in rounds if len(of_round[number]) >= LEAST_TRIALS), None)
    numbers: dict[str, Any] = {
        "round": looked_at, "k": [], "expected": [], "low": [], "high": [], "doubling": None, "spread": spread,
        "epochs": None,
    }  # fmt: skip
    scored = [trial for trial in of_round.get(looked_at, ()) if is_scored(trial)] if looked_at is not None else []
    if looked_at is None or not scored:
        if not ended(trials):
            return Finding([], numbers)
        text = f"Too few{drawn} trials to tell whether more would help: {LEAST_TRIALS} are needed in a round."
        return Finding([Sentence("enough", "note", text)], numbers)
    measure = Objective(objective)
    sign = measure.sign
    found, until = comparable_costs(of_round[looked_at], objective)
    costs = np.sort(list(found.values()))
    numbers["epochs"] = until
    if until is not None:
        spread = numbers["spread"] = None
    costs = np.append(costs, np.full(len(of_round[looked_at]) - len(costs), costs[-1]))
    counts = sorted({*(2**power for power in range(len(costs).bit_length()) if 2**power <= len(costs)), len(costs)})
    curve = [best_of(costs, k) for k in counts]
    numbers["k"] = counts
    for name, place in (("expected", 0), ("low", 1), ("high", 2)):
        numbers[name] = [sign * point[place] for point in curve]
    if sign < 0:
        numbers["low"], numbers["high"] = numbers["high"], numbers["low"]
    half = best_of(costs, max(1, len(costs) // 2))[0]
    doubling = numbers["doubling"] = half - curve[-1][0]
    of_which = f" of round {looked_at + 1}" if len(rounds) > 1 else ""
    of_which += epochs_said(until)
    return Finding([_sentence(doubling, costs, spread, f"{drawn} trials{of_which}", measure)], numbers)


def _sentence(doubling: float, costs: NDArray[Any], spread: float | None, trials: str, measure: Objective) -> Sentence:
    text = (
        f"The second half of the {len(costs)}{trials} made the expected best {measure.gap_said(doubling)}"
        " better; twice as many may bring about as much again at most"
    )
    if spread is not None:
        small = doubling <= spread
        against = f"the spread of the seeds is {measure.gap_said(spread)}"
    else:
        small = doubling <= SMALL * float(np.median(costs) - costs[0])
        against = f"the middling trial is {measure.gap_said(float(np.median(costs) - costs[0]))} behind the best"
    if small:
        return Sentence("enough", "good", f"{text}, which is little: {against}.")
    return Sentence("enough", "note", f"{text}, which is worth trying: {against}.")


def best_of(costs: NDArray[Any], k: int) -> tuple[float, float, float]:
    """Return the expected lowest of k draws with replacement from sorted costs, and its 2.5 % and 97.5 % quantiles.

    >>> best_of(np.array([0.0, 1.0]), 2)  # 0 unless both draws are 1
    (0.25, 0.0, 1.0)
    """
    n = len(costs)
    reached = 1 - ((n - np.arange(1, n + 1)) / n) ** k
    mean = float(costs @ np.diff(reached, prepend=0.0))
    low, high = (float(costs[np.searchsorted(reached, q)]) for q in (0.025, 0.975))
    return mean, low, high
