"""Where data comes from: a bundled or cached data set by its name, or a CSV, TSV, Parquet or NPZ file."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.arrays import DamagedArraysError, PickledArraysError, array_names, read_arrays
from tfcourse.data import tablefile
from tfcourse.data.reading import markers
from tfcourse.data.reading.column import Distinct
from tfcourse.data.reading.decide import Decided, Wishes, decide
from tfcourse.data.reading.decimal_mark import DecimalMark
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.reading import Reading
from tfcourse.data.table import Table
from tfcourse.errors import UserError, did_you_mean
from tfcourse.start_keras import start_keras

KERAS_DATASETS = ("mnist", "fashion_mnist", "cifar10")
NAMES = ("digits", *KERAS_DATASETS)
SUFFIXES = (*tablefile.SUFFIXES, ".npz")
KINDS = f"{tablefile.KINDS}, .npz"
"""How the names of files end that can be read, for messages."""
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
        readings: of a table, how each column is written.
        odd: of a table, what a person should look at, a line each.
    """

    name: str
    x: X
    labels: NDArray[Any]
    fingerprint: str
    test: tuple[X, NDArray[Any]] | None = None
    notes: list[str] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)


def load(
    data: str,
    *,
    target: str | None = None,
    drop: Sequence[str] = (),
    test_data: str | None = None,
    wishes: Wishes | None = None,
    readings: Mapping[str, Reading] | None = None,
) -> Dataset:
    """Read the data set that ``--data`` names, and the test set that ``--test-data`` names.

    Args:
        data: one of :data:`NAMES` or a path that ends in one of :data:`SUFFIXES`.
        target: the label column, needed for tables.
        drop: columns to leave out.
        test_data: path of a test set of the same kind.
        wishes: what the user said on how columns are read.
        readings: how columns were read before and are to be read again; the others are then read as categories.

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
    fingerprint = fingerprint_of(data)
    if is_arrays(path):
        dataset = _load_arrays(path, target, drop, fingerprint)
    else:
        dataset = _load_table(path, target, drop, wishes or Wishes(), readings, fingerprint)
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
        test, notes = (decoded(rows, dataset.readings, str(test_path)), rows.labels), rows.notes
    return replace(dataset, fingerprint=fingerprint_of(data, test_data), test=test, notes=dataset.notes + notes)


def fingerprint_of(data: str, test_data: str | None = None) -> str:
    """Return the SHA-256 of the data set that ``--data`` and ``--test-data`` name, without reading what is in a file.

    Raises:
        UserError: if it does not exist.
    """
    if data in NAMES:
        return load(data).fingerprint
    found = hashlib.sha256(checked_path(data, "--data").read_bytes()).hexdigest()
    if test_data is None:
        return found
    return hashlib.sha256(found.encode() + checked_path(test_data, "--test-data").read_bytes()).hexdigest()


def is_arrays(path: Path) -> bool:
    """Say whether a file holds arrays rather than a table, by its name."""
    return path.suffix.lower() == ".npz"


def checked_path(data: str, flag: str) -> Path:
    """Return ``data`` as a path to an existing file of a known kind."""
    path = Path(data)
    if not path.exists():
        near = did_you_mean(data, NAMES)
        raise UserError(
            f"{flag}: there is no file {data!r}.{near} Give a path that ends in {KINDS}, or one of {', '.join(NAMES)}."
        )
    if path.is_dir():
        raise UserError(f"{flag}: {data!r} is a folder; give a file that ends in {KINDS}.")
    if not data.lower().endswith(SUFFIXES):
        raise UserError(f"{flag}: {data!r} is of no known kind; allowed are {KINDS}.")
    if not os.access(path, os.R_OK):
        raise UserError(f"{flag}: {data!r} may not be read; check its permissions.")
    return path


def stem(path: Path) -> str:
    """Return a file's name without its suffixes: ``new.csv.gz`` is ``new``."""
    return path.name.split(".")[0] or "data"


@dataclass(frozen=True)
class LabelledRows:
    """The rows of a table that have a label.

    Args:
        table: an Arrow table of all columns but the target, not yet interpreted.
        labels: the labels as texts, shape (rows,).
        notes: lines for the user.
    """

    table: Any
    labels: NDArray[Any]
    notes: list[str]


