"""From a file to three parts: nothing leaks from validation and test into what training knows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.messy_files import GOOD
from tfcourse.data.numbers_as import numbers_as
from tfcourse.data.prepare import DataOptions, both_ways, numbers_otherwise, prepare, rows_in_split
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


def coarse(path: Path, rows: int = 1000) -> str:
    """Write a table of 6 kinds of row, two classes in each, and return its path."""
    random = np.random.default_rng(0)
    kind = random.choice(6, rows, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    frame = pd.DataFrame({"a": kind // 2, "b": np.array(["x", "y"])[kind % 2]})
    frame["y"] = np.where(random.random(rows) < 0.2 + 0.1 * kind, "yes", "no")
    frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("seed", range(4))
def test_a_table_of_few_kinds_is_split_by_its_rows(tmp_path: Path, seed: int) -> None:
    prepared = prepare(DataOptions(coarse(tmp_path / "t.csv"), target="y", seed=seed))
    assert_allclose(list(rows_in_split(prepared).values()), [600, 200, 200], atol=20)
    parts = [prepared.train, prepared.validation, prepared.test]
    shares = np.array([np.bincount(part.y) / len(part) for part in parts])
    assert_allclose(shares, [shares[0]] * 3, atol=0.05)
    kinds = np.array([np.unique(part.x[:, 0] * 10 + part.x[:, -1], return_counts=True)[1].max() for part in parts])
    assert_allclose(kinds / [600, 200, 200], 0.4, atol=0.08)
    assert "but for 6 kinds of row too frequent for that" in prepared.notes[0]
    assert prepared.notes[1].startswith("6 kinds of equal rows have different labels: no model can be right in more")


def test_rows_are_compared_by_the_columns_that_are_used(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": np.repeat(np.arange(60) * 1.5, 3), "y": np.repeat(["a", "b"], 90)})
    frame["id"] = [f"row {number}" for number in range(len(frame))]
    frame["same"] = "always"
    frame.sample(frac=1, random_state=0).reset_index(drop=True).to_csv(tmp_path / "t.csv")
    prepared = prepare(DataOptions(str(tmp_path / "t.csv"), target="y"))
    assert prepared.features.names == ("n",)  # type: ignore[union-attr]
    parts = [set(part.x[:, 0].tolist()) for part in (prepared.train, prepared.validation, prepared.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    assert prepared.notes == [
        "t.csv: the first column has no name and is called 'column 1'",
        "120 rows repeat another one in all columns that are used; equal rows stay in one part of the split",
    ]
    assert list(rows_in_split(prepared).values()) == [108, 36, 36]


def test_a_run_of_an_earlier_version_is_split_as_it_was(tmp_path: Path) -> None:
    rows = [f"{number},{number // 3 * 1.5},{'ab'[number // 90]}" for number in range(180)]
    (tmp_path / "t.csv").write_text(",n,y\n" + "\n".join(rows) + "\n")
    options = DataOptions(str(tmp_path / "t.csv"), target="y").to_json()
    assert options.pop("split_rules") == 2
    del options["group"]
    before = prepare(DataOptions.from_json(options))
    now = prepare(DataOptions.from_json({**options, "split_rules": 2}))
    # All 180 rows differ by their number: each class's rows in random order, shared out by their number.
    random = np.random.default_rng([0, 0])
    test = np.sort(np.concatenate([random.permutation(90)[:18], 90 + random.permutation(90)[:18]]))
    assert_array_equal(before.test_rows["n"].astype(float), test // 3 * 1.5)  # type: ignore[call-overload]
    assert sorted(before.test.x[:, 0].tolist()) != sorted(now.test.x[:, 0].tolist())


def test_rows_of_test_data_that_stand_in_the_training_data_are_told(path: str, tmp_path: Path) -> None:
    lines = GOOD.splitlines()
    (tmp_path / "more.csv").write_text("\n".join([lines[0], lines[3], "4,1,u,b", lines[7], lines[3]]) + "\n")
    prepared = prepare(DataOptions(path, target="y", test_data=str(tmp_path / "more.csv")))
    assert prepared.seen.tolist() == [True, False, True, True]
    assert prepared.notes[-1] == (
        "3 of 4 rows of --test-data stand in --data too, alike in every column that is used: they make the score too"
        " good"
    )
    random = np.random.default_rng(0).normal(size=(30, 3, 3))
    np.savez(tmp_path / "a.npz", x=random[:20], y=np.arange(20) % 2)
    np.savez(tmp_path / "b.npz", x=random[18:].astype(np.float32), y=np.arange(12) % 2)
    arrays = prepare(DataOptions(str(tmp_path / "a.npz"), test_data=str(tmp_path / "b.npz")))
    assert arrays.seen.tolist() == [True, True] + [False] * 10


def test_later_rows_that_stand_in_the_earlier_parts_are_told(path: str) -> None:
    with open(path, "a") as file:
        file.write(GOOD.splitlines()[1] + "\n")
    prepared = prepare(DataOptions(path, target="y", split="time"))
    assert prepared.seen.tolist() == [False] * 5 + [True]
    assert prepared.notes == [
        "1 of 6 rows of the test part stands in the earlier parts too, alike in every column that is used: it makes the"
        " score too good"
    ]
    assert not prepare(DataOptions(path, target="y")).seen.any()


@pytest.fixture
def patients(tmp_path: Path) -> pd.DataFrame:
    """Return a table of 40 patients with 1 to 8 visits each."""
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 1 + np.arange(40) % 8)
    frame = pd.DataFrame({"patient": [f"p{number}" for number in who], "x": random.normal(size=len(who))})
    return frame.assign(y=np.where(frame["x"] + random.normal(size=len(who)) > 0, "ill", "well"))


def test_named_groups_stay_together_and_are_not_learned_from(patients: pd.DataFrame, tmp_path: Path) -> None:
    patients.to_csv(tmp_path / "t.csv", index=False)
    options = DataOptions(str(tmp_path / "t.csv"), target="y", group="patient")
    prepared = prepare(options)
    assert prepared.features.names == ("x",)  # type: ignore[union-attr]
    of = dict(zip(patients["x"].astype(np.float32), patients["patient"], strict=True))
    number = prepared.features.numbers[0]  # type: ignore[union-attr]
    parts = [prepared.train, prepared.validation, prepared.test]
    known = np.array(list(of))
    groups = []
    for part in parts:
        values = part.x[:, 0].astype(np.float64) * number.deviation + number.mean
        groups.append({of[known[np.abs(known - value).argmin()]] for value in values})
    assert sum(map(len, groups)) == len(set.union(*groups)) == 40
    assert_allclose([len(part) for part in parts], np.array([0.6, 0.2, 0.2]) * len(patients), atol=8)
    assert "rows with one 'patient' stay in one part of the split; it is not learned from" in prepared.notes
    asked = prepare(dataclasses.replace(options, categorical=("patient",)))
    assert set(asked.features.names) == {"patient", "x"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "patent"}, "--group: there is no column 'patent' beside the target. Did you mean 'patient'? Its"
         " columns are 'patient', 'x'."),
        ({"group": "patient", "split": "time"}, "--group was given with --split time, which keeps rows in their order;"
         " give one of them."),
    ],
)  # fmt: skip
def test_groups_that_cannot_be(patients: pd.DataFrame, tmp_path: Path, options: dict[str, str], message: str) -> None:
    patients.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError) as caught:
        prepare(DataOptions(str(tmp_path / "t.csv"), target="y", **options))  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_arrays_have_no_groups() -> None:
    with pytest.raises(UserError) as caught:
        prepare(DataOptions("digits", group="x"))
    assert str(caught.value) == "--group is for tables; 'digits' holds arrays."


def test_arrays_have_no_categories(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        prepare(DataOptions("digits", categorical=("x",)))
    assert str(caught.value) == "--categorical is for tables; 'digits' holds arrays."


def test_a_named_column_of_time_orders_the_rows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    days = random.permutation(100)
    frame = pd.DataFrame(
        {"day": pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"), "x": random.normal(size=100)}
    )
    frame["y"] = np.where(days % 2, "a", "b")
    frame.to_csv(tmp_path / "t.csv", index=False)
    prepared = prepare(DataOptions(str(tmp_path / "t.csv"), target="y", split="time", time="day"))
    place = [number.name for number in prepared.features.numbers].index("day")  # type: ignore[union-attr]
    parts = [part.x[:, place] for part in (prepared.train, prepared.validation, prepared.test)]
    assert [len(part) for part in parts] == [60, 20, 20]
    assert (np.diff(np.concatenate(parts)) > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": "x"}, "--time x was given without --split time; give both."),
        ({"split": "time", "time": "k"}, "--time: column 'k' holds texts; each row needs a date or a number."),
        ({"split": "time", "time": "z"}, "--time: column 'z' is empty in 1 rows; each row needs a date or a number."),
        (
            {"split": "time", "time": "xx"},
            "--time: there is no column 'xx' beside the target. Did you mean 'x'? Its columns are 'x', 'k', 'z'.",
        ),
    ],
)
def test_times_that_cannot_be(tmp_path: Path, options: dict[str, str], message: str) -> None:
    frame = pd.DataFrame({"x": range(40), "k": list("ab") * 20, "z": [None, *range(39)], "y": list("uv") * 20})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(UserError) as caught:
        prepare(DataOptions(str(tmp_path / "t.csv"), target="y", **options))  # type: ignore[arg-type]
    assert str(caught.value) == message


@pytest.mark.parametrize("block", [1, 500, 10**6])
def test_both_ways_stand_one_below_the_other(pets_csv: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfcourse.data.prepare.BLOCK", block)
    prepared = prepare(DataOptions(str(pets_csv), target="kind"))
    features = numbers_otherwise(prepared, "encoded")
    x, rows = both_ways(prepared, features), len(prepared.train) + len(prepared.validation)
    assert features.width > prepared.features.width
    assert x.dtype == np.float32
    first = np.concatenate([prepared.train.x, prepared.validation.x])
    assert_array_equal(x[:rows], np.pad(first, ((0, 0), (0, features.width - first.shape[1]))))
    assert prepared.rows is not None
    assert_array_equal(x[rows:], features.transform(prepared.rows))  # type: ignore[arg-type]
    assert features == numbers_as(prepared.features, prepared.rows, np.arange(len(prepared.train)), "encoded")  # type: ignore[arg-type]
