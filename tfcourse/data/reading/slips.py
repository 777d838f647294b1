"""Columns that are nearly numbers or dates, or may be several: refused with a row, and what to do."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.data.reading import dates
from tfcourse.data.reading.column import Distinct
from tfcourse.data.reading.figures import look_like_versions
from tfcourse.data.reading.numbers import find_style, look_like_numbers
from tfcourse.data.reading.periods import are_beyond_a_day, find_period, look_like_months
from tfcourse.errors import UserError

FEW_VALUES = 10
NEARLY = 0.5
"""A column of which this share or more is numbers or dates, over :data:`FEW_VALUES` of them different, has slips."""
MOST_OTHER_MONTHS = 0.1
"""Where more than this share is written as 2023-14 is, the others are no months but codes as well."""
LONGEST_SPAN = 50 * 365.2425
"""Days over which years of two figures may spread: of 45 and 99 nothing tells which century they are of."""


def refuse_slips(name: str, values: Distinct, marker: NDArray[np.bool_]) -> None:
    """Refuse numbers or dates with other texts among them: as a category they would lose their order in silence."""
    texts, counts = values.texts.filter(~marker), values.counts[~marker]
    present = int(counts.sum())
    style, numbers = find_style(texts, counts)
    loose, wrong = look_like_numbers(texts) & ~look_like_versions(texts), np.isnan(numbers)
    _, days, odd = dates.find_order(texts, counts)
    not_dates = np.isnan(days) & ~odd
    words, these = (style.words, loose) if not not_dates.sum() < wrong.sum() else ("dates", ~not_dates)
    wrong = wrong if words != "dates" else not_dates
    period, days = find_period(texts, counts)
    no_period = np.isnan(days)
    codes = counts[no_period & look_like_months(texts)].sum() > MOST_OTHER_MONTHS * present
    beyond_a_day = are_beyond_a_day(texts.filter(pa.array(no_period)))
    if period and no_period.sum() < wrong.sum() and not beyond_a_day and not codes:
        words, wrong = "times of day" if period == "clock" else f"dates by {period}", np.isnan(days)
        these = ~wrong
    share = max(counts[~wrong].sum(), counts[these].sum()) / present
    if share < NEARLY or (~wrong | these).sum() <= FEW_VALUES:
        return
    place = int(np.flatnonzero(~marker)[np.flatnonzero(wrong)[0]])
    raise UserError(_slips(name, values, place, int(counts[wrong].sum()), present, words, these[wrong]))


def _slips(
    name: str, values: Distinct, place: int, wrong: int, present: int, words: str, loose: NDArray[np.bool_]
) -> str:
    text, quoted = values.texts[place].as_py(), shlex.quote(name)
    kind = "numbers" if words == "number" else words.replace("number", "numbers", 1)
    missing = "" if loose.all() else f", say that {text!r} is missing with --missing {shlex.quote(text)}"
    return (
        f"Column {name!r} is {kind} but for {wrong} of {present} values, such as {text!r} in row"
        f" {values.first_row(place)}. Put them right, leave them empty{missing}, read the column as categories with"
        f" --categorical {quoted}, or leave it out with --drop {quoted}."
    )


def refuse_unread_months(name: str, values: Distinct, marker: NDArray[np.bool_]) -> None:
    """Refuse dates that name the month in a language, or in a way, that is not read."""
    texts, counts = values.texts.filter(~marker), values.counts[~marker]
    named = dates.look_like_dates(texts)
    if counts[named].sum() < 0.9 * counts.sum() or named.sum() <= FEW_VALUES:
        return
    unread = named & np.isnan(dates.parse_dates(texts, "words")[0])
    place = int(np.flatnonzero(~marker)[np.flatnonzero(unread if unread.any() else named)[0]])
    raise UserError(
        f"Column {name!r} holds dates with the month in words, such as {values.texts[place].as_py()!r} in row"
        f" {values.first_row(place)}, which is not read. Write them as 2026-12-31 or 31 Dec 2026, read them as"
        f" categories with --categorical {shlex.quote(name)}, or leave the column out with --drop {shlex.quote(name)}."
    )


def refuse_untold_dates(
    name: str,
    values: Distinct,
    marker: NDArray[np.bool_],
    order: str,
    untold: NDArray[np.bool_],
    of_short_years: NDArray[np.float64],
) -> None:
    """Refuse dates of which nothing tells the order of day and month, or the century."""
    place = int(np.flatnonzero(untold if untold.any() else ~marker)[0])
    holds = f"Column {name!r} holds dates such as {values.texts[place].as_py()!r} in row {values.first_row(place)}, and"
    table = f'--reading FILE.toml, by its lines [{json.dumps(name, ensure_ascii=False)}] kind = "date" order ='
    if not order or untold.any():
        like = " that is written so" * bool(order)
        raise UserError(
            f"{holds} no row{like} tells whether the day or the month comes first. Write them as 2026-12-31; or say"
            f' with {table} "dmy" (or "mdy"), which it is; or leave the column out with --drop {shlex.quote(name)}.'
        )
    if len(of_short_years) and np.ptp(of_short_years[~np.isnan(of_short_years)]) > LONGEST_SPAN:
        raise UserError(
            f"{holds} nothing tells the century of its years of two figures. Write four figures; or say with"
            f' {table} "{order}", that 69 to 99 are of the 20th and 00 to 68 of the 21st century; or leave the column'
            f" out with --drop {shlex.quote(name)}."
        )


def empty(name: str, rows: int) -> str:
    """Return the message for a column without values."""
    return f"Column {name!r} is empty in all {rows} rows; leave it out with --drop {shlex.quote(name)}."
