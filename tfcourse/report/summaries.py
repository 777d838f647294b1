"""Curves and hyperparameters for TensorBoard: ``tensorboard --logdir RUN`` shows what is written here.

Everything goes through TensorBoard's own protocol buffers and writer; each trial is a TensorBoard run of its own below
``RUN/tensorboard``, and the folder itself holds the HParams plugin's description of the space.
"""

from __future__ import annotations

import io
import platform
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.files.writing import make_folder, write_bytes
from tfcourse.report.curves import METRICS
from tfcourse.report.figures import searched
from tfcourse.report.source import Run
from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter

FOLDER = "tensorboard"


def write_summaries(run: Run) -> Path:
    """Write the summaries of all trials that ended, in place of what an earlier call wrote, and return their folder.

    Raises:
        OSError: if they cannot be written; what was there stays.
    """
    from tensorboard.plugins.hparams import summary_v2 as hparams

    out, new = run.path / FOLDER, run.path / f".{FOLDER}.new"
    shutil.rmtree(new, ignore_errors=True)
    started = datetime.fromisoformat(run.record["started"]).timestamp()
    parameters = searched(run.rounds)
    metrics = [hparams.Metric(f"best/{run.objective}"), *(hparams.Metric(name) for name in METRICS)]
    space = hparams.hparams_config_pb([_hparam(p, run, hparams) for p in parameters], metrics, started)
    try:
        _write(new, [(space, 0, started)])
        for trial in run.trials:
            if trial.status != "running":
                ended = started + (trial.ended_at or 0.0)
                _write(new / f"trial_{trial.number:04d}", list(_events(trial, run.objective, started, ended)))
        shutil.rmtree(out, ignore_errors=True)
        new.rename(out)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return out


def _hparam(parameter: Parameter, run: Run, hparams: Any) -> Any:
    """Return a hyperparameter of the HParams plugin, with the range that all rounds together cover."""
    versions = [each.space[parameter.name] for each in run.rounds]
    if parameter.scale == "choice":
        values = list(dict.fromkeys(value for version in versions for value in version.values))
        domain = hparams.Discrete(values, dtype=type(values[0]))
    else:
        low, high = min(version.low for version in versions), max(version.high for version in versions)
        whole = parameter.scale == "integer"
        domain = hparams.IntInterval(int(low), int(high)) if whole else hparams.RealInterval(float(low), float(high))
    return hparams.HParam(parameter.name, domain)


def _events(trial: TrialRecord, objective: str, started: float, ended: float) -> Iterator[tuple[Any, int, float]]:
    """Return the summaries of one trial with their steps (epochs from 1) and times."""
    from tensorboard.plugins.hparams import api_pb2
    from tensorboard.plugins.hparams import summary as hparams_ends
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    yield hparams_pb(dict(trial.values), f"trial {trial.number}", started), 0, started
    for name in METRICS:
        for epoch, value in enumerate(trial.curves.get(name, ()), 1):
            yield scalar_pb(name, value), epoch, ended
    if trial.score is not None and trial.best_epoch is not None:
        yield scalar_pb(f"best/{objective}", trial.score), trial.best_epoch + 1, ended
    status = api_pb2.STATUS_SUCCESS if trial.status == "completed" else api_pb2.STATUS_FAILURE
    yield hparams_ends.session_end_pb(status, ended), 0, ended


def _write(folder: Path, events: list[tuple[Any, int, float]]) -> None:
    """Write a file of summaries, made in memory: on a full disk TensorBoard's own file is an error of TensorFlow's."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    content, now = io.BytesIO(), time.time()
    records = RecordWriter(content)
    records.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
    for summary, step, moment in events:
        own = Summary.FromString(summary.SerializeToString())  # some of them are TensorFlow's class of that name
        records.write(Event(summary=own, step=step, wall_time=moment).SerializeToString())
    make_folder(folder)
    write_bytes(folder / f"events.out.tfevents.{now:010.0f}.{platform.node()}", content.getbuffer(), durable=False)
