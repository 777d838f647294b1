"""Columns that mislead a model: a model whose cost is known, on data altered in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfcourse.data.features import ArrayFeatures, CategoryColumn, NumberColumn, TableFeatures
from tfcourse.retesting.misleading import misleading_columns, other_values

FEATURES = TableFeatures(
    tuple(NumberColumn(name, 0.0, 1.0, False) for name in ("a", "b")), (CategoryColumn("kind", ("x", "y")),)
)


def predict(table: Any) -> Any:
    """Return a + b + (kind is y), which is right for unaltered data, as the probability of a single class."""
    return (table["a"] + table["b"] + (table["kind"] == "y"))[:, None]


def cost_by(y: Any) -> Any:
    """Return the squared error."""
    return lambda predicted, rows: (predicted[:, 0] - y[rows]) ** 2


def table(rows: int = 500) -> tuple[dict[str, Any], Any]:
    random = np.random.default_rng(0)
    columns = {"a": random.normal(size=rows), "b": random.normal(size=rows)}
    columns["kind"] = random.choice(np.array(["x", "y"], dtype=object), rows)
    return columns, columns["a"] + columns["b"] + (columns["kind"] == "y") + 0.1 * random.normal(size=rows)


@pytest.mark.parametrize(
    "alter",
    [
        lambda values: values * 10,
        lambda values: values + 3,
        lambda values: np.random.default_rng(1).permutation(values),
    ],
)
def test_an_altered_column_is_named_alone(alter: Any) -> None:
    x, y = table()
    found = misleading_columns(FEATURES, {**x, "b": alter(x["b"])}, predict, cost_by(y), 0.01)
    assert [column.name for column in found] == ["b"]
    assert found[0].p < 0.001


def test_gain_by_hand() -> None:
    """b is 3 too large in every row; without it the error is b, the noise, and that of a mean of 8 draws, σ² / 8."""
    x, y = table()
    found = misleading_columns(FEATURES, {**x, "b": x["b"] + 3}, predict, cost_by(y), 0.01)
    noise = y - x["a"] - x["b"] - (x["kind"] == "y")
    expected = ((3 - noise) ** 2).mean() - ((x["b"] + noise) ** 2).mean() - 1 / 8
    assert found[0].gain == pytest.approx(expected, abs=0.08)


def test_a_column_whose_mean_stands_for_one_class_is_named() -> None:
    """The model is sure of class 0 near b = 0 and of class 1 in both tails; with b = 0 everywhere it would be worse."""
    random = np.random.default_rng(3)
    x, _ = table()
    y = np.array(np.abs(x["b"]) > 0.3, dtype=int)

    def two_classes(table: Any) -> Any:
        tail = 1 / (1 + np.exp(-20 * (np.abs(table["b"]) - 0.3)))
        return np.stack([1 - tail, tail], axis=1)

    def log_loss(probabilities: Any, rows: Any) -> Any:
        return -np.log(np.maximum(probabilities[np.arange(len(rows)), y[rows]], 1e-4))

    shuffled = {**x, "b": random.permutation(x["b"])}
    rows = np.arange(len(y))
    with_mean = log_loss(two_classes({**x, "b": np.zeros(len(y))}), rows).mean()
    assert with_mean > log_loss(two_classes(shuffled), rows).mean()
    assert [c.name for c in misleading_columns(FEATURES, shuffled, two_classes, log_loss, 0.01)] == ["b"]
    assert misleading_columns(FEATURES, x, two_classes, log_loss, 0.01) == []


def test_a_recoded_category_is_named() -> None:
    x, y = table()
    other = np.where(x["kind"] == "x", "y", "x").astype(object)
    assert [c.name for c in misleading_columns(FEATURES, {**x, "kind": other}, predict, cost_by(y), 0.01)] == ["kind"]


def test_unaltered_data_mislead_nobody_and_small_gains_do_not_count() -> None:
    x, y = table()
    assert misleading_columns(FEATURES, x, predict, cost_by(y), 0.01) == []
    assert misleading_columns(FEATURES, {**x, "b": x["b"] * 10}, predict, cost_by(y), 1000.0) == []


def test_a_column_whose_missing_values_tell_the_class_is_named_when_they_are_shuffled() -> None:
    random = np.random.default_rng(5)
    y = random.integers(2, size=600)
    values = np.where(y == 1, np.nan, random.normal(size=600))
    features = TableFeatures((NumberColumn("a", 0.0, 1.0, True),), ())

    def by_missing(table: Any) -> Any:
        sure = np.where(np.isnan(table["a"]), 0.95, 0.05)
        return np.stack([1 - sure, sure], axis=1)

    def log_loss(probabilities: Any, rows: Any) -> Any:
        return -np.log(probabilities[np.arange(len(rows)), y[rows]])

    shuffled = {"a": random.permutation(values)}
    assert [c.name for c in misleading_columns(features, shuffled, by_missing, log_loss, 0.01)] == ["a"]
    assert misleading_columns(features, {"a": values}, by_missing, log_loss, 0.01) == []


def test_features_of_an_array() -> None:
    x = np.random.default_rng(2).normal(size=(300, 2))
    y = x.sum(axis=1)
    features = ArrayFeatures((2,), (0.0, 0.0), (1.0, 1.0))
    changed = x * np.array([1.0, -1.0])
    found = misleading_columns(features, changed, lambda part: part.sum(axis=1, keepdims=True), cost_by(y), 0.01)
    assert [column.name for column in found] == ["feature 1"]
    images = ArrayFeatures((2, 2), (0.0,), (1.0,))
    assert misleading_columns(images, np.zeros((9, 2, 2)), predict, cost_by(y), 0.01) == []


def test_values_that_a_column_might_have_had() -> None:
    random = np.random.default_rng(4)
    date = NumberColumn("born", 1.4, 1.0, False, is_date=True)
    assert other_values(date, np.array([12908.0]), random).tolist() == [1.0]
    number = NumberColumn("a", 2.5, 3.0, True)
    drawn = other_values(number, np.array([10.0, 20.0, np.nan] * 50), random)  # mean 15, deviation 5
    assert set(drawn[~np.isnan(drawn)].tolist()) == {-0.5, 5.5}
    assert np.isnan(drawn).mean() == pytest.approx(1 / 3, abs=0.15)
    some = other_values(date, np.array([12908.0, np.nan, 12910.0] * 20), random)
    assert set(some[~np.isnan(some)].tolist()) == {0.0, 2.0}
    assert np.isnan(some).any()
    assert other_values(number, np.array([7.0, 7.0]), random).tolist() == [2.5, 2.5]
    assert other_values(number, np.array([np.nan]), random).tolist() == [2.5]
    kinds = np.array(["q", "x", "", "y"] * 20, dtype=object)
    assert set(other_values(CategoryColumn("kind", ("x", "y")), kinds, random).tolist()) == {"x", "y", ""}
    assert other_values(CategoryColumn("kind", ("x",)), np.array(["q"], dtype=object), random).tolist() == [""]
