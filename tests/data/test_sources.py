"""Data sets by their names, labels of every kind, rows without a label, a separate test file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from tests.messy_files import GOOD, IMAGES, LABELS
from tfcourse.data.reading.decide import Wishes
from tfcourse.data.sources import columns_of, load, read_npz, stem
from tfcourse.errors import UserError


def labels_in(folder: Path, y: Any, name: str) -> tuple[list[str], list[str]]:
    """Save labels beside 2 features in a CSV, a Parquet file or an NPZ; return the labels read and the notes."""
    path = str(folder / name)
    if name.endswith("npz"):
        np.savez(path, x=np.arange(2 * len(y)).reshape(-1, 2), y=y)
        dataset = load(path)
    else:
        frame = pd.DataFrame({"a": np.arange(len(y)), "y": y})
        frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
        dataset = load(path, target="y")
    return dataset.labels.tolist(), dataset.notes


def test_digits_are_scikit_learns() -> None:
    digits = load("digits")
    assert isinstance(digits.x, np.ndarray)
    np.testing.assert_array_equal(digits.x.reshape(1797, 64), load_digits().data)
    assert digits.labels.tolist() == [str(label) for label in load_digits().target]
    assert digits.fingerprint == load("digits").fingerprint


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.npz"])
@pytest.mark.parametrize(
    ("y", "texts"),
    [
        ([1.0, 2.0, 1.0], ["1", "2", "1"]),
        ([3, -1, 3], ["3", "-1", "3"]),
        ([0.5, 1.5, 0.5], ["0.5", "1.5", "0.5"]),
        ([True, False, True], ["True", "False", "True"]),
        (["ja", "größer", "ja"], ["ja", "größer", "ja"]),
        (["01", "02", "01"], ["01", "02", "01"]),
    ],
    ids=["whole floats", "integers", "floats", "booleans", "texts", "texts of digits"],
)
def test_labels_read_alike_from_every_kind_of_file(tmp_path: Path, y: list[Any], texts: list[str], name: str) -> None:
    assert labels_in(tmp_path, y, name) == (texts, [])


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.npz"])
def test_rows_without_a_label_are_left_out(tmp_path: Path, name: str) -> None:
    y = [1.0, np.nan, 2.0, 2.0, np.nan]
    assert labels_in(tmp_path, y, name) == (["1", "2", "2"], ["2 rows without a 'y' are left out"])
    assert labels_in(tmp_path, y[:4], name) == (["1", "2", "2"], ["1 row without a 'y' is left out"])


def test_the_rows_that_stay_keep_their_labels(tmp_path: Path) -> None:
    x = np.arange(8).reshape(4, 2)
    np.savez(tmp_path / "t.npz", x=x, y=np.array(["b", "", "a", "?"]))
    dataset = load(str(tmp_path / "t.npz"))
    assert isinstance(dataset.x, np.ndarray)
    assert (dataset.x.tolist(), dataset.labels.tolist()) == ([[0, 1], [4, 5]], ["b", "a"])


def test_a_column_of_labels_may_stand_upright(tmp_path: Path) -> None:
    assert labels_in(tmp_path, np.array([[7], [8], [7]]), "t.npz") == (["7", "8", "7"], [])


def test_images_stay_as_they_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=IMAGES, y=LABELS)
    x, y = read_npz(tmp_path / "t.npz")
    assert (x.dtype, x.shape) == (np.uint8, (30, 2, 2))
    np.testing.assert_array_equal(x, IMAGES)
    assert y is not None
    assert y.tolist() == LABELS.tolist()


def test_the_target_and_dropped_columns_are_no_features(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD)
    dataset = load(str(tmp_path / "t.csv"), target="kind", drop=["n"])
    assert isinstance(dataset.x, dict)
    assert list(dataset.x) == ["x", "y"]
    assert dataset.labels.tolist() == list("uvw") * 10


def test_the_fingerprint_tells_files_apart(tmp_path: Path) -> None:
    for name, text in [("a.csv", GOOD), ("b.csv", GOOD), ("c.csv", GOOD + "1,2,u,a\n")]:
        (tmp_path / name).write_text(text)
    prints = [load(str(tmp_path / name), target="y").fingerprint for name in ("a.csv", "b.csv", "c.csv")]
    assert prints[0] == prints[1] != prints[2]
    tested = [
        load(str(tmp_path / "a.csv"), target="y", test_data=str(tmp_path / name)).fingerprint
        for name in ("b.csv", "c.csv")
    ]
    assert len({*prints, *tested}) == 4


def test_a_test_file_may_have_its_columns_in_another_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text("y,kind,more,x,n\nb,v,0,2.5,4\n")
    dataset = load(str(tmp_path / "a.csv"), target="y", test_data=str(tmp_path / "b.csv"))
    assert dataset.test is not None
    test_x, test_labels = dataset.test
    assert isinstance(test_x, dict)
    assert (test_x["n"].tolist(), test_labels.tolist()) == ([4.0], ["b"])


def test_names_for_people() -> None:
    assert [stem(Path(name)) for name in ("runs/new.csv.gz", "a b.parquet", ".csv")] == ["new", "a b", "data"]
    many = {f"c{number}": np.zeros(1) for number in range(32)}
    assert columns_of(many).endswith("'c28', 'c29' and 2 more.")


def test_identifiers_beyond_floats_are_the_same_categories_from_every_kind_of_table(tmp_path: Path) -> None:
    devices = [2**53 + 1 + row % 4 for row in range(40)]
    frame = pd.DataFrame({"device": devices, "a": np.arange(40) / 8, "y": ["yes", "no"] * 20})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        x = load(str(tmp_path / name), target="y", wishes=Wishes(categorical=("device",))).x
        assert isinstance(x, dict)
        assert x["device"].tolist() == [str(device) for device in devices]
        np.testing.assert_array_equal(x["a"], frame["a"])


@pytest.mark.parametrize(
    "y", [np.array([1j, 2, 3]), np.zeros(3, [("a", "i4"), ("b", "f8")]), np.zeros(3, "V4")], ids=lambda y: str(y.dtype)
)
def test_labels_of_a_type_that_no_label_has_are_refused(y: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 2)), y=y)
    with pytest.raises(UserError, match="y must hold labels as numbers or texts, but its type is"):
        load(str(tmp_path / "a.npz"))
