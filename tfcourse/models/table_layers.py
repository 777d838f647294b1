"""The feature map of tables as Keras layers: the matrix of :class:`~tfcourse.data.table_features.TableFeatures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.columns import BOUND, MOST_SCALES, PERIODS, CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.reading.categories import spellings
from tfcourse.data.reading.dates import SECONDS_IN_DAY
from tfcourse.data.reading.markers import ALWAYS
from tfcourse.data.reading.periods import PERIOD_ORDERS
from tfcourse.data.reading.reading import Reading
from tfcourse.data.table_features import TableFeatures
from tfcourse.models import text_layers

NUMBERS = "numbers"
"""The input that takes all plainly written numbers of a table with very many."""


def table_layers(inputs: dict[str, Any], features: TableFeatures) -> Any:
    """Return the matrix of a table's columns, shape (rows, features.width).

    Args:
        inputs: tensors of shape (rows, 1) by column; those of ``features.in_one_input`` are one, (rows, columns).
        features: the map.
    """
    values = _numbers(inputs, features) if features.numbers else None
    blocks = _number_blocks(values, features.numbers) if features.numbers else []
    blocks += [
        _one_hot(inputs[column.name], column, features.reading(column).kept, features.reading(column).missing)
        for column in features.categories
    ]
    blocks += [_bag(inputs[column.name], column) for column in features.texts]
    if any(number.bins for number in features.numbers):
        blocks.append(_through_bins(values, features.numbers))
    return keras.layers.Concatenate()(blocks) if len(blocks) > 1 else blocks[0]


def _numbers(inputs: dict[str, Any], features: TableFeatures) -> Any:
    """Return the numbers as they are, NaN where missing, shape (rows, numbers) float64."""
    numbers, together = features.numbers, features.in_one_input
    place = {name: index for index, name in enumerate(together)}
    if len(together) == len(numbers):
        values = inputs[NUMBERS]
    else:
        parts = [
            inputs[NUMBERS][:, place[number.name] : place[number.name] + 1]
            if number.name in place
            else _values(inputs[number.name], features.reading(number))
            for number in numbers
        ]
        values = keras.layers.Concatenate(dtype="float64")(parts) if len(parts) > 1 else parts[0]
    values = _days_of_numbers(values, features)
    return _without_sentinels(values, features)


def _number_blocks(values: Any, numbers: Sequence[NumberColumn]) -> list[Any]:
    """Return the scaled numbers, 0/1 columns of those that had missing values, and the dates' cycles."""
    center, scale = np.array([number.robust or (number.mean, number.deviation) for number in numbers]).T
    # Not a Normalization layer: it would be saved with its mean rounded to float32, and 1e5 ± 10 needs more.
    scaled = ops.divide(ops.subtract(values, center), scale)
    robust = np.array([number.robust is not None for number in numbers])
    if robust.any():
        scaled = ops.where(robust, _bounded(scaled), scaled)
    missing = ops.isnan(values)
    blocks = [ops.cast(ops.where(missing, ops.zeros_like(scaled), scaled), "float32")]
    if flagged := [index for index, number in enumerate(numbers) if number.has_missing]:
        blocks.append(ops.cast(ops.take(missing, flagged, axis=1), "float32"))
    for index, number in enumerate(numbers):
        for cycle in number.cycles:
            period, start = PERIODS[cycle]
            days = values[:, index : index + 1]
            turn = ops.multiply(ops.mod(days + start, np.array([period])), np.array([2 * np.pi / period]))
            for phase in (ops.sin(turn), ops.cos(turn)):
                blocks.append(ops.cast(ops.where(ops.isnan(days), ops.zeros_like(phase), phase), "float32"))
    return blocks


def _bounded(scaled: Any) -> Any:
    """Return z / √(1 + (z/3)²), in the order of :meth:`NumberColumn.scaled`."""
    z = ops.clip(scaled, -MOST_SCALES, MOST_SCALES)
    part = ops.divide(z, np.array([BOUND]))
    one = np.array([1.0])
    return ops.multiply(z, ops.sqrt(ops.divide(one, ops.add(ops.multiply(part, part), one))))


def _through_bins(values: Any, numbers: Sequence[NumberColumn]) -> Any:
    """Return how far the numbers are through their bins, all bins of a number side by side."""
    mean = np.array([number.mean for number in numbers])
    present = ops.where(ops.isnan(values), mean, values)
    edges = [np.array(number.edges) for number in numbers]
    place = np.repeat(np.arange(len(numbers)), [number.bins for number in numbers])
    left = np.concatenate([each[:-1] for each in edges])
    width = np.concatenate([each[1:] - each[:-1] for each in edges])
    through = ops.divide(ops.subtract(ops.take(present, place.tolist(), axis=1), left), width)
    return ops.cast(ops.clip(through, 0.0, 1.0), "float32")


def _values(column: Any, reading: Reading) -> Any:
    if reading.is_plain:
        return ops.cast(column, "float64")
    if reading.order in PERIOD_ORDERS:
        return text_layers.period(column, reading)
    return text_layers.number(column, reading) if reading.kind == "number" else text_layers.days(column, reading)


def _days_of_numbers(values: Any, features: TableFeatures) -> Any:
    """Turn numbers that count seconds or milliseconds, or are dates such as 20261231, into days since 1970."""
    orders = [features.reading(number).order for number in features.numbers]
    per_day = {"seconds": SECONDS_IN_DAY, "milliseconds": SECONDS_IN_DAY * 1000.0}
    if any(order in per_day for order in orders):
        values = ops.divide(values, np.array([per_day.get(order, 1.0) for order in orders]))
    if "compact" in orders:
        compact = np.array([order == "compact" for order in orders])
        values = ops.where(compact, text_layers.days_of_compact(values), values)
    return values


def _without_sentinels(values: Any, features: TableFeatures) -> Any:
    """Put NaN for numbers that stand for a missing value."""
    sentinels = [features.reading(number).sentinels for number in features.numbers]
    for index in range(max(map(len, sentinels), default=0)):
        row = np.array([each[index] if index < len(each) else np.nan for each in sentinels])
        values = ops.where(ops.equal(values, row), ops.full_like(values, np.nan), values)
    return values


def _one_hot(column: Any, category: CategoryColumn, kept: tuple[str, ...], missing: tuple[str, ...]) -> Any:
    """Look a text up and give its row of a fixed matrix: other, missing, then each value."""
    rows = category.rows
    place = {spelling: text for text in category.places for spelling in spellings(text)}
    place.update(
        {marker: "" for text in sorted(ALWAYS - set(kept)) for marker in (text, text.upper()) if marker not in place}
    )
    place.update(dict.fromkeys(("NaN", "<NA>", "NaT", *missing), ""))
    index = keras.layers.StringLookup(vocabulary=list(place), mask_token=None)(column)
    matrix = keras.layers.Embedding(len(place) + 1, category.width, trainable=False)
    one_hot = keras.layers.Reshape((category.width,))(matrix(index))
    matrix.set_weights([np.stack([rows[None], *(rows[text] for text in place.values())])])
    return one_hot


def _bag(column: Any, text: TextColumn) -> Any:
    """Return whether a text holds each of some words."""
    layer = keras.layers.TextVectorization(
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        output_mode="multi_hot",
        vocabulary=list(text.words),
    )
    bag = ops.reshape(layer(column), (-1, 1 + text.width))  # the first column is that of all other words
    return ops.cast(bag[:, 1:], "float32")
