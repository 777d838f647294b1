"""How each column is read is what a sensible person would decide, said in one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.features import CategoryColumn, NumberColumn
from tfcourse.data.read_columns import fit_table
from tfcourse.data.table import Column
from tfcourse.errors import UserError

ROWS = 40
NUMBERS = np.array([f"{value / 4}" for value in range(ROWS)], dtype=object)


def column(values: object) -> Column:
    """A column of 40 rows that repeats ``values``."""
    return np.resize(np.array(values, dtype=object), ROWS)


def read(values: Column, name: str = "c", categorical: bool = False) -> tuple[object, str]:
    """Return how a column beside a column of numbers is read, by all of its rows, and the line on it."""
    features, lines = fit_table({name: values, "n": NUMBERS}, np.arange(ROWS), [name] * categorical)
    found = [read_as for read_as in features.columns if read_as.name == name]
    return (found[0] if found else None), lines[0].removeprefix(f"{name}: ")


def refusal(values: Column, name: str = "c") -> str:
    with pytest.raises(UserError) as caught:
        read(values, name)
    return str(caught.value)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=30, unique=True))
def test_numbers_get_the_mean_and_the_deviation_of_pandas(values: list[float]) -> None:
    numbers = np.array(values)
    features, _ = fit_table({"c": numbers}, np.arange(len(values)))
    (number,) = features.numbers
    assert number.mean == pytest.approx(pd.Series(values).mean(), rel=1e-9, abs=1e-9)
    assert number.deviation == pytest.approx(pd.Series(values).std(ddof=0), rel=1e-6, abs=1e-9)


def test_statistics_come_from_the_training_rows_alone() -> None:
    table = {"n": np.array([1.0, 3.0, 1000.0]), "k": column(["a", "b", "z"])[:3]}
    features, _ = fit_table({**table, "k": np.array(["a", "a", "z"], dtype=object)}, np.array([0, 1]))
    assert features.numbers == (NumberColumn("n", 2.0, 1.0, False),)
    assert features.categories == ()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1, 2], "whole number, 2 different"),
        ([1, 2, 3], "whole number, 3 different (--categorical c would read them as categories)"),
        ([0.5, "?", 1, 2], "number, 3 different, 25.0% missing"),
        (["007", " 8 ".strip()], "whole number, 2 different"),
        (["5", ""], "whole number, 1 different, 50.0% missing"),
        (list(range(ROWS)), "whole number, 40 different (if it only numbers the rows: --drop c)"),
        (["2024-01-31", "2024-02-29"], "date as %Y-%m-%d, read as days since 1970"),
        (["31.01.2024", "", "29.02.2024", ""], "date as %d.%m.%Y, read as days since 1970, 50.0% missing"),
    ],
)
def test_columns_read_as_numbers(values: list[object], line: str) -> None:
    read_as, said = read(column([str(value) for value in values]))
    assert isinstance(read_as, NumberColumn)
    assert said == line


@pytest.mark.parametrize(
    ("values", "kept", "line"),
    [
        (["u", "v"], ("u", "v"), "category, 2 values"),
        (["True", "False"], ("False", "True"), "category, 2 values"),
        (["u", "v", "?", "u"], ("u", "v"), "category, 2 values, 25.0% missing"),
        (["u"] * 39 + ["w"], ("u",), "category, 2 values, 1 rare one as 'other'"),
        (["u"] * 38 + ["w", "x"], ("u",), "category, 3 values, 2 rare ones as 'other'"),
        (["1", "2", "3", "low"], ("1", "2", "3", "low"), "category, 4 values"),
        (["u", ""], ("u",), "category, 1 values, 50.0% missing"),
        (["5%", "10%"], ("10%", "5%"), "category, 2 values"),
        (["2024-02-30", "2024-02-29"], ("2024-02-29", "2024-02-30"), "category, 2 values"),
    ],
)
def test_columns_read_as_categories(values: list[str], kept: tuple[str, ...], line: str) -> None:
    assert read(column(values)) == (CategoryColumn("c", kept), line)


def test_numbers_read_as_categories_on_request() -> None:
    assert read(column(["1", "2", "3"]), categorical=True) == (
        CategoryColumn("c", ("1", "2", "3")),
        "category, 3 values",
    )
    assert read(np.resize([1.0, 2.0], ROWS), categorical=True)[0] == CategoryColumn("c", ("1", "2"))


def test_no_more_than_100_categories_are_kept() -> None:
    names = [f"v{number:03d}" for number in range(120)]
    values = np.array(names[:100] * 3 + names[100:] * 2, dtype=object)
    features, lines = fit_table({"c": values}, np.arange(len(values)))
    assert features.categories[0].values == tuple(names[:100])
    assert lines == ["c: category, 120 values, 20 rare ones as 'other'"]


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        ("c", ["5"], "left out, it is 5 in every training row"),
        ("c", ["cm"], "left out, it is 'cm' in every training row"),
        ("c", ["k" * 500], "left out, it is 'kkkkkkkkkkkk...kkkkkkkkkkkkk' in every training row"),
        ("c", [f"id{n}" for n in range(ROWS)], "left out, its texts are nearly all different (40 in 40 rows)"),
        ("", [str(n) for n in range(ROWS)], "left out, it has no name and numbers the rows"),
        ("Unnamed: 0", [str(n + 1) for n in range(ROWS)], "left out, it has no name and numbers the rows"),
    ],
)
def test_columns_left_out(name: str, values: list[str], line: str) -> None:
    assert read(column(values), name) == (None, line)


def test_a_column_without_a_name_is_read_if_it_tells_something() -> None:
    read_as, _ = read(column(["1", "5", "2"]), "")
    assert isinstance(read_as, NumberColumn)


def test_a_column_empty_in_the_training_rows_is_left_out() -> None:
    features, lines = fit_table({"c": np.array([np.nan, np.nan, 1.0]), "n": NUMBERS[:3]}, np.array([0, 1]))
    assert features.names == ("n",)
    assert lines[0] == "c: left out, it is empty in every training row"


def test_slips_among_numbers_are_refused() -> None:
    values = NUMBERS.copy()
    values[7] = "1.75 cm"
    assert refusal(values, "body mass") == (
        "Column 'body mass' is numbers but for 1 of 40 values, such as '1.75 cm' in row 8. Put them right, leave them"
        " empty, or leave the column out with --drop 'body mass'."
    )


@pytest.mark.parametrize("pattern", ["1,{:03d}", "{},5", "${}.50", "{} %", "−{}", "1 {:03d}", "1'{:03d}", "€{}"])
def test_numbers_that_are_not_plainly_written_are_refused(pattern: str) -> None:
    values = column([pattern.format(n) for n in range(ROWS)])
    assert refusal(values) == (
        f"Column 'c' holds numbers that are not plainly written, such as {values[0]!r} in row 1. Write them with digits"
        " and a decimal point alone, read them as categories with --categorical c, or leave the column out with"
        " --drop c."
    )
    read_as, _ = read(values, categorical=True)
    assert read_as is None  # all different: as categories they would be names


@pytest.mark.parametrize("pattern", ["{}-{}", "A{}", "{}:00", "{}/7"])
def test_texts_with_digits_are_texts(pattern: str) -> None:
    read_as, _ = read(column([pattern.format(n, n + 5) for n in range(20)]))
    assert isinstance(read_as, CategoryColumn)


def test_an_empty_column_is_refused() -> None:
    assert refusal(column(["", "?", "NA"]), "my size") == (
        "Column 'my size' is empty in all 40 rows; leave it out with --drop 'my size'."
    )


def test_infinite_numbers_are_refused() -> None:
    values = NUMBERS.copy()
    values[[3, 9]] = "-inf"
    assert refusal(values) == (
        "Column 'c' holds infinite numbers in 2 rows, the first in row 4. Put a finite number there, or leave the"
        " value empty."
    )


def test_a_table_that_tells_nothing_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        fit_table({"unit": column(["cm"]), "zero": column(["0"])}, np.arange(ROWS))
    assert str(caught.value) == (
        "No column is left to learn from. unit: left out, it is 'cm' in every training row; zero: left out, it is 0 in"
        " every training row."
    )


def test_a_misspelt_category() -> None:
    with pytest.raises(UserError) as caught:
        fit_table({"grade": NUMBERS}, np.arange(ROWS), ["grde"])
    assert str(caught.value) == "--categorical: there is no column 'grde'. Did you mean 'grade'?"
