"""From a column as it was read to an array, by its reading: in training, for new rows, whenever."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading import dates, markers
from tfcourse.data.reading.categories import canonical
from tfcourse.data.reading.column import Distinct, typed_days, typed_numbers
from tfcourse.data.reading.date_forms import marks_of, untold
from tfcourse.data.reading.numbers import parse_numbers
from tfcourse.data.reading.periods import PERIOD_ORDERS, parse_periods, render_period
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

EXAMPLES = {
    "ymd": "2026-12-31",
    "dmy": "31.12.2026",
    "mdy": "12/31/2026",
    "words": "31 Dec 2026",
    "compact": "20261231",
    "seconds": "1798675200",
    "milliseconds": "1798675200000",
    "clock": "13:45",
    "months": "2026-12",
    "quarters": "2026-Q4",
    "weeks": "2026-W53",
}
"""The last day of 2026 in every order of a date, and a time of day."""
FIRST_COMPACT, LAST_COMPACT = 19_000_101, 21_000_000
"""Between them lie the numbers such as 20261231 that a column is known by as dates."""


def decode_table(table: Any, readings: Mapping[str, Reading]) -> dict[str, NDArray[Any]]:
    """Return the columns of an Arrow table that ``readings`` name, as arrays.

    Raises:
        UserError: naming the first value that is not what the reading says.
    """
    return {name: decode(table.column(name), reading) for name, reading in readings.items()}


def decode(column: Any, reading: Reading) -> NDArray[Any]:
    """Return a column as an array, shape (rows,): numbers and days as float64, NaN where missing; categories as texts.

    Raises:
        UserError: naming the first value that is not what the reading says, or is infinite.

    >>> price = Reading("price", "number", thousands=",", missing=("-",))
    >>> decode(pa.chunked_array([["1,200", "-", "80"]]), price).tolist()
    [1200.0, nan, 80.0]
    >>> decode(pa.chunked_array([["TRUE", " True", ""]]), Reading("open", "category")).tolist()
    ['True', 'True', '']
    """
    if reading.kind == "category":
        return categories(Distinct.of(column), reading)
    if reading.kind == "date" and reading.order not in PERIOD_ORDERS and (days := typed_days(column)) is not None:
        return without_sentinels(out_of_range_missing(days), reading)
    numbers = typed_numbers(column)
    if numbers is None and reading.is_plain:
        numbers = quick_numbers(column)
    if numbers is None:
        numbers = _from_texts(Distinct.of(column), reading)
    elif reading.kind == "date":
        numbers = _days_of(numbers, reading)
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise UserError(infinite_numbers(reading.name, infinite))
    return without_sentinels(numbers, reading)


def _days_of(numbers: NDArray[np.float64], reading: Reading) -> NDArray[np.float64]:
    """Return the days that numbers stand for; refuse those that are none, and numbers where dates were texts."""
    missing = np.isnan(numbers) | np.isin(numbers, numbers_among(reading.missing))
    days = np.full(len(numbers), np.nan)
    if reading.is_plain:
        days[~missing] = days_of_numbers(numbers[~missing], reading)
    unread = np.isnan(days) & ~missing
    if reading.order == "compact" and not reading.missing:
        # An earlier version's reading does not tell which numbers stood for a missing value, such as 99999999 and -1.
        unread &= np.isinf(numbers) | ((numbers > 0) & (numbers < LAST_COMPACT))
    if unread.any():
        wrong = int(np.flatnonzero(unread)[0])
        raise UserError(_not_as_in_training(reading, f"{numbers[wrong]:.15g}", wrong + 1))
    return days


def numbers_among(texts: Iterable[str]) -> list[float]:
    """Return the numbers among texts that stand for a missing value.

    >>> numbers_among(("?", "-1", "99999999", "nan"))
    [-1.0, 99999999.0]
    """
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(float(text))
    return [number for number in found if np.isfinite(number)]


def quick_numbers(column: Any) -> NDArray[np.float64] | None:
    """Return a column of texts as numbers if all of them are plainly written or empty, else None.

    >>> quick_numbers(pa.chunked_array([["1", ""]])), quick_numbers(pa.chunked_array([["1", "?"]]))
    (array([ 1., nan]), None)
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    try:
        for part in (column.slice(0, 10), column):  # a cast that fails takes long, so a few rows first
            empty = pc.equal(part, "")
            numbers = pc.cast(pc.if_else(empty, None, part) if pc.any(empty).as_py() else part, pa.float64())
    except pa.ArrowInvalid:
        return None
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64) if len(numbers) else np.zeros(0)


def days_of_numbers(numbers: NDArray[np.float64], reading: Reading) -> NDArray[np.float64]:
    """Return the days since 1970 of dates that are written as numbers.

    >>> days_of_numbers(np.array([86400.0 * 1.5]), Reading("t", "date", order="seconds")).tolist()
    [1.5]
    """
    if reading.order == "compact":
        return dates.from_compact(numbers)
    return numbers / (dates.SECONDS_IN_DAY * (1000.0 if reading.order == "milliseconds" else 1.0))


