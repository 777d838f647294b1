"""Weights that were kept as plain arrays are put back, or what is wrong with their file is told."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tfcourse.errors import UserError
from tfcourse.models.builders import build_softmax_regression
from tfcourse.models.kept_weights import set_kept_weights

WEIGHTS = (np.arange(6, dtype="float32").reshape(3, 2), np.array([7, 8], "float32"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def another_shape(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, array in enumerate(WEIGHTS):
            file = io.BytesIO()
            np.save(file, array)
            archive.writestr(f"arr_{number}.npy", file.getvalue().replace(b"(3, 2)", b"(9, 9)"))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "The weights {} are not there. Restore them from a copy."),
        (cut, "{} is damaged (File is not a zip file). Restore it from a copy."),
        (
            another_shape,
            "{} is damaged (its array 'arr_0' should be float32 of shape (9, 9), but has 24 bytes)."
            " Restore it from a copy.",
        ),
        (
            lambda path: np.savez(path, *WEIGHTS[:1]),
            "{} is damaged (You called `set_weights(weights)` on layer 'softmax_regression' with a weight list of"
            " length 1, but the layer was expecting 2 weights.). Restore it from a copy.",
        ),
        (
            lambda path: np.savez(path, WEIGHTS[0], np.array([None, 1])),
            "{} is damaged (its array 'arr_1' holds Python objects). Restore it from a copy.",
        ),
    ],
    ids=["gone", "cut", "another shape", "one array less", "objects"],
)
def test_a_damaged_file(damage: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "best_epoch.npz"
    np.savez(path, *WEIGHTS)
    damage(path)
    with pytest.raises(UserError) as caught:
        set_kept_weights(build_softmax_regression(3, 2), path)
    assert str(caught.value) == message.format(repr(str(path)))


def test_weights_are_put_back(tmp_path: Path) -> None:
    model: keras.Model = build_softmax_regression(3, 2)
    np.savez(tmp_path / "w.npz", *WEIGHTS)
    set_kept_weights(model, tmp_path / "w.npz")
    for ours, theirs in zip(model.get_weights(), WEIGHTS, strict=True):
        np.testing.assert_array_equal(ours, theirs)
