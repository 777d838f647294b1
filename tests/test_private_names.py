"""The private names of Keras and KerasTuner that the package touches: all are listed here, and all are there.

They are why pyproject.toml has a ceiling for both. Before it is raised, this file tells what is gone.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import pytest

from tfcourse.search.cohort_fit_tuner import CohortFitTuner
from tfcourse.search.fit_tuner import FitTuner
from tfcourse.search.oracle import RandomOracle
from tfcourse.search.rounds_oracle import RoundsOracle
from tfcourse.tuner.cohort_tuner import CohortTuner

ROOT = Path(__file__).parents[1]


def network() -> Any:
    """Return a compiled network of two layers."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def built_optimizer() -> Any:
    """Return an optimizer that has been built on a network's weights."""
    model = network()
    model.optimizer.build(model.trainable_variables)
    return model.optimizer


USED: dict[str, tuple[Callable[[], Any], str]] = {
    "a Sequential": (
        network,
        "_functional _flatten_layers _layers _maybe_rebuild _initial_epoch _compile_loss _compile_metrics"
        " _loss_tracker",
    ),
    "a Functional": (
        lambda: network()._functional,
        "_nodes_by_depth _inputs_struct _outputs_struct _run_through_graph",
    ),
    "a compiled loss": (lambda: network()._compile_loss, "_user_loss _user_loss_weights"),
    "compiled metrics": (lambda: network()._compile_metrics, "_user_metrics _user_weighted_metrics"),
    "a loss": (keras.losses.SparseCategoricalCrossentropy, "_fn_kwargs"),
    "a layer": (lambda: network().layers[0], "_inbound_nodes"),
    "an optimizer": (built_optimizer, "_iterations _learning_rate _trainable_variables"),
    "TensorBoard": (keras.callbacks.TensorBoard, "_should_trace"),
    "an oracle": (
        keras_tuner.oracles.RandomSearchOracle,
        "_compute_values_hash _get_oracle_fname _get_trial_dir _project_dir _record_values _retry_queue _save_trial"
        " _tried_so_far _check_consecutive_failures _run_times _id_to_hash _set_project_dir",
    ),
    "keras_tuner.Tuner": (
        lambda: keras_tuner.Tuner,
        "_build_hypermodel _configure_tensorboard_dir _deepcopy_callbacks _get_build_config_fname _get_checkpoint_fname"
        " _get_tuner_fname _populate_initial_space _try_build _try_run_and_update_trial _run_and_update_trial"
        " _build_and_fit_model",
    ),
    "hyperparameters": (keras_tuner.HyperParameters, "_hps _space"),
    "keras_tuner.HyperModel": (lambda: keras_tuner.HyperModel, "_build_wrapper"),
    "keras_tuner.src.engine.oracle": (
        lambda: importlib.import_module("keras_tuner.src.engine.oracle"),
        "LOCKS THREADS",
    ),
    "keras_tuner.src.engine.metrics_tracking": (
        lambda: importlib.import_module("keras_tuner.src.engine.metrics_tracking"),
        "MetricHistory MetricsTracker",
    ),
    "keras_tuner.src.distribute.utils": (
        lambda: importlib.import_module("keras_tuner.src.distribute.utils"),
        "has_chief_oracle",
    ),
    "keras": (lambda: importlib.import_module("keras.src.models.functional"), "Functional"),
    "sys": (lambda: sys, "_current_frames"),
    "os": (lambda: os, "_exit"),
    "keras_tuner.src.utils": (lambda: importlib.import_module("keras_tuner.src.utils"), "load_json save_json"),
    "keras_tuner.src.engine.tuner_utils": (
        lambda: importlib.import_module("keras_tuner.src.engine.tuner_utils"),
        "convert_to_metrics_dict get_best_step SaveBestEpoch",
    ),
    "KerasTuner's checkpoint": (
        lambda: importlib.import_module("keras_tuner.src.engine.tuner_utils").SaveBestEpoch,
        "_save_model",
    ),
    "keras_tuner.engine.trial": (lambda: importlib.import_module("keras_tuner.engine.trial"), "Trial TrialStatus"),
}
"""What has them, and their names; those that our subclasses override are among them."""
LISTED = {name for _, names in USED.values() for name in names.split()}


@pytest.mark.parametrize("where", USED)
def test_what_is_used_is_there(where: str) -> None:
    owner, names = USED[where]
    found = owner()  # a property may need more than the class has
    gone = [name for name in names.split() if not hasattr(found, name) and not hasattr(type(found), name)]
    assert not gone, f"{where} no longer has {gone}: mend what uses it before the ceiling in pyproject.toml is raised"


def own_names(tree: ast.Module) -> set[str]:
    """Return the private names that a file defines or assigns."""
    stored = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return stored | {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}


def test_what_is_used_is_listed() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tfcourse").rglob("*.py")}
    own = set().union(*map(own_names, trees.values()))
    for path, tree in trees.items():
        attributes = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        private = {name for name in attributes if name.startswith("_") and not name.startswith("__")}
        assert private - own <= LISTED, f"{path}: list {private - own - LISTED} in tests/test_private_names.py"


@pytest.mark.parametrize("ours", [CohortFitTuner, CohortTuner, FitTuner, RandomOracle, RoundsOracle])
def test_what_is_overridden_is_listed(ours: type) -> None:
    bases = [base for base in ours.__mro__ if base.__module__.startswith("keras_tuner")]
    private = {name for name in vars(ours) if name.startswith("_") and not name.startswith("__")}
    overridden = {name for name in private if any(name in vars(base) for base in bases)}
    assert overridden <= LISTED, f"list {overridden - LISTED} in tests/test_private_names.py"


def test_both_have_a_ceiling() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    ranges = [line.strip(' ",') for line in lines if line.startswith(('  "keras>', '  "keras-tuner>'))]
    assert len(ranges) == 2
    assert all("<" in each for each in ranges), ranges
