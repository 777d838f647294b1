"""Dates and times as people and programs write them, as days since 1970-01-01 00:00 UTC.

Day numbers are those of the proleptic Gregorian calendar, counted in years that begin in March (Hinnant 2021,
"chrono-Compatible Low-Level Date Algorithms"). :mod:`tfcourse.models.date_layers` is the same for the exported model.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.reading import Order

_TIME = (
    r"(?:[T ] *(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r" *(?P<half>[AaPp]\.?[Mm]\.?)? *(?P<zone>Z|z|UTC|GMT|[-+][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
YEAR_FIRST = r"^(?P<Y>[0-9]{4})(?P<mark>[-/.])(?P<m>[0-9]{1,2})[-/.](?P<d>[0-9]{1,2})\.?" + _TIME
YEAR_LAST = r"^(?P<a>[0-9]{1,2})(?P<mark>[-/.])(?P<b>[0-9]{1,2})[-/.](?P<Y>[0-9]{4}|[0-9]{2})" + _TIME
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH_IN_WORDS = (
    r"(?P<month>(?i)jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"^(?:(?i)(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +)?"
_DAY = r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)?"
_IN_WORDS = (
    rf"{_WEEKDAY}{_DAY}\.?[-/ ]*(?:of )?{MONTH_IN_WORDS}[-/, ]*(?P<Y>[0-9]{{4}}|[0-9]{{2}}),?{_TIME}",
    rf"{_WEEKDAY}{MONTH_IN_WORDS}[- ]*{_DAY}(?:, *|[- ]+)(?P<Y>[0-9]{{4}}),?{_TIME}",
    rf"^(?P<Y>[0-9]{{4}})[-/ ]{MONTH_IN_WORDS}[-/ ](?P<d>[0-9]{{1,2}}),?{_TIME}",
)
"""Dates with the month in English words: 3 Mar 2021, March 3, 2021, 2021-Mar-03."""
_ANY_MONTH = r"(?i)(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|mär)[a-z]*"
_NAMED = (
    rf"^[0-9]{{1,2}}\.?[- /]?{_ANY_MONTH}[-., /]*[0-9]{{2,4}}.*$"
    rf"|^(?i)[a-z,. ]*{_ANY_MONTH}[-. ]*[0-9]{{1,2}}(st|nd|rd|th)?,? +'?[0-9]{{2,4}}.*$"
)
FIRST_YEAR, LAST_YEAR = 1000, 2200
"""Years outside stand for no date: 0000-00-00, 0001-01-01, 9999-12-31."""
FIRST_OF_TWO_DIGITS = 69
"""Two-digit years from here on are of the 20th century, those before of the 21st (POSIX)."""
SECONDS_IN_DAY = 86400.0


def parse_dates(texts: Any, order: Order) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return days since 1970 in UTC, NaN where a text is no date, and which texts are dates out of every range.

    Args:
        texts: a ``pyarrow`` array.
        order: ``ymd``, ``dmy``, ``mdy`` or ``words``; dates that begin with the year are read by any of them.

    >>> days, odd = parse_dates(pa.array(["31.1.1970", "1970-01-02T12:00+12:00", "0000-00-00", "soon"]), "dmy")
    >>> days.tolist(), odd.tolist()
    ([30.0, 1.0, nan, nan], [False, False, True, False])
    """
    found = [_parse(pc.extract_regex(texts, YEAR_FIRST), "m", "d")]
    if order in ("dmy", "mdy"):
        first, second = ("b", "a") if order == "dmy" else ("a", "b")
        found.append(_parse(pc.extract_regex(texts, YEAR_LAST), first, second))
    if order == "words":
        found += [_parse(pc.extract_regex(texts, pattern), "month", "d") for pattern in _IN_WORDS]
    days, odd = found[0]
    for other, other_odd in found[1:]:
        days, odd = np.where(np.isnan(days) & ~odd, other, days), odd | other_odd
    return days, odd


