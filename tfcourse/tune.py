"""From prepared data and a plan to a finished run: baseline, search, one look at the test split, exported model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from tfcourse.baseline import fit_baseline, load_baseline, out_of_time
from tfcourse.data.prepare import Part, Prepared
from tfcourse.errors import UserError
from tfcourse.files import write_json
from tfcourse.finishing import Retraining, search_until
from tfcourse.models.builders import with_softmax
from tfcourse.models.ensemble import average, with_temperature
from tfcourse.models.hypermodels import MLPHyperModel, values_from_hp
from tfcourse.plan import Plan
from tfcourse.run.exported import BATCH, export
from tfcourse.run.folder import RunFolder, RunStatus
from tfcourse.run.measure import log_loss, measure
from tfcourse.run.trials import read_trials
from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit import Examples, Schedule
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import SECONDS_BETWEEN_SAVES, RandomOracle, Status
from tfcourse.search.rounds import Round, explored
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.verdict.calibration import Predictions, calibrate, fit_temperature
from tfcourse.verdict.judge import judge
from tfcourse.verdict.sentence import listed
from tfcourse.words import loss_said

PLAIN_MODEL: dict[str, Any] = {"ensemble": 1, "calibrate": False}
"""What is saved when nothing else is asked for: the best trial's network as it was trained."""

OnTrial = Callable[[int, str], None]


def open_search(
    folder: RunFolder, prepared: Prepared, plan: Plan, on_round: Callable[[Round], object] = lambda began: None
) -> FitTuner:
    """Return the tuner of a run, new or as an earlier part of the search left it.

    Args:
        folder: where everything is kept.
        prepared: the data.
        plan: what to do.
        on_round: called with each further round when it begins.
    """

    def round_began(rounds: list[Round]) -> None:
        folder.update(rounds=[each.to_json() for each in rounds])
        on_round(rounds[-1])

    width, classes, rows = prepared.features.width, len(prepared.classes), len(prepared.train)
    hypermodel = MLPHyperModel(width, classes, rows=rows, space=plan.space)
    oracle = RoundsOracle(
        plan.objective,
        plan.trials,
        space=plan.space,
        seed=plan.seed,
        sampler=plan.sampler,
        starts=plan.starts,
        rounds=[Round.from_json(fields) for fields in folder.record.get("rounds", [])],
        first=plan.first,
        on_round=round_began,
    )
    tuner = CohortFitTuner if plan.engine == "cohort" else FitTuner
    return tuner(oracle, hypermodel, directory=folder.path)


def search(
    folder: RunFolder,
    prepared: Prepared,
    plan: Plan,
    tuner: FitTuner,
    *,
    on_trial: OnTrial,
    on_progress: Callable[[float], None],
    deadline: float,
    latest: float,
    interrupted: Callable[[], bool],
) -> None:
    """Train the baseline and then the trials, until the plan is done or the deadline has passed.

    Args:
        folder: where everything is kept.
        prepared: the data.
        plan: what to do.
        tuner: from :func:`open_search`.
        on_trial: called after each trial with the number of ended trials and the best so far in words.
        on_progress: called with how much of the trials under way is done, counted in trials.
        deadline: moment of ``time.monotonic()`` at which the search should end.
        latest: the moment until which it may go on if it would come to nothing otherwise.
        interrupted: tells whether to stop with a KeyboardInterrupt.
    """
    examples = Examples(prepared.train.x, prepared.train.y, prepared.validation.x, prepared.validation.y)
    schedule = Schedule(
        plan.epochs, plan.patience, plan.objective, plan.seed, latest, interrupted, plan.repeats, plan.halving
    )
    started, before = time.monotonic(), folder.record["seconds"]
    told = started

    def trial_ended(_: Any) -> None:
        nonlocal told
        folder.record["seconds"] = before + time.monotonic() - started
        if time.monotonic() - told > SECONDS_BETWEEN_SAVES:  # each takes until it is on the disk
            told = time.monotonic()
            folder.save()
        on_trial(len(tuner.oracle.end_order), best_in_words(tuner.oracle))

    fit_baseline(folder, prepared, plan, examples, schedule)
    if not tuner.oracle.end_order:
        deadline = search_until(deadline, latest, time.monotonic())
        if time.monotonic() > deadline:
            raise out_of_time(folder)
    schedule = replace(schedule, deadline=deadline)
    tuner.oracle.clock = lambda: before + time.monotonic() - started
    tuner.on_trial, tuner.on_progress = trial_ended, on_progress
    tuner.search(examples, schedule)
    folder.update(seconds=before + time.monotonic() - started)


