"""The feature map as Keras layers, and the exported model: raw columns or images in, probabilities out.

Every layer is Keras's own, so that the saved file needs no code of ours. A table's model takes a dictionary of
columns, each of shape (rows,) or (rows, 1): float32 for numbers, strings for categories and dates.
"""

from __future__ import annotations

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
    inputs, matrix = array_layers(features) if isinstance(features, ArrayFeatures) else table_layers(features)
    return keras.Model(inputs, with_softmax(classifier)(matrix), name="tfcourse_classifier")


def array_layers(features: ArrayFeatures) -> tuple[Any, Any]:
    """Return the input of one array and the feature matrix made of it."""
    image = keras.Input(features.shape, name="x")
    flat = keras.layers.Flatten()(image)
    shape = (features.width,)
    mean, deviation = np.broadcast_to(features.mean, shape), np.broadcast_to(features.deviation, shape)
    return image, _standardize(mean, deviation, "float32")(flat)


def table_layers(features: TableFeatures) -> tuple[dict[str, Any], Any]:
    """Return the inputs, one a column under its own name, and the feature matrix made of them."""
    inputs: dict[str, Any] = {}
    numbers = []
    for number in features.numbers:
        text = bool(number.date_format)
        column = keras.Input((1,), name=number.name, dtype="string" if text else "float32")
        inputs[number.name] = column
        numbers.append(_days(column, number) if text else ops.cast(column, "float64"))
    blocks = []
    if numbers:
        values = keras.layers.Concatenate(dtype="float64")(numbers) if len(numbers) > 1 else numbers[0]
        missing = ops.isnan(values)
        mean = np.array([number.mean for number in features.numbers])
        deviation = np.array([number.deviation for number in features.numbers])
        standard = _standardize(mean, deviation, "float64")(values)
        blocks.append(ops.cast(ops.where(missing, ops.zeros_like(standard), standard), "float32"))
        flagged = [index for index, number in enumerate(features.numbers) if number.has_missing]
        if flagged:
            blocks.append(ops.cast(ops.take(missing, np.array(flagged), axis=1), "float32"))
    for category in features.categories:
        column = keras.Input((1,), name=category.name, dtype="string")
        inputs[category.name] = column
        blocks.append(_one_hot(column, category))
    return inputs, keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]


def _standardize(mean: Any, deviation: Any, dtype: str) -> keras.layers.Layer:
    return keras.layers.Normalization(mean=mean, variance=np.square(deviation), dtype=dtype)


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
