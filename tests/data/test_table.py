"""What is missing, what is a number and how numbers are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.table import as_text, is_missing, is_text, rows_of, take, to_numbers


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@pytest.mark.parametrize("text", ["", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"])
def test_texts_that_are_missing(text: str) -> None:
    assert is_missing(texts("a", text)).tolist() == [False, True]


@pytest.mark.parametrize("text", ["0", "none", "na", "-", "unknown", "??", "False"])
def test_texts_that_are_not_missing(text: str) -> None:
    assert is_missing(texts(text)).tolist() == [False]


def test_only_nan_is_missing_among_numbers() -> None:
    assert is_missing(np.array([0.0, np.nan, np.inf])).tolist() == [False, True, False]


@given(st.floats(allow_nan=False, width=32))
def test_a_written_number_is_read_back(number: float) -> None:
    assert to_numbers(texts(repr(number)))[0] == number
    assert to_numbers(np.array([number]))[0] == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("007", 7), ("+1", 1), ("-1.5e3", -1500), (".5", 0.5), ("1e400", math.inf), ("1e39", math.inf)],
)
def test_ways_to_write_a_number(text: str, number: float) -> None:
    assert to_numbers(texts(text))[0] == number


@pytest.mark.parametrize("text", ["?", "", "tall", "1,5", "1 000", "12%", "0x1F", "True"])
def test_what_is_no_number(text: str) -> None:
    assert math.isnan(to_numbers(texts(text))[0])


def test_numbers_are_rounded_as_keras_will_see_them() -> None:
    assert to_numbers(texts("16777217"))[0] == 16777216.0  # 2^24 + 1 is no float32
    assert to_numbers(np.array([0.1]))[0] == float(np.float32(0.1))


def test_numbers_as_texts() -> None:
    column = np.array([2.0, -0.5, 1e20, np.nan])
    assert as_text(column).tolist() == ["2", "-0.5", "100000000000000000000", ""]
    assert as_text(texts("2.0")).tolist() == ["2.0"]


def test_rows_of_tables_and_arrays() -> None:
    table = {"a": np.array([1.0, 2.0, 3.0]), "b": texts("x", "y", "z")}
    rows = np.array([2, 0])
    assert (rows_of(table), rows_of(np.zeros((4, 2)))) == (3, 4)
    assert {name: column.tolist() for name, column in take(table, rows).items()} == {"a": [3.0, 1.0], "b": ["z", "x"]}
    assert take(np.arange(6).reshape(3, 2), rows).tolist() == [[4, 5], [0, 1]]
    assert [is_text(column) for column in table.values()] == [False, True]
