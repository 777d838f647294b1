"""The feature map as Keras layers, and the exported model: raw columns or images in, probabilities out.

Every layer is Keras's own, so that the saved file needs no code of ours. A table's model takes a dictionary of
columns, each of shape (rows,) or (rows, 1): numbers, or strings for categories, texts, dates and numbers that are not
plainly written. A table of very many numbers has them as one input, a matrix in the columns' order.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.features import ArrayFeatures, Features
from tfcourse.models.builders import with_softmax
from tfcourse.models.table_layers import NUMBERS, table_layers


def export_model(features: Features, classifier: keras.Model) -> keras.Model:
    """Return one model from raw columns or images to class probabilities.

    Args:
        features: the feature map with its statistics.
        classifier: the trained network, from the feature matrix to logits; its weights are shared.
    """
    preprocessing, inputs = build_preprocessing(features)
    if isinstance(inputs, dict):
        for model in (preprocessing, classifier := with_softmax(classifier)):
            while model.name in inputs:  # beside the inputs no other layer may have a column's name
                model.name = f"{model.name}_"
        probabilities = classifier(preprocessing(list(inputs.values())))
    else:
        probabilities = with_softmax(classifier)(preprocessing(inputs))
    with warnings.catch_warnings():
        # A column with a slash cannot give its input layer its name, only its key.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        return keras.Model(inputs, probabilities, name="tfcourse_classifier")


def build_preprocessing(features: Features) -> tuple[keras.Model, Any]:
    """Return the feature map as a Keras model, and inputs for it: a dictionary by column, or one array."""
    if isinstance(features, ArrayFeatures):
        image = keras.Input(features.shape, name="x")
        return keras.Model(image, _array_layers(image, features), name="preprocessing"), image
    columns: dict[str, Any] = {}
    together = features.in_one_input
    if together:
        columns[NUMBERS] = keras.Input((len(together),), name=NUMBERS, dtype="float64")
    for column in features.columns:
        if column.name not in together:
            text = features.takes_text(column)
            name = column.name.replace("/", "\u2215")
            columns[column.name] = keras.Input((1,), name=name, dtype="string" if text else "float64")
    # The layers stand in a model of their own, where no column can have the name of a layer.
    inner = {name: keras.Input(column.shape[1:], dtype=column.dtype) for name, column in columns.items()}
    return keras.Model(list(inner.values()), table_layers(inner, features), name="preprocessing"), columns


def _array_layers(image: Any, features: ArrayFeatures) -> Any:
    # Not a Flatten layer, whose order of the pixels is keras.json's, nor a Normalization layer; see table_layers.
    flat = keras.layers.Reshape((features.width,))(image)
    standard = ops.divide(
        ops.subtract(ops.cast(flat, "float64"), np.array(features.mean)), np.array(features.deviation)
    )
    return ops.cast(standard, "float32")
