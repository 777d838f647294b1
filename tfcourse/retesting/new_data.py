"""The new data, read as the run read its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data import dates
from tfcourse.data.features import Features, TableFeatures
from tfcourse.data.groups import group_numbers
from tfcourse.data.read_table import read_table
from tfcourse.data.sources import NAMES, SUFFIXES, X, checked_path, columns_of, load, read_labelled, split_off_target
from tfcourse.data.split import Rows
from tfcourse.data.table import as_text, is_missing, take, to_numbers
from tfcourse.errors import UserError, did_you_mean
from tfcourse.run.exported import model_inputs

LEAST_ROWS_PER_CLASS = 3
MOST_NAMED = 8


@dataclass(frozen=True)
class NewData:
    """Rows and labels of the new data.

    Args:
        name: short name.
        x: the columns that the run uses, or the array.
        y: class numbers, shape (rows,).
        classes: the run's classes in its order, then those it does not know.
        known: number of the run's classes.
        moments: the time of each row as a number, if rows are to be cut by time.
        times: the same as it was written.
        groups: group number of each row, if the run kept groups together and the data have their column.
        notes: lines for the user.
    """

    name: str
    x: X
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    known: int
    moments: NDArray[np.float64] | None = None
    times: NDArray[Any] | None = None
    groups: Rows | None = None
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.y)

    def rows(self, rows: Rows) -> NewData:
        """Return some of the rows."""
        moments = None if self.moments is None else self.moments[rows]
        times = None if self.times is None else self.times[rows]
        groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
        return replace(self, x=take(self.x, rows), y=self.y[rows], moments=moments, times=times, groups=groups)


def read_new_data(data: str, record: dict[str, Any], features: Features, since: str | None = None) -> NewData:
    """Return the data that ``--data`` names, with the target and columns of a run.

    Args:
        data: a file, or a name as for ``train``.
        record: the run's ``run.json``.
        features: the run's.
        since: the column of times.

    Raises:
        UserError: if it cannot be read, is of another kind, lacks columns, or has none of the run's classes.
    """
    target = record["options"]["target"]
    name, x, labels, notes = _read(data, target)
    if isinstance(x, dict) != isinstance(features, TableFeatures):
        table = isinstance(features, TableFeatures)
        kind = "a table" if table else "an array of images or features"
        allowed = ", ".join(suffix for suffix in SUFFIXES if (suffix != ".npz") == table)
        raise UserError(f"--data: the run was trained on {kind}, but {data!r} is not one; give a file in {allowed}.")
    moments = None if since is None else moments_of(x, since)
    times = None if since is None or not isinstance(x, dict) else as_text(x[since])
    groups, group = None, record["options"].get("group")
    if isinstance(features, TableFeatures) and isinstance(x, dict):
        features.check(x)
        groups = group_numbers(x[group]) if group in x else None
        notes += surplus_columns(x, features, record)
        x = {column: x[column] for column in features.names}
    model_inputs(x, features)  # refuses what the old model cannot take
    kept, on_rare = without_rare_classes(labels)
    classes, on_classes = all_classes(labels[kept], tuple(record["classes"]), data)
    number = {label: index for index, label in enumerate(classes)}
    y = np.array([number.get(label, 0) for label in labels.tolist()], dtype=np.int64)
    notes += on_rare + on_classes
    return NewData(name, x, y, classes, len(record["classes"]), moments, times, groups, notes).rows(kept)


def _read(data: str, target: str | None) -> tuple[str, X, NDArray[Any], list[str]]:
    if data in NAMES:
        dataset = load(data)
        return dataset.name, dataset.x, dataset.labels, dataset.notes
    path = checked_path(data, "--data")
    if path.suffix.lower() == ".npz":
        return path.stem, *read_labelled(path, None, ())
    table = read_table(path)
    if target is None:
        raise UserError(f"--data: the run was trained on an array of images or features, but {data!r} is a table.")
    if target not in table:
        raise UserError(
            f"--data: {data!r} has no column {target!r}, the target of the run; a retest needs the labels."
            f"{did_you_mean(target, table)} {columns_of(table)}"
        )
    return Path(data).name.split(".")[0] or "data", *split_off_target(table, target, (), path)


def surplus_columns(x: dict[str, Any], features: TableFeatures, record: dict[str, Any]) -> list[str]:
    """Return a note on columns that the run did not have, if there are any."""
    had = tuple(f"{line.split(': ')[0]}: " for line in record["data"]["columns"])
    dropped = [*record["options"]["drop"], record["options"].get("group")]
    new = [name for name in x if name not in features.names and name not in dropped and not f"{name}: ".startswith(had)]
    if not new:
        return []
    many = len(new) > 1
    some = f"{len(new)} column{'s' * many} that the run did not have {'are' if many else 'is'} not used: {listed(new)}"
    return [f"{some}; a new search would use {'them' if many else 'it'}"]


def without_rare_classes(labels: NDArray[Any]) -> tuple[Rows, list[str]]:
    """Return the rows whose class has at least three, and a note on the others.

    >>> without_rare_classes(np.array(["a", "a", "b", "a"], dtype=object))
    (array([0, 1, 3]), ["1 row of classes with fewer than 3 is left out: 'b'"])
    """
    names, counts = np.unique(labels.astype(str), return_counts=True)
    rare = names[counts < LEAST_ROWS_PER_CLASS]
    kept = np.flatnonzero(~np.isin(labels.astype(str), rare))
    if not len(rare) or not len(kept):
        return np.arange(len(labels)), []
    count = len(labels) - len(kept)
    some = (
        f"{count} rows of classes with fewer than {LEAST_ROWS_PER_CLASS} are"
        if count > 1
        else (f"1 row of classes with fewer than {LEAST_ROWS_PER_CLASS} is")
    )
    return kept, [f"{some} left out: {listed(rare)}"]


def all_classes(labels: NDArray[Any], known: tuple[str, ...], data: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the run's classes followed by unknown ones, and notes on unknown and absent ones.

    Raises:
        UserError: if no label is a class of the run, or all rows have one label.
    """
    present = sorted(set(labels.tolist()))
    unknown = [name for name in present if name not in known]
    if len(unknown) == len(present):
        raise UserError(
            f"--data: no label of {data!r} is a class of the run. Its labels are {listed(present)}; the run's classes"
            f" are {listed(known)}. Write the labels as in training."
        )
    if len(present) < 2:
        raise UserError(
            f"--data: the label is {present[0]!r} in every row of {data!r}; at least two classes are needed."
        )
    notes = []
    if unknown:
        rows = int(np.isin(labels.astype(str), unknown).sum())
        notes.append(
            f"{len(unknown)} class{'es' * (len(unknown) > 1)} that the run has never seen, in {rows} rows"
            f" ({rows / len(labels):.1%}): {listed(unknown)}"
        )
    absent = [name for name in known if name not in present]
    if absent:
        notes.append(f"classes of the run that do not occur now: {listed(absent)}")
    return (*known, *unknown), notes


