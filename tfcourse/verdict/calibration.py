r"""Are the probabilities true? Expected calibration error, and the temperature that mends it.

The expected calibration error (Naeini et al. 2015, Guo et al. 2017) sorts the rows by confidence, the largest
probability, into 15 bins of equal width and averages the gap between accuracy and mean confidence: :math:`\sum_b
\frac{n_b}{n} |acc_b - conf_b|`. It is never zero by chance alone: the rows of a perfectly calibrated model are right
with just their confidence, and the error that such rows would show, 95 % of the time at most, is given beside it
(Bröcker and Smith 2007).

The temperature T > 0 divides the logits, :math:`softmax(z / T)`; it minimizes the validation log-loss and changes no
predicted class (Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfcourse.run.measure import log_loss
from tfcourse.verdict.sentence import Finding, Level, Sentence
from tfcourse.words import loss_said

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0
CHANCE_DRAWS = 400
LEAST_ROWS = 50

Array = NDArray[Any]


@dataclass(frozen=True)
class Predictions:
    """What a model says of the rows of one split.

    Args:
        logits: shape (rows, classes), before the temperature; logarithms of probabilities do as well.
        y: the true class numbers, shape (rows,).
        weights: how much each row counts for the temperature, shape (rows,); None for alike.
    """

    logits: Array
    y: NDArray[np.int64]
    weights: Array | None = None

    def probabilities(self, temperature: float = 1.0) -> Array:
        """Return the class probabilities at a temperature, shape (rows, classes)."""
        from scipy.special import softmax

        return np.asarray(softmax(np.asarray(self.logits, np.float64) / temperature, axis=1))

    @classmethod
    def of_probabilities(
        cls, probabilities: Array, y: NDArray[np.int64], temperature: float = 1.0, *, weights: Array | None = None
    ) -> Self:
        """Return the predictions whose probabilities at a temperature are those given.

        >>> given = np.array([[0.8, 0.2]])
        >>> Predictions.of_probabilities(given, np.array([0]), 2.0).probabilities(2.0).round(6).tolist()
        [[0.8, 0.2]]
        """
        smallest = np.finfo(np.float32).tiny
        return cls(temperature * np.log(np.maximum(np.asarray(probabilities, np.float64), smallest)), y, weights)


def bins_of(probabilities: Array, y: NDArray[np.int64]) -> dict[str, list[float | None]]:
    """Return the reliability diagram: for each bin its count, mean confidence and accuracy (None where empty).

    Bin b of 15 holds the confidences in (b/15, (b+1)/15].
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    places = _places(confidence)
    count = np.bincount(places, minlength=BINS)
    mean = [np.bincount(places, weights, BINS) / np.maximum(count, 1) for weights in (confidence, right.astype(float))]
    named = {name: [float(v) if n else None for v, n in zip(values, count, strict=True)]
             for name, values in zip(("confidence", "accuracy"), mean, strict=True)}  # fmt: skip
    return {"count": [int(n) for n in count], **named}


