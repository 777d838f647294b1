"""The rows of a table file that have a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tfcourse.data import tablefile
from tfcourse.data.labels import labels_of_column
from tfcourse.data.reading.decide import Wishes
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.reading import Reading
from tfcourse.data.table import Table
from tfcourse.errors import UserError, did_you_mean


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


def decoded(rows: LabelledRows, readings: Mapping[str, Reading], name: str, beside: Sequence[str] = ()) -> Table:
    """Return the columns that ``readings`` name as they were read in training; those in ``beside`` may be absent."""
    there = rows.table.column_names
    absent = [column for column in readings if column not in there and column not in beside]
    if absent:
        raise UserError(f"--test-data: {name!r} lacks the column {absent[0]!r}. {columns_of(there)}")
    return {
        column: decode(rows.table.column(column), reading) for column, reading in readings.items() if column in there
    }


def columns_of(table: Iterable[str]) -> str:
    """Return a sentence that lists a table's columns, shortened when there are many."""
    names = list(table)
    shown = ", ".join(map(repr, names[:30])) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    return f"Its columns are {shown}."