def best_in_words(oracle: RandomOracle) -> str:
    """Return the objective of the best trial so far, as a person would write it."""
    best = oracle.get_best_trials(1)
    if not best or best[0].status != Status.COMPLETED:
        return "none yet"
    return f"{oracle.objective.name} {loss_said(best[0].score)}"


def at_epoch(curves: dict[str, list[float]], epoch: int) -> dict[str, float]:
    """Return validation loss and accuracy at an epoch, counted from 0."""
    return {"loss": curves["val_loss"][epoch], "accuracy": curves["val_accuracy"][epoch]}


def retrain_leaders(
    folder: RunFolder,
    prepared: Prepared,
    plan: Plan,
    tuner: FitTuner,
    *,
    say: Callable[[str], object],
    deadline: float,
    interrupted: Callable[[], bool],
) -> str:
    """Train the leaders and the baseline again from fresh seeds, unless an earlier part did.

    Args:
        folder: where what came of it is kept.
        prepared: the data.
        plan: what the search did.
        tuner: from :func:`open_search`, its search done.
        say: called with a line about what begins.
        deadline: moment of ``time.monotonic()``.
        interrupted: tells whether to stop with a KeyboardInterrupt.

    Returns:
        why it was not done, in a sentence; empty if it was.
    """
    retraining = Retraining(folder, prepared, plan)
    if not retraining.missing:
        return ""
    say(retraining.in_words())
    return retraining.run(deadline, interrupted)


def finish(
    folder: RunFolder, prepared: Prepared, plan: Plan, tuner: FitTuner, started: float, not_retrained: str = ""
) -> dict[str, Any]:
    """Measure the model once on the test split, export it, judge the search, and write and return the result.

    Args:
        folder: where everything is kept.
        prepared: the data.
        plan: what the search did.
        tuner: from :func:`open_search`, its search done.
        started: moment of ``time.monotonic()`` at which this part of the run began.
        not_retrained: why the leaders were not trained again.

    Raises:
        UserError: if no trial completed; the message says what to change.
    """
    trials = list(tuner.oracle.trials.values())
    best = tuner.oracle.get_best_trials(1)[0]
    if best.status != Status.COMPLETED:
        raise UserError(no_trial_completed(tuner.oracle, folder.path))
    wanted = {**PLAIN_MODEL, **folder.record.get("model", {})}
    members = completed_of(tuner.oracle.get_best_trials(wanted["ensemble"]))
    single = tuner.load_model(best)
    classifier = average([tuner.load_model(trial) for trial in members]) if len(members) > 1 else single
    validation = Predictions(
        classifier.predict(prepared.validation.x, batch_size=BATCH, verbose=0), prepared.validation.y
    )
    temperature = fit_temperature(validation) if wanted["calibrate"] else None
    if temperature is not None:
        classifier = with_temperature(classifier, temperature)
    # The test split is measured through the file that is deployed.
    probabilities = export(folder.model_path, prepared.features, classifier, prepared.test_rows, prepared.test.x)
    test = Predictions.of_probabilities(probabilities, prepared.test.y, temperature or 1.0)
    calibration = calibrate(validation, test)
    curves = curves_of(best)
    diverged = sum(tuner.oracle.diverged(trial.trial_id) for trial in trials)
    completed = len(completed_of(trials))
    baseline, softmax_regression = load_baseline(folder, prepared)
    judged = {"trials": completed, **wanted}
    looked = [*(each for each in folder.record.get("test_looks", []) if each != judged), judged]
    result: dict[str, Any] = {
        "best": {
            "trial_id": best.trial_id,
            "hyperparameters": values_from_hp(best.hyperparameters.values),
            "epoch": best.best_step + 1,
            "validation": at_epoch(curves, best.best_step),
            "test": test_result(single, prepared.test, prepared.classes),
        },
        "model": {
            "saved": saved_in_words(members),
            "trials": [int(trial.trial_id) for trial in members],
            "temperature": temperature,
            "validation": measures_on(validation, temperature or 1.0),
        },
        "baseline": {**baseline, "test": test_result(softmax_regression, prepared.test, prepared.classes)},
        "test": measure(probabilities, prepared.test.y, prepared.classes, prepared.seen),
        "classes": list(prepared.classes),
        "trials": {"completed": completed, "diverged": diverged, "failed": len(trials) - completed - diverged},
    }
    result["verdict"] = judge(
        read_trials(folder.path, plan.space),
        explored([Round(0, plan.space), *tuner.oracle.rounds[1:]]),
        plan.objective,
        classes=prepared.classes,
        epochs=plan.epochs,
        candidates=Retraining(folder, prepared, plan).candidates(),
        not_retrained=not_retrained,
        model={
            **result["model"],
            "test": result["test"],
            "asked": wanted["ensemble"],
            "average": plain_measures(validation, test) if len(members) > 1 else None,
            "single": {name: result["best"][name] for name in ("validation", "test")} if len(members) > 1 else None,
        },
        baseline_test=result["baseline"]["test"],
        test_looks=len(looked),
        calibration=calibration,
    ).to_json()
    search_seconds = folder.record["seconds"]
    seconds = {"total": folder.record["seconds_before"] + time.monotonic() - started, "search": search_seconds}
    result["seconds"] = {name: round(value, 3) for name, value in seconds.items()}
    write_json(folder.result_path, result)
    folder.update(status=RunStatus.COMPLETED, test_looks=looked)
    return result


