"""The new data, read as the run read its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, TableFeatures
from tfcourse.data.groups import group_numbers
from tfcourse.data.reading.column import as_texts
from tfcourse.data.reading.decide import Wishes, decide
from tfcourse.data.reading.look_alike import DIFFER, alike_of
from tfcourse.data.sources import (
    NAMES,
    LabelledRows,
    X,
    checked_path,
    columns_of,
    is_arrays,
    load,
    read_labelled_arrays,
    read_labelled_table,
    stem,
)
from tfcourse.data.split import Rows
from tfcourse.data.table import is_missing, take
from tfcourse.data.tablefile import KINDS as KINDS_OF_TABLES
from tfcourse.data.tablefile import read_table
from tfcourse.errors import UserError, did_you_mean
from tfcourse.words import first_of

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
    if weight := record["options"].get("weight"):
        raise UserError(
            f"The run counts its rows by {weight!r} (--weight), and retest counts every row once, so that the settings"
            " would be judged by something else than they were chosen by. Start a new search on the new data instead:"
            f" python -m tfcourse.train --data {data} --target {record['options']['target']} --weight {weight}"
        )
    name, found, labels, notes = _read(data, record)
    is_table = isinstance(features, TableFeatures)
    if isinstance(found, LabelledRows) != is_table:
        kind = "a table" if is_table else "an array of images or features"
        allowed = KINDS_OF_TABLES if is_table else ".npz"
        raise UserError(f"--data: the run was trained on {kind}, but {data!r} is not one; give a file in {allowed}.")
    moments = times = groups = None
    if since is not None:
        moments, times = moments_of(found, since)
    x: X
    if isinstance(features, TableFeatures):
        assert isinstance(found, LabelledRows)
        x = features.decode(found.table)
        group = record["options"].get("group")
        if group in found.table.column_names:
            groups = group_numbers(decide(group, found.table.column(group), Wishes(categorical=(group,))).values)
        notes = notes + surplus_columns(found.table.column_names, features, record)
    else:
        assert isinstance(found, np.ndarray)
        features.check(found)
        x = found
    kept, on_rare = without_rare_classes(labels)
    classes, on_classes = all_classes(labels[kept], tuple(record["classes"]), data)
    number = {label: index for index, label in enumerate(classes)}
    y = np.array([number.get(label, 0) for label in labels.tolist()], dtype=np.int64)
    notes += on_rare + on_classes
    return NewData(name, x, y, classes, len(record["classes"]), moments, times, groups, notes).rows(kept)


def _read(data: str, record: dict[str, Any]) -> tuple[str, LabelledRows | NDArray[Any], NDArray[Any], list[str]]:
    target = record["options"]["target"]
    if data in NAMES:
        dataset = load(data)
        assert isinstance(dataset.x, np.ndarray)
        return dataset.name, dataset.x, dataset.labels, dataset.notes
    path = checked_path(data, "--data")
    if is_arrays(path):
        return path.stem, *read_labelled_arrays(path)
    if target is None:
        raise UserError(f"--data: the run was trained on an array of images or features, but {data!r} is a table.")
    names = read_table(path).table.column_names
    if target not in names:
        raise UserError(
            f"--data: {data!r} has no column {target!r}, the target of the run; a retest needs the labels."
            f"{did_you_mean(target, names)} {columns_of(names)}"
        )
    options = record["options"]
    wishes = Wishes(tuple(options.get("missing", ())), tuple(options.get("not_missing", ())))
    rows = read_labelled_table(path, target, wishes)
    return stem(path), rows, rows.labels, rows.notes


def surplus_columns(names: Sequence[str], features: TableFeatures, record: dict[str, Any]) -> list[str]:
    """Return a note on columns that the run did not have, if there are any."""
    had = tuple(f"{line.split(': ')[0]}: " for line in record["data"]["columns"])
    dropped = [*record["options"]["drop"], record["options"].get("group")]
    new = [n for n in names if n not in features.names and n not in dropped and not f"{n}: ".startswith(had)]
    if not new:
        return []
    many = len(new) > 1
    some = f"{len(new)} column{'s' * many} that the run did not have {'are' if many else 'is'} not used: {quoted(new)}"
    return [f"{some}; a new search would use {'them' if many else 'it'}"]


def without_rare_classes(labels: NDArray[Any]) -> tuple[Rows, list[str]]:
    """Return the rows whose class has at least three, and a note on the others.

    >>> without_rare_classes(np.array(["a", "a", "b", "a"], dtype=object))
    (array([0, 1, 3]), ["1 row of classes with fewer than 3 is left out: 'b'"])
    """
    counts = Counter(labels.tolist())
    rare = sorted(name for name, count in counts.items() if count < LEAST_ROWS_PER_CLASS)
    kept = np.flatnonzero([counts[label] >= LEAST_ROWS_PER_CLASS for label in labels.tolist()])
    if not rare or not len(kept):
        return np.arange(len(labels)), []
    count = len(labels) - len(kept)
    some = (
        f"{count} rows of classes with fewer than {LEAST_ROWS_PER_CLASS} are"
        if count > 1
        else (f"1 row of classes with fewer than {LEAST_ROWS_PER_CLASS} is")
    )
    return kept, [f"{some} left out: {quoted(rare)}"]


def all_classes(labels: NDArray[Any], known: tuple[str, ...], data: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the run's classes followed by unknown ones, and notes on unknown and absent ones.

    Raises:
        UserError: if no label is a class of the run, or all rows have one label.
    """
    present = sorted(set(labels.tolist()))
    unknown = [name for name in present if name not in known]
    if len(unknown) == len(present):
        raise UserError(
            f"--data: no label of {data!r} is a class of the run. Its labels are {quoted(present)}; the run's classes"
            f" are {quoted(known)}. Write the labels as in training."
        )
    if len(present) < 2:
        raise UserError(
            f"--data: the label is {present[0]!r} in every row of {data!r}; at least two classes are needed."
        )
    notes = []
    if unknown:
        rows = sum(label not in known for label in labels.tolist())
        notes.append(
            f"{len(unknown)} class{'es' * (len(unknown) > 1)} that the run has never seen, in {rows} rows"
            f" ({rows / len(labels):.1%}): {quoted(unknown)}"
        )
        notes += [
            f"the class {label!r} and {alike!r}, which the run knows, {DIFFER}: if they are one, write them alike"
            for label in unknown
            if (alike := alike_of(label, known)) is not None
        ]
    absent = [name for name in known if name not in present]
    if absent:
        notes.append(f"classes of the run that do not occur now: {quoted(absent)}")
    return (*known, *unknown), notes


