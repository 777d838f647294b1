"""The run's own data: found, thinned, and refused when they are not the same any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.retesting.own_data import read_own_data


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
    own = read_own_data(record, features, most, seed)
    assert own is not None
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


def test_rows_in_the_order_of_time_are_thinned_evenly(table: Path) -> None:
    record, features = record_of(table, split="time")
    assert rows_of(record, features, 4) == [0.5, 10.5, 20.5, 30.5]


def test_data_that_changed_or_went_are_none(table: Path) -> None:
    record, features = record_of(table)
    table.write_text(table.read_text() + "99,up\n")
    assert read_own_data(record, features, most=10) is None
    table.unlink()
    assert read_own_data(record, features, most=10) is None