def read_labelled_arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Return the examples and labels of an NPZ file, and notes on rows left out."""
    x, y = read_npz(path)
    if y is None:
        raise UserError(f"{str(path)!r} holds no array 'y'; save it with numpy.savez(file, x=..., y=...).")
    y = _labels_of(y, len(x), path)
    import pyarrow as pa

    kept, labels, notes = labels_of_column(pa.chunked_array([pa.array(y.tolist(), from_pandas=True)]), "y", path)
    return x[kept], labels, notes


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
    fingerprint: str,
) -> Dataset:
    rows = read_labelled_table(path, target, wishes, drop)
    found: dict[str, Decided] = {}
    mark = DecimalMark(rows.table)
    for name in rows.table.column_names:
        column = rows.table.column(name)
        if readings is None:
            found[name] = decide(name, column, wishes, mark)
        else:
            reading = readings.get(name) or Reading(name, "category", missing=wishes.missing, kept=wishes.not_missing)
            found[name] = Decided(reading, decode(column, reading))
    return Dataset(
        stem(path),
        {name: each.values for name, each in found.items()},
        rows.labels,
        fingerprint,
        notes=rows.notes,
        readings={name: each.reading for name, each in found.items()},
        odd=[f"{name}: {line}" for name, each in found.items() for line in each.odd],
    )


def read_labelled_table(
    path: Path, target: str | None, wishes: Wishes | None = None, drop: Sequence[str] = ()
) -> LabelledRows:
    """Return the rows of a table file that have a label.

    Raises:
        UserError: if it cannot be read, has no such column, or no label.
    """
    read = tablefile.read_table(path)
    table = read.table
    if target is None:
        raise UserError(
            f"--target is needed: which column of {str(path)!r} is the label? {columns_of(table.column_names)}"
        )
    for flag, name in [("--target", target), *(("--drop", name) for name in drop)]:
        if name not in table.column_names:
            near = did_you_mean(name, table.column_names)
            raise UserError(f"{flag}: {str(path)!r} has no column {name!r}.{near} {columns_of(table.column_names)}")
    if target in drop:
        raise UserError(f"--drop: {target!r} is the target; a target cannot be left out.")
    rows, labels, notes = labels_of_column(table.column(target), target, path, wishes)
    table = table.drop_columns([target, *drop])
    if not table.column_names:
        raise UserError(f"{str(path)!r} has no column left beside the target {target!r} to learn from.")
    if len(rows) < len(table):
        table = table.take(rows)
    return LabelledRows(table, labels, [f"{path.name}: {note}" for note in read.notes] + notes)


def decoded(rows: LabelledRows, readings: Mapping[str, Reading], name: str) -> Table:
    """Return the columns that ``readings`` name as they were read in training."""
    absent = [column for column in readings if column not in rows.table.column_names]
    if absent:
        raise UserError(f"--test-data: {name!r} lacks the column {absent[0]!r}. {columns_of(rows.table.column_names)}")
    return {column: decode(rows.table.column(column), reading) for column, reading in readings.items()}


def labels_of_column(
    column: Any, name: str, path: Path, wishes: Wishes | None = None
) -> tuple[NDArray[np.int64], NDArray[Any], list[str]]:
    """Return the rows that have a label, these labels as texts, and notes on the others and on odd labels."""
    wishes = wishes or Wishes()
    values = Distinct.of(column)
    texts, counts = values.texts.to_pylist(), values.counts
    others = [text for text in texts if not markers.among_others(text)]
    missing = np.array(
        [
            text in wishes.missing or (text not in wishes.not_missing and markers.in_target(text, others))
            for text in texts
        ]
    )
    if missing.all():
        raise UserError(f"The target {name!r} is missing in every row of {str(path)!r}.")
    notes = []
    count = int(counts[missing].sum())
    if count:
        written = [text for text, is_missing in zip(texts, missing, strict=True) if is_missing and text]
        quoted = ", ".join(map(repr, written))
        makes = f"--not-missing {shlex.join(written)} would make {'it' if len(written) == 1 else 'each'} a class"
        keep = f" ({quoted}; {makes})"
        left_out = f"{'are' if count > 1 else 'is'} left out{keep * bool(written)}"
        notes.append(f"{count} row{'s' * (count > 1)} without a {name!r} {left_out}")
    notes += [
        f"the label {text!r} is a class, in {number} rows; --missing {shlex.quote(text)} would leave them out"
        for text, is_missing, number in zip(texts, missing, counts, strict=True)
        if not is_missing
        and markers.among_others(text)
        and text.casefold() not in markers.PLAIN_WORDS
        and text not in wishes.not_missing
    ]
    names = np.array(texts, dtype=object)
    if all(_WHOLE.fullmatch(text) for text in names[~missing]):
        names = np.array([text.split(".")[0] for text in texts], dtype=object)
    kept = np.flatnonzero(~missing[values.codes])
    return kept, names[values.codes[kept]], notes


def columns_of(table: Iterable[str]) -> str:
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


def _check_same_shape(x: X, test_x: NDArray[Any], name: str) -> None:
    if x.shape[1:] != test_x.shape[1:]:  # type: ignore[union-attr]
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
