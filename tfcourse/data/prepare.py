"""Data made ready for a search: read, split, mapped to matrices by the training split's statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tfcourse.data import labels
from tfcourse.data.features import ArrayFeatures, Features, Matrix, check_finite
from tfcourse.data.fit_table import fit_table
from tfcourse.data.reading.decide import Wishes
from tfcourse.data.reading.reading import Reading
from tfcourse.data.sources import Dataset, X, load
from tfcourse.data.split import Split, equal_rows, split_stratified, split_time
from tfcourse.data.table import rows_of
from tfcourse.errors import UserError

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.2
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class DataOptions:
    """Which data to read and how to split it; the fields are the command line's flags."""

    data: str = "digits"
    target: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    not_missing: tuple[str, ...] = ()
    test_data: str | None = None
    split: Literal["stratified", "time"] = "stratified"
    seed: int = 0

    @property
    def wishes(self) -> Wishes:
        """What the user said on how columns are read."""
        return Wishes(self.missing, self.not_missing, self.categorical)

    def to_json(self) -> dict[str, Any]:
        """Return the options JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """One part of the data: its matrix, shape (rows, features) float32, and class numbers, shape (rows,)."""

    x: Matrix
    y: Numbers

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
        fingerprint: SHA-256 of the data as read.
        columns: one line a column: how it is read.
        notes: further lines for the user.
    """

    name: str
    classes: tuple[str, ...]
    features: Features
    train: Part
    validation: Part
    test: Part
    fingerprint: str
    columns: list[str]
    notes: list[str]


def prepare(options: DataOptions) -> Prepared:
    """Read, split and map the data that ``options`` name.

    Raises:
        UserError: if the data cannot be used; the message says why and what to do.

    >>> prepared = prepare(DataOptions("digits"))
    >>> prepared.train.x.shape[1], len(prepared.classes)
    (64, 10)
    """
    dataset = load(
        options.data, target=options.target, drop=options.drop, test_data=options.test_data, wishes=options.wishes
    )
    classes = labels.classes_of(dataset.labels)
    y = labels.to_numbers(dataset.labels, classes, "--data")
    if not isinstance(dataset.x, dict):
        check_finite(dataset.x)
        if options.categorical:
            raise UserError(f"--categorical is for tables; {options.data!r} holds arrays.")
    split = _split(dataset, y, classes, options)
    features, lines = fit(dataset.x, split.train, dataset.readings)
    x = features.transform(dataset.x)  # type: ignore[arg-type]
    train, validation, test = (Part(x[rows], y[rows]) for rows in (split.train, split.validation, split.test))
    if dataset.test is not None:
        test_x, test_labels = dataset.test
        test = Part(features.transform(test_x), labels.to_numbers(test_labels, classes, "--test-data"))  # type: ignore[arg-type]
    return Prepared(
        dataset.name,
        classes,
        features,
        train,
        validation,
        test,
        dataset.fingerprint,
        lines,
        dataset.odd + dataset.notes,
    )


def fit(x: X, train: Numbers, readings: Mapping[str, Reading] | None = None) -> tuple[Features, list[str]]:
    """Return the feature map with the statistics of the training rows, and one line a column."""
    if isinstance(x, dict):
        return fit_table(x, train, readings)
    return ArrayFeatures.fit(x[train]), []


def _split(dataset: Dataset, y: Numbers, classes: Sequence[str], options: DataOptions) -> Split:
    rows = rows_of(dataset.x)
    test = 0.0 if dataset.test is not None else TEST_SHARE
    validation = VALIDATION_SHARE / (1 - TEST_SHARE) if dataset.test is not None else VALIDATION_SHARE
    if options.split == "time":
        return split_time(y, classes, test=test, validation=validation)
    groups = equal_rows(dataset.x)
    repeated = rows - len(np.unique(groups))
    if repeated:
        some = f"{repeated} row{'s' * (repeated > 1)} repeat{'s' * (repeated == 1)}"
        dataset.notes.append(f"{some} another one; equal rows stay in one part of the split")
    return split_stratified(groups, y, classes, seed=options.seed, test=test, validation=validation)


def rows_in_split(prepared: Prepared) -> dict[str, int]:
    """Return the number of rows in each part.

    >>> sum(rows_in_split(prepare(DataOptions("digits"))).values())
    1797
    """
    return {part: len(getattr(prepared, part)) for part in ("train", "validation", "test")}