def expected_calibration_error(confidence: Array, right: Array) -> float:
    """Return the expected calibration error of predictions.

    Args:
        confidence: the largest probability of each row.
        right: whether the row's predicted class is the true one.

    >>> round(expected_calibration_error(np.array([0.9, 0.9, 0.6, 0.6]), np.array([True, True, True, False])), 6)
    0.1
    """
    gaps = np.bincount(_places(confidence), np.asarray(right, float) - confidence, BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _places(confidence: Array) -> NDArray[np.int64]:
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def error_by_chance(confidence: Array) -> float:
    """Return what a perfectly calibrated model's error would not exceed in 95 % of samples with these confidences."""
    random = np.random.default_rng(0)
    draws = [
        expected_calibration_error(confidence, random.random(len(confidence)) < confidence)
        for _ in range(CHANCE_DRAWS)
    ]  # fmt: skip
    return float(np.quantile(draws, 0.95))


def fit_temperature(predictions: Predictions) -> float:
    """Return the temperature with the lowest log-loss, from 0.05 to 20.

    Where every row is right a colder model is always better, so nothing can be fitted and it is 1.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = np.asarray(predictions.logits, np.float64)
    rows = np.arange(len(logits))
    if (logits.argmax(axis=1) == predictions.y).all():
        return 1.0

    def loss(logarithm: float) -> float:
        losses = -log_softmax(logits / np.exp(logarithm), axis=1)[rows, predictions.y]
        return float(np.average(losses, weights=predictions.weights))

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x)) if loss(float(found.x)) < loss(0.0) else 1.0


def calibrate(validation: Predictions, test: Predictions) -> dict[str, Any]:
    """Return the calibration of a model on two splits, before and after the temperature that validation gives.

    For each split ``before`` and ``after`` hold ``ece``, ``log_loss`` and ``bins``, and ``chance`` the error that a
    perfectly calibrated model stays below in 95 % of samples, at the confidences before.
    """
    temperature = fit_temperature(validation)
    mistakes = int((validation.logits.argmax(axis=1) != validation.y).sum())
    numbers: dict[str, Any] = {
        "temperature": temperature,
        "validation_mistakes": mistakes,
        "bins": BINS,
        "binning": "equal width",
    }
    for name, predictions in (("validation", validation), ("test", test)):
        split: dict[str, Any] = {"n": len(predictions.y)}
        for when, by in (("before", 1.0), ("after", temperature)):
            probabilities = predictions.probabilities(by)
            right = probabilities.argmax(axis=1) == predictions.y
            split[when] = {
                "ece": expected_calibration_error(probabilities.max(axis=1), right),
                "log_loss": log_loss(probabilities, predictions.y),
                "bins": bins_of(probabilities, predictions.y),
            }
        split["chance"] = error_by_chance(predictions.probabilities().max(axis=1))
        numbers[name] = split
    return numbers


def judge_calibration(numbers: Mapping[str, Any], *, calibrated: bool) -> Finding:
    """Say how true the saved model's probabilities are, and what the temperature does to them.

    Args:
        numbers: from :func:`calibrate`; ``fitted`` says on which rows: ``validation`` (default) or ``out of fold``.
        calibrated: whether the saved model holds the temperature.
    """
    test, validation, temperature = numbers["test"], numbers["validation"], numbers["temperature"]
    true = test["before"]["ece"] <= test["chance"]
    fitted = numbers.get("fitted", "validation")
    on = "on validation" if fitted == "validation" else fitted
    text = (
        f"Calibration: on the test split the probabilities are off by {test['before']['ece']:.1%} on average (expected"
        f" calibration error, {BINS} bins of equal width; {fitted} {validation['before']['ece']:.1%}); chance alone"
        f" explains up to {test['chance']:.1%}."
    )
    level: Level = "good" if true else "note" if calibrated else "warning"
    sentences = [Sentence("calibration", level, text)]
    if not numbers["validation_mistakes"]:
        every = "Every validation row is right" if fitted == "validation" else f"Every row is right {on}"
        text = f"{every}, so no temperature can be fitted; the probabilities stay as they are."
        return Finding([*sentences, Sentence("calibration", "note", text)], {**numbers, "in_model": calibrated})
    better = test["after"]["log_loss"] < test["before"]["log_loss"]
    text = (
        f"A temperature of {temperature:.3g}, fitted {on}, makes that {test['after']['ece']:.1%} ({fitted}"
        f" {validation['after']['ece']:.1%}), and the test log-loss {loss_said(test['after']['log_loss'])} instead of"
        f" {loss_said(test['before']['log_loss'])}"
    )
    if calibrated:
        sentences.append(Sentence("calibration", "good" if better else "warning", f"{text}; the saved model holds it."))
    elif better:
        sentences.append(Sentence("calibration", "note", f"{text}; --calibrate puts it into the model."))
    else:
        sentences.append(Sentence("calibration", "note", f"{text}: no gain on rows that it was not fitted on."))
    if not COLDEST * 1.01 < temperature < HOTTEST / 1.01:
        text = f"The temperature ran into its bound of {COLDEST if temperature < 1 else HOTTEST:g}: do not rely on it."
        sentences.append(Sentence("calibration", "warning", text))
    if validation["n"] < LEAST_ROWS:
        text = f"{validation['n']} validation rows are few to fit a temperature on."
        sentences.append(Sentence("calibration", "warning", text))
    return Finding(sentences, {**numbers, "in_model": calibrated})