def completed_of(trials: Sequence[Any]) -> list[Any]:
    """Return the trials that completed."""
    return [trial for trial in trials if trial.status == Status.COMPLETED]


def saved_in_words(members: Sequence[Any]) -> str:
    """Return how the model of these trials is called."""
    numbers = [str(int(trial.trial_id)) for trial in members]
    return f"the average of trials {listed(numbers)}" if len(numbers) > 1 else f"trial {numbers[0]}"


def measures_on(predictions: Predictions, temperature: float) -> dict[str, float]:
    """Return loss and accuracy of predictions at a temperature."""
    probabilities = predictions.probabilities(temperature)
    accuracy = float((probabilities.argmax(axis=1) == predictions.y).mean())
    return {"loss": log_loss(probabilities, predictions.y), "accuracy": accuracy}


def plain_measures(validation: Predictions, test: Predictions) -> dict[str, dict[str, float]]:
    """Return what a network is worth on both splits before any temperature."""
    on_test = measures_on(test, 1.0)
    return {
        "validation": measures_on(validation, 1.0),
        "test": {"accuracy": on_test["accuracy"], "log_loss": on_test["loss"]},
    }


def curves_of(trial: Any) -> dict[str, list[float]]:
    """Return a trial's learning curves: one value an epoch."""
    return {
        name: [float(point.mean()) for point in history.get_history()]
        for name, history in trial.metrics.metrics.items()
    }


def test_result(classifier: keras.Model, test: Part, classes: tuple[str, ...]) -> dict[str, Any]:
    """Return the measures of a network, which gives logits, on the test split."""
    probabilities = with_softmax(classifier).predict(test.x, batch_size=BATCH, verbose=0)
    return measure(probabilities, test.y, classes)


def no_trial_completed(oracle: RandomOracle, path: Path) -> str:
    """Return the message for a search in which every trial diverged or failed."""
    trials = list(oracle.trials.values())
    failed = next((trial for trial in trials if not oracle.diverged(trial.trial_id)), None)
    if failed is not None:
        reason = (failed.message or "").strip().splitlines()[-1:]
        return f"No trial completed. Trial {failed.trial_id} failed: {''.join(reason)}. Its trace is in {path}/search."
    rates = [float(trial.hyperparameters.values["learning_rate"]) for trial in trials]
    return (
        f"All {len(trials)} trials diverged, at learning rates of {min(rates):.3g} to {max(rates):.3g}. Search lower"
        f" ones: give --space a file with [learning_rate] low = {min(rates) / 1000:.1g} and high = {min(rates):.1g}."
    )
