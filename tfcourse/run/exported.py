"""Ask a run's exported model: from rows as they were read to class probabilities."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import (
    ArrayFeatures,
    CategoryColumn,
    Features,
    NumberColumn,
    TableFeatures,
    numbers_of,
)
from tfcourse.data.table import Table, as_text
from tfcourse.errors import UserError

BATCH = 4096


def model_inputs(rows: Table | NDArray[Any], features: Features) -> Any:
    """Return what the exported model takes: the array, or the used columns by name.

    Raises:
        UserError: if columns are missing, or hold text where numbers were trained, or shapes differ.
    """
    if isinstance(features, TableFeatures) and isinstance(rows, dict):
        features.check(rows)
        return {column.name: _input(rows[column.name], column) for column in features.columns}
    assert isinstance(features, ArrayFeatures)
    assert isinstance(rows, np.ndarray)
    features.check(rows)
    return rows.astype(np.float32)


def _input(values: NDArray[Any], column: NumberColumn | CategoryColumn) -> NDArray[Any]:
    """Return a column as the exported model takes it, refusing text where numbers were trained."""
    if isinstance(column, CategoryColumn):
        return as_text(values)
    numbers = numbers_of(values, column)
    return as_text(values) if column.date_format else numbers.astype(np.float32)


def load_exported(path: Path, features: Features, classes: int) -> Any:
    """Return the exported model of a run as a Keras model.

    Args:
        path: its file.
        features: how the run reads its data.
        classes: how many classes it has.

    Raises:
        UserError: if its file is not there, is damaged, is none that tfcourse exported, or is another run's.
    """
    from tfcourse.quiet import quiet_start
    from tfcourse.start_keras import start_keras

    if not path.is_file():
        raise UserError(f"{str(path.parent)!r} is not a whole run folder: {path.name} is not there.")
    with quiet_start():
        start_keras()
        from tfcourse.models.model_file import load_model_file

        model = load_model_file(path)
    if (_inputs_of(model), model.output_shape) != (_inputs_by(features), (None, classes)):
        raise UserError(f"{str(path)!r} is the model of other data than the run is of. Restore it from a copy.")
    return model


def _inputs_of(model: Any) -> Any:
    """Return the kind of each column that a model takes, or the shape of an example."""
    inputs = model.input
    if isinstance(inputs, dict):
        return {name: "text" if tensor.dtype == "string" else "number" for name, tensor in inputs.items()}
    return None if isinstance(inputs, list) else inputs.shape[1:]


def _inputs_by(features: Features) -> Any:
    if isinstance(features, ArrayFeatures):
        return features.shape
    return {
        column.name: "text" if isinstance(column, CategoryColumn) or column.date_format else "number"
        for column in features.columns
    }


def probabilities_of(model: Any, inputs: Any) -> NDArray[np.float32]:
    """Return the class probabilities that a loaded model gives, shape (rows, classes)."""
    with warnings.catch_warnings():
        # A column with a slash gives its input layer another name; Keras says so each time.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        return np.asarray(model.predict(inputs, batch_size=BATCH, verbose=0))
