"""How many trials diverged, and whether the best learning rate lies next to those that did.

The rule for the second: divergence goes by the learning rate when the rates that diverged are higher than the others
beyond chance (Mann and Whitney's test at 5 %). The diverging region then begins where the fewest trials lie on the
wrong side, when those from there on are said to diverge and those below not. The best learning rate borders it when
it lies inside or less than a tenth of the scale below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tfcourse.run.trials import TrialRecord
from tfcourse.space import SearchSpace
from tfcourse.verdict.sentence import Finding, Level, Sentence
from tfcourse.verdict.setting import ended, is_free, position

BORDER = 0.1
LEAST_DIVERGED = 3
MUCH = 0.25
CHANCE = 0.05


def judge_diverged(trials: Sequence[TrialRecord], ranked: Sequence[TrialRecord], space: SearchSpace) -> Finding:
    """Say how many trials diverged and what the best learning rate has to do with it.

    Args:
        trials: all trials.
        ranked: the completed ones, the best first.
        space: what is searched.
    """
    everyone = ended(trials)
    count = sum(trial.status == "diverged" for trial in everyone)
    numbers: dict[str, Any] = {
        "diverged": count,
        "trials": len(everyone),
        "share": count / len(everyone) if everyone else None,
        "from_learning_rate": None,
        "borders": None,
    }
    if not everyone:
        return Finding([], numbers)
    if not count:
        return Finding([Sentence("diverged", "good", f"None of {len(everyone)} trials diverged.")], numbers)
    much = count > MUCH * len(everyone)
    sentences = [
        _say("warning" if much else "note", f"{count} of {len(everyone)} trials diverged ({numbers['share']:.0%}).")
    ]
    rate = next((p for p in space if p.name == "learning_rate" and is_free(p) and p.scale != "choice"), None)
    if rate is None or count < LEAST_DIVERGED or not ranked:
        return Finding(sentences, numbers)
    points = [(p, t.status == "diverged") for t in everyone if (p := position(rate, t)) is not None]
    cut, best = cut_between(points), position(rate, ranked[0])
    if cut is None or best is None:
        return Finding(sentences, numbers)
    least = min(float(t.values[rate.name]) for t in everyone if (position(rate, t) or 0.0) >= cut)
    numbers |= {"from_learning_rate": least, "borders": best >= cut - BORDER}
    own = float(ranked[0].values[rate.name])
    where = f"They begin at a learning rate of about {least:.2g}; the best trial has {own:.2g}"
    if numbers["borders"]:
        text = f"{where}, next to them: a small change may make it diverge."
        return Finding([*sentences, _say("warning", text)], numbers)
    return Finding([*sentences, _say("note", f"{where}, well below.")], numbers)


def cut_between(points: Sequence[tuple[float, bool]]) -> float | None:
    """Return the position from which on trials diverge, None if that cannot be told from chance.

    Args:
        points: position on the scale, and whether it diverged.

    >>> cut_between([(p / 10, p > 6) for p in range(10)])
    0.7
    >>> cut_between([(p / 10, p % 3 == 0) for p in range(10)])
    """
    from scipy.stats import mannwhitneyu

    diverging = [p for p, bad in points if bad]
    others = [p for p, bad in points if not bad]
    if not diverging or not others or mannwhitneyu(diverging, others, alternative="greater").pvalue > CHANCE:
        return None
    wrong = {p: sum((q >= p) != bad for q, bad in points) for p, bad in points if bad}
    return min(wrong, key=lambda p: (wrong[p], p))


def _say(level: Level, text: str) -> Sentence:
    return Sentence("diverged", level, text)
