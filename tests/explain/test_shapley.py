"""Shapley values against their definition over all orders, against ``shap``, and through ``predict --explain``."""

from __future__ import annotations

import csv
import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from tests.conftest import pets
from tfcourse import predict
from tfcourse.explain import shapley
from tfcourse.explain.shapley import RowEffects, explain_rows

BLOCKS = {"a": np.array([0, 3]), "b": np.array([1]), "c": np.array([2, 4, 5]), "d": np.array([6])}
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(7, 9)), RANDOM.normal(size=(9, 3))
ROWS, BACKGROUND = (RANDOM.normal(size=(count, 7)).astype(np.float32) for count in (4, 13))


def network(x: NDArray[Any]) -> NDArray[np.float64]:
    """Return three probabilities that hang on the numbers of a row in no simple way."""
    z = np.exp(np.tanh(x @ WEIGHTS[0]) @ WEIGHTS[1])
    return np.asarray(z / z.sum(axis=1, keepdims=True))


def by_definition(row: NDArray[Any], number: int) -> list[float]:
    """Return the mean, over all orders of the columns, of what each adds to the average over the background."""
    added: dict[str, list[float]] = {name: [] for name in BLOCKS}
    for order in itertools.permutations(BLOCKS):
        mixed = BACKGROUND.copy()
        before = network(mixed)[:, number].mean()
        for name in order:
            mixed[:, BLOCKS[name]] = row[BLOCKS[name]]
            after = network(mixed)[:, number].mean()
            added[name].append(float(after - before))
            before = after
    return [float(np.mean(each)) for each in added.values()]


def test_all_sets_give_what_the_definition_gives() -> None:
    found = explain_rows(network, ROWS, BACKGROUND, BLOCKS)
    assert (found.columns, found.orders) == (("a", "b", "c", "d"), 0)
    np.testing.assert_array_equal(found.classes, network(ROWS).argmax(axis=1))
    expected = [by_definition(row, int(number)) for row, number in zip(ROWS, found.classes, strict=True)]
    np.testing.assert_allclose(found.effects, expected, atol=1e-7)
    np.testing.assert_allclose(found.average, network(BACKGROUND).mean(axis=0)[found.classes], atol=1e-12)
    total = found.average + found.effects.sum(axis=1)
    np.testing.assert_allclose(total, network(ROWS).max(axis=1), atol=1e-7)


def test_little_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ways: list[Any] = [{}, {"most_exact": 3, "asked": 1000}]
    before = [explain_rows(network, ROWS, BACKGROUND, BLOCKS, **way) for way in ways]
    monkeypatch.setattr(shapley, "MOST_NUMBERS", 300)
    for way, found in zip(ways, before, strict=True):
        after = explain_rows(network, ROWS, BACKGROUND, BLOCKS, **way)
        np.testing.assert_allclose(after.effects, found.effects, atol=1e-12)
        np.testing.assert_allclose(after.errors, found.errors, atol=1e-12)


def test_another_class_may_be_asked_for() -> None:
    found = explain_rows(network, ROWS, BACKGROUND, BLOCKS, classes=np.array([2, 2, 0, 1]))
    np.testing.assert_allclose(found.effects[0], by_definition(ROWS[0], 2), atol=1e-7)
    np.testing.assert_allclose(found.effects[3], by_definition(ROWS[3], 1), atol=1e-7)


def test_orders_that_are_drawn_come_near_and_know_how_near() -> None:
    exact = explain_rows(network, ROWS, BACKGROUND, BLOCKS)
    drawn = explain_rows(network, ROWS, BACKGROUND, BLOCKS, most_exact=3, asked=20_000)
    assert drawn.orders == 2 * 13 * round(20_000 / (2 * 5 * 13))
    assert 0 < drawn.errors.max() < 0.02
    assert (np.abs(drawn.effects - exact.effects) <= 4 * drawn.errors + 1e-9).all()
    np.testing.assert_allclose(drawn.average + drawn.effects.sum(axis=1), network(ROWS).max(axis=1), atol=1e-6)
    more = explain_rows(network, ROWS, BACKGROUND, BLOCKS, most_exact=3, asked=200_000)
    assert np.abs(more.effects - exact.effects).max() < np.abs(drawn.effects - exact.effects).max()


def test_they_are_those_of_shap() -> None:
    shap = pytest.importorskip("shap", reason="shap is not installed")
    each_its_own = {str(place): np.array([place]) for place in range(7)}
    found = explain_rows(network, ROWS, BACKGROUND, each_its_own)
    masker = shap.maskers.Independent(BACKGROUND, max_samples=len(BACKGROUND))
    theirs = shap.explainers.Exact(network, masker)(ROWS)
    for row, number in enumerate(found.classes):
        np.testing.assert_allclose(found.effects[row], theirs.values[row, :, number], atol=1e-7)
        np.testing.assert_allclose(found.average[row], theirs.base_values[row, number], atol=1e-7)


