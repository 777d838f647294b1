"""Ask a run's exported model: from rows as they were read to class probabilities."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.features import ArrayFeatures, Features, TableFeatures, features_from_json
from tfcourse.data.reading.decode import render
from tfcourse.data.reading.reading import Reading
from tfcourse.data.table import Table
from tfcourse.errors import UserError
from tfcourse.files.writing import replacing
from tfcourse.models.answers import answer_of, answers_of, rows_at_once
from tfcourse.run.folder import RunFolder

MANY_BATCHES = 12
ROUNDING = 1e-3
"""Largest difference of two probabilities that rounding can make: products of float32 numbers in another order."""


def export(
    path: Path, features: Features, network: Any, rows: Table | NDArray[Any], x: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Write the exported model of a network, load it again, and return the probabilities that it gives raw rows.

    So a test score is that of the file which is deployed. No file is left if the model in it is not the network.

    Args:
        path: where to, ending in ``.keras``.
        features: the feature map.
        network: the trained network, from the feature matrix to logits.
        rows: the rows as they were read.
        x: the same rows as the feature matrix.

    Raises:
        UserError: if the probabilities are not those of the network on the feature matrix, but for rounding.
    """
    from tfcourse.models.builders import with_softmax
    from tfcourse.models.preprocessing import export_model
    from tfcourse.models.saving import model_content

    with replacing(path) as temporary:
        temporary.write_bytes(model_content(export_model(features, network)))
        probabilities = probabilities_of(
            load_exported(temporary, features, network.output_shape[1]), model_inputs(rows, features)
        )
        expected = answers_of(with_softmax(network), x)
        check_same(probabilities, expected, path)
    return probabilities


def check_same(probabilities: NDArray[np.float32], expected: NDArray[np.float32], path: Path) -> None:
    """Refuse an exported model that says something else than its network.

    Raises:
        UserError: with the first row that differs.
    """
    off = ~(np.abs(probabilities - expected) <= ROUNDING).all(axis=1)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        place = int(np.nan_to_num(np.abs(probabilities[row] - expected[row]), nan=np.inf).argmax())
        raise UserError(
            f"The exported model is not the network that was trained: in {int(off.sum())} of {len(off)} test rows its"
            f" probabilities differ, in test row {row + 1} {probabilities[row, place]:.4g} instead of"
            f" {expected[row, place]:.4g}. {path.name} was not written, and no test score is given; the run"
            f" {str(path.parent)!r} is kept. This is a fault of this program or of the installed Keras: please report"
            " it, with run.json. Once it is mended, going on with the run exports the model again."
        )


def model_inputs(rows: Table | NDArray[Any], features: Features) -> Any:
    """Return what the exported model takes: the array, or the used columns by name.

    Raises:
        UserError: if columns are missing, or hold text where numbers were trained, or shapes differ.
    """
    if isinstance(features, TableFeatures) and isinstance(rows, dict):
        features.check(rows)
        inputs = {
            column.name: _input(rows[column.name], column, features.reading(column)) for column in features.columns
        }
        together = features.in_one_input
        if together:
            inputs["numbers"] = np.stack([inputs.pop(name) for name in together], axis=1)
        return inputs
    assert isinstance(features, ArrayFeatures)
    assert isinstance(rows, np.ndarray)
    features.check(rows)
    return rows.astype(np.float32)


def _input(values: NDArray[Any], column: NumberColumn | CategoryColumn | TextColumn, reading: Reading) -> NDArray[Any]:
    """Return a decoded column as the exported model takes it: numbers, or texts that it reads as they were."""
    return render(values, reading) if isinstance(column, NumberColumn) else values


def load_exported(path: Path, features: Features, classes: int) -> Any:
    """Return the exported model of a run as a Keras model.

    Args:
        path: its file.
        features: how the run reads its data.
        classes: how many classes it has.

    Raises:
        UserError: if its file is not there, is damaged, is none that tfcourse exported, or is another run's.
    """
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras

    if not path.is_file():
        raise UserError(f"{str(path.parent)!r} is not a whole run folder: {path.name} is not there.")
    with quiet_start():
        start_keras()
        from tfcourse.models.model_file import load_model_file

        model = load_model_file(path)
    if (_inputs_of(model), model.output_shape) != (_inputs_by(features), (None, classes)):
        raise UserError(f"{str(path)!r} is the model of other data than the run is of. Restore it from a copy.")
    return model


def features_of(folder: RunFolder) -> Features:
    """Return how the rows of a run become the feature matrix of its exported model.

    Where that has columns of bins and the search had none, it is not the map of the search.

    Raises:
        UserError: if the record is damaged.
    """
    return folder.parse(lambda record: features_from_json(record.get("model_features") or record["features"]))


def network_of(model: Any, features: Features) -> Any:
    """Return the part of a loaded exported model from the feature matrix to probabilities; the weights are shared.

    Raises:
        UserError: if the feature matrix is another, since an earlier version did not keep how the bins are bounded.
    """
    network = model.layers[-1]
    if network.input_shape not in ((None, features.width), [(None, features.width)]):
        raise UserError(
            "The run's model has columns of bins, and the version that made the run did not keep how they are bounded;"
            " only model.keras knows it. A run of this version keeps it: train again, with --numbers standard for none."
        )
    return network


def _inputs_of(model: Any) -> Any:
    """Return the kind of each column that a model takes, or the shape of an example."""
    inputs = model.input
    if isinstance(inputs, dict):
        return {name: "text" if tensor.dtype == "string" else "number" for name, tensor in inputs.items()}
    return None if isinstance(inputs, list) else inputs.shape[1:]


def _inputs_by(features: Features) -> Any:
    if isinstance(features, ArrayFeatures):
        return features.shape
    together = features.in_one_input
    kinds = {"numbers": "number"} if together else {}
    return kinds | {
        column.name: "text" if features.takes_text(column) else "number"
        for column in features.columns
        if column.name not in together
    }


def probabilities_of(model: Any, inputs: Any) -> NDArray[np.float32]:
    """Return the class probabilities that a loaded model gives, shape (rows, classes)."""
    batches = list(_in_batches(inputs, rows_at_once(model)))
    with warnings.catch_warnings():
        # A column with a slash gives its input layer another name; Keras says so each time.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        # Not predict, which rounds arrays of float64 to float32 before the model can take the mean off. To trace a
        # function first, as predict_on_batch does, takes as long as a dozen batches without.
        ask = model.predict_on_batch if len(batches) > MANY_BATCHES else functools.partial(answer_of, model)
        return np.concatenate([np.asarray(ask(batch)) for batch in batches])


def _in_batches(inputs: Any, rows: int) -> Iterator[Any]:
    columns = inputs if isinstance(inputs, dict) else {"": inputs}
    for start in range(0, max(map(len, columns.values())), rows):
        batch = {name: values[start : start + rows] for name, values in columns.items()}
        yield batch if isinstance(inputs, dict) else batch[""]
