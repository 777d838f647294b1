"""Where data comes from: a bundled or cached data set by its name, or a CSV, TSV, Parquet or NPZ file."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.arrays import DamagedArraysError, PickledArraysError, array_names, read_arrays
from tfcourse.data.read_table import read_table
from tfcourse.data.table import Table, is_missing, take
from tfcourse.errors import UserError, did_you_mean
from tfcourse.start_keras import start_keras

KERAS_DATASETS = ("mnist", "fashion_mnist", "cifar10")
NAMES = ("digits", *KERAS_DATASETS)
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".npz")
_WHOLE = re.compile(r"[-+]?[0-9]+(\.0*)?")

X = Table | NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """Examples and their labels as read, before any split.

    Args:
        name: short name for folders and titles.
        x: a table, or an array of shape (rows, ...).
        labels: the labels as texts, shape (rows,).
        fingerprint: SHA-256 of what was read, to know it again.
        test: the examples and labels of a separate test set, if there is one.
        notes: lines that tell the user how the data was read.
    """

    name: str
    x: X
    labels: NDArray[Any]
    fingerprint: str
    test: tuple[X, NDArray[Any]] | None = None
    notes: list[str] = field(default_factory=list)


def load(data: str, *, target: str | None = None, drop: Sequence[str] = (), test_data: str | None = None) -> Dataset:
    """Read the data set that ``--data`` names, and the test set that ``--test-data`` names.

    Args:
        data: one of :data:`NAMES` or a path that ends in one of :data:`SUFFIXES`.
        target: the label column, needed for tables.
        drop: columns to leave out.
        test_data: path of a test set of the same kind.

    Raises:
        UserError: if it does not exist, cannot be read or does not fit together.

    >>> load("digits").x.shape
    (1797, 8, 8)
    """
    if data in NAMES:
        for flag, given in (("--target", target), ("--drop", drop), ("--test-data", test_data)):
            if given:
                raise UserError(f"{flag} is for files; --data {data} has its own labels and columns.")
        return _load_digits() if data == "digits" else _load_keras(data)
    path = checked_path(data, "--data")
    x, labels, notes = read_labelled(path, target, drop)
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    if test_data is None:
        return Dataset(stem(path), x, labels, fingerprint, notes=notes)
    test_path = checked_path(test_data, "--test-data")
    if (path.suffix.lower() == ".npz") != (test_path.suffix.lower() == ".npz"):
        raise UserError(f"--test-data: {test_data!r} must be of the same kind as --data, a table or arrays (.npz).")
    test_x, test_labels, test_notes = read_labelled(test_path, target, drop)
    fingerprint = hashlib.sha256(fingerprint.encode() + test_path.read_bytes()).hexdigest()
    _check_same_kind(x, test_x, str(test_path))
    return Dataset(stem(path), x, labels, fingerprint, (test_x, test_labels), notes + test_notes)


def checked_path(data: str, flag: str) -> Path:
    """Return ``data`` as a path to an existing file of a known kind."""
    path = Path(data)
    if not path.exists():
        near = did_you_mean(data, NAMES)
        raise UserError(
            f"{flag}: there is no file {data!r}.{near} Give a path that ends in {', '.join(SUFFIXES)},"
            f" or one of {', '.join(NAMES)}."
        )
    if path.is_dir():
        raise UserError(f"{flag}: {data!r} is a folder; give a file that ends in {', '.join(SUFFIXES)}.")
    if not data.lower().endswith(SUFFIXES):
        raise UserError(f"{flag}: {data!r} is of no known kind; allowed are {', '.join(SUFFIXES)}.")
    if not os.access(path, os.R_OK):
        raise UserError(f"{flag}: {data!r} may not be read; check its permissions.")
    return path


def stem(path: Path) -> str:
    """Return a file's name without its suffixes: ``new.csv.gz`` is ``new``."""
    return path.name.split(".")[0] or "data"


def read_labelled(path: Path, target: str | None, drop: Sequence[str]) -> tuple[X, NDArray[Any], list[str]]:
    """Return a file's examples, its labels as texts, and notes on rows left out."""
    if path.suffix.lower() == ".npz":
        if target or drop:
            raise UserError(f"{'--target' if target else '--drop'} is for tables; {str(path)!r} holds arrays x and y.")
        x, y = read_npz(path)
        if y is None:
            raise UserError(f"{str(path)!r} holds no array 'y'; save it with numpy.savez(file, x=..., y=...).")
        y = _labels_of(y, len(x), path)
        kept, notes = _labelled_rows(y, "y", path)
        return x[kept], _texts(y[kept]), notes
    table = read_table(path)
    if target is None:
        raise UserError(f"--target is needed: which column of {str(path)!r} is the label? {columns_of(table)}")
    for flag, name in [("--target", target), *(("--drop", name) for name in drop)]:
        if name not in table:
            near = did_you_mean(name, table)
            raise UserError(f"{flag}: {str(path)!r} has no column {name!r}.{near} {columns_of(table)}")
    if target in drop:
        raise UserError(f"--drop: {target!r} is the target; a target cannot be left out.")
    return split_off_target(table, target, drop, path)


