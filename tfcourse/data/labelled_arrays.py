"""Examples and labels of an NPZ file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.data.labels import labels_of_column
from tfcourse.errors import UserError
from tfcourse.files.arrays import DamagedArraysError, PickledArraysError, array_names, read_arrays


def read_labelled_arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any], list[str]]:
    """Return the examples and labels of an NPZ file, and notes on rows left out."""
    x, y = read_npz(path)
    if y is None:
        raise UserError(f"{str(path)!r} holds no array 'y'; save it with numpy.savez(file, x=..., y=...).")
    y = _labels_of(y, len(x), path)
    kept, labels, notes = labels_of_column(pa.chunked_array([pa.array(y.tolist(), from_pandas=True)]), "y", path)
    return (x if len(kept) == len(x) else x[kept]), labels, notes


def read_npz(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return arrays ``x`` and, if there is one, ``y`` of an NPZ file; pickled objects are refused."""
    if not zipfile.is_zipfile(path):
        raise UserError(f"{str(path)!r} is not a whole NPZ file; save it with numpy.savez(file, x=..., y=...).")
    try:
        names = array_names(path)
        if "x" not in names:
            raise UserError(f"{str(path)!r} holds no array 'x'; it holds {', '.join(names) or 'nothing'}.")
        arrays = read_arrays(path, ("x", "y"))
        x, y = arrays["x"], arrays.get("y")
    except PickledArraysError:
        raise UserError(
            f"{str(path)!r} holds Python objects, which only pickle could read, and pickle can run any code;"
            " save plain arrays of numbers or texts instead."
        ) from None
    except (OSError, DamagedArraysError) as error:
        raise UserError(f"{str(path)!r} is not a whole NPZ file: {error}.") from None
    if x.ndim < 2 or x.dtype.kind not in "biuf":
        raise UserError(
            f"{str(path)!r}: x must hold numbers in the shape (rows, features) or (rows, height, width[, channels]),"
            f" but its shape is {x.shape} and its type {x.dtype}."
        )
    if not x.size:
        raise UserError(f"{str(path)!r}: x is empty, of shape {x.shape}.")
    return x, y


def _labels_of(y: NDArray[Any], rows: int, path: Path) -> NDArray[Any]:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = " Turn one-hot rows into class numbers with y.argmax(axis=1)." if y.ndim == 2 else ""
        raise UserError(f"{str(path)!r}: y must hold one label a row, of shape (rows,), but it is {y.shape}.{hint}")
    if len(y) != rows:
        raise UserError(f"{str(path)!r}: x holds {rows} rows but y holds {len(y)} labels; they must match.")
    if y.dtype.kind not in "biufUSMm":
        raise UserError(f"{str(path)!r}: y must hold labels as numbers or texts, but its type is {y.dtype}.")
    return y
