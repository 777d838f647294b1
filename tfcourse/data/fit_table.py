"""Statistics of the training rows: what becomes of each column, said in a line, and which columns tell nothing."""

from __future__ import annotations

import reprlib
import shlex
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.columns import PERIODS, CategoryColumn, NumberColumn, TextColumn, split_words
from tfcourse.data.reading.periods import CYCLES
from tfcourse.data.reading.reading import Reading
from tfcourse.data.reading.slips import FEW_VALUES
from tfcourse.data.split import Rows
from tfcourse.data.table import Column, Table
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError

MOST_CATEGORIES, BINS = 100, 64
LEAST_ROWS_PER_CATEGORY = 2
IDENTIFIER_SHARE = 0.9
"""A text column in which more than this share of the values differ is an identifier, or free text."""
WORDS_OF_TEXT, MOST_WORDS, LEAST_TEXTS_PER_WORD = 3.0, 256, 3
"""Free text has at least so many words in the mean; so many words get a column, each in at least so many texts."""
GAPS = 0.1
"""Numbers of rows may leave out less than this share of the rows."""
SPANS = {"day": 0.0, "week": 14.0, "year": 365.0}
"""Over how many days dates must spread for a cycle to be told from their order."""


@dataclass(frozen=True)
class Described:
    """What became of one column: None if it is left out, and a line on it."""

    column: NumberColumn | CategoryColumn | TextColumn | None
    line: str


def fit_table(
    table: Table, train: Rows, readings: Mapping[str, Reading] | None = None, kept: Collection[str] = ()
) -> tuple[TableFeatures, list[str]]:
    """Return what becomes of each column, with statistics of the training rows, and one line a column.

    Args:
        table: the whole table without its target, its columns as they were decoded.
        train: the training rows; means, deviations, categories and words come from these alone.
        readings: how each column is written; plainly where one is not given.
        kept: columns that a person wants, or that a run has used: they stay though they number the rows.

    Raises:
        UserError: if no column is left.

    >>> table = {"size": np.array([1.0, 3.0]), "unit": np.array(["cm", "cm"], dtype=object)}
    >>> features, lines = fit_table(table, np.array([0, 1]))
    >>> lines
    ['size: whole number, 2 different', "unit: left out, it is 'cm' in every training row"]
    """
    found, kept = readings or {}, frozenset(kept)
    described = {
        name: _describe(name, column, train, found.get(name) or _plain(name, column), keep=name in kept)
        for name, column in table.items()
    }
    lines = [f"{name}: {each.line}" for name, each in described.items()]
    columns = [each.column for each in described.values()]
    features = TableFeatures(
        tuple(column for column in columns if isinstance(column, NumberColumn)),
        tuple(column for column in columns if isinstance(column, CategoryColumn)),
        tuple(column for column in columns if isinstance(column, TextColumn)),
        {name: reading for name, reading in found.items() if name in described and described[name].column is not None},
    )
    if not features.names:
        raise UserError(f"No column is left to learn from. {'; '.join(lines)}.")
    return features, lines


def _plain(name: str, column: Column) -> Reading:
    return Reading(name, "category" if column.dtype == object else "number")


def _describe(name: str, column: Column, train: Rows, reading: Reading, *, keep: bool) -> Described:
    values = column[train]
    missing = np.isnan(values) if reading.kind != "category" else values == ""
    if missing.all():
        return Described(None, "left out, it is empty in every training row")
    share = f", {missing.mean():.1%} missing" if missing.any() else ""
    if reading.kind == "category":
        return _category(name, values[~missing], share, reading)
    if reading.kind == "date":
        return _date(name, values, values[~missing], share, reading)
    if not keep and numbers_rows(name, column):
        return _row_numbers(name, column)
    return _number(name, values, values[~missing], share, reading)


def numbers_rows(name: str, column: Column) -> bool:
    """Say whether a column is the number of each row, from 0 or 1 on: it tells nothing of new rows.

    Where the rows are in an order, of time or of their labels, it would tell the labels of these rows. A tenth of the
    rows may have been taken out, as those without a label are.

    >>> numbers_rows("id", np.arange(1.0, 12)), numbers_rows("year", np.arange(2001.0, 2020))
    (True, False)
    >>> numbers_rows("id", np.delete(np.arange(30.0), [0, 7])), numbers_rows("size", np.arange(0.0, 60, 2))
    (True, False)
    """
    rows = len(column)
    near = 0 <= column[0] <= 1 + GAPS * rows and column[-1] - column[0] < (1 + GAPS) * rows
    rises = near and bool((np.diff(column) > 0).all() and (column == np.floor(column)).all())
    return bool(rises) and (rows > FEW_VALUES or _has_no_name(name))


def _has_no_name(name: str) -> bool:
    return not name or name.startswith(("Unnamed: ", "column 1"))


def _row_numbers(name: str, column: Column) -> Described:
    what = "has no name and numbers the rows" if _has_no_name(name) else "numbers the rows"
    return Described(
        None,
        f"left out, it {what} from {column[0]:.0f} to {column[-1]:.0f} (--keep-columns {shlex.quote(name)} keeps it)",
    )