def out_of_range_missing(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return days with those of years that stand for no date as NaN.

    >>> out_of_range_missing(np.array([0.0, 2932896.0])).tolist()
    [0.0, nan]
    """
    (first, last), _ = dates.civil_days(
        np.array([dates.FIRST_YEAR, dates.LAST_YEAR]), np.array([1, 12]), np.array([1, 31])
    )
    with np.errstate(invalid="ignore"):
        return np.where((days < first) | (days >= last + 1), np.nan, days)


def without_sentinels(numbers: NDArray[np.float64], reading: Reading) -> NDArray[np.float64]:
    """Return numbers with those that stand for a missing value as NaN."""
    return np.where(np.isin(numbers, reading.sentinels), np.nan, numbers) if reading.sentinels else numbers


def categories(values: Distinct, reading: Reading) -> NDArray[Any]:
    """Return texts in one spelling each, empty where missing, shape (rows,); equal texts are one object."""
    texts = canonical(values.texts)
    missing = np.array([is_missing_category(text, reading) for text in values.texts.to_pylist()], dtype=bool)
    return np.where(missing, "", np.asarray(texts, dtype=object)).astype(object)[values.codes]


def is_missing_category(text: str, reading: Reading) -> bool:
    """Say whether a text stands for a missing value among categories."""
    return text in reading.missing or (markers.is_always(text) and text not in reading.kept)


def is_missing_text(texts: Any, reading: Reading) -> NDArray[np.bool_]:
    """Say which texts stand for a missing value among numbers or dates."""
    missing = [
        text in reading.missing or (markers.among_others(text) and text not in reading.kept)
        for text in texts.to_pylist()
    ]
    return np.array(missing, dtype=bool)


def _from_texts(values: Distinct, reading: Reading) -> NDArray[np.float64]:
    """Return numbers or days that are written as texts, NaN where missing."""
    odd = np.zeros(len(values.texts), dtype=bool)
    if reading.kind == "number":
        numbers = parse_numbers(values.texts, reading)
    elif reading.is_plain:
        written = parse_numbers(values.texts, Reading(reading.name, "number"))
        numbers, odd = days_of_numbers(written, reading), np.isin(written, numbers_among(reading.missing))
        numbers[odd] = np.nan
    elif reading.order in PERIOD_ORDERS:
        numbers = parse_periods(values.texts, reading.order)
    else:
        numbers, odd = dates.parse_dates(values.texts, reading.order)
    wrong = np.isnan(numbers) & ~odd & ~is_missing_text(values.texts, reading)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise UserError(_not_as_in_training(reading, repr(values.texts[place].as_py()), values.first_row(place)))
    if reading.forms:
        _refuse_untold(values, reading)
    return numbers[values.codes]


def _refuse_untold(values: Distinct, reading: Reading) -> None:
    """Refuse dates in a form that training did not have, in which day and month may be the other way round."""
    unsure = untold(values.texts, reading.order, marks_of(reading.forms, reading.order))
    if unsure.any():
        place = int(np.flatnonzero(unsure)[0])
        raise UserError(
            f"Column {reading.name!r} holds {values.texts[place].as_py()!r} in row {values.first_row(place)}, but the"
            f" dates of training were written as {' or '.join(reading.forms)}, and nothing tells whether the day or the"
            " month comes first here. Write it as those, or as 2026-12-31."
        )


def _not_as_in_training(reading: Reading, held: str, row: int) -> str:
    return (
        f"Column {reading.name!r} holds {held} in row {row}, but the model was trained on {_kind(reading)} there."
        " Put it right, or leave the value empty."
    )


def _kind(reading: Reading) -> str:
    if reading.kind == "date":
        return f"{'times of day' if reading.order == 'clock' else 'dates'} such as {EXAMPLES[reading.order]}"
    return "numbers" if reading.is_plain else f"numbers such as {reading.words.removeprefix('number such as ')}"


def render(values: NDArray[Any], reading: Reading) -> NDArray[Any]:
    """Return numbers or days as the exported model takes them: numbers where they are plainly written, else texts.

    >>> render(np.array([1.5, np.nan]), Reading("born", "date", order="dmy")).tolist()
    ['1970-01-02 12:00:00.000000', '']
    >>> render(np.array([1234.5]), Reading("price", "number", decimal=",", unit="€")).tolist()
    ['1234,5']
    >>> render(np.array([1.5]), Reading("at", "date", order="seconds")).tolist()
    [129600.0]
    """
    if reading.kind == "number":
        return values if reading.is_plain else _number_texts(values, reading)
    if reading.order == "seconds":
        return values * dates.SECONDS_IN_DAY
    if reading.order == "milliseconds":
        return values * (dates.SECONDS_IN_DAY * 1000.0)
    if reading.order in PERIOD_ORDERS:
        return np.array(render_period(values, reading.order), dtype=object)
    moments = dates.moments(values)
    if reading.order == "compact":
        return np.array([np.nan if not moment else float(moment.strftime("%Y%m%d")) for moment in moments])
    pattern = reading.pattern or "%Y-%m-%d %H:%M:%S.%f"
    texts = [moment.strftime(pattern) if moment else "" for moment in moments]
    return np.array(texts, dtype=object)


def _number_texts(values: NDArray[np.float64], reading: Reading) -> NDArray[Any]:
    import decimal

    texts = ["" if np.isnan(v) else format(decimal.Decimal(repr(v)), "f") for v in values.tolist()]
    return np.array([text.replace(".", reading.decimal) for text in texts], dtype=object)


def infinite_numbers(name: str, rows: NDArray[Any]) -> str:
    """Return the message for a column with infinite numbers in the given rows."""
    return (
        f"Column {name!r} holds infinite numbers in {len(rows)} row{'s' * (len(rows) > 1)}, the first in row"
        f" {rows[0] + 1}. Put a finite number there, or leave the value empty."
    )
