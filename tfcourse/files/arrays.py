"""NPZ files, read without pickle and without believing them: what an array's header declares must lie in the file."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SUSPECT_BYTES = 2**28
"""Arrays that take no more than this in memory are read however well they were compressed."""
MOST_EXPANSION = 100
"""Beyond :data:`SUSPECT_BYTES`, how many times the file's size its arrays may take."""


class DamagedArraysError(ValueError):
    """An NPZ file that is not whole, or not what it says; the message is the reason, without the file's name."""


class PickledArraysError(DamagedArraysError):
    """An array of Python objects, which only pickle could read."""


def array_names(path: Path) -> list[str]:
    """Return the names of the arrays in an NPZ file.

    Raises:
        DamagedArraysError: if it is not a whole NPZ file.
        OSError: if it is not there or may not be read.
    """
    with _opened(path) as archive:
        return list(_members(archive))


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an NPZ file by name: all, or those of ``names`` that are there.

    Raises:
        PickledArraysError: if one of them holds Python objects; none is loaded.
        DamagedArraysError: if one of them is not whole, or would take far more memory than the file explains.
        OSError: if the file is not there or may not be read.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npz"
    >>> np.savez(path, x=np.arange(3), y=np.array(["a", "b", "c"]))
    >>> read_arrays(path, ["x"])
    {'x': array([0, 1, 2])}
    """
    with _opened(path) as archive:
        wanted = {name: info for name, info in _members(archive).items() if names is None or name in names}
        try:
            total = sum(_declared_bytes(archive, name, info) for name, info in wanted.items())
            size = path.stat().st_size
            if total > max(SUSPECT_BYTES, MOST_EXPANSION * size):
                raise DamagedArraysError(
                    f"its arrays would take {total / 1e9:.1f} GB, {total // size} times what the file holds; if that is"
                    " right, save them with numpy.savez, which does not compress"
                )
            return {name: _read(archive, info) for name, info in wanted.items()}
        except (DamagedArraysError, MemoryError):
            raise
        except Exception as error:  # of zipfile, its decompressors and NumPy's parser, on bytes that may be anything
            raise DamagedArraysError(str(error).partition("\n")[0] or type(error).__name__) from None


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (FileNotFoundError, PermissionError, IsADirectoryError, MemoryError):
        raise
    except Exception as error:
        raise DamagedArraysError(str(error) or type(error).__name__) from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays' members by the arrays' names."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename:
            continue
        if name in found:
            raise DamagedArraysError(f"it holds two arrays {name!r}")
        found[name] = info
    return found


def _declared_bytes(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> int:
    """Return how much memory an array takes by its header, which must be what its member holds."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(member)
        else:
            raise DamagedArraysError(f"its array {name!r} is of the NPY format {version}, not 1.0 or 2.0")
        if dtype.hasobject:
            raise PickledArraysError(f"its array {name!r} holds Python objects")
        size = math.prod(shape) * dtype.itemsize
        if dtype.itemsize == 0 or min(shape, default=0) < 0 or member.tell() + size != info.file_size:
            there = info.file_size - member.tell()
            raise DamagedArraysError(f"its array {name!r} should be {dtype} of shape {shape}, but has {there:,} bytes")
    return size


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as member:
        return np.asarray(np.lib.format.read_array(member, allow_pickle=False))
