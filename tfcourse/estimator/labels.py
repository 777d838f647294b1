"""Labels in memory as texts, and back: ``classes_`` are what ``y`` holds, whatever type that has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, check_consistent_length, column_or_1d

from tfcourse.errors import UserError


def classes_and_texts(x: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the different labels in their order, and each row's label as a text, both of shape (classes or rows,).

    Raises:
        ValueError: if ``y`` has not one label a row, or is no set of classes; missing and infinite labels too.

    >>> classes_and_texts([[0], [0], [0]], [2.0, 1.0, 2.0])
    (array([1., 2.]), array(['2', '1', '2'], dtype=object))
    """
    if hasattr(y, "__arrow_c_stream__") and not hasattr(y, "iloc"):  # a polars Series, an Arrow column
        y = y.to_numpy()
    y = column_or_1d(y, warn=True)
    if pd.isna(y).any():
        raise UserError("Input y contains NaN or None: missing labels; leave those rows out, as by X[y.notna()].")
    assert_all_finite(y, input_name="y")
    check_consistent_length(x, y)
    check_classification_targets(y)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise UserError(f"y has one class, {text_of(classes[0])!r}, in all of its {len(y)} rows; two are needed.")
    texts = [text_of(label) for label in classes]
    for text in texts:
        if len(alike := [other for other in texts if other.strip() == text.strip()]) > 1:
            raise UserError(f"y holds labels that differ only in white space: {', '.join(map(repr, alike))}.")
    return classes, np.array(texts, dtype=object)[codes]


def text_of(label: Any) -> str:
    """Return a label as a file would hold it.

    >>> text_of(np.float64(2.0)), text_of(np.True_), text_of("a")
    ('2', 'True', 'a')
    """
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def places_of(classes: NDArray[Any], names: Sequence[str]) -> NDArray[np.int64]:
    """Return where each of ``classes`` stands among a run's own names of them.

    Raises:
        UserError: if files would not hold these labels apart.
    """
    texts = [text_of(label) for label in classes]
    if sorted(texts) != sorted(names):
        lost = sorted(set(texts) - set(names)) or texts
        raise UserError(
            f"y: the label {lost[0]!r} is read as another, or as missing; give the classes names that do not stand for"
            " a missing value, as NA and an empty text do."
        )
    return np.array([names.index(text) for text in texts])
