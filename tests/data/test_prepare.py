"""From a file to three parts: nothing leaks from validation and test into what training knows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.messy_files import GOOD
from tfcourse.data.prepare import DataOptions, prepare, rows_in_split
from tfcourse.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "good.csv"
    file.write_text(GOOD)
    return str(file)


def test_digits() -> None:
    prepared = prepare(DataOptions())
    assert prepared.classes == tuple("0123456789")
    train = prepared.train.x.astype(np.float64)
    assert (train.mean(), train.std()) == (pytest.approx(0, abs=1e-5), pytest.approx(1, abs=1e-5))
    for part in (prepared.train, prepared.validation, prepared.test):
        shares = np.bincount(part.y) / len(part)
        assert_allclose(shares, 0.1, atol=0.01)  # 174 to 183 rows a class
    assert rows_in_split(prepared) == {"train": 1079, "validation": 359, "test": 359}


def test_parts_are_60_20_20_of_each_class(path: str) -> None:
    prepared = prepare(DataOptions(path, target="y"))
    parts = [prepared.train, prepared.validation, prepared.test]
    assert [np.bincount(part.y).tolist() for part in parts] == [[9, 9], [3, 3], [3, 3]]


def test_the_training_part_alone_is_standardized(path: str) -> None:
    prepared = prepare(DataOptions(path, target="y"))
    assert_allclose(prepared.train.x[:, :2].mean(axis=0), 0, atol=1e-6)
    assert_allclose(prepared.train.x[:, :2].std(axis=0), 1, atol=1e-6)
    assert np.abs(prepared.test.x[:, :2].mean(axis=0)).max() > 1e-3


def test_each_row_keeps_its_label(path: str) -> None:
    prepared = prepare(DataOptions(path, target="y"))
    table = pd.read_csv(path)
    n = prepared.features.numbers[0]  # type: ignore[union-attr]
    label_of = dict(zip(table["n"], table["y"], strict=True))
    for part in (prepared.train, prepared.validation, prepared.test):
        squares = np.rint(part.x[:, 0].astype(np.float64) * n.deviation + n.mean).astype(int)
        assert [prepared.classes[number] for number in part.y] == [label_of[square] for square in squares]


def test_by_time_the_last_rows_test(path: str) -> None:
    prepared = prepare(DataOptions(path, target="y", split="time"))
    assert rows_in_split(prepared) == {"train": 18, "validation": 6, "test": 6}
    squares = np.arange(30.0) ** 2
    expected = (squares - squares[:18].mean()) / squares[:18].std()
    matrices = [prepared.train.x, prepared.validation.x, prepared.test.x]
    assert_allclose(np.concatenate(matrices)[:, 0], expected, rtol=1e-5)


def test_a_test_file_is_the_test_part(path: str, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("n,x,kind,y\n4,1,u,b\n9,,new,a\n")
    prepared = prepare(DataOptions(path, target="y", test_data=str(tmp_path / "more.csv")))
    assert rows_in_split(prepared) == {"train": 22, "validation": 8, "test": 2}
    assert prepared.test.y.tolist() == [1, 0]
    assert prepared.test.x[1].tolist()[1:] == [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]  # x missing, another kind


def test_a_seed_is_a_split(path: str) -> None:
    options = DataOptions(path, target="y")
    first, again, other = (prepare(dataclasses.replace(options, seed=seed)) for seed in (0, 0, 1))
    assert_array_equal(first.train.x, again.train.x)
    assert sorted(first.test.x[:, 1].tolist()) != sorted(other.test.x[:, 1].tolist())
    assert first.fingerprint == other.fingerprint


def test_repeated_rows_stay_together(tmp_path: Path) -> None:
    rows = [f"{number},{'ab'[number % 2]}" for number in range(40)]
    (tmp_path / "t.csv").write_text("n,y\n" + "\n".join(rows * 3) + "\n")
    prepared = prepare(DataOptions(str(tmp_path / "t.csv"), target="y"))
    assert prepared.notes == ["80 rows repeat another one; equal rows stay in one part of the split"]
    parts = [set(part.x[:, 0].tolist()) for part in (prepared.train, prepared.validation, prepared.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 40
    assert [len(part) for part in parts] == [24, 8, 8]


def test_one_repeated_row_is_said_in_the_singular(path: str) -> None:
    with open(path, "a") as file:
        file.write("0,0.0,u,a\n")
    prepared = prepare(DataOptions(path, target="y"))
    assert prepared.notes == ["1 row repeats another one; equal rows stay in one part of the split"]


def test_arrays_have_no_categories(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        prepare(DataOptions("digits", categorical=("x",)))
    assert str(caught.value) == "--categorical is for tables; 'digits' holds arrays."
