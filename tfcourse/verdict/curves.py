"""What the leaders' learning curves say: still improving, overfitting, trained too long, noisy; how many epochs.

The rules, for one trial that trained E epochs of at most M, its validation losses v, its best epoch b (by the lowest
v):

- *still improving*: it trained all M epochs, M ≥ 2, and b is among the last tenth of them (at least the last two; of
  fewer than five the last).
- *overfitting*: E ≥ 8, and the mean of the last four v lies above the lowest mean of four consecutive ones by more than
  a tenth of the way that v had come down to there from the first, while the training loss went on falling.
- *trained too long*: b came before the first third of the M epochs had passed, M ≥ 6.
- *noisy*: over the second half, v changes from one epoch to the next by more than a fifth of its median there (both
  medians, of at least four changes).

A sentence is said when more than half of the leaders, the best five trials, show it. If none is said, the epochs were
right when at least half of the leaders neither improved still nor were trained too long, which fewer than six epochs
cannot show. Trials that halving ended are not among the leaders: their curves were cut short.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tfcourse.run.trials import TrialRecord
from tfcourse.verdict.sentence import Finding, Level, Sentence

LEADERS = 5
IMPROVING_SHARE, IMPROVING_LEAST_EPOCHS, FEW_EPOCHS = 0.1, 2, 5
OVERFIT_SHARE, OVERFIT_LEAST_EPOCHS, WINDOW = 0.1, 8, 4
EARLY_SHARE, EARLY_LEAST_EPOCHS = 1 / 3, 6
NOISE_SHARE, NOISE_LEAST_STEPS = 0.2, 4
KINDS = ("still_improving", "overfitting", "too_long", "noisy")


def judge_curves(trials: Sequence[TrialRecord], ranked: Sequence[TrialRecord], epochs: int | None = None) -> Finding:
    """Say what most of the leaders' curves show, and how many epochs to train next time.

    Args:
        trials: all trials.
        ranked: the completed ones, the best first.
        epochs: the most epochs of a trial; the longest training's when left out.
    """
    leading = [trial for trial in ranked if trial.curves.get("val_loss") and trial.halved_at is None][:LEADERS]
    most = epochs or max((trial.epochs for trial in trials), default=0)
    if not leading:
        return Finding([], {"epochs": most, "leaders": []})
    shown = {trial.number: kinds_of(trial, most) for trial in leading}
    counts = {kind: sum(kind in kinds for kinds in shown.values()) for kind in KINDS}
    best = [lowest(trial.curves["val_loss"]) + 1 for trial in leading]
    advice = most
    sentences: list[Sentence] = []
    of = f"of the {len(leading)} best trials"

    def most_show(kind: str) -> bool:
        return counts[kind] > len(leading) / 2

    if most_show("still_improving"):
        advice = 2 * most
        text = f"still improved at the end of {most} epochs: give more, such as --epochs {advice}."
        sentences.append(_say("warning", f"{counts['still_improving']} {of} {text}"))
    if most_show("overfitting"):
        text = (
            "overfit: their validation loss rose again while the training loss fell. The best epoch's weights are"
            " kept; more dropout or fewer units may do better."
        )
        sentences.append(_say("note", f"{counts['overfitting']} {of} {text}"))
    if most_show("too_long"):
        advice = max(EARLY_LEAST_EPOCHS, min(most, math.ceil(1.5 * max(best))))
        text = f"were best in the first third of {most} epochs: --epochs {advice} would do and takes less time."
        if advice == most:
            text = f"were best in the first third of {most} epochs, but one of the {len(leading)} at epoch {max(best)}."
        sentences.append(_say("note", f"{counts['too_long']} {of} {text}"))
    if most_show("noisy"):
        text = (
            "have a validation loss that jumps from epoch to epoch: a lower learning rate, more decay or a larger"
            " minibatch steadies it, and a larger validation split measures it better."
        )
        sentences.append(_say("note", f"{counts['noisy']} {of} {text}"))
    if not sentences:
        spread = f"epochs {min(best)} to {max(best)}" if min(best) < max(best) else f"epoch {best[0]}"
        text = f"The leaders were best at {spread} of {most}:"
        if most < EARLY_LEAST_EPOCHS:
            sentences.append(_say("note", f"{text} too few epochs to tell whether more would help."))
        elif counts["still_improving"] + counts["too_long"] <= len(leading) / 2:
            sentences.append(_say("good", f"{text} neither too short nor too long."))
        else:
            sentences.append(_say("note", f"{text} too short for some and longer than others need."))
    leaders = [
        {"trial": trial.number, "epochs": trial.epochs, "best_epoch": epoch, "shows": shown[trial.number]}
        for trial, epoch in zip(leading, best, strict=True)
    ]
    return Finding(sentences, {"epochs": most, "advised_epochs": advice, "counts": counts, "leaders": leaders})


def kinds_of(trial: TrialRecord, most: int) -> list[str]:
    """Return which of :data:`KINDS` a trial's curves show.

    >>> falling = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3]
    >>> kinds_of(TrialRecord(0, "completed", {}, {"loss": falling, "val_loss": falling}), 6)
    ['still_improving']
    """
    v, loss = np.array(trial.curves["val_loss"]), np.array(trial.curves.get("loss", ()))
    b, kinds = lowest(trial.curves["val_loss"]), []
    last = max(1 if most < FEW_EPOCHS else 2, math.ceil(IMPROVING_SHARE * most))
    if len(v) >= most >= IMPROVING_LEAST_EPOCHS and b >= len(v) - last:
        kinds.append("still_improving")
    if len(v) >= OVERFIT_LEAST_EPOCHS and len(loss) == len(v):
        means, train = (np.convolve(curve, np.full(WINDOW, 1 / WINDOW), "valid") for curve in (v, loss))
        turn = int(np.argmin(means))
        if means[-1] - means[turn] > OVERFIT_SHARE * (max(v[0], means[0]) - means[turn]) and train[-1] < train[turn]:
            kinds.append("overfitting")
    if most >= EARLY_LEAST_EPOCHS and b + 1 <= EARLY_SHARE * most:
        kinds.append("too_long")
    half = v[len(v) // 2 :]
    steps = np.abs(np.diff(half))
    if len(steps) >= NOISE_LEAST_STEPS and np.median(steps) > NOISE_SHARE * np.median(half):
        kinds.append("noisy")
    return kinds


def lowest(losses: Sequence[float]) -> int:
    """Return the epoch with the lowest loss, from 0."""
    return int(np.argmin(losses))


def _say(level: Level, text: str) -> Sentence:
    return Sentence("curves", level, text)
