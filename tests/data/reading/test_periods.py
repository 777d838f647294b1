"""Times of day, months, quarters and weeks against Python's calendar; what only looks like them stays what it is."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.columns import NumberColumn
from tfcourse.data.fit_table import fit_table
from tfcourse.data.reading.decide import decide
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.periods import PERIOD_ORDERS, parse_periods, render_period
from tfcourse.data.reading.reading import Order, Reading
from tfcourse.errors import UserError

EPOCH = datetime.date(1970, 1, 1)
MONDAYS = [datetime.date(2019, 12, 30) + datetime.timedelta(weeks=3 * n) for n in range(60)]
FIRSTS = [datetime.date(2019 + n // 12, 1 + n % 12, 1) for n in range(60)]
QUARTERS = [datetime.date(2010 + n // 4, 1 + 3 * (n % 4), 1) for n in range(40)]
TIMES = [datetime.time(n % 24, 7 * n % 60) for n in range(50)]
NAMES = ["Jan", "Feb", "March", "Apr.", "May", "june", "JUL", "Aug", "Sept", "Oct", "Nov", "December"]


def quarter(day: datetime.date) -> int:
    return (day.month + 2) // 3


WRITTEN: dict[str, tuple[Order, list[str], list[Any]]] = {
    "2023-05": ("months", [f"{day:%Y-%m}" for day in FIRSTS], FIRSTS),
    "2023/5": ("months", [f"{day.year}/{day.month}" for day in FIRSTS], FIRSTS),
    "05/2023": ("months", [f"{day:%m/%Y}" for day in FIRSTS], FIRSTS),
    "May 2023": ("months", [f"{NAMES[day.month - 1]} {day.year}" for day in FIRSTS], FIRSTS),
    "2023Q2": ("quarters", [f"{day.year}Q{quarter(day)}" for day in QUARTERS], QUARTERS),
    "Q2 2023": ("quarters", [f"Q{quarter(day)} {day.year}" for day in QUARTERS], QUARTERS),
    "2023-q2": ("quarters", [f"{day.year}-q{quarter(day)}" for day in QUARTERS], QUARTERS),
    "2023-W05": ("weeks", [f"{day:%G-W%V}" for day in MONDAYS], MONDAYS),
    "2023W05": ("weeks", [f"{day:%GW%V}" for day in MONDAYS], MONDAYS),
    "13:45": ("clock", [f"{time:%H:%M}" for time in TIMES], TIMES),
    "13:45:30": ("clock", [f"{time:%H:%M:%S}" for time in TIMES], TIMES),
    "1:45 PM": ("clock", [f"{time.hour % 12 or 12}:{time:%M} {'AP'[time.hour > 11]}M" for time in TIMES], TIMES),
}


def column(texts: list[Any]) -> Any:
    return pa.chunked_array([pa.array(texts)])


def days_of(moments: list[Any]) -> list[float]:
    if isinstance(moments[0], datetime.time):
        return [(time.hour * 3600 + time.minute * 60) / 86400 for time in moments]
    return [float((day - EPOCH).days) for day in moments]


@pytest.mark.parametrize("form", WRITTEN)
def test_periods_are_read_as_the_calendar_has_them(form: str) -> None:
    order, texts, moments = WRITTEN[form]
    decided = decide("c", column([*texts, "n/a", ""]))
    assert (decided.reading.kind, decided.reading.order, decided.reading.missing) == ("date", order, ("n/a",))
    assert decided.values[:-2].tolist() == days_of(moments)
    assert np.isnan(decided.values[-2:]).all()
    assert decode(column(texts), decided.reading).tolist() == days_of(moments)


@pytest.mark.parametrize(
    ("form", "cycles", "line"),
    [
        ("2023-05", ("year",), "date, year and month, with time of year"),
        ("2023Q2", ("year",), "date, year and quarter, with time of year"),
        ("2023-W05", ("year",), "date, year and ISO week, with time of year"),
        ("13:45", ("day",), "time of day"),
    ],
)
def test_they_become_a_number_and_the_phase_that_they_can_tell(form: str, cycles: tuple[str, ...], line: str) -> None:
    decided = decide("c", column(WRITTEN[form][1]))
    features, lines = fit_table({"c": decided.values}, np.arange(len(decided.values)), {"c": decided.reading})
    assert lines == [f"c: {line}"]
    (number,) = features.numbers
    assert isinstance(number, NumberColumn)
    assert (number.cycles, number.is_date, number.is_time_of_day) == (cycles, True, form == "13:45")
    again = type(features).from_json(features.to_json())
    assert again == features
    assert again.reading(number).order == decided.reading.order


@given(st.sampled_from(PERIOD_ORDERS), st.lists(st.floats(-20000, 50000), min_size=1, max_size=20))
def test_what_is_rendered_is_read_again_as_the_same_period(order: Order, days: list[float]) -> None:
    texts = render_period(np.array(days), order)
    read = parse_periods(pa.array(texts), order)
    assert render_period(read, order) == texts
    length = {"clock": 1, "months": 31, "quarters": 92, "weeks": 7}[order]
    if order == "clock":  # to a microsecond; one just before midnight may be the next
        assert (np.abs((np.array(days) - read + 0.5) % 1 - 0.5) < 1e-10).all()
        return
    off = np.array(days) - read
    assert ((off > -1e-9) & (off < length)).all()


@pytest.mark.parametrize(
    "texts",
    [
        [f"{year}-{(year + 1) % 100:02d}" for year in range(2001, 2012)],  # seasons, each of which could be a month
        [f"{3000 + n}-{1 + n % 12:02d}" for n in range(30)],  # codes
        [f"{n % 4}:{n % 3}" for n in range(30)],  # scores
        [f"{1 + n % 12}-{n:02d}" for n in range(30)],
        [f"W{n:02d}" for n in range(30)],
        [f"Q{1 + n % 4}" for n in range(30)],
        [f"H{1 + n % 2} 2023" for n in range(30)],
        [f"{2020 + n % 4}-{1 + n % 20}" for n in range(40)],  # codes, of which most could be months
        [f"{1 + n % 15:02d}/{2020 + n % 4}" for n in range(45)],
    ],
)
def test_what_only_looks_like_them_stays_a_category(texts: list[str]) -> None:
    assert decide("c", column(texts * 3)).reading.kind == "category"


@pytest.mark.parametrize("slip", ["noon", "25:00:61", "13h", "24:00", "24:00:00"])
def test_times_with_slips_are_refused_as_numbers_are(slip: str) -> None:
    with pytest.raises(UserError) as caught:
        decide("c", column([*WRITTEN["13:45"][1], slip]))
    assert f"Column 'c' is times of day but for 1 of 51 values, such as '{slip}' in row 51." in str(caught.value)


@pytest.mark.parametrize("slip", ["soon", "2023-13", "2023-00"])
def test_months_with_slips_are_refused(slip: str) -> None:
    with pytest.raises(UserError) as caught:
        decide("c", column([*WRITTEN["2023-05"][1], slip, slip]))
    assert f"Column 'c' is dates by months but for 2 of 62 values, such as '{slip}' in row 61." in str(caught.value)


@pytest.mark.parametrize(
    "texts",
    [
        [*WRITTEN["13:45"][1], "24:00", "24:01"],
        [f"{n}:{n:02d}" for n in range(20, 50)],  # beyond a day
        [f"{n}h {n}m" for n in range(30)],
        [f"{n} d {n} hours" for n in range(30)],
    ],
)
def test_durations_of_several_units_are_told(texts: list[str]) -> None:
    decided = decide("c", column(texts))
    assert decided.reading.kind == "category"
    assert decided.odd == [
        f"durations such as {texts[0]!r} are read as categories, without their order: write them as numbers of one"
        " unit, such as 90 or 90 min"
    ]
    assert decide("c", column([f"{n} min" for n in range(30)])).reading.kind == "number"


@pytest.mark.parametrize("order", PERIOD_ORDERS)
def test_new_rows_of_another_kind_are_refused(order: Order) -> None:
    reading = Reading("c", "date", order=order)
    for values in (["soon"], [20230504], [datetime.date(2024, 1, 1)], ["2024-01-01"]):
        with pytest.raises(UserError, match=r"but the model was trained on (times of day|dates) such as"):
            decode(column(values), reading)


def test_times_of_a_typed_column_are_times_of_day() -> None:
    decided = decide("c", column([datetime.time(13, 30), datetime.time(6), None] * 4))
    assert decided.reading.order == "clock"
    assert decided.values[:2].tolist() == [0.5625, 0.25]