def _standardized(name: str, values: Column, present: Column) -> NumberColumn | Described:
    mean, deviation = float(present.mean()), float(present.std())
    if not deviation > abs(mean) * 1e-15:  # the mean of equal numbers is rounded
        deviation = 0.0
    if deviation == 0 and len(present) == len(values):
        return Described(None, f"left out, it is {present[0]:.10g} in every training row")
    ends = float(present.min()), float(present.max())
    return NumberColumn(name, mean, deviation or 1.0, len(present) < len(values), ends=ends)


def _number(name: str, values: Column, present: Column, share: str, reading: Reading) -> Described:
    column = _standardized(name, values, present)
    if isinstance(column, Described):
        return column
    different = len(np.unique(present))
    whole = bool((present == np.floor(present)).all())
    kind = f"{'whole ' * whole}{reading.words}, {different} different{share}"
    if whole and reading.is_plain and 2 < different <= FEW_VALUES:
        kind += f" (--categorical {shlex.quote(name)} would read them as categories)"
    if whole and different > IDENTIFIER_SHARE * len(values) and len(values) > FEW_VALUES:
        kind += f" (if it only numbers the rows: --drop {shlex.quote(name)})"
    return Described(column, kind)


def _date(name: str, values: Column, present: Column, share: str, reading: Reading) -> Described:
    column = _standardized(name, values, present)
    if isinstance(column, Described):
        moment = str(np.datetime64(round(float(present[0]) * 86400), "s"))
        moment = moment.partition("T")[2] if reading.order == "clock" else moment
        return Described(None, f"left out, it is {moment} in every training row")
    cycles = tuple(cycle for cycle in CYCLES.get(reading.order, PERIODS) if _spans(present, cycle))
    of = {"day": "time of day", "week": "weekday", "year": "time of year"}
    told = f", with {', '.join(of[cycle] for cycle in cycles)}" if cycles and reading.order != "clock" else ""
    return Described(replace(column, is_date=True, cycles=cycles), f"{reading.words}{told}{share}")


def _spans(days: NDArray[np.float64], cycle: str) -> bool:
    if cycle == "day":
        return len(np.unique(np.mod(days, 1.0))) > 2
    return bool(days.max() - days.min() >= SPANS[cycle] and len(np.unique(np.floor(days))) > FEW_VALUES)


def _category(name: str, present: NDArray[Any], share: str, reading: Reading) -> Described:
    counts = Counter(present.tolist())
    many = len(counts) > IDENTIFIER_SHARE * len(present) and len(counts) > FEW_VALUES
    if (many or len(counts) > MOST_CATEGORIES) and (text := _text(name, list(counts))) is not None:
        return Described(text, f"text, {len(counts)} different, by {len(text.words)} words{share}")
    if many:
        return Described(None, f"left out, its texts are nearly all different ({len(counts)} in {len(present)} rows)")
    if len(counts) == 1 and not share:
        return Described(None, f"left out, it is {reprlib.repr(present[0])} in every training row")
    kept = [value for value, count in counts.most_common() if count >= LEAST_ROWS_PER_CATEGORY]
    own, binned = tuple(sorted(kept[:MOST_CATEGORIES])), tuple(kept[MOST_CATEGORIES:])
    bins = min(BINS, len(binned))
    rare = len(counts) - len(kept)
    frequencies = _frequencies([counts[value] for value in (*own, *binned)]) if binned and not reading.levels else ()
    told = " beside how frequent each value is" * bool(frequencies)
    shared = f", the {len(binned)} least frequent in {bins} columns{told}" if binned else ""
    others = f", {rare} rare one{'s' * (rare > 1)} as 'other'" if rare else ""
    line = f"category, {len(counts)} value{'s' * (len(counts) > 1)}{shared}{others}{share}"
    return Described(CategoryColumn(name, own, binned, bins, frequencies), line)


def _frequencies(rows: Sequence[int]) -> tuple[float, ...]:
    """Return log(1 + rows) of any other value, of missing and of those in so many rows each, standardized over rows."""
    logs, weights = np.log1p(np.array(rows)), np.array(rows)
    mean = np.average(logs, weights=weights)
    deviation = np.average((logs - mean) ** 2, weights=weights) ** 0.5
    if not deviation > mean * 1e-15:
        return ()
    standard = (np.array([np.log1p(LEAST_ROWS_PER_CATEGORY - 1), mean, *logs]) - mean) / deviation
    return tuple(standard.tolist())


def _text(name: str, different: Sequence[str]) -> TextColumn | None:
    """Return the column as a bag of its most frequent words, None if its texts have too few words each."""
    words = [split_words(text) for text in different]
    if sum(map(len, words)) < WORDS_OF_TEXT * len(words):
        return None
    counts = Counter(word for each in words for word in set(each))
    frequent = [
        word
        for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
        if count >= LEAST_TEXTS_PER_WORD
    ]
    return TextColumn(name, tuple(frequent)) if frequent else None
