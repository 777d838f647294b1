"""Numbers and dates that are written as texts, read by Keras layers in the exported model.

Each text becomes its characters' places in a short vocabulary; figures are added up by the power of ten that their
place stands for. It is the same map as :mod:`tfcourse.data.reading.numbers` and :mod:`tfcourse.data.reading.dates`,
exact for numbers of up to 15 figures.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import ops

from tfcourse.data.reading.dates import FIRST_OF_TWO_DIGITS, FIRST_YEAR, LAST_YEAR, MONTHS, SECONDS_IN_DAY
from tfcourse.data.reading.reading import Reading

DIGITS = "0123456789"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 64
"""Characters of a text that are looked at."""
_NEGATIVE = "-(\u2212\u2012\u2013\ufe63\uff0d"
MARKS = ".,+-pPaA"
POINT, COMMA, PLUS, MINUS, AFTERNOON = 10.0, 11.0, 12.0, 13.0, 14.0
"""The numbers of the characters that dates have beside figures; ``p`` and ``a`` stand for p.m. and a.m."""
UNITS = (3600.0, 60.0, 1.0)
_POWERS = 10.0 ** np.arange(LONGEST)
_LENGTHS = np.array([0.0, 31.0, 28.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0])


def characters(column: Any, others: str) -> Any:
    """Return each character's number, shape (rows, LONGEST): 0 to 9 for figures, 10 on for ``others``, below 0 for any
    other or none."""
    layer = keras.layers.TextVectorization(
        standardize=None, split="character", output_sequence_length=LONGEST, vocabulary=[*DIGITS, *others]
    )
    return ops.cast(layer(column), "float64") - 2.0  # 0 is padding, 1 any other character


def number(column: Any, reading: Reading) -> Any:
    """Return numbers written as ``reading`` says, shape (rows, 1); NaN where there is no figure."""
    marks = reading.decimal + _NEGATIVE
    codes = characters(column, marks)
    figure = ops.logical_and(codes >= 0, codes < 10)
    decimal = ops.equal(codes, POINT)
    after_mark = ops.cumsum(ops.cast(decimal, "float64"), axis=1) > 0
    decimals = ops.sum(ops.cast(ops.logical_and(figure, after_mark), "float64"), axis=1, keepdims=True)
    value = _value(codes, figure) / _power(decimals)
    negative = ops.any(codes > POINT, axis=1, keepdims=True)
    value = ops.where(negative, -value, value)
    return ops.where(ops.any(figure, axis=1, keepdims=True), value, ops.full_like(value, np.nan))


def days(column: Any, reading: Reading) -> Any:
    """Return the days since 1970 in UTC of dates in the order of ``reading``, shape (rows, 1); NaN where there is none.

    The first three groups of figures are year, month and day, or a month's name stands for the second of them; hour,
    minute and second follow, then what stands behind a point or comma as a fraction of the second and behind a sign as
    the clock's offset from UTC.
    """
    values, lengths, marks, count, late, half = _groups(column, date_figures=3.0)
    if reading.order == "words":
        month = _month(column)
        count = count + ops.cast(month > 0.0, "float64")
        values, lengths, marks = (_with_month(each, month) for each in (values, lengths, marks))
    day, valid = _civil(values[:3], lengths, count, reading)
    seconds = _seconds(values[3:], lengths[3:], marks[3:], late, half)
    total = (day * SECONDS_IN_DAY + seconds) / SECONDS_IN_DAY
    return ops.where(valid, total, ops.full_like(total, np.nan))


def period(column: Any, reading: Reading) -> Any:
    """Return the days since 1970 of times of day, months, quarters or weeks, shape (rows, 1); NaN where there is none.

    It is the same map as :mod:`tfcourse.data.reading.periods`; the year is the group of figures that has four.
    """
    values, lengths, marks, count, late, half = _groups(column, date_figures=1.0)
    enough = count >= 2.0
    if reading.order == "clock":
        found = _seconds(values[:6], lengths[:6], marks[:6], late, half) / SECONDS_IN_DAY
        return ops.where(enough, found, ops.full_like(found, np.nan))
    year_first = lengths[0] >= 3.0
    year, part = ops.where(year_first, *values[:2]), ops.where(year_first, values[1], values[0])
    if reading.order == "weeks":
        fourth, valid = _days_of(year, ops.ones_like(year), ops.full_like(year, 4.0))  # of January: it is in week 1
        found = fourth - ops.mod(fourth + 3.0, 7.0) + 7.0 * (part - 1.0)
        next_fourth = _days_of(year + 1.0, ops.ones_like(year), ops.full_like(year, 4.0))[0]
        of_year = ops.logical_and(part >= 1.0, found < next_fourth - ops.mod(next_fourth + 3.0, 7.0))  # some have 53
        valid = ops.logical_and(valid, of_year)
    else:
        if reading.order == "quarters":
            part = part * 3.0 - 2.0
        else:
            named = _month(column)
            enough = ops.logical_or(enough, named > 0.0)
            year, part = ops.where(named > 0.0, values[0], year), ops.where(named > 0.0, named, part)
        found, valid = _days_of(year, part, ops.ones_like(year))
    return ops.where(ops.logical_and(valid, enough), found, ops.full_like(found, np.nan))


def _groups(column: Any, date_figures: float) -> tuple[list[Any], list[Any], list[Any], Any, Any, Any]:
    """Return the groups of figures of texts: the number, the length and the mark before it of each of nine.

    Then how many there are, and whether letters from the group ``date_figures`` on say p.m., or p.m. or a.m.; those
    before are of a weekday or month.
    """
    codes = characters(column, MARKS)
    figure = ops.logical_and(codes >= 0, codes < 10)
    before = ops.pad(codes[:, :-1], [[0, 0], [1, 0]], constant_values=-1.0)
    starts = ops.logical_and(figure, ops.logical_or(before < 0, before >= 10))
    group = ops.cumsum(ops.cast(starts, "float64"), axis=1)
    count = ops.max(group, axis=1, keepdims=True)
    letter = ops.logical_and(codes >= AFTERNOON, group >= date_figures)
    half = ops.any(letter, axis=1, keepdims=True)
    late = ops.any(ops.logical_and(letter, codes < AFTERNOON + 2.0), axis=1, keepdims=True)
    values, lengths, marks = [], [], []
    for index in range(1, 10):
        of_group = ops.logical_and(figure, ops.equal(group, float(index)))
        values.append(_value(codes, of_group))
        lengths.append(ops.sum(ops.cast(of_group, "float64"), axis=1, keepdims=True))
        first = ops.cast(ops.logical_and(starts, ops.equal(group, float(index))), "float64")
        marks.append(ops.sum(first * before, axis=1, keepdims=True))
    return values, lengths, marks, count, late, half


def _month(column: Any) -> Any:
    """Return 1 to 12 where a text has an English month's first three letters, small or capital, else 0; (rows, 1)."""
    codes = characters(column, LETTERS + LETTERS.upper()) - len(DIGITS)
    letters = ops.where(codes >= 0.0, ops.mod(codes, float(len(LETTERS))), ops.full_like(codes, np.nan))
    key = (letters[:, :-2] * 26.0 + letters[:, 1:-1]) * 26.0 + letters[:, 2:]
    keys = [float(sum(LETTERS.index(name[-1 - place]) * 26**place for place in range(3))) for name in MONTHS]
    found = [ops.any(ops.equal(key, each), axis=1, keepdims=True) for each in keys]
    return sum(ops.cast(each, "float64") * number for number, each in enumerate(found, start=1))


