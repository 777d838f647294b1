"""Dates are found by their format and become the day numbers that Python's own calendar gives."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.dates import FORMATS, TIMES, days_since_1970, fields, find_format, width

EPOCH = datetime.datetime(1970, 1, 1)
moments = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@given(moments, st.sampled_from(FORMATS), st.sampled_from(TIMES))
def test_days_are_those_of_the_calendar(moment: datetime.datetime, date: str, time: str) -> None:
    written = moment.strftime(date + time)
    read = datetime.datetime.strptime(written, date + time)
    expected = (read - EPOCH) / datetime.timedelta(days=1)
    assert days_since_1970(texts(written), date + time)[0] == pytest.approx(expected, abs=1e-9)
    assert width(date + time) == len(written)
    assert all(written[start : start + length].isdigit() for _, start, length in fields(date + time))


@given(st.lists(moments, min_size=1, max_size=4), st.sampled_from(FORMATS), st.sampled_from(TIMES))
def test_the_format_found_reads_every_date(found: list[datetime.datetime], date: str, time: str) -> None:
    written = texts(*(moment.strftime(date + time) for moment in found))
    pattern = find_format(written)
    assert pattern is not None
    assert not np.isnan(days_since_1970(written, pattern)).any()


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        (["2024-02-29"], "%Y-%m-%d"),
        (["31.12.1999 23:59"], "%d.%m.%Y %H:%M"),
        (["2024-02-29T10:00:00", "2024-03-01T00:00:00"], "%Y-%m-%dT%H:%M:%S"),
        (["01/02/2024"], "%m/%d/%Y"),  # both orders fit
        (["01/02/2024", "13/02/2024"], "%d/%m/%Y"),  # only one does
        (["2023-02-29"], None),
        (["2024-02-29", "soon"], None),
        (["2024-2-9"], None),
        (["20240229"], None),
        ([], None),
    ],
)
def test_formats(values: list[str], pattern: str | None) -> None:
    assert find_format(texts(*values)) == pattern


def test_what_is_no_date_is_not_a_number() -> None:
    days = days_since_1970(texts("1970-01-03", "", "1970-02-30"), "%Y-%m-%d")
    assert days[0] == 2.0
    assert np.isnan(days[1:]).all()
