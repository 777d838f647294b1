"""Ways that are quick on large tables against the plain ones: they find the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tfcourse.data.reading.column import holds
from tfcourse.data.reading.decide import Decided, decide
from tfcourse.data.reading.each_column import LARGE, each_column
from tfcourse.data.reading.far_values import CODES, FAR, FAR_CODE, far_values
from tfcourse.data.tablefile.white_space import WHITE_SPACE, trim_column
from tfcourse.errors import UserError

LETTERS = st.text(st.sampled_from(f"ab.é{WHITE_SPACE}"), max_size=5)


def far_by_definition(numbers: NDArray[np.float64]) -> list[float]:
    """Return the values that are far from all others, each end looked at in turn, by comparing with every other."""
    values, found = sorted(set(numbers[~np.isnan(numbers)].tolist())), []
    while len(values) > 5 and len(found) < 3:
        for value in (values[-1], values[0]):
            others = [other for other in values if other != value]
            away = min(abs(value - other) for other in others)
            if away > (FAR_CODE if value in CODES else FAR) * (max(others) - min(others)):
                found.append(value)
                values = others
                break
        else:
            return found
    return found


@given(
    st.integers(0, 10_000),
    st.integers(0, 2500),
    st.sampled_from([1.0, 10.0, 1e4]),
    st.lists(st.sampled_from([-999.0, 99.0, 1e9, -1e9, 1e12, 32767.0, 5.0]), max_size=5),
    st.integers(1, 40),
    st.booleans(),
)
def test_far_values_are_those_of_the_definition(
    seed: int, rows: int, scale: float, far: list[float], times: int, first: bool
) -> None:
    random = np.random.default_rng(seed)
    usual = random.normal(0, scale, rows).round(1)
    numbers = np.concatenate([np.repeat(far, times), usual] if first else [usual, np.repeat(far, times)])
    numbers[random.random(len(numbers)) < 0.02] = np.nan
    assert far_values(numbers) == far_by_definition(numbers)


@given(st.lists(st.lists(st.one_of(st.none(), LETTERS), max_size=4), max_size=4))
def test_texts_are_trimmed_as_python_does(chunks: list[list[str | None]]) -> None:
    column = pa.chunked_array(chunks, pa.string())
    expected = [None if text is None else text.strip(WHITE_SPACE) for chunk in chunks for text in chunk]
    assert trim_column(column).to_pylist() == expected
    for start in range(len(expected)):  # a slice shares the bytes of the whole
        assert trim_column(column.slice(start)).to_pylist() == expected[start:]


@given(st.lists(st.lists(st.one_of(st.none(), LETTERS), max_size=4), max_size=4))
def test_a_letter_that_stands_in_a_column_is_found(chunks: list[list[str | None]]) -> None:
    column = pa.chunked_array(chunks, pa.string())
    assert holds(column, b".") == any("." in (text or "") for chunk in chunks for text in chunk)


def test_a_large_table_is_read_as_its_columns_alone() -> None:
    random = np.random.default_rng(0)
    rows = LARGE // 5
    frame = pd.DataFrame(
        {
            "number": random.normal(size=rows).round(3),
            "marked": np.where(random.random(rows) < 0.2, "#N/A", random.integers(0, 50, rows).astype(str)),
            "town": random.choice(["Ulm", "Bonn", " Köln "], rows),
            "day": pd.date_range("2001-01-01", periods=rows, freq="h").strftime("%d.%m.%Y %H:%M"),
            "money": [f"{value:,.2f} €" for value in random.gamma(2, 900, rows)],
        }
    )
    table = pa.Table.from_pandas(frame.astype(str), preserve_index=False)
    together = each_column(decide, table)
    for name, found in zip(table.column_names, together, strict=True):
        alone: Decided = decide(name, table.column(name))
        assert (found.reading, found.odd) == (alone.reading, alone.odd)
        np.testing.assert_array_equal(found.values, alone.values)


@pytest.mark.parametrize("columns", [3, LARGE // 100 + 1])
def test_the_first_column_that_is_refused_is_named(columns: int) -> None:
    whole, slips = [*map(str, range(100))], [*map(str, range(99)), "oops"]
    table = pa.table({f"x{number}": slips if number in (2, 5) else whole for number in range(columns)})
    with pytest.raises(UserError, match=r"Column 'x2' .*'oops'"):
        each_column(decide, table)


def test_columns_of_one_name_each_have_their_own() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])

    def values(name: str, column: Any) -> tuple[str, list[int]]:
        return name, column.to_pylist()

    assert each_column(values, table) == [("a", [1]), ("a", [2])]