def test_a_column_that_changes_nothing_has_no_effect_and_two_alike_share_theirs() -> None:
    def both(x: NDArray[Any]) -> NDArray[np.float64]:
        p = np.where((x[:, 0] > 0) & (x[:, 1] > 0), 0.9, 0.1)
        return np.stack([p, 1 - p], axis=1)

    blocks = {name: np.array([place]) for place, name in enumerate("abc")}
    found = explain_rows(both, np.ones((1, 3), np.float32), np.zeros((2, 3), np.float32), blocks)
    np.testing.assert_allclose(found.effects, [[0.4, 0.4, 0.0]])
    assert found.leading(0, 2) == [0, 1]
    assert RowEffects(("a", "b"), *(np.zeros(1, int),) * 2, np.array([[0.1, -0.2]]), np.zeros((1, 2)), 0).leading(
        0, 5
    ) == [1, 0]


@pytest.fixture(scope="module")
def new_pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("new") / "new.csv"
    frame = pets(6, seed=5).drop(columns="kind")
    frame.loc[1, "colour"] = "never seen"
    frame.to_csv(path, index=False)
    return path


def told(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_predict_explains_each_row(pets_run: Path, new_pets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main([str(pets_run), "--data", str(new_pets), "--explain", "9"]) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1] == (
        "note: effects are Shapley values of the label's probability, exact, against 72 rows of the training data"
    )
    rows, table = told(captured.out), pd.read_csv(new_pets)
    assert len(rows) == 6
    for place, row in enumerate(rows):
        names = [row[f"column_{rank}"] for rank in (1, 2, 3)]
        assert sorted(names) == ["born", "colour", "weight"]
        effects = [float(row[f"effect_{rank}"]) for rank in (1, 2, 3)]
        assert [abs(effect) for effect in effects] == sorted(map(abs, effects), reverse=True)
        total = float(row["average_probability"]) + sum(effects)
        assert total == pytest.approx(float(row[f"probability_{row['label']}"]), abs=2e-4)
        values = dict(zip(names, (row[f"value_{rank}"] for rank in (1, 2, 3)), strict=True))
        weight = table.loc[place, "weight"]
        assert values["weight"] == ("" if pd.isna(weight) else str(weight))
        assert values["born"] == table.loc[place, "born"]
    assert "column_4" not in rows[0]
    assert predict.main([str(pets_run), "--data", str(new_pets), "--explain", "1"]) == 0
    short = told(capsys.readouterr().out)
    assert [row["column_1"] for row in short] == [row["column_1"] for row in rows]
    assert list(short[0])[3:] == ["average_probability", "column_1", "value_1", "effect_1"]
    assert predict.main([str(pets_run), "--data", str(new_pets)]) == 0
    assert list(told(capsys.readouterr().out)[0]) == ["label", "probability_cat", "probability_dog"]


def test_predict_explains_without_the_runs_data_if_others_are_given(
    pets_run: Path, new_pets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(pets_run, run)
    record = (run / "run.json").read_text()
    (run / "run.json").write_text(record.replace("pets.csv", "gone.csv"))
    gone = str(pets_run.parent / "gone.csv")
    assert predict.main([str(run), "--data", str(new_pets), "--explain", "2"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: --explain compares each row with training rows, but {gone!r} is gone or holds other data than the run"
        " was made on. Put it back, or give rows to compare with: --background PATH."
    )
    given = [str(run), "--data", str(new_pets), "--explain", "2", "--background", str(new_pets)]
    assert predict.main(given) == 0
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].endswith(f", exact, against 6 rows of {new_pets}")
    average = {float(row["average_probability"]) for row in told(captured.out)}
    probabilities = [float(row["probability_cat"]) for row in told(captured.out)]
    assert {round(each, 5) for each in average} <= {
        round(np.mean(probabilities), 5),
        round(1 - np.mean(probabilities), 5),
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--explain 0", "argument --explain: '0' was given; allowed are whole numbers from 1. See python -m"
         " tfcourse.predict --help."),
        ("--background x.csv", "--background is for --explain N; give both."),
        ("--explain 1 --background -", "--background: standard input is for --data; give a file."),
        ("--explain 1 --background nowhere.csv", "--background: there is no file 'nowhere.csv'."),
    ],
)  # fmt: skip
def test_mistakes(
    arguments: str, sentence: str, pets_run: Path, new_pets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict.main([str(pets_run), "--data", str(new_pets), *arguments.split()]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {sentence}")