def _with_month(groups: list[Any], month: Any) -> list[Any]:
    """Return what is known of each group of figures with a month in words, where there is one, as the second."""
    named = month > 0.0
    return [groups[0], ops.where(named, month, groups[1]), *(ops.where(named, *pair) for pair in pairwise(groups[1:]))]


def days_of_compact(numbers: Any) -> Any:
    """Return the days since 1970 of dates that are written as numbers such as 20261231; NaN where there is none."""
    year, rest = ops.floor(numbers / 10000.0), ops.mod(numbers, 10000.0)
    day, valid = _days_of(year, ops.floor(rest / 100.0), ops.mod(rest, 100.0))
    return ops.where(valid, day, ops.full_like(day, np.nan))


def _civil(values: list[Any], lengths: list[Any], count: Any, reading: Reading) -> tuple[Any, Any]:
    """Return the day number of the first three groups of figures, and where they are a date."""
    year_first = lengths[0] >= 3.0
    first, middle, last = values
    if reading.order == "mdy":
        month, day = ops.where(year_first, middle, first), ops.where(year_first, last, middle)
    else:
        month, day = middle, ops.where(year_first, last, first)
    year = ops.where(year_first, first, last)
    short = ops.logical_and(ops.logical_not(year_first), lengths[2] <= 2.0)
    year = ops.where(short, year + ops.where(year >= FIRST_OF_TWO_DIGITS, 1900.0, 2000.0), year)
    day_number, valid = _days_of(year, month, day)
    return day_number, ops.logical_and(valid, count >= 3.0)


