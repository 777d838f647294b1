"""Measures of parts of the test split, against scikit-learn's on rows that are picked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from tfcourse.data.columns import CategoryColumn, NumberColumn
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError
from tfcourse.run.slices import MOST_VALUES, check_columns, slices

FEATURES = TableFeatures(
    (NumberColumn("age", 0.0, 1.0, has_missing=True), NumberColumn("born", 0.0, 1.0, has_missing=False, is_date=True)),
    (CategoryColumn("sex", ("f", "m")),),
)


def made(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return probabilities, class numbers and a table of so many rows."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1.0, 1.0, 1.0], rows)
    age = random.integers(20, 80, rows).astype(float)
    age[::7] = np.nan
    table = {
        "age": age,
        "born": random.integers(0, 20000, rows).astype(float),
        "sex": random.choice(np.array(["f", "m", ""], dtype=object), rows),
        "not used": random.choice(np.array([f"v{number}" for number in range(40)], dtype=object), rows),
    }
    return probabilities, random.integers(0, 3, rows), table


@given(st.integers(1, 300), st.integers(0, 5))
def test_every_row_is_in_one_part_of_each_column(rows: int, seed: int) -> None:
    probabilities, y, table = made(rows, seed)
    found = slices(probabilities, y, table, list(table), FEATURES)
    for name in table:
        parts = [each for each in found if each["column"] == name]
        assert sum(each["n"] for each in parts) == rows
        assert len({each["value"] for each in parts}) == len(parts) <= MOST_VALUES + 2
        right = sum(each["accuracy"] * each["n"] for each in parts)
        assert right == pytest.approx((probabilities.argmax(axis=1) == y).sum())
        for each in parts:
            assert each["accuracy_interval"][0] <= each["accuracy"] + 1e-12
            assert each["accuracy_interval"][1] >= each["accuracy"] - 1e-12


def test_measures_are_scikit_learns_on_those_rows() -> None:
    probabilities, y, table = made(200, 0)
    found = {
        (each["column"], each["value"]): each for each in slices(probabilities, y, table, ["sex", "age"], FEATURES)
    }
    picked = {("sex", "m"): table["sex"] == "m", ("sex", "missing"): table["sex"] == ""}
    picked["age", "missing"] = np.isnan(table["age"])
    ages = np.sort(table["age"][~picked["age", "missing"]])
    lowest = table["age"] <= np.quantile(ages, 0.25)
    picked["age", f"{ages[0]:g} to {table['age'][lowest].max():g}"] = lowest
    for key, rows in picked.items():
        assert found[key]["n"] == rows.sum()
        assert found[key]["accuracy"] == pytest.approx(accuracy_score(y[rows], probabilities[rows].argmax(axis=1)))
        assert found[key]["log_loss"] == pytest.approx(log_loss(y[rows], probabilities[rows], labels=[0, 1, 2]))


def test_dates_are_told_as_dates_and_rare_values_together() -> None:
    probabilities, y, table = made(200, 0)
    found = slices(probabilities, y, table, ["born", "not used"], FEATURES)
    assert all(len(each["value"]) == len("1970-01-02 to 1990-01-02") for each in found if each["column"] == "born")
    assert found[-1]["value"] == f"{40 - MOST_VALUES} rarer values"


def test_columns_that_are_not_there_are_refused() -> None:
    with pytest.raises(UserError, match="there is no column 'sx'"):
        check_columns(["sx"], {"sex": np.zeros(1)})
    with pytest.raises(UserError, match="--slices is for tables"):
        check_columns(["sex"], np.zeros((2, 2)))
    check_columns((), np.zeros((2, 2)))
