"""A run in MLflow: its measures, its files, and each trial with its learning curves as a run below it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.errors import UserError
from tfcourse.report.page import PAGES
from tfcourse.report.source import read_run
from tfcourse.run.trials import TrialRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILES = (*PAGES, "result.json", "run.json", "model.keras")
KEPT_AS = "tfcourse.model"
"""The tag by which a run is known again: the digest of its model."""


def check_installed() -> None:
    """Refuse where there is no MLflow.

    Raises:
        UserError: if it cannot be imported.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise UserError("--mlflow needs MLflow, which is not installed: pip install mlflow, or mlflow-skinny.")


def log_run(path: Path, uri: str | None = None) -> str:
    """Write a run folder to an MLflow store, and return the id of the run there; one that is there already stays.

    Args:
        path: the folder of a run that has ended.
        uri: where to, as MLflow has it; its own default (``MLFLOW_TRACKING_URI``) when left out.

    Raises:
        UserError: if there is no MLflow, the run has not ended, or the store cannot be written.
    """
    check_installed()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing goes over the network unasked
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    run = read_run(path)
    if run.result is None:
        raise UserError(f"--mlflow: the search in {str(path)!r} has not ended; what is logged is what came of it.")
    try:
        return _logged(MlflowClient(tracking_uri=uri), run)
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"--mlflow: the store at {uri or 'the default place'!r} cannot be written: {reason}") from None


def _logged(client: MlflowClient, run: Any) -> str:
    name = str(run.record["data"]["name"])
    found = client.get_experiment_by_name(name)
    experiment = client.create_experiment(name) if found is None else found.experiment_id
    digest = run.record.get("model_sha256", "")
    if digest:  # runs of earlier versions have none
        for there in client.search_runs([experiment], filter_string=f"tags.`{KEPT_AS}` = '{digest}'"):
            return str(there.info.run_id)
    whole = client.create_run(experiment, run_name=run.path.resolve().name)
    top = whole.info.run_id
    plan = {key: value for key, value in run.record["plan"].items() if isinstance(value, str | int | float)}
    for key, value in {**plan, **run.result["best"]["hyperparameters"]}.items():
        client.log_param(top, key, value)
    for split, measured in (("test", run.result["test"]), ("baseline_test", run.result["baseline"]["test"])):
        for measure in ("accuracy", "log_loss", "macro_f1"):
            client.log_metric(top, f"{split}_{measure}", measured[measure])
    for trial in run.trials:
        _log_trial(client, experiment, top, trial)
    for file in FILES:
        if (run.path / file).exists():
            client.log_artifact(top, str(run.path / file))
    client.set_tag(top, KEPT_AS, digest)  # last: what is half there is written again
    client.set_terminated(top)
    return str(top)


def _log_trial(client: MlflowClient, experiment: str, parent: str, trial: TrialRecord) -> None:
    from mlflow.entities import Metric, Param

    tags = {"mlflow.parentRunId": parent, "tfcourse.status": trial.status}
    below = client.create_run(experiment, run_name=f"trial {trial.number}", tags=tags).info.run_id
    curves = [
        Metric(name, value, 0, epoch) for name, curve in trial.curves.items() for epoch, value in enumerate(curve, 1)
    ]
    params = [Param(name, str(value)) for name, value in trial.values.items()]
    for start in range(0, max(len(curves), 1), 900):  # a call takes a thousand
        client.log_batch(below, metrics=curves[start : start + 900], params=params if start == 0 else [])
    client.set_terminated(below, "FINISHED" if trial.status == "completed" else "FAILED")
