"""The feature map as Keras layers, and the exported model: raw columns or images in, probabilities out.

Every layer is Keras's own, so that the saved file needs no code of ours. A table's model takes a dictionary of
columns, each of shape (rows,) or (rows, 1): float32 for numbers, strings for categories and dates.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data import dates
from tfcourse.data.features import ArrayFeatures, CategoryColumn, Features, NumberColumn, TableFeatures
from tfcourse.data.table import MISSING
from tfcourse.models.builders import with_softmax

DIGITS = "0123456789"


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
    for column in features.columns:
        text = isinstance(column, CategoryColumn) or bool(column.date_format)
        name = column.name.replace("/", "\u2215")
        columns[column.name] = keras.Input((1,), name=name, dtype="string" if text else "float32")
    # The layers stand in a model of their own, where no column can have the name of a layer.
    inner = [keras.Input((1,), dtype=column.dtype) for column in columns.values()]
    return keras.Model(inner, _table_layers(inner, features), name="preprocessing"), columns


def _array_layers(image: Any, features: ArrayFeatures) -> Any:
    # Not a Flatten layer, whose order of the pixels is keras.json's, nor a Normalization layer; see _number_blocks.
    flat = keras.layers.Reshape((features.width,))(image)
    standard = ops.divide(
        ops.subtract(ops.cast(flat, "float64"), np.array(features.mean)), np.array(features.deviation)
    )
    return ops.cast(standard, "float32")


def _table_layers(columns: list[Any], features: TableFeatures) -> Any:
    count = len(features.numbers)
    blocks = _number_blocks(columns[:count], features.numbers) if count else []
    blocks += [_one_hot(column, read_as) for column, read_as in zip(columns[count:], features.categories, strict=True)]
    return keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]


def _number_blocks(columns: list[Any], numbers: tuple[NumberColumn, ...]) -> list[Any]:
    """Return the standardized numbers, and the 0/1 columns of those that had missing values."""
    parts = [
        _days(column, number) if number.date_format else ops.cast(column, "float64")
        for column, number in zip(columns, numbers, strict=True)
    ]
    values = keras.layers.Concatenate(dtype="float64")(parts) if len(parts) > 1 else parts[0]
    mean = np.array([number.mean for number in numbers])
    deviation = np.array([number.deviation for number in numbers])
    # Not a Normalization layer: it would be saved with its mean rounded to float32, and 1e5 ± 10 needs more; and it
    # takes no deviation below 1e-7.
    standard = ops.divide(ops.subtract(values, mean), deviation)
    missing = ops.isnan(values)
    blocks = [ops.cast(ops.where(missing, ops.zeros_like(standard), standard), "float32")]
    flagged = [index for index, number in enumerate(numbers) if number.has_missing]
    return [*blocks, ops.cast(ops.take(missing, flagged, axis=1), "float32")] if flagged else blocks


def _one_hot(column: Any, category: CategoryColumn) -> Any:
    """Look a text up and give its row of a fixed 0/1 matrix: other, missing, then each value."""
    vocabulary = [*MISSING, *category.values]
    rows = [0, *[1] * len(MISSING), *range(2, category.width)]
    index = keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None)(column)
    matrix = keras.layers.Embedding(len(rows), category.width, trainable=False)
    one_hot = keras.layers.Reshape((category.width,))(matrix(index))
    matrix.set_weights([np.eye(category.width, dtype=np.float32)[rows]])
    return one_hot


def _days(column: Any, number: NumberColumn) -> Any:
    """Read a fixed-width date digit by digit and give days since 1970, NaN where it is no date.

    The day number is that of the proleptic Gregorian calendar, counted in years that begin in March.
    """
    characters = keras.layers.TextVectorization(
        standardize=None,
        split="character",
        output_sequence_length=dates.width(number.date_format),
        vocabulary=list(DIGITS),
    )(column)
    digits = ops.cast(characters, "float64") - 2.0  # index 0 is padding, 1 any other character
    part = {"%H": 0.0, "%M": 0.0, "%S": 0.0}
    valid: Any = True
    for directive, start, length in dates.fields(number.date_format):
        figures = digits[:, start : start + length]
        valid = ops.logical_and(valid, ops.all(figures >= 0, axis=1, keepdims=True))
        part[directive] = ops.sum(figures * (10.0 ** np.arange(length)[::-1]), axis=1, keepdims=True)
    month = part["%m"]
    year = part["%Y"] - ops.cast(month <= 2, "float64")
    from_march = ops.mod(month + 9.0, 12.0)
    day_of_year = ops.floor((153.0 * from_march + 2.0) / 5.0) + part["%d"] - 1.0
    leap_days = ops.floor(year / 4.0) - ops.floor(year / 100.0) + ops.floor(year / 400.0)
    days = 365.0 * year + leap_days + day_of_year - 719468.0
    seconds = part["%H"] * 3600.0 + part["%M"] * 60.0 + part["%S"]
    return ops.where(valid, days + seconds / 86400.0, ops.full_like(days, np.nan))
