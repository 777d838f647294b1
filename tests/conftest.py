"""A table and a run of it that several tests look at."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

# No deadline: a busy machine is no failure. The same examples each time, so that a change is judged by what it changed;
# `--hypothesis-profile=deep` draws others.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pets(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return a small table with every kind of column, two classes that its columns tell apart, and missing values."""
    random = np.random.default_rng(seed)
    weight = random.gamma(4, 2, rows).round(2)
    colour = random.choice(["black", "white", "ginger"], rows)
    kind = np.where(weight + 2 * (colour == "black") + random.normal(size=rows) > 8.5, "dog", "cat")
    frame = pd.DataFrame(
        {
            "name": [f"pet {number}" for number in range(rows)],
            "weight": weight,
            "colour": colour,
            "legs": 4,
            "born": pd.date_range("2015-01-01", periods=rows, freq="9D").strftime("%Y-%m-%d"),
            "kind": kind,
        }
    )
    frame.loc[::10, "weight"] = None
    frame.loc[5::20, "colour"] = "?"
    return frame


@pytest.fixture(scope="session")
def pets_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the table as a CSV file."""
    path = tmp_path_factory.mktemp("pets") / "pets.csv"
    pets().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def pets_run(pets_csv: Path) -> Path:
    """Return the folder of a finished run on the table."""
    from tfcourse import train

    out = pets_csv.parent / "run"
    arguments = ["--data", str(pets_csv), "--target", "kind", "--trials", "3", "--epochs", "4", "--out", str(out)]
    assert train.main([*arguments, "--quiet"]) == 0
    return out


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest tests come first, so that where several processes test none of them waits for another's last."""
    items.sort(key=lambda item: "test_resume" not in item.nodeid)
