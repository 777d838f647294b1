"""Columns of Python values, as workbooks and JSON hold them, as Arrow columns of one type each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tfcourse.data.tablefile.white_space import trim

_INTEGERS = range(-(2**63), 2**63)


def column_of(values: Sequence[Any]) -> pa.ChunkedArray:
    """Return values as a column: of their own type if they have one, else as the texts a person sees; None is null.

    >>> column_of([1, 2.5, None]).to_pylist()
    [1.0, 2.5, None]
    >>> column_of([1.0, "a", True, dt.datetime(2024, 2, 29)]).to_pylist()
    ['1', 'a', 'TRUE', '2024-02-29']
    """
    kinds = {type(value) for value in values} - {type(None)}
    kind = pa.string()
    if kinds == {bool}:
        kind = pa.bool_()
    elif kinds == {int} and all(value is None or value in _INTEGERS for value in values):
        kind = pa.int64()
    elif kinds and kinds <= {int, float} and all(not isinstance(value, int) or abs(value) <= 2**53 for value in values):
        kind = pa.float64()
    elif kinds == {dt.date}:
        kind = pa.date32()
    elif kinds and kinds <= {dt.date, dt.datetime}:
        kind = pa.timestamp("us")
    elif kinds == {dt.time}:
        kind = pa.time64("us")
    if kind == pa.string():
        values = [None if value is None else as_seen(value) for value in values]
    return pa.chunked_array([pa.array(values, kind)])


def as_seen(value: Any) -> str:
    """Return a value as a person sees it: whole numbers without a decimal point, midnights as dates.

    >>> as_seen(3.0), as_seen(False), as_seen(dt.datetime(2024, 2, 29, 12, 30))
    ('3', 'FALSE', '2024-02-29 12:30:00')
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return trim(str(value))
