"""What becomes of each column is what a sensible person would decide, by the training rows alone, said in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.fit_table import fit_table, numbers_rows
from tfcourse.data.reading.decide import Wishes, decide
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

ROWS = 40
NUMBERS = np.arange(ROWS) / 4


def column(values: list[Any]) -> Any:
    return pa.chunked_array([pa.array((values * ROWS)[:ROWS])])


def described(values: Any, name: str = "c", categorical: bool = False) -> tuple[object, str]:
    """Return what becomes of a column beside a column of numbers, by all of its rows, and the line on it."""
    decided = decide(name, values, Wishes(categorical=(name,) * categorical))
    features, lines = fit_table({name: decided.values, "n": NUMBERS}, np.arange(ROWS), {name: decided.reading})
    found = [each for each in features.columns if each.name == name]
    return (found[0] if found else None), lines[0].removeprefix(f"{name}: ")


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=30, unique=True))
def test_numbers_get_the_mean_and_the_deviation_of_pandas(values: list[float]) -> None:
    features, _ = fit_table({"c": np.array(values)}, np.arange(len(values)))
    (number,) = features.numbers
    assert number.mean == pytest.approx(pd.Series(values).mean(), rel=1e-9, abs=1e-9)
    assert number.deviation == pytest.approx(pd.Series(values).std(ddof=0), rel=1e-6, abs=1e-9)


def test_statistics_come_from_the_training_rows_alone() -> None:
    table = {"n": np.array([1.0, 3.0, 1000.0]), "k": np.array(["a", "a", "z"], dtype=object)}
    features, _ = fit_table(table, np.array([0, 1]))
    assert features.numbers == (NumberColumn("n", 2.0, 1.0, False, ends=(1.0, 3.0)),)
    assert features.categories == ()


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["1", "2"], "whole number, 2 different"),
        (["1", "2", "3"], "whole number, 3 different (--categorical c would read them as categories)"),
        (["0.5", "?", "1", "2"], "number, 3 different, 25.0% missing"),
        (["007", "8"], "whole number, 2 different"),
        (["5", ""], "whole number, 1 different, 50.0% missing"),
        ([f"{n} €" for n in range(3)], "whole number such as 1234.5 €, 3 different"),
        ([str(n) for n in range(6, ROWS + 6)], "whole number, 40 different (if it only numbers the rows: --drop c)"),
        (
            [str((n * 7) % ROWS) for n in range(ROWS)],
            "whole number, 40 different (if it only numbers the rows: --drop c)",
        ),
        (["2024-01-31", "2024-02-29"], "date, year-month-day"),
        (["31.01.2024", "", "29.2.2024", ""], "date, day.month.year, 50.0% missing"),
        (
            [f"{2020 + n // 12}-{1 + n % 12:02d}-05 {n % 24}:00" for n in range(ROWS)],
            "date, year-month-day, with time of day, weekday, time of year",
        ),
        ([f"2024-01-{1 + n % 28:02d}" for n in range(ROWS)], "date, year-month-day, with weekday"),
    ],
)
def test_columns_read_as_numbers(values: list[Any], line: str) -> None:
    found, said = described(column(values))
    assert isinstance(found, NumberColumn)
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
        (["u", ""], ("u",), "category, 1 value, 50.0% missing"),
    ],
)
def test_columns_read_as_categories(values: list[str], kept: tuple[str, ...], line: str) -> None:
    assert described(column(values)) == (CategoryColumn("c", kept), line)


def test_numbers_read_as_categories_on_request() -> None:
    assert described(column(["1", "2", "3"]), categorical=True)[0] == CategoryColumn("c", ("1", "2", "3"))
    assert described(column([1.0, 2.0]), categorical=True)[0] == CategoryColumn("c", ("1", "2"))


def test_the_most_frequent_categories_have_a_column_each_and_the_others_share() -> None:
    names = [f"v{number:03d}" for number in range(250)]
    values = np.array(names[:100] * 3 + names[100:240] * 2 + names[240:], dtype=object)
    features, lines = fit_table({"c": values}, np.arange(len(values)))
    (category,) = features.categories
    assert category.values == tuple(names[:100])
    assert (len(category.binned), category.bins) == (140, 64)
    line = "c: category, 250 values, the 140 least frequent in 64 columns{}, 10 rare ones as 'other'"
    assert lines == [line.format(" beside how frequent each value is")]
    matrix = category.one_hot(np.array(names, dtype=object))
    columns = matrix[:, :-1].argmax(axis=1)
    assert columns[:100].tolist() == list(range(2, 102))
    assert columns[240:].tolist() == [0] * 10
    assert np.bincount(columns[100:240])[102:].tolist() == [3] * 12 + [2] * 52
    kept = np.log1p(np.repeat([3.0, 2.0], [300, 280]))
    expected = (np.log1p([3.0, 2.0, 1.0]) - kept.mean()) / kept.std()
    np.testing.assert_allclose(matrix[:, -1], np.repeat(expected, [100, 140, 10]), rtol=1e-6)
    assert CategoryColumn.from_json(category.to_json()) == category
    shared = {"c": Reading("c", "category", levels="shared")}
    features, lines = fit_table({"c": values}, np.arange(len(values)), shared)
    (category,) = features.categories
    assert (category.frequencies, category.width) == ((), 166)
    assert lines == [line.format("")]


def test_values_that_are_all_as_frequent_have_no_column_for_it() -> None:
    values = np.array([f"v{number}" for number in range(120)] * 2, dtype=object)
    (category,) = fit_table({"c": values}, np.arange(240))[0].categories
    assert (len(category.binned), category.frequencies) == (20, ())


TEXTS = [f"{'red' if n % 3 else 'Blue'} house, {'its' if n % 2 else 'the'} door no {n}!" for n in range(ROWS)]


def test_texts_of_several_words_are_a_bag_as_of_scikit_learn() -> None:
    found, said = described(column(TEXTS))
    assert isinstance(found, TextColumn)
    assert said == "text, 40 different, by 7 words"
    judge = CountVectorizer(vocabulary=list(found.words), binary=True, token_pattern=r"[a-z0-9]+")
    np.testing.assert_array_equal(found.bag(np.array(TEXTS, dtype=object)), judge.transform(TEXTS).toarray())
    assert set(found.words) == {"red", "blue", "house", "its", "the", "door", "no"}


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        ("c", ["5"], "left out, it is 5 in every training row"),
        ("c", ["868000000"], "left out, it is 868000000 in every training row"),
        ("c", ["2024-01-31"], "left out, it is 2024-01-31T00:00:00 in every training row"),
        ("c", ["cm"], "left out, it is 'cm' in every training row"),
        ("c", ["k" * 500], "left out, it is 'kkkkkkkkkkkk...kkkkkkkkkkkkk' in every training row"),
        ("c", [f"id{n}" for n in range(ROWS)], "left out, its texts are nearly all different (40 in 40 rows)"),
        (
            "no.",
            [str(n + 1) for n in range(ROWS)],
            "left out, it numbers the rows from 1 to 40 (--keep-columns no. keeps it)",
        ),
        (
            "c",
            [f"{n},0" for n in range(ROWS)],
            "left out, it numbers the rows from 0 to 39 (--keep-columns c keeps it)",
        ),
        (
            "my id",
            [str(n) for n in range(ROWS)],
            "left out, it numbers the rows from 0 to 39 (--keep-columns 'my id' keeps it)",
        ),
        (
            "column 1",
            [str(n) for n in range(ROWS)],
            "left out, it has no name and numbers the rows from 0 to 39 (--keep-columns 'column 1' keeps it)",
        ),
        (
            "Unnamed: 0",
            [str(n + 1) for n in range(ROWS)],
            "left out, it has no name and numbers the rows from 1 to 40 (--keep-columns 'Unnamed: 0' keeps it)",
        ),
    ],
)
def test_columns_left_out(name: str, values: list[str], line: str) -> None:
    assert described(column(values), name) == (None, line)


def test_row_numbers_that_a_person_wants_are_kept_and_days_are_none() -> None:
    table = {"n": np.arange(ROWS) + 1.0, "born": np.arange(ROWS) + 0.0, "x": NUMBERS}
    readings = {"born": Reading("born", "date", order="ymd")}
    assert fit_table(table, np.arange(ROWS), readings)[0].names == ("born", "x")
    assert fit_table(table, np.arange(ROWS), readings, kept=["n"])[0].names == ("n", "born", "x")
    few = {"n": np.arange(5.0), "x": NUMBERS[:5]}
    assert fit_table(few, np.arange(5))[0].names == ("n", "x")


@given(st.integers(11, 400), st.integers(0, 1), st.randoms())
def test_row_numbers_are_known_though_a_tenth_of_the_rows_is_gone(rows: int, first: int, random: Any) -> None:
    gone = set(random.sample(range(rows), (rows - 1) // 11))
    numbers = np.array([first + row for row in range(rows) if row not in gone], dtype=float)
    assert numbers_rows("id", numbers) or len(numbers) <= 10


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("years", np.arange(1980.0, 2020)),
        ("ages in their order, of which some are alike", np.sort(np.arange(40) % 37 + 1.0)),
        ("every second minute", np.arange(0.0, 80, 2)),
        ("about the centre", np.arange(-20.0, 20)),
        ("tenths", np.arange(40) / 10),
        ("falling", np.arange(40.0, 0, -1)),
        ("in another order", np.random.default_rng(0).permutation(40) + 1.0),
        ("not in every row", np.where(np.arange(40) == 7, np.nan, np.arange(40.0))),
        ("from the middle of a table on", np.arange(100.0, 140)),
    ],
)
def test_what_rises_otherwise_is_no_row_number(what: str, values: Any) -> None:
    # A column is one only where nine tenths of all whole numbers from about 0 on stand once each in their order. A
    # measurement that is sorted and has so few gaps is as good as the row's number, and told: --keep-columns keeps it.
    assert not numbers_rows(what, values)


def test_a_sorted_sample_of_a_wider_range_is_no_row_number() -> None:
    random = np.random.default_rng(0)
    for rows in (11, 20, 50, 200):
        sample = [np.sort(random.choice(2 * rows, rows, replace=False)).astype(float) for _ in range(200)]
        assert not any(numbers_rows("size", values) for values in sample)


def test_a_column_without_a_name_is_read_if_it_tells_something() -> None:
    assert isinstance(described(column(["1", "5", "2"]), "column 1")[0], NumberColumn)


def test_a_column_empty_in_the_training_rows_is_left_out() -> None:
    features, lines = fit_table({"c": np.array([np.nan, np.nan, 1.0]), "n": NUMBERS[:3]}, np.array([0, 1]))
    assert features.names == ("n",)
    assert lines[0] == "c: left out, it is empty in every training row"


def test_a_table_that_tells_nothing_is_refused() -> None:
    table = {"unit": np.array(["cm"] * 3, dtype=object), "zero": np.zeros(3)}
    with pytest.raises(UserError) as caught:
        fit_table(table, np.arange(3))
    assert str(caught.value) == (
        "No column is left to learn from. unit: left out, it is 'cm' in every training row; zero: left out, it is 0 in"
        " every training row."
    )
