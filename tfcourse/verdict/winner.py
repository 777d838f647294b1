"""The winner's curse: the best of many validation scores is too good, so the leaders are trained again and compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfcourse.space.objective import Objective
from tfcourse.verdict.sentence import Finding, Level, Sentence
from tfcourse.words import ROUNDING, listed

CONFIDENCE = 0.95
LEAST_SCORES = 3
"""Finite scores that a candidate needs before it is compared."""


@dataclass(frozen=True)
class Candidate:
    """A setting that was trained again from fresh seeds.

    Args:
        name: in words, such as ``trial 2`` or ``softmax regression``.
        trial: its trial's number; None for the baseline.
        parameters: how many weights it has.
        scores: the objective of each retraining at its best epoch; None where it diverged.
    """

    name: str
    trial: int | None
    parameters: int
    scores: tuple[float | None, ...]

    @property
    def finite(self) -> list[float]:
        """The scores of the retrainings that did not diverge."""
        return [score for score in self.scores if score is not None and math.isfinite(score)]

    @property
    def mean(self) -> float | None:
        """Mean of the finite scores, None if there is none."""
        return float(np.mean(self.finite)) if self.finite else None

    @property
    def deviation(self) -> float | None:
        """Their standard deviation with n − 1, None for fewer than two."""
        return float(np.std(self.finite, ddof=1)) if len(self.finite) > 1 else None


def difference(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    r"""Return mean(b) − mean(a) with its 95 % interval, low and high.

    Welch's: :math:`t = (\bar b - \bar a) / \sqrt{s_a^2/n_a + s_b^2/n_b}` with his degrees of freedom (Welch 1947).

    >>> [round(bound, 3) for bound in difference([1.0, 2.0, 3.0], [5.0, 6.0, 7.0])]
    [4.0, 1.733, 6.267]
    """
    from scipy.stats import t

    gap = float(np.mean(b) - np.mean(a))
    parts = np.array([np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)])
    if parts.sum() == 0:
        return gap, gap, gap
    degrees = parts.sum() ** 2 / (parts**2 / np.array([len(a) - 1, len(b) - 1])).sum()
    margin = float(t.ppf((1 + CONFIDENCE) / 2, degrees) * math.sqrt(parts.sum()))
    return gap, gap - margin, gap + margin


def judge_winner(
    candidates: Sequence[Candidate], best_score: float, objective: str, baseline_share: float | None = None
) -> Finding:
    """Compare the search's best setting, retrained, with the runners-up and the baseline.

    The winner leads another candidate when the 95 % interval of the difference of their means (Welch) lies on its
    side of zero; when zero lies inside they tie. Of settings that tie with the winner the one with the fewest weights
    is to be preferred; where that is the baseline, and the saved model an average that could take it, its share there
    says what it is worth.

    Args:
        candidates: the winner first, then the others.
        best_score: the winner's score in the search.
        objective: ``val_loss`` or ``val_accuracy``.
        baseline_share: the baseline's weight in the saved model; None where that is no average which could take it.
    """
    winner, others = candidates[0], candidates[1:]
    numbers: dict[str, Any] = {
        "objective": objective,
        "search_best": best_score,
        "candidates": [
            {
                "name": candidate.name,
                "trial": candidate.trial,
                "parameters": candidate.parameters,
                "scores": list(candidate.scores),
                "diverged": len(candidate.scores) - len(candidate.finite),
                "mean": candidate.mean,
                "sd": candidate.deviation,
            }
            for candidate in candidates
        ],
        "comparisons": [],
        "prefer": winner.name,
        "search_best_too_good_by": None,
    }
    sentences = [
        Sentence("winner", "warning", f"{_capital(c.name)} diverged in {lost} of its {len(c.scores)} retrainings.")
        for c in candidates
        if (lost := len(c.scores) - len(c.finite))
    ]
    if len(winner.finite) < LEAST_SCORES or winner.mean is None or winner.deviation is None:
        return Finding(sentences, numbers)
    measure = Objective(objective)
    sign = measure.sign
    too_good = sign * (winner.mean - best_score)
    numbers["search_best_too_good_by"] = too_good
    sentences.insert(0, _again(winner, best_score, too_good, measure))

    leads: list[Candidate] = []
    ties: list[Candidate] = []
    trails: list[Candidate] = []
    for other in others:
        if len(other.finite) < LEAST_SCORES:
            continue
        gap, low, high = difference([sign * s for s in winner.finite], [sign * s for s in other.finite])
        outcome = "leads" if low > 0 else "trails" if high < 0 else "ties"
        {"leads": leads, "ties": ties, "trails": trails}[outcome].append(other)
        numbers["comparisons"].append(
            {"name": other.name, "trial": other.trial, "ahead_by": gap, "low": low, "high": high, "outcome": outcome}
        )
    outcomes: tuple[tuple[list[Candidate], Level, str], ...] = (
        (leads, "good", "leads {} beyond the spread of the seeds"),
        (trails, "warning", "falls behind {} beyond the spread of the seeds"),
    )
    for group, level, words in outcomes:
        if group:
            means = listed([f"{other.name} ({measure.said(other.mean or 0.0)})" for other in group])
            advice = _advice(group, baseline_share) if group is trails else ""
            sentences.append(_sentence(level, f"{_capital(winner.name)} {words.format(means)}.{advice}"))
    if ties:
        simplest = min([winner, *ties], key=lambda candidate: candidate.parameters)
        numbers["prefer"] = simplest.name
        sentences.append(_tie(winner, ties, simplest, measure, baseline_share))
    return Finding(sentences, numbers)


def _again(winner: Candidate, best_score: float, too_good: float, measure: Objective) -> Sentence:
    assert winner.mean is not None
    assert winner.deviation is not None
    text = (
        f"{_capital(winner.name)}, trained again from {len(winner.finite)} fresh seeds, has a"
        f" {measure.words} of {measure.said(winner.mean)} ±"
        f" {measure.gap_said(winner.deviation)}"
    )
    best = f"the search's best score of {measure.said(best_score)}"
    if too_good > ROUNDING:
        text += f"; {best} was {measure.gap_said(too_good)} better than that."
    else:
        text += f"; {best} was not too good."
    return _sentence("warning" if too_good > max(ROUNDING, 2 * winner.deviation) else "note", text)


def _advice(better: Sequence[Candidate], baseline_share: float | None) -> str:
    """Return what to do where softmax regression is better than the winner, with a blank before it."""
    simple = next((each.name for each in better if each.trial is None), None)
    if simple is None:
        return ""
    if baseline_share is not None:
        return f" The saved model takes of {simple} what helps out of fold: {baseline_share:.0%}."
    return (
        f" The search found no network that is worth its weights, and the saved one is worse than {simple}: give it"
        " more trials or epochs."
    )


def _tie(
    winner: Candidate, ties: Sequence[Candidate], simplest: Candidate, measure: Objective, baseline_share: float | None
) -> Sentence:
    names = listed([_capital(winner.name), *(f"{other.name} ({measure.said(other.mean or 0.0)})" for other in ties)])
    text = f"{names} tie: their differences are within the spread of the seeds."
    if simplest is winner:
        return _sentence("note", f"{text} {_capital(winner.name)} is also the simplest: {winner.parameters:,} weights.")
    if simplest.trial is None and baseline_share is not None:
        return _sentence(
            "note",
            f"{text} The simplest, {simplest.name}, has {simplest.parameters:,} weights, {winner.name} has"
            f" {winner.parameters:,}. The saved model takes of it what helps out of fold: {baseline_share:.0%}.",
        )
    return _sentence(
        "warning" if simplest.trial is None else "note",
        f"{text} Prefer the simplest, {simplest.name}: it has {simplest.parameters:,} weights,"
        f" {winner.name} has {winner.parameters:,}.",
    )


def _sentence(level: Level, text: str) -> Sentence:
    return Sentence("winner", level, text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