def find_order(texts: Any, counts: NDArray[np.int64]) -> tuple[Order, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the order that explains most dates, or an empty one if day and month cannot be told apart, and the days.

    Args:
        texts: different texts, a ``pyarrow`` array.
        counts: in how many rows each stands.

    Points stand in dates that begin with the day; with other marks a day above 12 has to decide.

    >>> find_order(pa.array(["03/04/2024", "13/04/2024"]), np.array([1, 1]))[0]
    'dmy'
    >>> find_order(pa.array(["03/04/2024"]), np.array([1]))[0], find_order(pa.array(["3.4.2024"]), np.array([1]))[0]
    ('', 'dmy')
    """
    orders: tuple[Order, ...] = ("ymd", "dmy", "mdy")
    if pc.any(pc.match_substring_regex(texts, _ANY_MONTH)).as_py():
        orders = (*orders, "words")
    found = {order: parse_dates(texts, order) for order in orders}
    rows = {order: int(counts[~np.isnan(days) | odd].sum()) for order, (days, odd) in found.items()}
    best = max(orders, key=lambda order: rows[order])  # the first of equals
    if best in ("dmy", "mdy") and rows["dmy"] == rows["mdy"]:
        parts = pc.extract_regex(texts, YEAR_LAST)
        by_points = parts.null_count < len(parts) and pc.all(pc.equal(pc.struct_field(parts, "mark"), ".")).as_py()
        if not by_points and _differ(found["dmy"][0], found["mdy"][0]):
            return "", *found["dmy"]
        best = "dmy"
    return best, *found[best]


def look_like_dates(texts: Any) -> NDArray[np.bool_]:
    """Say which texts name a month in words, in English or German, whether or not they are read.

    >>> look_like_dates(pa.array(["12-Mar-2024", "March 12, 2024", "Martha 5"])).tolist()
    [True, True, False]
    """
    return np.asarray(pc.match_substring_regex(texts, _NAMED)).astype(bool)


def short_years(texts: Any) -> NDArray[np.bool_]:
    """Say which dates have a year of two figures.

    >>> short_years(pa.array(["3-Mar-21", "3.4.21 10:30", "3.4.2021"])).tolist()
    [True, True, False]
    """
    short = np.zeros(len(texts), dtype=bool)
    for pattern in (YEAR_LAST, _IN_WORDS[0]):
        parts = pc.extract_regex(texts, pattern)
        short |= np.asarray(pc.fill_null(pc.equal(pc.utf8_length(pc.struct_field(parts, "Y")), 2), False))
    return short


def from_compact(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the days of dates such as 20261231; NaN where a number is none.

    >>> from_compact(np.array([19700102.0, 20230230.0])).tolist()
    [1.0, nan]
    """
    whole = np.where(np.isnan(numbers) | (numbers != np.floor(numbers)) | (np.abs(numbers) > 1e8), 0, numbers)
    whole = whole.astype(np.int64)
    return civil_days(whole // 10000, whole // 100 % 100, whole % 100)[0]


def civil_days(year: Any, month: Any, day: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the day numbers of whole years, months and days, NaN for none, and which are out of every range.

    >>> civil_days(np.array([1970, 2000, 1900, 0]), np.array([1, 3, 2, 0]), np.array([1, 1, 29, 0]))
    (array([    0., 11017.,    nan,    nan]), array([False, False, False,  True]))
    """
    odd = (year < FIRST_YEAR) | (year > LAST_YEAR) | ((month == 0) & (day == 0))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[np.clip(month, 0, 12)]
    valid = ~odd & (month >= 1) & (month <= 12) & (day >= 1) & (day <= length + (leap & (month == 2)))
    shifted = year - (month <= 2)
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + in_year - 719468
    return np.where(valid, days, np.nan).astype(np.float64), np.asarray(odd)


def in_days(days: Any, seconds: Any) -> NDArray[np.float64]:
    """Return days since 1970 with the time of day, given in seconds, as a fraction: rounded once."""
    return np.asarray((days * SECONDS_IN_DAY + seconds) / SECONDS_IN_DAY, dtype=np.float64)


def moments(days: NDArray[np.float64]) -> list[datetime.datetime | None]:
    """Return days since 1970 as moments, to the microsecond; None where missing.

    >>> moments(np.array([0.5, np.nan]))
    [datetime.datetime(1970, 1, 1, 12, 0), None]
    """
    start = datetime.datetime(1970, 1, 1)
    return [
        None if np.isnan(day) else start + datetime.timedelta(seconds=round(day * SECONDS_IN_DAY, 6))
        for day in days.tolist()
    ]


def _parse(parts: Any, month: str, day: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return days and dates out of range, from the groups of a regular expression."""
    matched = np.asarray(pc.is_valid(parts))
    if not matched.any():
        return np.full(len(parts), np.nan), matched
    text = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in parts.type.names}
    year = whole_numbers(text["Y"])
    short = np.asarray(pc.equal(pc.utf8_length(text["Y"]), 2))
    year = np.where(short, year + np.where(year >= FIRST_OF_TWO_DIGITS, 1900, 2000), year)
    months = month_numbers(text[month]) if month == "month" else whole_numbers(text[month])
    days, odd = civil_days(year, months, whole_numbers(text[day]))
    hour, minute, second = whole_numbers(text["H"]), whole_numbers(text["M"]), whole_numbers(text["S"])
    valid = matched & (hour < 24) & (minute < 60) & (second < 61)
    half = np.asarray(pc.utf8_slice_codeunits(pc.utf8_lower(text["half"]), 0, 1)).astype(str)
    valid &= (half == "") | ((hour >= 1) & (hour <= 12))
    hour = np.where(half != "", hour % 12 + 12 * (half == "p"), hour)
    fraction = whole_numbers(text["f"]) / 10.0 ** np.asarray(pc.utf8_length(text["f"]))
    seconds = hour * 3600 + minute * 60 + second - _offset(text["zone"]) + fraction
    return np.where(valid, in_days(days, seconds), np.nan), odd & matched


def _offset(zones: Any) -> NDArray[np.int64]:
    """Return the seconds by which clocks of a zone such as +01:00 are ahead of UTC."""
    parts = pc.extract_regex(zones, r"^(?P<sign>[-+])(?P<H>[0-9]{2}):?(?P<M>[0-9]{2})?$")
    text = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in ("sign", "H", "M")}
    sign = np.where(np.asarray(pc.equal(text["sign"], "-")), -1, 1)
    return np.asarray(sign * (whole_numbers(text["H"]) * 3600 + whole_numbers(text["M"]) * 60))


def month_numbers(names: Any) -> NDArray[np.int64]:
    """Return 1 to 12 for English names of months, 0 for none."""
    places = pc.index_in(pc.utf8_lower(pc.utf8_slice_codeunits(names, 0, 3)), pa.array(MONTHS))
    return np.asarray(pc.add(pc.fill_null(places, -1), 1)).astype(np.int64)


def whole_numbers(digits: Any) -> NDArray[np.int64]:
    """Return the numbers that texts of figures are, 0 for an empty one."""
    return np.asarray(pc.cast(pc.if_else(pc.equal(digits, ""), "0", digits), pa.int64()))


def _differ(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return not np.array_equal(one, other, equal_nan=True)
