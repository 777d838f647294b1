"""Times of day, months, quarters and ISO weeks, as days since 1970-01-01: a time of day is a part of the first day.

A month and a quarter stand for their first day, a week for its Monday. :func:`tfcourse.models.text_layers.period` is
the same for the exported model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.dates import MONTH_IN_WORDS, civil_days, in_days, moments, month_numbers, whole_numbers
from tfcourse.data.reading.reading import Order

_PATTERNS: dict[Order, tuple[str, ...]] = {
    "clock": (
        r"^(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
        r" *(?P<half>[AaPp]\.?[Mm]\.?)?$",
    ),
    "months": (
        r"^(?P<Y>[0-9]{4})[-/](?P<m>[0-9]{1,2})$",
        r"^(?P<m>[0-9]{1,2})[-/](?P<Y>[0-9]{4})$",
        rf"^{MONTH_IN_WORDS}[-/, ]*(?P<Y>[0-9]{{4}})$",
        rf"^(?P<Y>[0-9]{{4}})[-/, ]*{MONTH_IN_WORDS}$",
    ),
    "quarters": (r"^(?P<Y>[0-9]{4})[-/ ]?[Qq](?P<q>[0-9])$", r"^[Qq](?P<q>[0-9])[-/ ]?(?P<Y>[0-9]{4})$"),
    "weeks": (r"^(?P<Y>[0-9]{4})-?[Ww](?P<w>[0-9]{2})$",),
}
PERIOD_ORDERS = tuple(_PATTERNS)
_DURATION = r"^[0-9]+:[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?$"
_MIDNIGHT = r"^24:00(:00([.,]0+)?)?$"
_LIKE_MONTHS = r"^([0-9]{4}[-/][0-9]{1,2}|[0-9]{1,2}[-/][0-9]{4})$"
_WITH_UNITS = r"^(?i)([0-9]+([.,][0-9]+)? ?(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)\.?,? ?)+$"
CYCLES: dict[str, tuple[str, ...]] = {"clock": ("day",), "months": ("year",), "quarters": ("year",), "weeks": ("year",)}
"""The cycles that they can tell of: the first of a month is on no weekday of interest."""
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Of months that are not said to be some: 2310-07 is rather a code."""


def parse_periods(texts: Any, order: Order) -> NDArray[np.float64]:
    """Return days since 1970, NaN where a text is none of this order, shape (rows,).

    >>> import pyarrow as pa
    >>> parse_periods(pa.array(["18:00", "6:00 PM", "25:00"]), "clock").tolist()
    [0.75, 0.75, nan]
    >>> parse_periods(pa.array(["1970-02", "Feb 1970", "13/1970"]), "months").tolist()
    [31.0, 31.0, nan]
    >>> parse_periods(pa.array(["Q2 1970", "1970-q2", "1970Q5"]), "quarters").tolist()
    [90.0, 90.0, nan]
    >>> parse_periods(pa.array(["1970-W02", "1970W53", "1971-W53"]), "weeks").tolist()
    [4.0, 361.0, nan]
    """
    days = np.full(len(texts), np.nan)
    for pattern in _PATTERNS[order]:
        parts = pc.extract_regex(texts, pattern)
        if parts.null_count < len(parts):
            part = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in parts.type.names}
            found = _clock(part) if order == "clock" else _first_days(part, order)
            days = np.where(np.asarray(pc.is_valid(parts)) & np.isnan(days), found, days)
    return days


def find_period(texts: Any, counts: NDArray[np.int64]) -> tuple[Order, NDArray[np.float64]]:
    """Return the order that explains most texts, the days by it, NaN where it fails; an empty order for none.

    Seasons such as 2019-20 are no months, though 2011-12 could be one.

    >>> import pyarrow as pa
    >>> find_period(pa.array(["2023-05", "2023-07"]), np.array([1, 1]))[0]
    'months'
    >>> find_period(pa.array(["2010-11", "2011-12"]), np.array([1, 1]))[0]
    ''
    """
    best: Order = ""
    best_days, most = np.full(len(texts), np.nan), 0
    for order in PERIOD_ORDERS:
        days = parse_periods(texts, order)
        rows = int(counts[~np.isnan(days)].sum())
        if rows > most and (order != "months" or _are_months(texts, days)):
            best, best_days, most = order, days, rows
    return best, best_days