def _days_of(year: Any, month: Any, day: Any) -> tuple[Any, Any]:
    """Return day numbers, counted in years that begin in March, and where there is a date."""
    leap = ops.logical_and(
        ops.equal(ops.mod(year, 4.0), 0.0),
        ops.logical_or(ops.not_equal(ops.mod(year, 100.0), 0.0), ops.equal(ops.mod(year, 400.0), 0.0)),
    )
    is_month = ops.logical_and(month >= 1.0, month <= 12.0)
    # NaN, of a value that is missing, would be a place out of every range: clipping keeps it.
    length = ops.take(_LENGTHS, ops.cast(ops.where(is_month, month, ops.zeros_like(month)), "int32"))
    length = length + ops.cast(ops.logical_and(leap, ops.equal(month, 2.0)), "float64")
    valid = ops.logical_and(year >= float(FIRST_YEAR), year <= float(LAST_YEAR))
    valid = ops.logical_and(valid, is_month)
    valid = ops.logical_and(valid, ops.logical_and(day >= 1.0, day <= length))
    shifted = year - ops.cast(month <= 2.0, "float64")
    in_year = ops.floor((153.0 * ops.mod(month + 9.0, 12.0) + 2.0) / 5.0) + day - 1.0
    leaps = ops.floor(shifted / 4.0) - ops.floor(shifted / 100.0) + ops.floor(shifted / 400.0)
    return 365.0 * shifted + leaps + in_year - 719468.0, valid


def _seconds(values: list[Any], lengths: list[Any], marks: list[Any], late: Any, half: Any) -> Any:
    """Return the seconds of the day in UTC from the groups of figures after the date."""
    clock = ops.zeros_like(values[0])
    fraction, offset = clock, clock
    in_offset = ops.zeros_like(late)
    sign = ops.ones_like(clock)
    for index, (value, length, mark) in enumerate(zip(values, lengths, marks, strict=True)):
        first_of_offset = ops.logical_or(ops.equal(mark, PLUS), ops.equal(mark, MINUS)) if index else in_offset
        minutes_of_offset = ops.logical_and(in_offset, ops.logical_not(first_of_offset))
        sign = ops.where(ops.logical_and(first_of_offset, ops.equal(mark, MINUS)), -sign, sign)
        hours = ops.where(length >= 3.0, ops.floor(value / 100.0), value)
        minutes = ops.where(length >= 3.0, ops.mod(value, 100.0), ops.zeros_like(value))
        offset = offset + ops.where(first_of_offset, hours * 3600.0 + minutes * 60.0, ops.zeros_like(value))
        offset = offset + ops.where(minutes_of_offset, value * 60.0, ops.zeros_like(value))
        in_offset = ops.logical_or(in_offset, first_of_offset)
        if index == 0:
            value = ops.where(half, ops.mod(value, 12.0) + 12.0 * ops.cast(late, "float64"), value)
        if index < len(UNITS):
            clock = clock + ops.where(in_offset, ops.zeros_like(value), value * UNITS[index])
        elif index == len(UNITS):
            in_fraction = ops.logical_or(ops.equal(mark, POINT), ops.equal(mark, COMMA))
            fraction = ops.where(in_fraction, value / _power(length), fraction)
    return clock - sign * offset + fraction


def _value(codes: Any, figure: Any) -> Any:
    """Return the whole number that the chosen figures of each row make, shape (rows, 1)."""
    chosen = ops.cast(figure, "float64")
    total = ops.sum(chosen, axis=1, keepdims=True)
    after = total - ops.cumsum(chosen, axis=1)
    return ops.sum(chosen * codes * _power(after), axis=1, keepdims=True)


def _power(exponent: Any) -> Any:
    """Return 10 to a whole power, exactly as written."""
    return ops.take(_POWERS, ops.cast(ops.clip(exponent, 0.0, LONGEST - 1.0), "int32"))
