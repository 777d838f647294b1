"""The model that a run saves: the best trial's network, the average of several, or the leaders bagged over folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tfcourse.data.features import Features
from tfcourse.data.prepare import Prepared
from tfcourse.models.answers import answers_of
from tfcourse.models.ensemble import average, with_temperature
from tfcourse.models.stacked import weighted_average
from tfcourse.run.measure import log_loss
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import Status
from tfcourse.tuning.bagging import Bagging, OutOfFold
from tfcourse.tuning.contenders import Ways, in_words, widened
from tfcourse.tuning.weights import greedy_weights
from tfcourse.verdict.calibration import Predictions, fit_temperature
from tfcourse.verdict.out_of_fold import estimate
from tfcourse.words import listed


@dataclass(frozen=True)
class Chosen:
    """The model that a run saves: of which trials it is, and what it says of rows that it did not train on.

    Args:
        trials: the numbers of those whose networks, or settings, are averaged, the best first.
        saved: how it is called.
        asked: of what it was made: ``ensemble``, ``calibrate`` and, beyond one, ``folds``.
        single: the best trial's network, from features to logits.
        network: what is saved: that, or the average, at the temperature.
        temperature: by which its logits are divided; None for none.
        validation: before the temperature, on the validation split, or out of fold if it is bagged.
        out_of_fold: what ``result.json`` says of it out of fold; None unless it is bagged.
        weights: of the trials, if it is bagged; softmax regression may have what is left.
        features: of what is saved, where it is not that of the search.
    """

    trials: Sequence[int]
    saved: str
    asked: dict[str, Any]
    single: keras.Model
    network: keras.Model
    temperature: float | None
    validation: Predictions
    out_of_fold: dict[str, Any] | None = None
    weights: Sequence[float] = ()
    features: Features | None = None

    @property
    def is_average(self) -> bool:
        """Return whether the networks of several trials are averaged as they were trained in the search."""
        return self.out_of_fold is None and len(self.trials) > 1

    @property
    def fitted(self) -> str:
        """Return on which rows its temperature is fitted."""
        return "validation" if self.out_of_fold is None else "out of fold"

    def probabilities(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the class probabilities of rows of the feature matrix, at the temperature, shape (rows, classes)."""
        return np.asarray(softmax(answers_of(self.network, x).astype(np.float64), axis=1))

    def to_json(self) -> dict[str, Any]:
        """Return what ``result.json`` says of the model; ``validation`` is out of fold if it is bagged."""
        bagged = {"folds": self.out_of_fold["folds"], "weights": list(self.weights)} if self.out_of_fold else {}
        return {
            "saved": self.saved,
            "trials": list(self.trials),
            "temperature": self.temperature,
            "validation": measures_on(self.validation, self.temperature or 1.0),
            **bagged,
        }


def choose(tuner: FitTuner, prepared: Prepared, bagging: Bagging, wanted: Mapping[str, Any]) -> Chosen:
    """Return the model that is wanted.

    Args:
        tuner: the search.
        prepared: its data.
        bagging: its leaders on folds; where there are none, the model is of the trials as they were trained.
        wanted: ``ensemble``, how many networks are averaged, and ``calibrate``, whether their temperature is fitted, as
            far as they were given; a bagged model's is fitted unless that is not wanted.
    """
    best = tuner.oracle.get_best_trials(1)[0]
    found = bagging.out_of_fold()
    if found is not None:
        return bagged(found, bagging.ways, tuner.load_model(best), calibrate=wanted.get("calibrate", True))
    asked = {"ensemble": wanted.get("ensemble", 1), "calibrate": wanted.get("calibrate", False)}
    trials = completed_of(tuner.oracle.get_best_trials(asked["ensemble"]))
    single = tuner.load_model(best)
    network = average([tuner.load_model(trial) for trial in trials]) if len(trials) > 1 else single
    rows = prepared.validation
    validation = Predictions(answers_of(network, rows.x), rows.y, rows.weights)
    temperature = fit_temperature(validation) if asked["calibrate"] else None
    if temperature is not None:
        network = with_temperature(network, temperature)
    numbers = [int(trial.trial_id) for trial in trials]
    return Chosen(numbers, saved_in_words(numbers), asked, single, network, temperature, validation)


def bagged(found: OutOfFold, ways: Ways, single: keras.Model, *, calibrate: bool) -> Chosen:
    """Return the average of settings trained on folds; what they say out of fold decides weights and temperature."""
    weights = greedy_weights(found.probabilities, found.y, found.weights)
    used = [place for place, weight in enumerate(weights) if weight > 0]
    probabilities = sum(weights[place] * found.probabilities[place] for place in used)
    predictions = Predictions.of_probabilities(np.asarray(probabilities), found.y, weights=found.weights)
    contenders = [found.contenders[place] for place in used]
    inputs = max(ways.width(each) for each in contenders)
    network = weighted_average(
        [widened(found.stacks[place], inputs) for place in used], [weights[place] for place in used]
    )
    temperature = fit_temperature(predictions) if calibrate else None
    if temperature is not None:
        network = with_temperature(network, temperature)
    losses = [log_loss(each, found.y, found.weights) for each in found.probabilities]
    best = int(np.argmin(losses))
    out_of_fold = {
        **estimate(predictions.probabilities(temperature or 1.0), found.y, found.weights),
        "folds": found.folds,
        "always": found.always,
        "used": len(used),
        "temperature": temperature,
        "plain_log_loss": log_loss(predictions.probabilities(), found.y, found.weights),
        "best_trial": found.contenders[best].trial,
        "best": found.contenders[best].name,
        "best_log_loss": losses[best],
        "settings": [
            {"name": each.name, "trial": each.trial, "bins": each.bins, "log_loss": loss, "weight": weight}
            for each, loss, weight in zip(found.contenders, losses, weights, strict=True)
        ],
    }
    of_trial: dict[int, float] = {}
    for place, each in zip(used, contenders, strict=True):
        if each.trial is not None:
            of_trial[each.trial] = of_trial.get(each.trial, 0.0) + weights[place]
    return Chosen(
        list(of_trial),
        f"the average of {found.folds * len(used)} networks, {in_words(contenders)} trained on {found.folds} folds",
        {"ensemble": 1, "calibrate": calibrate, "folds": found.folds},
        single,
        network,
        temperature,
        predictions,
        out_of_fold,
        list(of_trial.values()),
        ways.features[any(each.bins for each in contenders)],
    )


def completed_of(trials: Sequence[Any]) -> list[Any]:
    """Return the trials that completed."""
    return [trial for trial in trials if trial.status == Status.COMPLETED]


def saved_in_words(numbers: Sequence[int]) -> str:
    """Return how the model of these trials is called.

    >>> saved_in_words([4]), saved_in_words([4, 1])
    ('trial 4', 'the average of trials 4 and 1')
    """
    named = [str(number) for number in numbers]
    return f"the average of trials {listed(named)}" if len(named) > 1 else f"trial {named[0]}"


def measures_on(predictions: Predictions, temperature: float) -> dict[str, float]:
    """Return loss and accuracy of predictions at a temperature."""
    probabilities = predictions.probabilities(temperature)
    accuracy = float((probabilities.argmax(axis=1) == predictions.y).mean())
    return {"loss": log_loss(probabilities, predictions.y, predictions.weights), "accuracy": accuracy}
