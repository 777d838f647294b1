"""Columns that mislead a model: a model whose cost is known, on data altered in a known way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tfcourse.data.features import ArrayFeatures, CategoryColumn, NumberColumn, TableFeatures
from tfcourse.retesting.misleading import misleading_columns, neutral

FEATURES = TableFeatures(
    tuple(NumberColumn(name, 0.0, 1.0, False) for name in ("a", "b")), (CategoryColumn("kind", ("x", "y")),)
)


def cost_by(y: Any) -> Any:
    """Return the squared error of the model a + b + (kind is y), which is right for unaltered data."""

    def cost(table: Any, rows: Any) -> Any:
        return (table["a"] + table["b"] + (table["kind"] == "y") - y[rows]) ** 2

    return cost


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
    found = misleading_columns(FEATURES, {**x, "b": alter(x["b"])}, cost_by(y), 0.01)
    assert [column.name for column in found] == ["b"]
    assert found[0].p < 0.001


def test_gain_by_hand() -> None:
    """b is 3 too large in every row; without it the error is b² + noise."""
    x, y = table()
    found = misleading_columns(FEATURES, {**x, "b": x["b"] + 3}, cost_by(y), 0.01)
    noise = y - x["a"] - x["b"] - (x["kind"] == "y")
    assert found[0].gain == pytest.approx(((3 - noise) ** 2).mean() - ((x["b"] + noise) ** 2).mean())


def test_a_recoded_category_is_named() -> None:
    x, y = table()
    other = np.where(x["kind"] == "x", "y", "x").astype(object)
    assert [c.name for c in misleading_columns(FEATURES, {**x, "kind": other}, cost_by(y), 0.01)] == ["kind"]


def test_unaltered_data_mislead_nobody_and_small_gains_do_not_count() -> None:
    x, y = table()
    assert misleading_columns(FEATURES, x, cost_by(y), 0.01) == []
    assert misleading_columns(FEATURES, {**x, "b": x["b"] * 10}, cost_by(y), 1000.0) == []


def test_features_of_an_array() -> None:
    x = np.random.default_rng(2).normal(size=(300, 2))
    y = x.sum(axis=1)
    features = ArrayFeatures((2,), (0.0, 0.0), (1.0, 1.0))
    changed = x * np.array([1.0, -1.0])
    found = misleading_columns(features, changed, lambda part, rows: (part.sum(axis=1) - y[rows]) ** 2, 0.01)
    assert [column.name for column in found] == ["feature 1"]
    images = ArrayFeatures((2, 2), (0.0,), (1.0,))
    assert misleading_columns(images, np.zeros((9, 2, 2)), lambda part, rows: np.zeros(len(rows)), 0.01) == []


def test_neutral_values() -> None:
    date = NumberColumn("born", 1.4, 1.0, False, "%d.%m.%Y")
    assert neutral(date, np.array(["05.05.2005"], dtype=object)).tolist() == ["02.01.1970"]
    assert neutral(NumberColumn("a", 2.5, 1.0, False), np.zeros(2)).tolist() == [2.5, 2.5]
    assert neutral(CategoryColumn("kind", ("x",)), np.array(["q"], dtype=object)).tolist() == [""]
