"""Calibration: by hand, against scikit-learn's curve and log-loss, and with a known temperature."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from tfcourse.verdict.calibration import (
    BINS,
    Predictions,
    bins_of,
    calibrate,
    error_by_chance,
    expected_calibration_error,
    fit_temperature,
    judge_calibration,
)


def drawn(rows: int, classes: int, temperature: float, seed: int = 0) -> Predictions:
    """Return logits whose classes were drawn at ``temperature``: dividing by it makes them true."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, (rows, classes))
    true = softmax(logits / temperature, axis=1)
    return Predictions(logits, (random.random((rows, 1)) > true.cumsum(axis=1)).sum(axis=1))


def test_by_hand() -> None:
    # Bin (8/15, 9/15]: confidences 0.55 and 0.6, one right; bin (12/15, 13/15]: 0.85, right.
    confidence, right = np.array([0.55, 0.60, 0.85]), np.array([True, False, True])
    assert expected_calibration_error(confidence, right) == pytest.approx((abs(1 - 1.15) + abs(1 - 0.85)) / 3)


def test_bins_are_those_of_scikit_learn() -> None:
    predictions = drawn(500, 2, 2.0)
    probabilities = predictions.probabilities()
    right = probabilities.argmax(axis=1) == predictions.y
    accuracy, confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=BINS)
    bins = bins_of(probabilities, predictions.y)
    filled = [b for b in range(BINS) if bins["count"][b]]
    assert [bins["accuracy"][b] for b in filled] == pytest.approx(list(accuracy))
    assert [bins["confidence"][b] for b in filled] == pytest.approx(list(confidence))
    assert sum(bins["count"]) == 500  # type: ignore[arg-type]
    counts = np.array([bins["count"][b] for b in filled])
    error = expected_calibration_error(probabilities.max(axis=1), right)
    assert error == pytest.approx((counts * np.abs(accuracy - confidence)).sum() / 500)
    assert bins["accuracy"][0] is None  # two classes: no confidence below a half


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
@pytest.mark.parametrize("classes", [2, 10])
def test_a_known_temperature_is_found(temperature: float, classes: int) -> None:
    predictions = drawn(4000, classes, temperature)
    found = fit_temperature(predictions)
    assert found == pytest.approx(temperature, rel=0.1)
    grid = [
        log_loss(predictions.y, predictions.probabilities(t), labels=range(classes)) for t in np.linspace(0.3, 4, 200)
    ]
    assert log_loss(predictions.y, predictions.probabilities(found), labels=range(classes)) <= min(grid) + 1e-6


def test_the_temperature_mends_the_error_on_the_other_split() -> None:
    numbers = calibrate(drawn(2000, 5, 3.0, seed=1), drawn(2000, 5, 3.0, seed=2))
    test = numbers["test"]
    assert test["before"]["ece"] > 0.15 > 4 * test["after"]["ece"]
    assert test["before"]["ece"] > test["chance"]
    assert test["after"]["log_loss"] < test["before"]["log_loss"]
    json.dumps(numbers, allow_nan=False)
    bad = judge_calibration(numbers, calibrated=False)
    assert [sentence.level for sentence in bad.sentences] == ["warning", "note"]
    assert bad.sentences[1].text.endswith("--calibrate puts it into the model.")
    mended = judge_calibration(numbers, calibrated=True)
    assert [sentence.level for sentence in mended.sentences] == ["note", "good"]
    assert mended.sentences[1].text.endswith("the saved model holds it.")


def test_a_temperature_that_does_harm_on_the_test_split_is_not_recommended() -> None:
    numbers = calibrate(drawn(60, 3, 3.0, seed=1), drawn(2000, 3, 0.5, seed=2))
    assert numbers["test"]["after"]["log_loss"] > numbers["test"]["before"]["log_loss"]
    said = judge_calibration(numbers, calibrated=False).sentences[1].text
    assert said.endswith(": no gain on rows that it was not fitted on.")
    assert "--calibrate" not in said


def test_a_true_model_stays_below_what_chance_explains() -> None:
    # 95 % of samples should.
    below = [
        expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == d.y) <= error_by_chance(p.max(axis=1))
        for d in (drawn(150, 4, 1.0, seed=seed) for seed in range(60))
        for p in [d.probabilities()]
    ]
    assert np.mean(below) >= 0.85
    assert error_by_chance(np.full(50, 0.7)) > error_by_chance(np.full(5000, 0.7))


def test_a_validation_split_without_mistakes_fits_no_temperature() -> None:
    perfect = Predictions(np.array([[3.0, 0.0], [0.0, 2.0]] * 4), np.array([0, 1] * 4))
    numbers = calibrate(perfect, perfect)
    assert numbers["temperature"] == 1.0
    assert judge_calibration(numbers, calibrated=True).sentences[-1].text == (
        "Every validation row is right, so no temperature can be fitted; the probabilities stay as they are."
    )


def test_a_temperature_at_its_bound_and_few_rows_are_warned_of() -> None:
    wrong = Predictions(np.array([[3.0, 0.0], [0.0, 2.0]] * 4), np.array([1, 0] * 4))
    texts = [s.text for s in judge_calibration(calibrate(wrong, wrong), calibrated=True).sentences]
    assert texts[-2:] == [
        "The temperature ran into its bound of 20: do not rely on it.",
        "8 validation rows are few to fit a temperature on.",
    ]


def test_constant_and_extreme_logits() -> None:
    y = np.array([0, 1, 0, 1])
    assert fit_temperature(Predictions(np.zeros((4, 2)), y)) == 1.0  # no temperature changes anything
    numbers = calibrate(Predictions(np.array([[1e4, -1e4]] * 4), y), Predictions(np.array([[1e4, -1e4]] * 4), y))
    json.dumps(numbers, allow_nan=False)
    assert numbers["test"]["before"]["ece"] == pytest.approx(0.5)
