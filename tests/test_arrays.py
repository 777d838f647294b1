"""NPZ files that are not what they say: none is believed, and nothing of Python's is loaded from one."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tfcourse.files.arrays as arrays
from tests.examples import scaled
from tfcourse.data.sources import read_npz
from tfcourse.errors import UserError
from tfcourse.files.arrays import DamagedArraysError, PickledArraysError, array_names, read_arrays

X = np.arange(12, dtype="float32").reshape(4, 3)


def npy(array: Any, **replaced: str) -> bytes:
    """Return an array as a NPY file, with other words in its header."""
    file = io.BytesIO()
    np.save(file, array)
    data = file.getvalue()
    for old, new in replaced.items():
        was = {"shape": repr(np.shape(array)), "descr": repr(np.asarray(array).dtype.str)}[old].encode()
        assert was in data
        end = data.index(b"\n")
        header = data[:end].replace(was, new.encode()).rstrip()
        data = header.ljust(end) + data[end:]
    return data


def write(path: Path, compression: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            npy(X, shape="(4000000000, 3000000000)"),
            "its array 'x' should be float32 of shape (4000000000, 3000000000), but has 48 bytes",
        ),
        (npy(X, shape="(-4, -3)"), "its array 'x' should be float32 of shape (-4, -3), but has 48 bytes"),
        (npy(X, descr="'<U0'"), "its array 'x' should be <U0 of shape (4, 3), but has 48 bytes"),
        (npy(X, descr="'|O'"), "its array 'x' holds Python objects"),
        (npy(X)[:-1], "its array 'x' should be float32 of shape (4, 3), but has 47 bytes"),
        (npy(X).replace(b"NUMPY\x01", b"NUMPY\x03"), "its array 'x' is of the NPY format (3, 0), not 1.0 or 2.0"),
        (b"", "EOF: reading magic string, expected 8 bytes got 0"),
        (b"no array at all", r"the magic string is not correct; expected b'\x93NUMPY', got b'no arr'"),
    ],
    ids=["shape bomb", "negative", "no item size", "objects", "cut", "format", "empty", "text"],
)
def test_an_array_that_is_not_what_it_says(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DamagedArraysError) as caught:
        read_arrays(write(tmp_path / "a.npz", x=data))
    assert str(caught.value) == message
    assert isinstance(caught.value, PickledArraysError) == ("Python" in message)


def test_two_arrays_of_one_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", npy(X))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", npy(X))
    with pytest.raises(DamagedArraysError) as caught:
        array_names(tmp_path / "a.npz")
    assert str(caught.value) == "it holds two arrays 'x'"


def test_zeros_that_were_packed_small_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "SUSPECT_BYTES", 2**20)
    path = write(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, x=npy(np.zeros((2**10, 2**16), "uint8")))
    tracemalloc.start()
    with pytest.raises(UserError) as caught:
        read_npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    times = 2**26 // path.stat().st_size
    assert str(caught.value) == (
        f"{str(path)!r} is not a whole NPZ file: its arrays would take 0.1 GB, {times} times what the file holds; if"
        " that is right, save them with numpy.savez, which does not compress."
    )
    assert peak < 2**24


def test_arrays_are_read_packed_or_not_and_only_those_that_are_wanted(tmp_path: Path) -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = write(tmp_path / "a.npz", compression, x=npy(X), other=npy(np.array([None])), y=npy(np.array(["a"])))
        assert array_names(path) == ["x", "other", "y"]
        found = read_arrays(path, ("x", "y", "z"))
        assert list(found) == ["x", "y"]
        np.testing.assert_array_equal(found["x"], X)
        with pytest.raises(PickledArraysError):
            read_arrays(path)


@given(places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), length=st.integers(0, 400))
@settings(deadline=None, max_examples=scaled(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_other_bytes_give_arrays_or_a_reason(places: list[tuple[int, int]], length: int, tmp_path: Path) -> None:
    whole = bytearray(write(tmp_path / "a.npz", x=npy(X)).read_bytes())
    for place, byte in places:
        whole[place % len(whole)] = byte
    (tmp_path / "a.npz").write_bytes(whole[: length or None])
    try:
        found = read_arrays(tmp_path / "a.npz")
    except DamagedArraysError as error:
        assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
    else:
        assert all(array.size <= X.size for array in found.values())