def moments_of(x: X, column: str) -> NDArray[np.float64]:
    """Return the time of each row: the numbers of a column, or its dates as days since 1970.

    Raises:
        UserError: if there is no such column, or values are missing or no times.
    """
    if not isinstance(x, dict):
        raise UserError("--since is for tables; the data is an array.")
    if column not in x:
        raise UserError(f"--since: there is no column {column!r}.{did_you_mean(column, x)} {columns_of(x)}")
    values, missing = x[column], is_missing(x[column])
    if missing.any():
        raise UserError(
            f"--since: column {column!r} is empty in {int(missing.sum())} rows, the first in row"
            f" {int(np.flatnonzero(missing)[0]) + 1}; every row needs its time."
        )
    numbers = values.astype(np.float64) if values.dtype != object else to_numbers(values)
    if np.isfinite(numbers).all():
        return numbers
    pattern = dates.find_format(values)
    if pattern is None:
        wrong = values[np.flatnonzero(~np.isfinite(numbers))[0]]
        raise UserError(f"--since: column {column!r} holds {wrong!r}; numbers, or dates of one format, are needed.")
    return dates.days_since_1970(values, pattern)


def listed(names: Any) -> str:
    """Return names in quotes, at most a few of them.

    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    names = [str(name) for name in names]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(map(repr, names[:MOST_NAMED])) + more
