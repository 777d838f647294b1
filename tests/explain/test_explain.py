"""Importance and dependence against scikit-learn's, the matrix columns of a column against the feature map itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import partial_dependence as partial_dependence_of_sklearn
from sklearn.inspection import permutation_importance as permutation_importance_of_sklearn
from sklearn.linear_model import LogisticRegression

from tests.conftest import pets
from tfcourse.data.columns import CategoryColumn, NumberColumn
from tfcourse.data.options import DataOptions
from tfcourse.data.prepare import Prepared, prepare
from tfcourse.data.table_features import TableFeatures
from tfcourse.explain import explanation as explaining
from tfcourse.explain.blocks import blocks_of
from tfcourse.explain.dependence import partial_dependence
from tfcourse.explain.explanation import explain
from tfcourse.explain.importance import permutation_importance
from tfcourse.explain.surest_mistakes import surest_mistakes


def numbers(rows: int, columns: int = 4) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return numbers, and classes that follow from the first two of them."""
    random = np.random.default_rng(3)
    x = random.normal(size=(rows, columns)).astype(np.float32)
    return x, np.digitize(x[:, 0] + x[:, 1] ** 2 + 0.3 * random.normal(size=rows), [0.3, 1.5])


def each_its_own(columns: int) -> dict[str, NDArray[np.int64]]:
    return {f"x{place}": np.array([place]) for place in range(columns)}


def test_importance_is_that_of_scikit_learn() -> None:
    x, y = numbers(600)
    forest = RandomForestClassifier(30, random_state=0).fit(*numbers(500))
    found = permutation_importance(forest.predict_proba, x, y, each_its_own(4), repeats=20, seed=1)
    for scoring, key in (("neg_log_loss", "log_loss"), ("accuracy", "accuracy")):
        forest_log = LogOf(forest) if scoring == "neg_log_loss" else forest
        theirs = permutation_importance_of_sklearn(
            forest_log, x, y, n_repeats=20, random_state=2, scoring=own_log_loss if key == "log_loss" else scoring
        )
        for each in found:
            place = int(each["column"][1:])
            spread = theirs.importances_std[place] / np.sqrt(20)
            assert each[key] == pytest.approx(theirs.importances_mean[place], abs=6 * spread + 1e-9)  # type: ignore[literal-required]
    assert [each["column"] for each in found[:2]] in (["x0", "x1"], ["x1", "x0"])


