"""Data made ready for a search: read, split, mapped to matrices by the training split's statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfcourse.data import labels
from tfcourse.data.beside import Weights, of_mean_one, without_group, without_weights
from tfcourse.data.cut import cut
from tfcourse.data.features import BLOCK, ArrayFeatures, Features, Matrix, TableFeatures, check_finite
from tfcourse.data.fit_table import fit_table
from tfcourse.data.in_both import in_both, seen_words
from tfcourse.data.numbers_as import NumbersAs, numbers_as
from tfcourse.data.options import DataOptions
from tfcourse.data.reading.corrections import read_corrections
from tfcourse.data.reading.reading import Reading
from tfcourse.data.sources import Dataset, X, load
from tfcourse.data.split import Split
from tfcourse.data.suspicions import odd_categories, suspicions
from tfcourse.data.table import Table, take
from tfcourse.errors import UserError, did_you_mean

Numbers = NDArray[np.int64]
MOST_LINES, MOST_LEFT_OUT = 60, 8
"""Of wider tables the columns are counted by their kind, and only so many that are left out are named."""


@dataclass(frozen=True)
class Part:
    """One part of the data: its matrix, shape (rows, features) float32, and class numbers, shape (rows,).

    ``weights``, shape (rows,), are 1 on average; None where every row counts once, as in every test part.
    """

    x: Matrix
    y: Numbers
    weights: Weights | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Prepared:
    """Data ready to train on.

    Args:
        name: short name of the data set.
        classes: the classes' names, in the order of their numbers.
        features: the map from columns or images to the matrix.
        train, validation, test: the three parts.
        test_rows: the rows of the test part as they were read, to ask the exported model.
        seen: which of them stand in the training data too, where the split does not prevent it.
        fingerprint: SHA-256 of the data as read.
        columns: one line a column: how it is read.
        notes: further lines for the user.
        groups: group number of each row of the training part and then of the validation part: rows of one group stay
            together when they are cut further; None where they are in the order of time.
        rows: those rows as they were read; None for arrays.
        test_places: the place of each row of the test part in its file, from 0, rows without a label left out.
        weights: how much those rows of the training part and then of the validation part count, 1 on average; None
            where they count alike.
    """

    name: str
    classes: tuple[str, ...]
    features: Features
    train: Part
    validation: Part
    test: Part
    test_rows: X
    seen: NDArray[np.bool_]
    fingerprint: str
    columns: list[str]
    notes: list[str]
    groups: Numbers | None = None
    rows: Table | None = None
    test_places: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    weights: Weights | None = None


def prepare(options: DataOptions) -> Prepared:
    """Read, split and map the data that ``options`` name.

    Raises:
        UserError: if the data cannot be used; the message says why and what to do.

    >>> prepared = prepare(DataOptions("digits"))
    >>> prepared.train.x.shape[1], len(prepared.classes)
    (64, 10)
    """
    dataset = load(
        options.data, target=options.target, drop=options.drop, test_data=options.test_data, wishes=options.wishes,
        beside=options.beside,
    )  # fmt: skip
    return _prepared(dataset, options, None)


def prepare_again(options: DataOptions, features: Features, split: Mapping[str, int]) -> Prepared:
    """Read, split and map data as an earlier part of a run did, whatever the present rules would make of them.

    Args:
        options: the run's.
        features: the run's map.
        split: its number of rows in each part, as :func:`rows_in_split` gives them.

    Raises:
        UserError: if the data cannot be read or split so.
    """
    readings = None
    if isinstance(features, TableFeatures):
        readings = {column.name: features.reading(column) for column in features.columns}
    dataset = load(
        options.data, target=options.target, drop=options.drop, test_data=options.test_data,
        wishes=replace(options, reading=None).wishes, readings=readings, beside=options.beside,
    )  # fmt: skip
    prepared = _prepared(dataset, options, features)
    if (found := rows_in_split(prepared)) != dict(split):
        raise UserError(
            f"{options.data!r} is split into {_counts(found)} rows, but the run began with {_counts(split)}: this"
            " version splits it otherwise than the one that began the run. Start a new one with --out."
        )
    return prepared


def _counts(split: Mapping[str, int]) -> str:
    return "/".join(map(str, split.values()))


def _prepared(dataset: Dataset, options: DataOptions, features: Features | None) -> Prepared:
    classes = labels.classes_of(dataset.labels)
    y = labels.to_numbers(dataset.labels, classes, "--data")
    corrected = read_corrections(options.reading) if options.reading is not None and features is None else {}
    if isinstance(dataset.x, dict):
        for flag, names in (
            ("--keep-columns", options.keep_columns), ("--categorical", options.categorical), ("--reading", corrected),
        ):  # fmt: skip
            for name in names:
                if name not in dataset.x:
                    raise UserError(f"{flag}: there is no column {name!r}.{did_you_mean(name, dataset.x)}")
    else:
        check_finite(dataset.x)
        for flag, given in (
            ("--keep-columns", options.keep_columns), ("--categorical", options.categorical),
            ("--group", options.group), ("--weight", options.weight),
        ):  # fmt: skip
            if given:
                raise UserError(f"{flag} is for tables; {options.data!r} holds arrays.")
    dataset, named = without_group(dataset, options)
    dataset, weights = without_weights(dataset, options)
    kept = (*options.keep_columns, *(features.names if isinstance(features, TableFeatures) else ()))
    split, groups = cut(dataset, named, y, classes, options, kept)
    lines: list[str] = []
    if features is None:
        features, lines = fit(dataset.x, split.train, dataset.readings, options.numbers, kept)
    if isinstance(features, TableFeatures) and isinstance(dataset.x, dict) and lines:
        used = {name: dataset.x[name] for name in features.names}
        dates = tuple(number.name for number in features.numbers if number.is_date) * (options.split != "time")
        for category in features.categories:
            dataset.odd.extend(f"{category.name}: {line}" for line in odd_categories(dataset.x[category.name]))
        dataset.notes.extend(suspicions(used, y, split.train, split.validation, dates))
    train, validation, test = _parts(features, dataset.x, y, split)
    if weights is not None:
        train = replace(train, weights=of_mean_one(weights[split.train], "training"))
        validation = replace(validation, weights=of_mean_one(weights[split.validation], "validation"))
    test_rows = take(dataset.x, split.test)
    if dataset.test is not None:
        test_rows, test_labels = dataset.test
        test = Part(features.transform(test_rows), labels.to_numbers(test_labels, classes, "--test-data"))  # type: ignore[arg-type]
    seen = np.zeros(len(test), dtype=bool)
    if dataset.test is not None or options.split == "time":
        seen = in_both(test.x, np.concatenate([train.x, validation.x]))
        where = ("--test-data", "--data") if dataset.test is not None else ("the test part", "the earlier parts")
        dataset.notes.extend(seen_words(int(seen.sum()), len(test), *where))
    return Prepared(
        dataset.name, classes, features, train, validation, test, test_rows, seen, dataset.fingerprint, lines,
        dataset.odd + dataset.notes,
        None if groups is None else np.unique(groups[np.r_[split.train, split.validation]], return_inverse=True)[1],
        take(dataset.x, np.r_[split.train, split.validation]) if isinstance(dataset.x, dict) else None,
        test_places=split.test if dataset.test is None else np.arange(len(test)),
        weights=None if weights is None else of_mean_one(weights[np.r_[split.train, split.validation]], "training"),
    )  # fmt: skip


def _parts(features: Features, x: X, y: Numbers, split: Split) -> tuple[Part, ...]:
    """Return the parts of the split; an array's are mapped one by one, so that it is not held three times."""
    places = (split.train, split.validation, split.test)
    if isinstance(features, ArrayFeatures):
        assert not isinstance(x, dict)
        return tuple(Part(features.transform(x[rows]), y[rows]) for rows in places)
    assert isinstance(x, dict)
    matrix = features.transform(x)
    return tuple(Part(matrix[rows], y[rows]) for rows in places)


