"""What a bagged model is worth on rows that its networks did not train on.

Each training and validation row was predicted by one network of each setting, the one whose fold it is in. That is
worse than the saved model, which averages all of them, and better in that the epochs, the weights of the settings and
the temperature were chosen on these rows. The test split knows nothing of them.

The interval of the accuracy is Wilson's; that of the log-loss is its mean ± 1.96 standard errors over the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.run.measure import accuracy_interval, log_loss
from tfcourse.verdict.sentence import Finding, Sentence
from tfcourse.words import loss_said

NORMAL = 1.96


def estimate(
    probabilities: NDArray[np.float64], y: NDArray[np.int64], weights: NDArray[np.float32] | None = None
) -> dict[str, Any]:
    """Return accuracy and log-loss with their 95 % intervals, JSON-ready.

    Args:
        probabilities: shape (rows, classes).
        y: the class numbers, shape (rows,).
        weights: how much each row counts in the log-loss, shape (rows,); None for alike, as in the accuracy.

    >>> found = estimate(np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([0, 1]))
    >>> found["accuracy"], [round(bound, 4) for bound in found["log_loss_interval"]]
    (0.5, [0.6931, 0.6931])
    """
    right = int((probabilities.argmax(axis=1) == y).sum())
    losses = -np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-12))
    mean = log_loss(probabilities, y, weights)
    counts = np.ones(len(y)) if weights is None else weights
    off = ((counts * (losses - mean)) ** 2).sum() * len(y) / (len(y) - 1)  # of a ratio of two sums (Cochran 1977)
    margin = NORMAL * float(np.sqrt(off) / counts.sum())
    return {
        "n": len(y),
        "accuracy": right / len(y),
        "accuracy_interval": list(accuracy_interval(right, len(y))),
        "log_loss": mean,
        "log_loss_interval": [max(0.0, mean - margin), mean + margin],
    }


def judge_out_of_fold(numbers: Mapping[str, Any]) -> Finding:
    """Say what the bagged model is worth out of fold, and whether it is better than its best setting alone.

    Args:
        numbers: what :func:`estimate` returns of the model, with ``folds``, ``best``, the name of the setting
            with the lowest log-loss, and ``best_log_loss``, its log-loss, both without a temperature as is
            ``plain_log_loss``, the model's; ``used``, how many settings have a weight; ``temperature``, or None;
            ``always``, how many further rows are in no fold, which runs of earlier versions do not have.
    """
    tempered = numbers["temperature"] is not None
    chosen = f"The epochs{',' if tempered else ' and'} the settings' weights{' and the temperature' * tempered}"
    low, high = numbers["accuracy_interval"]
    loss_low, loss_high = numbers["log_loss_interval"]
    rows, rest = str(numbers["n"]), ""
    if always := numbers.get("always", 0):
        rows = f"{numbers['n']} of {numbers['n'] + always}"
        rest = f"; the other {always}, left over where all folds are of one size, always train{'s' * (always == 1)}"
    text = (
        f"Out of fold ({rows} training and validation rows in {numbers['folds']} folds, each predicted by"
        f" networks that did not train on it{rest}) the saved model is right in {numbers['accuracy']:.2%}, 95 %"
        f" interval {low:.2%} to {high:.2%}, with a log-loss of {loss_said(numbers['log_loss'])}"
        f" ({loss_said(loss_low)} to {loss_said(loss_high)}). {chosen} were chosen on these rows, so"
        " that this is too good, the more so the fewer they are; the test split had no part in that."
    )
    sentences = [Sentence("out_of_fold", "note", text)]
    own, best = numbers["plain_log_loss"], numbers["best_log_loss"]
    alone = f"{numbers['best']} alone"
    if numbers["used"] > 1 and own < best:
        its = "Before the temperature its" if tempered else "Its"
        text = f"{its} log-loss there is {loss_said(own)}; {alone} has {loss_said(best)}."
        sentences.append(Sentence("out_of_fold", "good", text))
    else:
        text = f"No average of several settings is better there than {alone}, with a log-loss of {loss_said(best)}."
        sentences.append(Sentence("out_of_fold", "note", text))
    return Finding(sentences, dict(numbers))