class LogOf:
    """A classifier whose probabilities are asked for, as scikit-learn's scorers need them."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, *_: Any) -> None: ...

    def predict_proba(self, x: Any) -> Any:
        return self.model.predict_proba(x)


def own_log_loss(model: Any, x: Any, y: Any) -> float:
    """Return the mean of log p, p kept above 1e-12 as tfcourse measures it; scikit-learn clips at 1e-16."""
    return float(np.log(np.maximum(model.predict_proba(x)[np.arange(len(y)), y], 1e-12)).mean())


def test_the_interval_covers_the_importance_of_many_rows() -> None:
    model = LogisticRegression(C=100).fit(*numbers(3000))
    whole = permutation_importance(model.predict_proba, *numbers(20_000), each_its_own(4), repeats=2, seed=0)
    true = {each["column"]: each["log_loss"] for each in whole}
    x, y = numbers(20_000)
    covered = 0
    for start in range(0, 20_000, 200):
        part = slice(start, start + 200)
        found = permutation_importance(model.predict_proba, x[part], y[part], each_its_own(4), repeats=5, seed=start)
        covered += sum(each["interval"][0] <= true[each["column"]] <= each["interval"][1] for each in found)
    assert 0.90 <= covered / 400 <= 0.99


def test_a_column_without_a_part_in_the_model_has_no_importance() -> None:
    def predict(x: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.stack([x[:, 0], 1 - x[:, 0]], axis=1).astype(float)

    x = np.random.default_rng(0).uniform(0.1, 0.9, (50, 2)).astype(np.float32)
    found = permutation_importance(predict, x, (x[:, 0] < 0.5).astype(np.int64), each_its_own(2), repeats=3, seed=0)
    assert found[1] == {"column": "x1", "log_loss": 0.0, "interval": (0.0, 0.0), "accuracy": 0.0}
    assert found[0]["interval"][0] > 0


def test_dependence_is_that_of_scikit_learn() -> None:
    x, y = numbers(400)
    forest = RandomForestClassifier(20, random_state=0).fit(x, y)
    column = NumberColumn("x1", 0.0, 1.0, has_missing=False)
    found = partial_dependence(forest.predict_proba, x, np.array([1]), x[:, 1].astype(float), column)
    assert found is not None
    theirs = partial_dependence_of_sklearn(
        forest, x, [1], custom_values={1: np.array(found["values"], np.float32)}, method="brute"
    )
    np.testing.assert_allclose(np.array(found["probabilities"]).T, theirs["average"], atol=2e-6)
    assert (len(found["values"]), found["values"]) == (15, sorted(found["values"]))
    assert np.quantile(x[:, 1], 0.025) == pytest.approx(found["values"][0], abs=0.1)


def test_dependence_on_a_category_puts_it_into_every_row() -> None:
    colours = np.array(["red", "", "red", "blue", "red"], dtype=object)
    category = CategoryColumn("colour", ("red", "blue"))
    features = TableFeatures((NumberColumn("n", 0.0, 1.0, has_missing=False),), (category,))
    table = {"n": np.arange(5.0), "colour": colours}
    x = features.transform(table)
    weights = np.array([[0.1, 0.0], [0.0, 0.0], [0.0, 0.3], [0.0, 1.0], [0.0, -1.0]])

    def predict(x: NDArray[np.float32]) -> NDArray[np.float64]:
        logits = np.exp(x @ weights)
        return np.asarray(logits / logits.sum(axis=1, keepdims=True))

    found = partial_dependence(predict, x, blocks_of(features)["colour"], colours, category)
    assert found is not None
    assert (found["values"], found["rows"], found["kind"]) == (["red", None, "blue"], [3, 1, 1], "category")
    for value, probabilities in zip(found["values"], found["probabilities"], strict=True):
        alike = {**table, "colour": np.full(5, value or "", dtype=object)}
        np.testing.assert_allclose(probabilities, predict(features.transform(alike)).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("values", [np.full(4, 2.0), np.full(4, np.nan)])
def test_a_column_of_one_value_has_no_dependence(values: NDArray[np.float64]) -> None:
    column = NumberColumn("a", 0.0, 1.0, has_missing=True)
    x = np.zeros((4, 2), np.float32)
    assert partial_dependence(lambda x: np.full((len(x), 2), 0.5), x, np.array([0]), values, column) is None


def rich() -> pd.DataFrame:
    """Return a table with every kind of column: with missing values, cycles of time, bins, texts."""
    random = np.random.default_rng(0)
    frame = pets(400)
    frame["at"] = pd.date_range("2020-01-01", periods=400, freq="31h").strftime("%Y-%m-%d %H:%M")
    frame["code"] = [f"c{int(number)}" for number in random.zipf(1.3, 400) % 300]
    said = ["very good food", "slow and cold", "good but slow service", "never again, cold soup"]
    frame["said"] = [f"{random.choice(said)} {random.choice(said)} {number % 17}" for number in range(400)]
    return frame


@pytest.mark.parametrize("numbers", ["standard", "robust", "encoded"])
def test_the_columns_of_the_matrix_are_those_that_change_with_a_column(numbers: Any, tmp_path: Path) -> None:
    rich().to_csv(tmp_path / "rich.csv", index=False)
    prepared = prepare(DataOptions(str(tmp_path / "rich.csv"), "kind", numbers=numbers))
    features, rows = prepared.features, prepared.test_rows
    assert isinstance(features, TableFeatures)
    assert isinstance(rows, dict)
    assert features.texts
    assert any(column.cycles for column in features.numbers)
    assert any(column.has_missing for column in features.numbers)
    blocks = blocks_of(features)
    assert list(blocks) == list(features.names)
    assert sorted(np.concatenate(list(blocks.values())).tolist()) == list(range(features.width))
    order = np.random.default_rng(0).permutation(len(prepared.test))
    for name, places in blocks.items():
        expected = prepared.test.x.copy()
        expected[:, places] = expected[np.ix_(order, places)]
        np.testing.assert_array_equal(features.transform({**rows, name: rows[name][order]}), expected)


def test_surest_mistakes_are_told_by_their_row_in_the_file(tmp_path: Path) -> None:
    rich().to_csv(tmp_path / "rich.csv", index=False)
    prepared = prepare(DataOptions(str(tmp_path / "rich.csv"), "kind"))
    right = np.eye(2)[prepared.test.y] * 0.6 + 0.2
    wrong = [5, 17]
    right[wrong] = right[wrong][:, ::-1] * [[1.0], [0.9]]
    assert isinstance(prepared.test_rows, dict)
    assert isinstance(prepared.features, TableFeatures)
    found = surest_mistakes(
        right, prepared.test.y, prepared.classes, prepared.test_places, prepared.test_rows, prepared.features.columns
    )
    written = pd.read_csv(tmp_path / "rich.csv")
    assert len(found) == 2
    assert found[0]["probability"] == 0.8
    for each in found:
        row = written.iloc[each["row"] - 1]
        assert row["kind"] == each["label"] != each["predicted"]
        assert row["at"] == each["values"]["at"]
        assert row["born"] == each["values"]["born"]
        assert each["values"]["weight"] == (None if np.isnan(row["weight"]) else row["weight"])
        assert (each["values"]["colour"] or "?") == row["colour"]


def explained(predict: Any, prepared: Prepared) -> Any:
    x = prepared.test.x
    return explain(predict, predict(x), prepared, prepared.features, x, seed=0)


def test_what_is_explained_and_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rich().to_csv(tmp_path / "rich.csv", index=False)
    prepared = prepare(DataOptions(str(tmp_path / "rich.csv"), "kind"))

    def predict(x: NDArray[np.float32]) -> NDArray[np.float64]:
        share = 1 / (1 + np.exp(-2 * x[:, 0].astype(float)))
        return np.stack([1 - share, share], axis=1)

    found = explained(predict, prepared)
    assert found is not None
    assert isinstance(prepared.features, TableFeatures)
    assert found["importance"][0]["column"] == prepared.features.numbers[0].name
    assert {each["log_loss"] for each in found["importance"][1:]} == {0.0}
    assert found == explained(predict, prepared), "the same seed says the same"
    assert "said" not in {each["column"] for each in found["dependence"]}, "a text has too many values"
    monkeypatch.setattr(explaining, "MOST_PREDICTIONS", 100)
    assert explained(predict, prepared) is None, "too many columns"
    digits = prepare(DataOptions("digits"))
    assert explained(predict, digits) is None


def test_a_run_and_its_report_say_what_the_model_goes_by(pets_run: Path) -> None:
    result = json.loads((pets_run / "result.json").read_text(encoding="utf-8"))
    explanation = result["explanation"]
    assert {each["column"] for each in explanation["importance"]} == {"weight", "colour", "born"}
    wrong = sum(sum(row) for row in result["test"]["confusion"]) - np.trace(result["test"]["confusion"])
    assert len(explanation["surest_mistakes"]) == min(10, wrong)
    page = (pets_run / "report.html").read_text(encoding="utf-8")
    assert "What the model goes by" in page
    assert "Log-loss added when a column is shuffled: " in page
