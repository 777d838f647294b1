"""Where data comes from: a bundled or cached data set by its name, or a CSV, TSV, Parquet or NPZ file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tfcourse.data.dataset import Dataset, X
from tfcourse.data.labelled_arrays import read_labelled_arrays, read_npz
from tfcourse.data.labelled_table import LabelledRows, columns_of, decoded, read_labelled_table
from tfcourse.data.labels import labels_of_column
from tfcourse.data.named_sets import load_named
from tfcourse.data.names import KINDS, NAMES, SUFFIXES, checked_path, is_arrays, stem
from tfcourse.data.reading.decide import Decided, Wishes, decide
from tfcourse.data.reading.decimal_mark import DecimalMark
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.each_column import each_column
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

__all__ = [
    "KINDS", "NAMES", "SUFFIXES", "Dataset", "LabelledRows", "X", "checked_path", "columns_of", "fingerprint_of",
    "is_arrays", "labels_of_column", "load", "read_labelled_arrays", "read_labelled_table", "read_npz", "stem",
]  # fmt: skip


def load(
    data: str,
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    test_data: str | None = None,
    wishes: Wishes | None = None,
    readings: Mapping[str, Reading] | None = None,
    beside: Sequence[str] = (),
) -> Dataset:
    """Read the data set that ``--data`` names, and the test set that ``--test-data`` names.

    Args:
        data: one of :data:`NAMES` or a path that ends in one of :data:`SUFFIXES`.
        target: the label column, needed for tables.
        drop: columns to leave out.
        test_data: path of a test set of the same kind.
        wishes: what the user said on how columns are read.
        readings: how columns were read before and are to be read again; the others are then read as categories.
        beside: columns that are not learned from, and that a test set need not have.

    Raises:
        UserError: if it does not exist, cannot be read or does not fit together.

    >>> load("digits").x.shape
    (1797, 8, 8)
    """
    if data in NAMES:
        for flag, given in (("--target", target), ("--drop", drop), ("--test-data", test_data)):
            if given:
                raise UserError(f"{flag} is for files; --data {data} has its own labels and columns.")
        return load_named(data)
    path = checked_path(data, "--data")
    fingerprint = fingerprint_of(data)
    if is_arrays(path):
        dataset = _load_arrays(path, target, drop, fingerprint)
    else:
        dataset = _load_table(path, target, drop, wishes or Wishes(), readings, beside, fingerprint)
    if test_data is None:
        return dataset
    test_path = checked_path(test_data, "--test-data")
    if is_arrays(path) != is_arrays(test_path):
        raise UserError(f"--test-data: {test_data!r} must be of the same kind as --data, a table or arrays (.npz).")
    if is_arrays(path):
        arrays, labels, notes = read_labelled_arrays(test_path)
        _check_same_shape(dataset.x, arrays, str(test_path))
        test: tuple[X, NDArray[Any]] = arrays, labels
    else:
        rows = read_labelled_table(test_path, target, wishes)
        test, notes = (decoded(rows, dataset.readings, str(test_path), beside), rows.labels), rows.notes
    return replace(dataset, fingerprint=fingerprint_of(data, test_data), test=test, notes=dataset.notes + notes)


def fingerprint_of(data: str, test_data: str | None = None) -> str:
    """Return the SHA-256 of the data set that ``--data`` and ``--test-data`` name, without reading what is in a file.

    Raises:
        UserError: if it does not exist.
    """
    if data in NAMES:
        return load(data).fingerprint
    with checked_path(data, "--data").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if test_data is None:
        return found
    return hashlib.sha256(found.encode() + checked_path(test_data, "--test-data").read_bytes()).hexdigest()


def _load_arrays(path: Path, target: str | None, drop: Sequence[str], fingerprint: str) -> Dataset:
    if target or drop:
        raise UserError(f"{'--target' if target else '--drop'} is for tables; {str(path)!r} holds arrays x and y.")
    x, labels, notes = read_labelled_arrays(path)
    return Dataset(stem(path), x, labels, fingerprint, notes=notes)


def _load_table(
    path: Path,
    target: str | None,
    drop: Sequence[str],
    wishes: Wishes,
    readings: Mapping[str, Reading] | None,
    beside: Sequence[str],
    fingerprint: str,
) -> Dataset:
    rows = read_labelled_table(path, target, wishes, drop)
    mark = DecimalMark(rows.table)

    def decided(name: str, column: Any) -> Decided:
        if readings is None or name in beside:
            return decide(name, column, wishes, mark)
        reading = readings.get(name) or Reading(name, "category", missing=wishes.missing, kept=wishes.not_missing)
        return Decided(reading, decode(column, reading))

    found = dict(zip(rows.table.column_names, each_column(decided, rows.table), strict=True))
    return Dataset(
        stem(path),
        {name: each.values for name, each in found.items()},
        rows.labels,
        fingerprint,
        notes=rows.notes,
        readings={name: each.reading for name, each in found.items()},
        odd=[f"{name}: {line}" for name, each in found.items() for line in each.odd],
    )


def _check_same_shape(x: X, test_x: NDArray[Any], name: str) -> None:
    if x.shape[1:] != test_x.shape[1:]:  # type: ignore[union-attr]
        raise UserError(
            f"--test-data: examples of shape {test_x.shape[1:]} do not match those of --data, {x.shape[1:]}."  # type: ignore[union-attr]
        )
