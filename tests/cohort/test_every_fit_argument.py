"""Every argument of ``fit_together``: what ``Model.fit`` makes of the same, or refused with what is allowed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests.cohort.every import FIT, X, Y, arguments_of, assert_alike, assert_refused, model_of
from tfcourse.cohort import fit_together
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

TESTED_HERE = {
    "members", "x", "y", "validation_data", "initial_epoch", "epochs", "batch_size", "shuffle", "class_weight",
    "sample_weight", "monitor", "patience", "min_delta", "restore_best_weights", "jit_compile",
}  # fmt: skip
# test_stopping.py, test_plan.py, test_dropout.py and test_equality.py hold these.
TESTED_ELSEWHERE = {
    "seed", "on_epoch_end", "on_member_end", "on_plan", "places", "workers", "memory", "watches", "on_progress",
    "executor", "on_members_end",
}  # fmt: skip
SPEC = (NetworkSpec(4, 3), OptimizerSpec("sgd", 0.1))
WEIGHTS = np.linspace(0, 2, len(X), dtype=np.float32)


def plain() -> keras.Model:
    return model_of(layers.Dense(5, name="it"), layers.BatchNormalization(), metrics=["accuracy"])


def test_every_argument_is_decided():
    assert arguments_of(fit_together) == TESTED_HERE | TESTED_ELSEWHERE


def test_more_rows_in_a_minibatch_than_there_are_weighted_classes_and_a_later_epoch():
    assert_alike(
        plain,
        batch_size=100,
        initial_epoch=1,
        epochs=4,
        class_weight={0: 3.0, 1: 0.5, 9: 7.0},
        validation_data=[X[:7], Y[:7]],
    )


@pytest.mark.parametrize("rows", [1, 7])
def test_one_row_in_the_last_minibatch_or_in_all(rows):
    assert_alike(plain, x=X[:rows].astype(np.float64), y=Y[:rows].astype(np.float64))


@pytest.mark.parametrize("patience", [0, 2])
def test_weighted_rows_and_early_stopping_by_accuracy(patience):
    fit = {"sample_weight": WEIGHTS[:, np.newaxis], "validation_data": (X, Y, WEIGHTS), "epochs": 8}
    stopping = {"monitor": "val_accuracy", "patience": patience, "min_delta": -0.2, "restore_best_weights": True}
    assert_alike(plain, theirs={**fit, "callbacks": [keras.callbacks.EarlyStopping(**stopping)]}, **fit, **stopping)


@pytest.mark.parametrize(
    ("monitor", "message"),
    [
        ("val_acurracy", r"'val_acurracy' is none of the curves \(.*\)\. Did you mean 'val_accuracy'\?"),
        ("val_los", r"Did you mean 'val_loss'\?"),
        ("LOSS", r"Did you mean 'loss'\?"),
        ("val_auc", r"'val_auc' is none of the curves \(loss, accuracy, val_loss, val_accuracy\)"),
        ("acc", r"'acc' is none of the curves"),
        ("", r"'' is none of the curves"),
    ],
)
@pytest.mark.parametrize("stopping", [{"patience": 1}, {"restore_best_weights": True}, {}])
def test_a_curve_that_is_not_there_is_refused_with_the_nearest_name(monitor, message, stopping):
    with pytest.raises(UserError, match=message):
        fit_together([SPEC], X, Y, validation_data=(X, Y), monitor=monitor, **stopping)


def test_the_curves_of_every_member_must_be_monitored():
    with pytest.raises(UserError, match=r"'val_accuracy' is none of the curves \(loss, val_loss\)"):
        fit_together([SPEC, model_of()], X, Y, validation_data=(X, Y), monitor="val_accuracy", patience=1)
    with pytest.raises(UserError, match="'val_accuracy' needs validation_data"):
        fit_together([SPEC], X, Y, monitor="val_accuracy", patience=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shuffle": "batch"}, "shuffle must be True or False, but 'batch'"),
        ({"epochs": 2.5}, "epochs must be a whole number, but 2.5"),
        ({"epochs": "2"}, "epochs must be a whole number, but '2'"),
        ({"epochs": 0}, "initial_epoch < epochs must hold"),
        ({"batch_size": 6.0}, "batch_size must be a whole number, but 6.0"),
        ({"batch_size": [6, 6]}, "batch_size must be one value, or one for each of the 1 members; got 2"),
        ({"patience": 1.5, "monitor": "loss"}, "patience must be a whole number, but 1.5"),
        ({"y": Y + 0.5}, "Class numbers must be whole, but y holds 0.5"),
        ({"y": np.where(Y == 1, np.nan, Y)}, "Class numbers must be whole, but y holds nan"),
        ({"class_weight": {0: 2.0}, "sample_weight": WEIGHTS}, "Give class_weight or sample_weight, not both"),
        ({"sample_weight": WEIGHTS[1:]}, "one weight an example"),
    ],
)
def test_a_mistake_is_told(given: dict[str, Any], message):
    with pytest.raises(UserError, match=message):
        fit_together([SPEC], **{"x": X, "y": Y, **FIT, **given})


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (tf.data.Dataset.from_tensor_slices((X, Y)).batch(7), "validation_data Dataset"),
        ((X,), "validation_data tuple of 1"),
        (X, "validation_data ndarray"),
    ],
)
def test_validation_data_of_another_kind_are_refused(data, names):
    assert_refused(plain, names, validation_data=data)
