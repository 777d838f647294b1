"""What is written as NPZ is what NumPy writes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from tfcourse.files.npz import npz_content

RANDOM = np.random.default_rng(0)
ARRAYS: dict[str, list[Any]] = {
    "weights": [RANDOM.normal(size=shape).astype(np.float32) for shape in [(64, 70), (70,), (70, 1), (0, 3)]],
    "many": [np.full(number % 3, number) for number in range(120)],
    "kinds": [np.float64(3).reshape(()), np.array([True]), np.array(["ä", "bcd"]), np.arange(3, dtype=">i2")],
    "views": [np.arange(12).reshape(3, 4).T, np.arange(12)[::2], np.arange(12)[3:5]],
    "no arrays": [3.0, [1, 2]],
    "none": [],
}


@pytest.mark.parametrize("name", ARRAYS)
def test_it_is_numpys_own_file(name: str) -> None:
    wanted = io.BytesIO()
    np.savez(wanted, *ARRAYS[name])
    found = npz_content(ARRAYS[name])
    archives = zipfile.ZipFile(io.BytesIO(found)), zipfile.ZipFile(wanted)
    assert archives[0].testzip() is None
    assert [vars_of(each) for each in archives[0].infolist()] == [vars_of(each) for each in archives[1].infolist()]
    assert found == wanted.getvalue()
    for mine, theirs in zip(np.load(io.BytesIO(found)).values(), np.load(wanted).values(), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


def vars_of(entry: zipfile.ZipInfo) -> list[Any]:
    """Return what an archive says of a file in it."""
    return [getattr(entry, name) for name in ("filename", "date_time", "CRC", "file_size", "header_offset", "extra")]


def test_objects_are_left_to_numpy() -> None:
    objects = np.load(io.BytesIO(npz_content([np.array([None])])), allow_pickle=False)
    with pytest.raises(ValueError, match="allow_pickle"):
        objects["arr_0"]
