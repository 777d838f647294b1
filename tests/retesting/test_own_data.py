"""The run's own data: found, thinned, and refused when they are not the same any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.old_run import read_own_data, sample_of
from tfcourse.retesting.retest import comparable


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of 40 numbered rows."""
    path = tmp_path / "old.csv"
    frame = pd.DataFrame({"x": np.arange(40) + 0.5, "label": ["up", "down"] * 20})
    frame.to_csv(path, index=False)
    return path


def record_of(path: Path, **options: Any) -> tuple[dict[str, Any], Any]:
    """Return what a run's record says of its data, and the features."""
    chosen = DataOptions(str(path), target="label", **options)
    prepared = prepare(chosen)
    record = {
        "options": chosen.to_json(), "classes": list(prepared.classes),
        "data": {"fingerprint": prepared.fingerprint, "columns": prepared.columns},
    }  # fmt: skip
    return record, prepared.features


def rows_of(record: dict[str, Any], features: Any, most: int, seed: int = 0) -> list[float]:
    """Return the column of the rows that are read."""
    found = read_own_data(record, features)
    assert found is not None
    own = sample_of(found, most, seed, in_order=record["options"]["split"] == "time")
    assert isinstance(own.x, dict)
    assert own.y.tolist() == [own.classes.index("up" if int(x) % 2 == 0 else "down") for x in own.x["x"].astype(float)]
    return [float(x) for x in own.x["x"]]


def test_all_rows_or_a_sample_of_them(table: Path) -> None:
    record, features = record_of(table)
    assert rows_of(record, features, 100) == [row + 0.5 for row in range(40)]
    some = rows_of(record, features, 10)
    assert some == rows_of(record, features, 10) != rows_of(record, features, 10, seed=1)
    assert len(set(some)) == 10
    assert some == sorted(some)


def test_a_sample_keeps_the_shares_of_the_classes(tmp_path: Path) -> None:
    path = tmp_path / "rare.csv"
    pd.DataFrame({"x": np.arange(400) + 0.5, "label": (["rare"] + ["usual"] * 19) * 20}).to_csv(path, index=False)
    record, features = record_of(path)
    for seed in range(20):
        found = read_own_data(record, features)
        assert found is not None
        own = sample_of(found, 100, seed)
        assert np.bincount(own.y).tolist() in ([5, 95], [4, 96], [6, 94])


def test_what_cannot_be_a_control() -> None:
    def own(rare: int, usual: int) -> NewData:
        y = np.array([0] * rare + [1] * usual)
        return NewData("own", {"x": np.zeros(len(y))}, y, ("a", "b"), 2)

    assert comparable(own(5, 95), rows=200, repeats=5)
    assert not comparable(own(5, 95), rows=201, repeats=5), "half as many rows at least"
    assert not comparable(own(4, 96), rows=100, repeats=5), "a class in each part"
    assert not comparable(own(0, 100), rows=100, repeats=5)
    assert not comparable(own(5, 44), rows=49, repeats=5), "ten rows a part"


def test_rows_in_the_order_of_time_are_thinned_evenly(table: Path) -> None:
    record, features = record_of(table, split="time")
    assert rows_of(record, features, 4) == [0.5, 10.5, 20.5, 30.5]


def test_data_that_changed_or_went_are_none(table: Path) -> None:
    record, features = record_of(table)
    table.write_text(table.read_text() + "99,up\n")
    assert read_own_data(record, features) is None
    table.unlink()
    assert read_own_data(record, features) is None