def fit(
    x: X,
    train: Numbers,
    readings: Mapping[str, Reading] | None = None,
    way: NumbersAs | Literal["auto"] = "standard",
    kept: Collection[str] = (),
) -> tuple[Features, list[str]]:
    """Return the feature map with the statistics of the training rows, and one line a column.

    Raises:
        UserError: if no column is left, or an array's numbers are to enter otherwise than standardized.
    """
    if isinstance(x, dict):
        features, lines = fit_table(x, train, readings, kept)
        return numbers_as(features, x, train, "standard" if way == "auto" else way), lines
    if way not in ("auto", "standard"):
        raise UserError(f"--numbers {way} is for tables; arrays are standardized.")
    return ArrayFeatures.fit(x[train]), []


def numbers_otherwise(prepared: Prepared, way: NumbersAs) -> TableFeatures:
    """Return how the numbers of a table enter in another way, by statistics of the same training rows."""
    assert isinstance(prepared.features, TableFeatures)
    assert prepared.rows is not None
    return numbers_as(prepared.features, prepared.rows, np.arange(len(prepared.train)), way)


def both_ways(prepared: Prepared, others: TableFeatures) -> Matrix:
    """Return the training and validation rows as they are and, below, as other features of more columns map them.

    The matrix has the shape (2 · rows, their width); the columns that its upper half lacks are zero there. It is made a
    block of rows at a time, since it may be most of the memory.

    Args:
        prepared: a table; its matrix is the upper half.
        others: of the same columns; the first they map to are those of the table's own features.
    """
    assert prepared.rows is not None
    first, rows = len(prepared.train), len(prepared.train) + len(prepared.validation)
    x = np.zeros((2 * rows, others.width), np.float32)
    for start, part in ((0, prepared.train.x), (first, prepared.validation.x)):
        x[start : start + len(part), : part.shape[1]] = part
    step = max(1, BLOCK // others.width)
    for start in range(0, rows, step):
        block = np.arange(start, min(start + step, rows))
        x[rows + block] = others.transform(take(prepared.rows, block))  # type: ignore[arg-type]
    return x


def columns_to_show(prepared: Prepared) -> list[str]:
    """Return one line a column on how it is read; of a wide table, how many there are of each kind."""
    features = prepared.features
    if len(prepared.columns) <= MOST_LINES or not isinstance(features, TableFeatures):
        return prepared.columns
    dates = sum(column.is_date for column in features.numbers)
    counts = {
        "numbers": len(features.numbers) - dates, "dates": dates, "categories": len(features.categories),
        "texts": len(features.texts), "left out": len(prepared.columns) - len(features.names),
    }  # fmt: skip
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    left_out = [line for line in prepared.columns if ": left out, " in line]
    more = [f"... and {len(left_out) - MOST_LEFT_OUT} more left out"] if len(left_out) > MOST_LEFT_OUT else []
    lines = [f"{len(prepared.columns)} columns: {told} (run.json has a line on each)"]
    return [*lines, *left_out[:MOST_LEFT_OUT], *more]


def rows_in_split(prepared: Prepared) -> dict[str, int]:
    """Return the number of rows in each part.

    >>> sum(rows_in_split(prepare(DataOptions("digits"))).values())
    1797
    """
    return {part: len(getattr(prepared, part)) for part in ("train", "validation", "test")}
