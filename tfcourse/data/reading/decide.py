"""Decide what a column is from evidence: what share of its present values is read as number, date or truth value.

Rules, in this order. A column is of a kind if every present value is, texts that stand for a missing value set
apart (:mod:`.markers`). If half of the present values or more are numbers or dates, many of them different, and others
are not, the column is refused by name with a row: read as texts it would lose its order in silence. All else is a
category.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading import date_forms, dates, markers
from tfcourse.data.reading.categories import is_truth
from tfcourse.data.reading.column import Distinct, typed_days, typed_numbers
from tfcourse.data.reading.decimal_mark import DecimalMark, may_be_grouped, settle
from tfcourse.data.reading.decode import (
    FIRST_COMPACT,
    LAST_COMPACT,
    categories,
    days_of_numbers,
    decode,
    infinite_numbers,
    numbers_among,
    out_of_range_missing,
    quick_numbers,
    without_sentinels,
)
from tfcourse.data.reading.far_values import far_values
from tfcourse.data.reading.figures import look_like_addresses, told_of_words, told_of_zeros
from tfcourse.data.reading.numbers import find_style, is_infinite
from tfcourse.data.reading.periods import find_period
from tfcourse.data.reading.reading import Order, Reading
from tfcourse.data.reading.slips import (
    FEW_VALUES,
    NEARLY,
    empty,
    refuse_slips,
    refuse_unread_months,
    refuse_untold_dates,
)
from tfcourse.errors import UserError

FIRST_SECOND, LAST_SECOND = 946_684_800, 2_208_988_800
"""The first seconds of 2000 and of 2040: numbers between them may be moments."""


@dataclass(frozen=True)
class Decided:
    """What was decided on one column.

    Args:
        reading: how it is read.
        values: its values by that, as :func:`~tfcourse.data.reading.decode.decode` gives them.
        odd: what a person should look at, one sentence each.
    """

    reading: Reading
    values: NDArray[Any]
    odd: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wishes:
    """What the user said on columns.

    Args:
        missing: texts that are missing values.
        not_missing: texts that are not.
        categorical: columns to read as categories.
        readings: how some columns are to be read, whatever their values look like.
    """

    missing: tuple[str, ...] = ()
    not_missing: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)


def decide(name: str, column: Any, wishes: Wishes | None = None, beside: DecimalMark | None = None) -> Decided:
    """Return how a column is read.

    Args:
        name: its name.
        column: an Arrow column of any type, all rows.
        wishes: what the user said.
        beside: the mark before decimals in the other columns, asked where this one does not tell.

    Raises:
        UserError: if it is empty, infinite, nearly but not quite numbers or dates, or written in two ways that nothing
            tells apart.

    >>> import pyarrow as pa
    >>> decide("born", pa.chunked_array([["31.12.1999", "1.2.2003", "?"]])).reading.to_json()
    {'name': 'born', 'kind': 'date', 'order': 'dmy', 'forms': ['dd.mm.yyyy'], 'missing': ['?']}
    """
    wishes = wishes or Wishes()
    if name in wishes.readings:
        return Decided(wishes.readings[name], decode(column, wishes.readings[name]))
    categorical = name in wishes.categorical
    if not categorical and (days := typed_days(column)) is not None:
        return _of_days(Reading(name, "date", order="ymd"), out_of_range_missing(days))
    if not categorical:
        numbers = typed_numbers(column)
        if numbers is None and not may_be_grouped(column):
            numbers = quick_numbers(column)
        if numbers is not None:
            decided = _of_numbers(Reading(name, "number"), numbers, wishes)
            return replace(decided, odd=[*decided.odd, *told_of_zeros(name, column, wishes.missing)])
    return _of_texts(name, Distinct.of(column), wishes, categorical, beside or DecimalMark())


def _of_texts(name: str, values: Distinct, wishes: Wishes, categorical: bool, beside: DecimalMark) -> Decided:
    texts, counts = values.texts.to_pylist(), values.counts
    fixed = np.array([text in wishes.missing for text in texts], dtype=bool)
    kept = tuple(text for text in texts if text in wishes.not_missing)
    marker = np.array([markers.among_others(text) and text not in kept for text in texts], dtype=bool) | fixed
    if marker.all() and not any(text in wishes.not_missing for text in texts):
        raise UserError(empty(name, len(values.codes)))
    empty_text = np.array([text == "" for text in texts])
    said = tuple(text for text, is_marker in zip(texts, marker & ~empty_text, strict=True) if is_marker)
    if not categorical:
        other = Distinct(values.texts.filter(~marker), values.codes), counts[~marker]
        if (infinite := is_infinite(other[0].texts)).any():
            place = int(np.flatnonzero(~marker)[np.flatnonzero(infinite)[0]])
            raise UserError(infinite_numbers(name, np.flatnonzero(np.isin(values.codes, place))))
        addresses = counts[look_like_addresses(values.texts) & ~marker].sum() >= NEARLY * counts[~marker].sum()
        if _have_figures(values, marker) and not addresses:
            found = _as_numbers(name, values, marker, said, kept, wishes, beside)
            found = found or _as_periods(name, values, marker, said, kept)
            found = found or _as_dates(name, values, marker, said, kept)
            if found is not None:
                return found
            refuse_slips(name, values, marker)
    words = [text for text, is_fixed in zip(texts, fixed | empty_text, strict=True) if not is_fixed]
    truth = bool(np.asarray(is_truth(values.texts))[~marker].all())
    missing = tuple(
        text
        for text in said
        if text in wishes.missing
        or truth
        or markers.among_words(text, [word for word in words if not markers.among_others(word)])
    )
    reading = Reading(name, "category", missing=missing, kept=kept)
    odd = [
        f"{text!r} is a value of its own, in {count} rows; --missing {shlex.quote(text)} would read it as missing"
        for text, count in zip(texts, counts, strict=True)
        if text in said and text not in missing and text.casefold() not in markers.PLAIN_WORDS
    ]
    return Decided(
        reading,
        categories(values, reading),
        odd + ([] if categorical else told_of_words([word for word in words if word not in missing])),
    )


def _have_figures(values: Distinct, marker: NDArray[np.bool_]) -> bool:
    """Say whether enough values have a figure for the column to be numbers or dates, or nearly so."""
    figures = np.asarray(pc.match_substring_regex(values.texts, "[0-9]")).astype(bool)
    return bool(values.counts[figures & ~marker].sum() >= NEARLY * values.counts[~marker].sum())


def _as_numbers(
    name: str,
    values: Distinct,
    marker: NDArray[np.bool_],
    said: tuple[str, ...],
    kept: tuple[str, ...],
    wishes: Wishes,
    beside: DecimalMark,
) -> Decided | None:
    """Return the column as numbers, None if it is something else."""
    texts, counts = values.texts.filter(~marker), values.counts[~marker]
    style, numbers = find_style(texts, counts)
    if np.isnan(numbers).any():
        return None
    style, numbers, told = settle(name, values, texts, style, numbers, beside)
    whole = np.full(len(values.texts), np.nan)
    whole[~marker] = numbers
    decided = _of_numbers(replace(style, name=name, missing=said, kept=kept), whole[values.codes], wishes)
    decided.odd.extend(told + told_of_zeros(name, values.texts, wishes.missing))
    return decided


def _as_periods(
    name: str, values: Distinct, marker: NDArray[np.bool_], said: tuple[str, ...], kept: tuple[str, ...]
) -> Decided | None:
    """Return the column as times of day, months, quarters or weeks, None if it is something else."""
    order, found = find_period(values.texts.filter(~marker), values.counts[~marker])
    if not order or np.isnan(found).any():
        return None
    days = np.full(len(values.texts), np.nan)
    days[~marker] = found
    return Decided(Reading(name, "date", order=order, missing=said, kept=kept), days[values.codes])


def _as_dates(
    name: str, values: Distinct, marker: NDArray[np.bool_], said: tuple[str, ...], kept: tuple[str, ...]
) -> Decided | None:
    """Return the column as dates, None if it is something else; refuse those that cannot be told."""
    texts, counts = values.texts.filter(~marker), values.counts[~marker]
    order, found, odd = dates.find_order(texts, counts)
    if (np.isnan(found) & ~odd).any():
        refuse_unread_months(name, values, marker)
        return None
    if counts[odd].sum() > NEARLY * counts.sum():
        return None
    short = dates.short_years(texts)
    untold = np.zeros(len(marker), dtype=bool)
    untold[~marker] = date_forms.untold(texts, order, date_forms.marks_that_tell(texts, order))
    refuse_untold_dates(name, values, marker, order, untold, found[short])
    forms = tuple(filter(None, dict.fromkeys(date_forms.date_forms(texts, order, ~np.isnan(found)).tolist())))
    days = np.full(len(values.texts), np.nan)
    days[~marker] = found
    decided = _of_days(Reading(name, "date", order=order, forms=forms, missing=said, kept=kept), days[values.codes])
    if odd.any():
        which = int(np.flatnonzero(~marker)[np.flatnonzero(odd)[0]])
        decided.odd.append(date_forms.out_of_range(int(counts[odd].sum()), values, which))
    if short.any():
        text = texts.filter(pa.array(short))[0].as_py()
        moment = dates.moments(found[short][:1])[0]
        decided.odd.append(f"years of two figures are read as 1969 to 2068: {text!r} is {moment:%Y-%m-%d}")
    return decided


def _of_days(reading: Reading, days: NDArray[np.float64]) -> Decided:
    if np.isnan(days).all():
        raise UserError(empty(reading.name, len(days)))
    return _without_far_values(reading, days, [])


def _of_numbers(reading: Reading, numbers: NDArray[np.float64], wishes: Wishes) -> Decided:
    """Return the column as numbers, or as the dates that they may stand for."""
    if np.isnan(numbers).all():
        raise UserError(empty(reading.name, len(numbers)))
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise UserError(infinite_numbers(reading.name, infinite))
    among_texts = numbers_among(reading.missing)  # the exported model takes them as numbers where these are plain
    said = numbers_among(wishes.missing)
    if present := tuple(value for value in said if value in among_texts or (numbers == value).any()):
        reading = replace(reading, sentinels=present)
        numbers = without_sentinels(numbers, reading)
    if reading.is_plain and (order := _moments(numbers)):
        return _of_days(_dated(reading, order), days_of_numbers(numbers, _dated(reading, order)))
    return _without_far_values(reading, numbers, wishes.not_missing)


def _dated(reading: Reading, order: Order) -> Reading:
    """Return the reading of numbers that are dates: what stood for a missing value stays so, as text and as day."""
    texts = tuple(f"{value:.15g}" for value in reading.sentinels)
    dated = replace(reading, kind="date", order=order, missing=tuple(dict.fromkeys((*reading.missing, *texts))))
    days = days_of_numbers(np.array(reading.sentinels), dated)
    return replace(dated, sentinels=tuple(days[~np.isnan(days)].tolist()))


def _without_far_values(reading: Reading, numbers: NDArray[np.float64], not_missing: Sequence[str]) -> Decided:
    """Return numbers without single values that lie so far away that the others would be one number beside them."""
    keep = numbers_among(not_missing)
    far = tuple(value for value in far_values(numbers) if value not in keep)
    if not far:
        return Decided(reading, numbers)
    odd = []
    for value in far:
        rows = np.flatnonzero(numbers == value)
        where = f"row {rows[0] + 1}" if len(rows) == 1 else f"{len(rows)} rows, the first row {rows[0] + 1},"
        text = f"{value:.10g}"
        keeps = f" (--not-missing {text} keeps it)" if reading.kind == "number" else ""
        odd.append(f"{text} in {where} is far from all other values and is read as missing{keeps}")
    reading = replace(reading, sentinels=(*reading.sentinels, *far))
    return Decided(reading, without_sentinels(numbers, reading), odd)


def _moments(numbers: NDArray[np.float64]) -> Order:
    """Return how numbers that may be moments count them: digits such as 20261231, or seconds since 1970.

    >>> _moments(np.arange(1.6e9, 1.6e9 + 50)), _moments(np.arange(50.0)), _moments(np.repeat(20240131.0, 3))
    ('seconds', '', '')
    """
    present = numbers[~np.isnan(numbers)]
    if len(present) <= FEW_VALUES or present.min() < FIRST_COMPACT or (present != np.floor(present)).any():
        return ""
    different = np.unique(present)
    if len(different) <= FEW_VALUES:
        return ""
    if different[-1] < LAST_COMPACT and not np.isnan(dates.from_compact(different)).any():
        return "compact"
    if different[0] >= FIRST_SECOND and different[-1] < LAST_SECOND:
        return "seconds"
    if different[0] >= FIRST_SECOND * 1000 and different[-1] < LAST_SECOND * 1000:
        return "milliseconds"
    return ""
