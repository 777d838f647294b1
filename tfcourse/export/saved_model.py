"""The SavedModel of a run's model, by Keras's own exporter: strings in, with their tables of categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.files.writing import write_json

SIGNATURE = "serving_default"
NOTES = "assets.extra"
"""The folder of a SavedModel that TensorFlow leaves to whoever wrote it."""


def write_saved_model(path: Path, model: Any, notes: dict[str, Any]) -> None:
    """Write the folder of a SavedModel whose signature takes a tensor a column and gives ``probabilities``.

    A column's tensor has the shape (rows,) or (rows, 1); examples that are arrays are one tensor, ``x``.

    Args:
        path: the folder.
        model: the loaded exported model.
        notes: what ``assets.extra/tfcourse.json`` in it says.
    """
    given = model.input
    columns = given if isinstance(given, dict) else {"x": given}
    names = serving_names(columns)
    spec = {
        name: tf.TensorSpec(None if tensor.shape[1:] == (1,) else tensor.shape, tensor.dtype, name=names[name])
        for name, tensor in columns.items()
    }

    def serve(tensors: dict[str, Any]) -> dict[str, Any]:
        shaped = {name: tf.reshape(tensor, (-1, *columns[name].shape[1:])) for name, tensor in tensors.items()}
        return {"probabilities": model(shaped if isinstance(given, dict) else shaped["x"], training=False)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=[spec])
    archive.write_out(str(path), verbose=False)
    (path / NOTES).mkdir()
    write_json(path / NOTES / "tfcourse.json", {**notes, "names": names})


def serving_names(columns: Iterable[str]) -> dict[str, str]:
    """Return what a signature calls each column: its name, but for characters that TensorFlow takes in none.

    TensorFlow takes two names that differ in capitals alone for one.

    >>> serving_names(["size", "Größe", "a b", "a/b", "A_B", "1st", "_x"])
    {'size': 'size', 'Größe': 'Gr__e', 'a b': 'a_b', 'a/b': 'a_b_2', 'A_B': 'A_B_3', '1st': '1st', '_x': 'x_x'}
    """
    names: dict[str, str] = {}
    for column in columns:
        name = base = re.sub(r"^(?=[^A-Za-z0-9.]|$)", "x", re.sub(r"[^A-Za-z0-9_.\-]", "_", column))
        number = 1
        while name.lower() in {each.lower() for each in names.values()}:
            number += 1
            name = f"{base}_{number}"
        names[column] = name
    return names


def ask_saved_model(path: Path, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the probabilities that the signature of a SavedModel gives, through TensorFlow's loader."""
    signature = tf.saved_model.load(str(path)).signatures[SIGNATURE]
    names = serving_names(inputs)
    return np.asarray(
        signature(**{names[name]: tf.constant(values) for name, values in inputs.items()})["probabilities"]
    )


def names_changed(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns that a signature calls otherwise, and how."""
    return {column: name for column, name in serving_names(columns).items() if column != name}
