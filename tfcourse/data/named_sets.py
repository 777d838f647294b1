"""The data sets that come by their names: scikit-learn's digits, and images from Keras's own loaders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.dataset import Dataset
from tfcourse.data.labels import label_texts
from tfcourse.errors import UserError
from tfcourse.process.start_keras import start_keras


def load_named(name: str) -> Dataset:
    """Return one of :data:`~tfcourse.data.names.NAMES`.

    Raises:
        UserError: if Keras cannot load it.

    >>> len(load_named("digits").labels)
    1797
    """
    return _digits() if name == "digits" else _from_keras(name)


def _digits() -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = digits.images.astype(np.float32)
    return Dataset("digits", x, label_texts(digits.target), _fingerprint(x, digits.target))


def _from_keras(name: str) -> Dataset:
    start_keras()
    import keras

    try:
        (x, y), (test_x, test_y) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when its download fails
        cache = Path(os.environ.get("KERAS_HOME", "~/.keras")) / "datasets"
        raise UserError(
            f"--data {name}: Keras could not load it ({error}). Without network, put its files into {cache}."
        ) from None
    y, test_y = y.ravel(), test_y.ravel()
    return Dataset(name, x, label_texts(y), _fingerprint(x, y, test_x, test_y), (test_x, label_texts(test_y)))


def _fingerprint(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
