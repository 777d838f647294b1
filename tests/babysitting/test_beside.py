"""With no command given, a babysat ``fit`` is the ``fit`` without it, bit for bit, whatever stands beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.babysitting.beside import (
    CALLBACKS,
    CONSTANT,
    OPTIMIZERS,
    SETS_THE_RATE,
    VALIDATION,
    X,
    Y,
    assert_same,
    callback,
    network,
    outcome,
    quiet,
)
from tests.examples import scaled
from tfcourse.babysitting.journal import read_journal
from tfcourse.babysitting.lineage import epochs_of, surviving


@pytest.fixture(autouse=True, scope="module")
def _repeatable() -> None:
    tf.config.experimental.enable_op_determinism()


@st.composite
def trainings(draw: st.DrawFn) -> dict[str, Any]:
    """Return a training: its optimizer, how it is compiled, what stands beside it, and the arguments of ``fit``."""
    optimizer = draw(st.sampled_from(sorted(OPTIMIZERS)))
    allowed = [
        name
        for name in CALLBACKS
        if (name not in SETS_THE_RATE or optimizer in CONSTANT) and (name != "swap" or optimizer == "adam, averaged")
    ]
    eager = draw(st.sampled_from([True, True, True, False]))
    steps = draw(st.sampled_from([1, 1, 2, 3]))
    fit: dict[str, Any] = {
        "epochs": draw(st.integers(1, 3)),
        "shuffle": draw(st.booleans()),
        "initial_epoch": draw(st.sampled_from([0, 0, 1])),
        "validation_freq": draw(st.sampled_from([1, 2])),
        **draw(
            st.sampled_from(
                [{}, {"validation_split": 0.25}, {"validation_data": VALIDATION, "validation_batch_size": 4}]
            )
        ),
        **draw(st.sampled_from([{}, {"class_weight": {0: 1.0, 1: 3.0}}, {"sample_weight": np.linspace(0, 1, len(X))}])),
        **draw(st.sampled_from([{"batch_size": 8}, {"batch_size": 20}, {"batch_size": 8, "steps_per_epoch": 2}])),
    }
    data = "arrays"
    if "sample_weight" not in fit and "validation_split" not in fit and draw(st.booleans()):
        data = draw(st.sampled_from(["dataset", "endless dataset"]))
        del fit["batch_size"]
        fit["shuffle"] = False
        fit.pop("class_weight", None)
        fit["steps_per_epoch"] = 2 if data == "endless dataset" else None
    return {
        "optimizer": optimizer,
        "compile": {
            "run_eagerly": eager,
            "steps_per_execution": steps,
        },
        "beside": draw(st.lists(st.sampled_from(allowed), unique=True, max_size=4)),
        "place": draw(st.integers(0, 4)),
        "data": data,
        "fit": fit,
    }


def data_of(kind: str) -> Sequence[Any]:
    if kind == "arrays":
        return (X, Y)
    dataset = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(20, seed=4).batch(8)
    return (dataset if kind == "dataset" else dataset.repeat(),)


PLAIN: dict[str, Any] = {
    "optimizer": "sgd", "compile": {"run_eagerly": True}, "beside": [], "place": 0, "data": "arrays",
    "fit": {"epochs": 3, "batch_size": 8, "shuffle": False},
}  # fmt: skip


@settings(max_examples=scaled(8))
@given(trainings())
@example({**PLAIN, "beside": ["plateau"]})
@example({**PLAIN, "beside": ["warm-up by epoch"], "place": 1})
@example({**PLAIN, "optimizer": "adam, scaled", "beside": ["backup"], "fit": {**PLAIN["fit"], "initial_epoch": 1}})
def test_it_changes_nothing(training: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as place:
        outcomes = []
        for kind in ("alone", "babysat"):
            folder = Path(place, kind)
            folder.mkdir()
            beside = [callback(name, folder) for name in training["beside"]]
            if kind == "babysat":
                beside.insert(min(training["place"], len(beside)), quiet(Path(place, "nursery")))
            model = network(training["optimizer"], **training["compile"])
            outcomes.append(outcome(folder, model, beside, data_of(training["data"]), **training["fit"]))
        assert_same(*outcomes)
        told = epochs_of(surviving(read_journal(Path(place, "nursery")).events))
        assert [event["epoch"] - 1 for event in told] == outcomes[0]["epochs"]


FORGETFUL = ("warm-up by epoch", "warm-up by step", "checkpoint", "terminate", "backup")
"""Callbacks that know by the epoch, or from their own files, what to do when training goes on."""


class CtrlC(keras.callbacks.Callback):
    """Somebody who presses Ctrl-C at a step, counted over all epochs."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@settings(max_examples=scaled(4))
@given(
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    beside=st.lists(st.sampled_from(FORGETFUL), unique=True, max_size=3),
    place=st.integers(0, 3),
    initial_epoch=st.sampled_from([0, 1]),
    presses=st.lists(st.integers(1, 7), min_size=1, max_size=2),
    again=st.booleans(),
)  # fmt: skip
@example("adam, scaled", ["warm-up by epoch"], 0, 1, [2, 6], True)
@example("adagrad", [], 0, 0, [1], False)
def test_stopped_and_started_again_it_is_the_undisturbed_training(
    optimizer: str, beside: list[str], place: int, initial_epoch: int, presses: list[int], again: bool
) -> None:
    beside = [name for name in beside if optimizer in CONSTANT or name not in SETS_THE_RATE]
    fit: dict[str, Any] = {"epochs": 3, "batch_size": 8, "shuffle": False, "initial_epoch": initial_epoch}
    with tempfile.TemporaryDirectory() as folder:
        calm = network(optimizer, run_eagerly=True)
        outcome(Path(folder), calm, [callback(name, Path(folder, "calm")) for name in beside], (X, Y), **fit)
        nursery, sitter, model = Path(folder, "nursery"), None, None
        for step in [*presses, 0]:
            # In a notebook: the same cell again, or another with a new network.
            sitter = sitter if sitter is not None and again else quiet(nursery)
            model = model if model is not None and again else network(optimizer, run_eagerly=True)
            callbacks: list[Any] = [callback(name, Path(folder, "killed")) for name in beside]
            callbacks.insert(min(place, len(callbacks)), sitter)
            try:
                model.fit(X, Y, verbose=0, callbacks=[*callbacks, CtrlC(step)], **fit)
            except KeyboardInterrupt:
                assert step
        assert model is not None
        for ours, theirs in (
            (model.variables, calm.variables),
            (model.optimizer.variables, calm.optimizer.variables),
        ):
            for mine, other in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(np.asarray(mine), np.asarray(other))
        epochs = epochs_of(surviving(read_journal(nursery).events))
        assert [event["epoch"] for event in epochs] == list(range(initial_epoch + 1, 4))
        shutil.rmtree(nursery)