def look_like_durations(texts: Any, *, with_units: bool = True) -> NDArray[np.bool_]:
    """Say which texts are how long something took: hours and minutes, or numbers each with a unit of time if wanted.

    >>> import pyarrow as pa
    >>> look_like_durations(pa.array(["36:15", "2h 30m", "90 min", "1:02:03", "5 cm", "2h or so"])).tolist()
    [True, True, True, True, False, False]
    """
    pattern = f"{_DURATION}|{_WITH_UNITS}" if with_units else _DURATION
    return np.asarray(pc.match_substring_regex(texts, pattern)).astype(bool)


def are_beyond_a_day(texts: Any) -> bool:
    """Say whether all texts are hours and minutes of which some are more than a day; 24:00 is rather a time of day.

    >>> import pyarrow as pa
    >>> are_beyond_a_day(pa.array(["24:00", "36:15"])), are_beyond_a_day(pa.array(["24:00"]))
    (True, False)
    """
    midnight = np.asarray(pc.match_substring_regex(texts, _MIDNIGHT)).astype(bool)
    return bool(look_like_durations(texts, with_units=False).all()) and not midnight.all()


def look_like_months(texts: Any) -> NDArray[np.bool_]:
    """Say which texts are written as a year and a month in figures are, whatever month.

    >>> import pyarrow as pa
    >>> look_like_months(pa.array(["2023-14", "5/2023", "2023-05-01"])).tolist()
    [True, True, False]
    """
    return np.asarray(pc.match_substring_regex(texts, _LIKE_MONTHS)).astype(bool)


def render_period(days: NDArray[np.float64], order: Order) -> list[str]:
    """Return days as texts of an order, empty where missing.

    >>> render_period(np.array([0.75, np.nan]), "clock"), render_period(np.array([4.0]), "weeks")
    (['18:00:00.000000', ''], ['1970-W02'])
    >>> render_period(np.array([90.0]), "quarters"), render_period(np.array([31.0]), "months")
    (['1970-Q2'], ['1970-02'])
    """
    pattern = {"clock": "%H:%M:%S.%f", "months": "%Y-%m", "weeks": "%G-W%V"}
    return [
        ""
        if moment is None
        else f"{moment:%Y}-Q{(moment.month + 2) // 3}"
        if order == "quarters"
        else moment.strftime(pattern[order])
        for moment in moments(days)
    ]


def _clock(part: dict[str, Any]) -> NDArray[np.float64]:
    hour, minute, second = (whole_numbers(part[name]) for name in ("H", "M", "S"))
    half = np.asarray(pc.utf8_slice_codeunits(pc.utf8_lower(part["half"]), 0, 1)).astype(str)
    valid = (hour < 24) & (minute < 60) & (second < 60) & ((half == "") | ((hour >= 1) & (hour <= 12)))
    hour = np.where(half != "", hour % 12 + 12 * (half == "p"), hour)
    fraction = whole_numbers(part["f"]) / 10.0 ** np.asarray(pc.utf8_length(part["f"]))
    return np.where(valid, in_days(0, hour * 3600 + minute * 60 + second + fraction), np.nan)


def _first_days(part: dict[str, Any], order: Order) -> NDArray[np.float64]:
    year = whole_numbers(part["Y"])
    if order == "weeks":
        week = whole_numbers(part["w"])
        fourth = civil_days(year, np.ones_like(year), np.full_like(year, 4))[0]  # it is in week 1
        monday = fourth - np.mod(fourth + 3, 7) + 7 * (week - 1)
        next_fourth = civil_days(year + 1, np.ones_like(year), np.full_like(year, 4))[0]
        return np.where((week >= 1) & (monday + 3 < next_fourth - np.mod(next_fourth + 3, 7)), monday, np.nan)
    if order == "quarters":
        quarter = whole_numbers(part["q"])
        month = np.where((quarter >= 1) & (quarter <= 4), 3 * quarter - 2, 0)
    else:
        month = month_numbers(part["month"]) if "month" in part else whole_numbers(part["m"])
    return civil_days(year, month, np.ones_like(year))[0]


def _are_months(texts: Any, days: NDArray[np.float64]) -> bool:
    """Whether years are those of our time, and the months are not always the years that follow."""
    first, last = civil_days(np.array([FIRST_YEAR, LAST_YEAR]), np.array([1, 12]), np.array([1, 1]))[0]
    present = days[~np.isnan(days)]
    if not len(present) or present.min() < first or present.max() > last:
        return False
    parts = pc.extract_regex(texts, _PATTERNS["months"][0])
    year, month = (whole_numbers(pc.fill_null(pc.struct_field(parts, name), "")) for name in ("Y", "m"))
    read = ~np.isnan(days)
    return not bool(((year + 1) % 100 == month)[read].all())
