"""Decide how each column of a table is read - number, date, category or not at all - and say so."""

from __future__ import annotations

import reprlib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfcourse.data import dates
from tfcourse.data.features import CategoryColumn, NumberColumn, TableFeatures, infinite_numbers
from tfcourse.data.split import Rows
from tfcourse.data.table import Column, Table, as_text, is_missing, rows_of, to_numbers
from tfcourse.errors import UserError, did_you_mean

MOST_CATEGORIES = 100
LEAST_ROWS_PER_CATEGORY = 2
IDENTIFIER_SHARE = 0.9
"""A text column in which more than this share of the values differ is an identifier."""
NEARLY_NUMBERS = 0.9
"""A text column of which more than this share is numbers, many of them different, has slips in it."""
FEW_VALUES = 10
_PLAIN = str.maketrans({"−": "-", **dict.fromkeys(",%$€£'  ", "")})
"""What separates thousands, marks decimals or names a unit in numbers that are not plainly written."""


@dataclass(frozen=True)
class Reading:
    """How one column is read: the column for :class:`TableFeatures`, or None if it is left out, and a line on it."""

    column: NumberColumn | CategoryColumn | None
    line: str


def fit_table(table: Table, train: Rows, categorical: Sequence[str] = ()) -> tuple[TableFeatures, list[str]]:
    """Decide how each column is read, with statistics of the training rows, and return one line a column.

    Args:
        table: the whole table without its target; kinds are decided on all rows.
        train: the training rows; means, deviations and categories come from these alone.
        categorical: columns of numbers to read as categories.

    Raises:
        UserError: if a column is empty, infinite, or nearly but not quite numbers, or if none is left.

    >>> table = {"size": np.array([1.0, 3.0]), "unit": np.array(["cm", "cm"], dtype=object)}
    >>> features, lines = fit_table(table, np.array([0, 1]))
    >>> lines
    ['size: whole number, 2 different', "unit: left out, it is 'cm' in every training row"]
    """
    for name in categorical:
        if name not in table:
            near = did_you_mean(name, table)
            raise UserError(f"--categorical: there is no column {name!r}.{near}")
    readings = {name: _read(name, column, train, name in categorical) for name, column in table.items()}
    columns = [reading.column for reading in readings.values()]
    features = TableFeatures(
        tuple(column for column in columns if isinstance(column, NumberColumn)),
        tuple(column for column in columns if isinstance(column, CategoryColumn)),
    )
    lines = [f"{name}: {reading.line}" for name, reading in readings.items()]
    if not features.names:
        raise UserError(f"No column is left to learn from. {'; '.join(lines)}.")
    return features, lines


def _read(name: str, column: Column, train: Rows, categorical: bool) -> Reading:
    missing = is_missing(column)
    if missing.all():
        raise UserError(
            f"Column {name!r} is empty in all {rows_of({name: column})} rows;"
            f" leave it out with --drop {shlex.quote(name)}."
        )
    if missing[train].all():
        return Reading(None, "left out, it is empty in every training row")
    if categorical:
        return _category(name, as_text(column), missing, train)
    numbers = to_numbers(column)
    if np.isinf(numbers).any():
        raise UserError(infinite_numbers(name, np.flatnonzero(np.isinf(numbers))))
    wrong = np.isnan(numbers) & ~missing
    if not wrong.any():
        if _only_numbers_rows(name, numbers):
            return Reading(None, "left out, it has no name and numbers the rows")
        return _number(name, numbers, train)
    present = column[~missing]
    if (pattern := dates.find_format(present)) is not None:
        days = dates.days_since_1970(column, pattern)
        return _number(name, days, train, pattern)
    _check_slips(name, column, numbers, wrong, int((~missing).sum()))
    return _category(name, column, missing, train)


def _check_slips(name: str, column: Column, numbers: Column, wrong: Column, present: int) -> None:
    """Refuse numbers with a few texts among them, or not plainly written: as a category they would lose their order."""
    drop = f"leave the column out with --drop {shlex.quote(name)}"
    row = int(np.flatnonzero(wrong)[0])
    if wrong.sum() < (1 - NEARLY_NUMBERS) * present and len(np.unique(numbers[~np.isnan(numbers)])) > FEW_VALUES:
        raise UserError(
            f"Column {name!r} is numbers but for {int(wrong.sum())} of {present} values, such as {column[row]!r} in row"
            f" {row + 1}. Put them right, leave them empty, or {drop}."
        )
    plain = to_numbers(np.array([text.translate(_PLAIN) for text in column], dtype=object))
    if np.isnan(plain).sum() == len(column) - present and len(np.unique(column)) > FEW_VALUES:
        raise UserError(
            f"Column {name!r} holds numbers that are not plainly written, such as {column[row]!r} in row {row + 1}."
            f" Write them with digits and a decimal point alone, read them as categories with"
            f" --categorical {shlex.quote(name)}, or {drop}."
        )


def _only_numbers_rows(name: str, numbers: Column) -> bool:
    """Say whether a column is the row numbers that pandas writes beside a table, which tell nothing of new rows."""
    unnamed = not name or name.startswith("Unnamed: ")
    return unnamed and numbers[0] in (0, 1) and bool((np.diff(numbers) == 1).all())


def _number(name: str, numbers: Column, train: Rows, date_format: str = "") -> Reading:
    values = numbers[train]
    present = values[~np.isnan(values)]
    has_missing = len(present) < len(values)
    deviation = float(present.std())
    if deviation == 0 and not has_missing:
        return Reading(None, f"left out, it is {present[0]:g} in every training row")
    column = NumberColumn(name, float(present.mean()), deviation or 1.0, has_missing, date_format)
    share = f", {1 - len(present) / len(values):.1%} missing" if has_missing else ""
    if date_format:
        return Reading(column, f"date as {date_format}, read as days since 1970{share}")
    different = len(np.unique(present))
    whole = bool((present == np.floor(present)).all())
    kind = f"{'whole ' * whole}number, {different} different{share}"
    if whole and 2 < different <= FEW_VALUES:
        kind += f" (--categorical {shlex.quote(name)} would read them as categories)"
    if whole and different > IDENTIFIER_SHARE * len(values) and len(values) > FEW_VALUES:
        kind += f" (if it only numbers the rows: --drop {shlex.quote(name)})"
    return Reading(column, kind)


def _category(name: str, column: Column, missing: Column, train: Rows) -> Reading:
    present = column[train][~missing[train]]
    counts = Counter(present.tolist())
    if len(counts) > IDENTIFIER_SHARE * len(present) and len(counts) > FEW_VALUES:
        return Reading(None, f"left out, its texts are nearly all different ({len(counts)} in {len(present)} rows)")
    if len(counts) == 1 and not missing[train].any():
        return Reading(None, f"left out, it is {reprlib.repr(present[0])} in every training row")
    kept = [value for value, count in counts.most_common(MOST_CATEGORIES) if count >= LEAST_ROWS_PER_CATEGORY]
    rare = len(counts) - len(kept)
    others = f", {rare} rare one{'s' * (rare > 1)} as 'other'" if rare else ""
    share = f", {missing[train].mean():.1%} missing" if missing[train].any() else ""
    return Reading(CategoryColumn(name, tuple(sorted(kept))), f"category, {len(counts)} values{others}{share}")
