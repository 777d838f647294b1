"""The result of a run: the model measured once on the test split and exported, and the search judged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, Matrix, TableFeatures
from tfcourse.data.prepare import Part
from tfcourse.errors import UserError
from tfcourse.explain.explanation import explain
from tfcourse.files.writing import write_json
from tfcourse.models.answers import answers_of
from tfcourse.models.builders import with_softmax
from tfcourse.run.exported import export
from tfcourse.run.measure import measure
from tfcourse.run.slices import slices
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import RandomOracle, Status
from tfcourse.search.rounds import explored
from tfcourse.space import Round
from tfcourse.space.names import values_from_hp
from tfcourse.tuning.bagging import Bagging
from tfcourse.tuning.baseline import load_baseline
from tfcourse.tuning.chosen import Chosen, choose, completed_of, measures_on
from tfcourse.tuning.leaders import Leaders
from tfcourse.tuning.tuning_run import TuningRun
from tfcourse.verdict.calibration import Predictions, calibrate
from tfcourse.verdict.judge import judge


def finish(run: TuningRun, tuner: FitTuner, leaders: Leaders, bagging: Bagging, started: float) -> dict[str, Any]:
    """Measure the model once on the test split, export it, judge the search, and write and return the result.

    Args:
        run: the run.
        tuner: from :func:`tfcourse.tuning.search.open_search`, its search done.
        leaders: the search's leaders, trained again.
        bagging: the same, trained on folds.
        started: moment of ``time.monotonic()`` at which this part of the run began.

    Raises:
        UserError: if no trial completed; the message says what to change.
    """
    folder, prepared = run.folder, run.prepared
    best = tuner.oracle.get_best_trials(1)[0]
    if best.status != Status.COMPLETED:
        raise UserError(no_trial_completed(tuner.oracle, folder.path))
    chosen = choose(tuner, prepared, bagging, folder.record.get("model", {}))
    counts = counts_of(tuner.oracle)
    looked = looks_at_the_test(folder.record.get("test_looks", []), {"trials": counts["completed"], **chosen.asked})
    folder.update(test_looks=looked)  # first: whoever is killed between has looked
    asked = ask_once(run, chosen)
    result: dict[str, Any] = {
        "best": best_result(best, test_result(chosen.single, prepared.test, prepared.classes)),
        "model": chosen.to_json(),
        "baseline": baseline_result(run),
        "test": measure(asked.probabilities, prepared.test.y, prepared.classes, prepared.seen),
        "classes": list(prepared.classes),
        "trials": counts,
        **asked.more(run, chosen),
    }
    result["verdict"] = verdict_on(result, run, tuner, leaders, bagging, chosen, asked, looks=len(looked))
    total = folder.record["seconds_before"] + time.monotonic() - started
    result["seconds"] = {"total": round(total, 3), "search": round(folder.record["seconds"], 3)}
    write_json(folder.result_path, result)
    folder.complete(model_features=chosen.features and chosen.features.to_json())
    return result


@dataclass(frozen=True)
class Asked:
    """What the exported model says of the test split.

    Args:
        features: the map that it takes its rows by.
        x: the test split by that map.
        probabilities: of the classes, shape (rows, classes).
    """

    features: Features
    x: Matrix
    probabilities: NDArray[np.float32]

    def more(self, run: TuningRun, chosen: Chosen) -> dict[str, Any]:
        """Return what ``result.json`` holds only of some runs: out of fold, an explanation, parts of the rows."""
        prepared = run.prepared
        found: dict[str, Any] = {}
        if chosen.out_of_fold is not None:
            found["out_of_fold"] = chosen.out_of_fold
        explanation = explain(chosen.probabilities, self.probabilities, prepared, self.features, self.x, run.plan.seed)
        if explanation is not None:
            found["explanation"] = explanation
        if (columns := run.folder.record.get("model", {}).get("slices")) and isinstance(self.features, TableFeatures):
            rows = prepared.test_rows
            found["slices"] = slices(self.probabilities, prepared.test.y, rows, columns, self.features)  # type: ignore[arg-type]
        return found


def ask_once(run: TuningRun, chosen: Chosen) -> Asked:
    """Return what the model says of the test split, asked through the file that is deployed."""
    prepared = run.prepared
    features = chosen.features or prepared.features
    x = prepared.test.x if features is prepared.features else features.transform(prepared.test_rows)  # type: ignore[arg-type]
    return Asked(features, x, export(run.folder.model_path, features, chosen.network, prepared.test_rows, x))


def verdict_on(
    result: dict[str, Any],
    run: TuningRun,
    tuner: FitTuner,
    leaders: Leaders,
    bagging: Bagging,
    chosen: Chosen,
    asked: Asked,
    *,
    looks: int,
) -> dict[str, Any]:
    """Return the verdict as ``result.json`` has it.

    Args:
        result: what stands there already.
        run, tuner, leaders, bagging: as for :func:`finish`.
        chosen: the model that is saved.
        asked: what it says of the test split.
        looks: how many models were measured on that.
    """
    plan, prepared = run.plan, run.prepared
    test = Predictions.of_probabilities(asked.probabilities, prepared.test.y, chosen.temperature or 1.0)
    return judge(
        leaders.trials,
        explored([Round(0, plan.space), *tuner.oracle.rounds[1:]]),
        plan.objective,
        classes=prepared.classes,
        epochs=plan.epochs,
        candidates=leaders.candidates(),
        not_retrained=leaders.not_retrained,
        model=model_to_judge(chosen, test, result),
        baseline_test=result["baseline"]["test"],
        test_looks=looks,
        calibration={**calibrate(chosen.validation, test), "fitted": chosen.fitted},
        out_of_fold=chosen.out_of_fold,
        not_bagged=bagging.why_not,
    ).to_json()


def best_result(best: Any, test: dict[str, Any]) -> dict[str, Any]:
    """Return what ``result.json`` says of the best trial."""
    curves = curves_of(best)
    return {
        "trial_id": best.trial_id,
        "hyperparameters": values_from_hp(best.hyperparameters.values),
        "epoch": best.best_step + 1,
        "validation": {name: curves[f"val_{name}"][best.best_step] for name in ("loss", "accuracy")},
        "test": test,
    }


def baseline_result(run: TuningRun) -> dict[str, Any]:
    """Return what ``result.json`` says of softmax regression."""
    kept, network = load_baseline(run)
    return {**kept, "test": test_result(network, run.prepared.test, run.prepared.classes)}


def counts_of(oracle: RandomOracle) -> dict[str, int]:
    """Return how many trials completed, diverged and failed."""
    trials = list(oracle.trials.values())
    completed, diverged = len(completed_of(trials)), sum(oracle.diverged(trial.trial_id) for trial in trials)
    return {"completed": completed, "diverged": diverged, "failed": len(trials) - completed - diverged}


def looks_at_the_test(before: Sequence[dict[str, Any]], judged: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was measured on the test split, this time last; the same model again is no further look."""
    return [*(each for each in before if each != judged), judged]


def model_to_judge(chosen: Chosen, test: Predictions, result: dict[str, Any]) -> dict[str, Any]:
    """Return what the model is judged by; an average is compared with the best single network, both as trained."""
    single = {name: result["best"][name] for name in ("validation", "test")}
    return {
        **result["model"],
        "test": result["test"],
        "asked": chosen.asked["ensemble"],
        "average": plain_measures(chosen.validation, test) if chosen.is_average else None,
        "single": single if chosen.is_average else None,
    }


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
    probabilities = answers_of(with_softmax(classifier), test.x)
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