def split_off_target(
    table: Table, target: str, drop: Sequence[str], path: Path
) -> tuple[Table, NDArray[Any], list[str]]:
    """Return the columns but for the target and those to drop, the labels as texts, and notes on rows left out."""
    rows, notes = _labelled_rows(table[target], target, path)
    kept = take(table, rows)
    labels = _texts(kept[target])
    features = {name: column for name, column in kept.items() if name != target and name not in drop}
    if not features:
        raise UserError(f"{str(path)!r} has no column left beside the target {target!r} to learn from.")
    return features, labels, notes


def _labelled_rows(labels: NDArray[Any], name: str, path: Path) -> tuple[NDArray[np.int64], list[str]]:
    """Return the rows that have a label, and a note on the others."""
    missing = is_missing(labels) if labels.dtype.kind in "fO" else is_missing(labels.astype(str).astype(object))
    if missing.all():
        raise UserError(f"The target {name!r} is missing in every row of {str(path)!r}.")
    count = int(missing.sum())
    notes = [f"{count} row{'s' * (count > 1)} without a {name!r} {'are' if count > 1 else 'is'} left out"]
    return np.flatnonzero(~missing), notes * bool(count)


def columns_of(table: Table) -> str:
    """Return a sentence that lists a table's columns, shortened when there are many."""
    names = list(table)
    shown = ", ".join(map(repr, names[:30])) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    return f"Its columns are {shown}."


def read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return arrays ``x`` and, if there is one, ``y`` of an NPZ file; pickled objects are refused."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"{str(path)!r} is not a whole NPZ file; save it with numpy.savez(file, x=..., y=...).")
    try:
        names = array_names(path)
        if "x" not in names:
            raise UserError(f"{str(path)!r} holds no array 'x'; it holds {', '.join(names) or 'nothing'}.")
        arrays = read_arrays(path, ("x", "y"))
        x, y = arrays["x"], arrays.get("y")
    except PickledArraysError:
        raise UserError(
            f"{str(path)!r} holds Python objects, which only pickle could read, and pickle can run any code;"
            " save plain arrays of numbers or texts instead."
        ) from None
    except (OSError, DamagedArraysError) as error:
        raise UserError(f"{str(path)!r} is not a whole NPZ file: {error}.") from None
    if x.ndim < 2 or x.dtype.kind not in "biuf":
        raise UserError(
            f"{str(path)!r}: x must hold numbers in the shape (rows, features) or (rows, height, width[, channels]),"
            f" but its shape is {x.shape} and its type {x.dtype}."
        )
    if not x.size:
        raise UserError(f"{str(path)!r}: x is empty, of shape {x.shape}.")
    return x, y


def _labels_of(y: NDArray[Any], rows: int, path: Path) -> NDArray[Any]:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = " Turn one-hot rows into class numbers with y.argmax(axis=1)." if y.ndim == 2 else ""
        raise UserError(f"{str(path)!r}: y must hold one label a row, of shape (rows,), but it is {y.shape}.{hint}")
    if len(y) != rows:
        raise UserError(f"{str(path)!r}: x holds {rows} rows but y holds {len(y)} labels; they must match.")
    return y


def _texts(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels as texts; whole numbers without a decimal point, so that 2 and 2.0 are one class."""
    texts = [str(label) for label in y.astype(str).tolist()]
    if all(_WHOLE.fullmatch(text) for text in texts):
        texts = [text.split(".")[0] for text in texts]
    return np.array(texts, dtype=object)


def _check_same_kind(x: X, test_x: X, name: str) -> None:
    if isinstance(x, dict) and isinstance(test_x, dict):
        absent = [column for column in x if column not in test_x]
        if absent:
            raise UserError(f"--test-data: {name!r} lacks the column {absent[0]!r}. {columns_of(test_x)}")
    elif x.shape[1:] != test_x.shape[1:]:  # type: ignore[union-attr]
        raise UserError(
            f"--test-data: examples of shape {test_x.shape[1:]} do not match those of --data, {x.shape[1:]}."  # type: ignore[union-attr]
        )


def _fingerprint(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _load_digits() -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = digits.images.astype(np.float32)
    return Dataset("digits", x, _texts(digits.target), _fingerprint(x, digits.target))


def _load_keras(name: str) -> Dataset:
    start_keras()
    import keras

    try:
        (x, y), (test_x, test_y) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when its download fails
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")) / "datasets"
        raise UserError(
            f"--data {name}: Keras could not load it ({error}). Without network, put its files into {cache}."
        ) from None
    y, test_y = y.ravel(), test_y.ravel()
    return Dataset(name, x, _texts(y), _fingerprint(x, y, test_x, test_y), (test_x, _texts(test_y)))
