"""One babysat training of our own networks: its folder, its data, its model, and what it leaves when it is stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.checkpoints import Checkpoints
from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.lineage import best_epoch, better_but_lost, surviving
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.babysitting.page import write_page
from tfcourse.babysitting.setting import Start
from tfcourse.babysitting.show import status_of
from tfcourse.babysitting.state import restore_weights
from tfcourse.data.features import features_from_json
from tfcourse.data.prepare import DataOptions, Prepared, prepare_again
from tfcourse.data.sources import fingerprint_of
from tfcourse.errors import UserError
from tfcourse.files.writing import write_json
from tfcourse.models.builders import build_mlp
from tfcourse.process.interrupt import not_interrupted
from tfcourse.run.exported import export
from tfcourse.run.folder import TRAINING, RunFolder, RunStatus
from tfcourse.run.measure import measure

EVALUATION_BATCH = 4096
ANY_RATE = 0.5
"""A dropout layer built with a rate of 0 could never drop anything."""


@dataclass(frozen=True)
class BabysatTraining:
    """A babysat training: its folder, its data, how it began and from which seed."""

    folder: RunFolder
    prepared: Prepared
    start: Start
    seed: int

    def model(self) -> keras.Model:
        """Return the network as it begins, compiled so that everything that is live can change."""
        network = replace(self.start.network, dropout=self.start.network.dropout or ANY_RATE)
        model = build_mlp(network, replace(self.start.optimizer, decay_rate=0.0), seed=self.seed)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = self.start.network.dropout
        return model

    def minibatches(self) -> Minibatches:
        """Return the training rows."""
        return Minibatches(self.prepared.train.x, self.prepared.train.y, self.start.batch_size, self.seed)

    def fit_arguments(self) -> dict[str, Any]:
        """Return what ``Model.fit`` is told besides."""
        validation = self.prepared.validation
        return {
            "validation_data": (validation.x, validation.y),
            "validation_batch_size": EVALUATION_BATCH,
        }


def open_training(path: Path, data: Mapping[str, Any] | None = None) -> BabysatTraining:
    """Return the training in a folder, its data read again.

    Args:
        path: the folder.
        data: new places of the data (``data``, ``test_data``).

    Raises:
        UserError: if it is none, or its data are gone or others.
    """
    folder = RunFolder.open(path, TRAINING)
    if "branch_of" in folder.record and not read_journal(path).events:
        raise UserError(
            f"{str(path)!r} was to be a branch, but its process was ended before it had begun. Remove that folder and"
            f" branch again: {folder.record['command']}"
        )
    options = folder.parse(lambda record: DataOptions.from_json(record["options"]))
    options = replace(options, **(data or {}))
    for flag, place in (("--data", options.data), ("--test-data", options.test_data)):
        if place is not None and Path(place).is_absolute() and not Path(place).exists():
            raise UserError(f"The data is no longer at {place!r}; give its new place with {flag}.")
    if fingerprint_of(options.data, options.test_data) != folder.record["data"]["fingerprint"]:
        raise UserError(
            f"{options.data!r} holds other data than the training in {str(path)!r} began with. Give that data with"
            " --data, or begin a new training with another --out."
        )
    features = folder.parse(lambda record: features_from_json(record["features"]))
    prepared = prepare_again(options, features, folder.record["data"]["split"])
    folder.check_classes(prepared.classes)
    start = folder.parse(lambda record: Start.from_json(record["start"]))
    return BabysatTraining(folder, prepared, start, folder.record["seed"])


def run(
    training: BabysatTraining,
    *,
    changes: Mapping[str, Any],
    say: Callable[[str], object],
    interrupted: Callable[[], bool],
    **options: Any,
) -> dict[str, Any]:
    """Train until it is stopped or ends by itself; then leave ``model.keras`` and the result, which is returned.

    A training that had ended, but was killed or met a full disk before it had left all that, only does what is left.

    Args:
        training: what to train, from its beginning or from its last checkpoint.
        changes: live hyperparameters to change first.
        say: called with each line for the person who watches.
        interrupted: asked at each step whether to stop with a KeyboardInterrupt.
        **options: further ones of :class:`Babysitter`.
    """
    repeatable()
    decay = training.start.optimizer.decay_rate
    babysitter = Babysitter(
        training.folder.path, minibatches=training.minibatches(), say=say, interrupted=interrupted,
        learning_rate_decay=decay, **{**training.start.limits, **options},
    )  # fmt: skip
    model = training.model()
    babysitter.open(model, changes, unfinished=training.folder.record.get("status") != RunStatus.COMPLETED)
    try:
        training.folder.update(status=RunStatus.RUNNING)
        babysitter.train(model, then=lambda: finish(training), **training.fit_arguments())
        return training.folder.result()
    except BaseException:
        with not_interrupted(), contextlib.suppress(OSError):  # the disk may be what went wrong
            training.folder.update(status=RunStatus.INTERRUPTED)
        raise


def repeatable() -> None:
    """Let TensorFlow compute the same numbers each time, which a replay stands on."""
    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()


def state_to_export(path: Path) -> Event:
    """Return the best epoch that led to the present weights; the last state where none was finite.

    Raises:
        UserError: if nothing can be exported, or a better epoch than those that were kept was lost to a full disk.
    """
    states = surviving(read_journal(path).events)
    there = Checkpoints(path).numbers
    if (lost := better_but_lost(states)) is not None:
        raise UserError(
            f"Epoch {lost['epoch']} is the best, but the disk was full and its weights were not kept, so that no model"
            " is saved. Make room and give the same command again: what was not kept is trained again."
        )
    best = best_epoch([event for event in states if event["number"] in there])
    kept = [event for event in states if event["number"] in there]
    if best is None and not kept:
        raise UserError(f"{str(path)!r} has no checkpoint to make a model of.")
    return best or kept[-1]


def finish(training: BabysatTraining) -> dict[str, Any]:
    """Export the best epoch's network as ``model.keras``, look at the test split, and write and return the result."""
    folder, prepared = training.folder, training.prepared
    state = state_to_export(folder.path)
    model = training.model()
    arrays, _ = Checkpoints(folder.path).read(int(state["number"]))
    restore_weights(model, arrays)
    probabilities = export(folder.model_path, prepared.features, model, prepared.test_rows, prepared.test.x)
    looks = int(folder.record.get("test_looks", 0)) + 1
    result = {
        "saved": f"epoch {state['epoch']}",
        "epoch": state["epoch"],
        "step": state["step"],
        "validation": {k.removeprefix("val_"): v for k, v in state.get("logs", {}).items() if k.startswith("val_")},
        "test": measure(probabilities, prepared.test.y, prepared.classes, prepared.seen),
        "test_looks": looks,
        "classes": list(prepared.classes),
    }
    write_json(folder.result_path, result)
    write_page([status_of(folder.path)], folder.path / "report.html")
    folder.complete(test_looks=looks)
    return result