def moments_of(rows: LabelledRows | NDArray[Any], column: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return the time of each row, as a number (dates as days since 1970) and as it is written.

    Raises:
        UserError: if there is no such column, or values are missing or no times.
    """
    if not isinstance(rows, LabelledRows):
        raise UserError("--since is for tables; the data is an array.")
    names = rows.table.column_names
    if column not in names:
        raise UserError(f"--since: there is no column {column!r}.{did_you_mean(column, names)} {columns_of(names)}")
    values = rows.table.column(column)
    texts = np.array(as_texts(values).to_pylist(), dtype=object)
    decided = decide(column, values)
    if decided.reading.kind == "category":
        raise UserError(f"--since: column {column!r} holds {texts[0]!r}; numbers, or dates of one format, are needed.")
    missing = is_missing(decided.values)
    if missing.any():
        raise UserError(
            f"--since: column {column!r} is empty in {int(missing.sum())} rows, the first in row"
            f" {int(np.flatnonzero(missing)[0]) + 1}; every row needs its time."
        )
    return decided.values, texts


def quoted(names: Iterable[object]) -> str:
    """Return names in quotes, at most a few of them.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    """
    return first_of([repr(str(name)) for name in names], MOST_NAMED)


def consecutive(new: NewData, count: int) -> list[tuple[str, NewData]]:
    """Return ``count`` batches of nearly equal size in the order of time, each with its first and last time as label.

    Args:
        new: the data, with its times.
        count: how many.

    Raises:
        UserError: if there are fewer rows than batches.
    """
    if len(new) < count:
        raise UserError(f"--batches: {count} was given, but there are {len(new)} rows.")
    assert new.moments is not None
    assert new.times is not None
    order = np.argsort(new.moments, kind="stable")
    return [
        (f"{new.times[rows[0]]} to {new.times[rows[-1]]}", new.rows(np.sort(rows)))
        for rows in np.array_split(order, count)
    ]
