"""Data made ready for a search: read, split, mapped to matrices by the training split's statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from tfcourse.data import labels
from tfcourse.data.features import ArrayFeatures, Features, Matrix, check_finite
from tfcourse.data.groups import equal_rows, group_numbers, keep_together
from tfcourse.data.read_columns import fit_table
from tfcourse.data.repeats import in_both, seen_words
from tfcourse.data.sources import Dataset, X, columns_of, load
from tfcourse.data.split import Split, check_classes, split_stratified, split_time, uneven_words
from tfcourse.data.table import rows_of, take
from tfcourse.errors import UserError, did_you_mean

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.2
SPLIT_RULES = 2
"""By which rules rows are split: 1, by number of different rows, all columns compared; 2, by rows, used columns."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class DataOptions:
    """Which data to read and how to split it; the fields are the command line's flags.

    ``split_rules`` is no flag: it is kept with a run, so that one that an earlier version began is split as it was.
    """

    data: str = "digits"
    target: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    test_data: str | None = None
    split: Literal["stratified", "time"] = "stratified"
    seed: int = 0
    group: str | None = None
    split_rules: int = SPLIT_RULES

    def to_json(self) -> dict[str, Any]:
        """Return the options JSON-ready."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the options whose :meth:`to_json` gave ``fields``, by this version or an earlier one.

        >>> DataOptions.from_json({"data": "digits", "drop": ["x"]}).split_rules
        1
        """
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
        }
        return cls(**{"split_rules": 1, **given})


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
        test_rows: the rows of the test part as they were read, to ask the exported model.
        seen: which of them stand in the training data too, where the split does not prevent it.
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
    test_rows: X
    seen: NDArray[np.bool_]
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
    dataset = load(options.data, target=options.target, drop=options.drop, test_data=options.test_data)
    classes = labels.classes_of(dataset.labels)
    y = labels.to_numbers(dataset.labels, classes, "--data")
    if not isinstance(dataset.x, dict):
        check_finite(dataset.x)
        for flag, given in (("--categorical", options.categorical), ("--group", options.group)):
            if given:
                raise UserError(f"{flag} is for tables; {options.data!r} holds arrays.")
    dataset, named = _without_group(dataset, options)
    split = _split(dataset, named, y, classes, options)
    features, lines = fit(dataset.x, split.train, options.categorical)
    x = features.transform(dataset.x)  # type: ignore[arg-type]
    train, validation, test = (Part(x[rows], y[rows]) for rows in (split.train, split.validation, split.test))
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
        dataset.notes,
    )  # fmt: skip


def fit(x: X, train: Numbers, categorical: Sequence[str] = ()) -> tuple[Features, list[str]]:
    """Return the feature map with the statistics of the training rows, and one line a column."""
    if isinstance(x, dict):
        return fit_table(x, train, categorical)
    return ArrayFeatures.fit(x[train]), []


def _without_group(dataset: Dataset, options: DataOptions) -> tuple[Dataset, Numbers | None]:
    """Return the data without the column of groups, unless it is to be read as well, and each row's group number."""
    name, x = options.group, dataset.x
    if name is None or not isinstance(x, dict):
        return dataset, None
    if options.split == "time":
        raise UserError("--group was given with --split time, which keeps rows in their order; give one of them.")
    if name not in x:
        near = did_you_mean(name, x)
        raise UserError(f"--group: there is no column {name!r} beside the target.{near} {columns_of(x)}")
    named = group_numbers(x[name])
    if name in options.categorical:
        return dataset, named
    dataset.notes.append(f"rows with one {name!r} stay in one part of the split; it is not learned from")
    test = dataset.test and ({k: v for k, v in dataset.test[0].items() if k != name}, dataset.test[1])  # type: ignore[union-attr]
    return replace(dataset, x={key: column for key, column in x.items() if key != name}, test=test), named


def _split(dataset: Dataset, named: Numbers | None, y: Numbers, classes: Sequence[str], options: DataOptions) -> Split:
    test = 0.0 if dataset.test is not None else TEST_SHARE
    validation = VALIDATION_SHARE / (1 - TEST_SHARE) if dataset.test is not None else VALIDATION_SHARE
    if options.split == "time":
        return split_time(y, classes, test=test, validation=validation)
    shares: dict[str, Any] = {"test": test, "validation": validation}
    if options.split_rules == 1:
        return split_stratified(equal_rows(dataset.x), y, classes, seed=options.seed, by_rows=False, **shares)
    kinds = equal_rows(dataset.x)
    check_classes(kinds, y, classes)
    x, among = _seen_columns(dataset.x, options.categorical)
    if among:
        kinds = equal_rows(x)
    together = keep_together(kinds, y, len(y) * (test or validation), named, among)
    split = split_stratified(together.groups, y, classes, seed=options.seed, **shares)
    dataset.notes.extend(together.notes)
    if len(np.unique(together.groups)) < len(y):
        dataset.notes.extend(uneven_words(split, y, classes, **shares))
    return split


def _seen_columns(x: X, categorical: Sequence[str]) -> tuple[X, str]:
    """Return what the model will see of the rows, and how to say so where that is not all.

    Which columns are left out is decided here on all rows, since there is no training part yet: a column that only the
    training part would leave out can set rows apart, but row numbers and identifiers cannot.
    """
    if not isinstance(x, dict):
        return x, ""
    used = fit_table(x, np.arange(rows_of(x)), categorical)[0].names
    return {name: x[name] for name in used}, " in all columns that are used" * (len(used) < len(x))


def rows_in_split(prepared: Prepared) -> dict[str, int]:
    """Return the number of rows in each part.

    >>> sum(rows_in_split(prepare(DataOptions("digits"))).values())
    1797
    """
    return {part: len(getattr(prepared, part)) for part in ("train", "validation", "test")}
