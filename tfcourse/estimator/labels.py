"""Labels in memory as texts, and back: ``classes_`` are what ``y`` holds, whatever type that has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from tfcourse.data.labels import label_texts
from tfcourse.data.tablefile.white_space import trim_name
from tfcourse.errors import UserError


def classes_and_texts(x: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the different labels in their order, and each row's label as a text, both of shape (classes or rows,).

    Raises:
        ValueError: if ``y`` has not one label a row, or is no set of classes; missing and infinite labels too.

    >>> classes_and_texts([[0], [0], [0]], [2.0, 1.0, 2.0])
    (array([1., 2.]), array(['2', '1', '2'], dtype=object))
    """
    if isinstance(y, pd.Series) and hasattr(y.dtype, "numpy_dtype") and not y.isna().any():
        y = y.to_numpy(y.dtype.numpy_dtype)  # pandas' own boolean and Int64
    elif hasattr(y, "__arrow_c_stream__") and not hasattr(y, "iloc"):  # a polars Series, an Arrow column
        y = y.to_numpy()
    y = column_or_1d(y, warn=True)
    if pd.isna(y).any():
        raise UserError("Input y contains NaN or None: missing labels; leave those rows out, as by X[y.notna()].")
    assert_all_finite(y, input_name="y")
    check_consistent_length(x, y)
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise UserError(f"y has one class, {str(classes[0])!r}, in all of its {len(y)} rows; two are needed.")
    texts = texts_of(classes)
    for text in texts:
        if len(alike := [str(label) for label, other in zip(classes, texts, strict=True) if other == text]) > 1:
            raise UserError(f"y holds labels that are one in a file: {', '.join(map(repr, alike))}; name them apart.")
    return classes, np.array(texts, dtype=object)[codes]


def texts_of(classes: NDArray[Any]) -> list[str]:
    """Return labels as they are read from a file: trimmed, whole numbers without a decimal point.

    >>> texts_of(np.array([1.0, 2.0])), texts_of(np.array([True, False])), texts_of(np.array([" a", "1.0"]))
    (['1', '2'], ['True', 'False'], ['a', '1.0'])
    """
    return list(label_texts(np.array([trim_name(str(label)) for label in classes.tolist()])))


def places_of(classes: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Return where each of ``classes`` stands among a run's own names of them.

    Raises:
        UserError: if files would not hold these labels apart.
    """
    texts = texts_of(classes)
    if sorted(texts) != sorted(names):
        lost = sorted(set(texts) - set(names)) or texts
        raise UserError(
            f"y: the label {lost[0]!r} is read as another, or as missing; give the classes names that do not stand for"
            " a missing value, as NA and an empty text do."
        )
    return np.array([names.index(text) for text in texts])
