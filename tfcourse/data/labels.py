"""Labels as texts and as class numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.errors import UserError

MOST_CLASSES_PER_ROW = 1 / 3


def classes_of(labels: NDArray[Any]) -> tuple[str, ...]:
    """Return the different labels, in numeric order if all are numbers, else in alphabetical order.

    Raises:
        UserError: if there is only one, or so many that most stand in fewer than three rows.

    >>> classes_of(np.array(["10", "9", "9", "10", "9", "10"], dtype=object))
    ('9', '10')
    """
    names = sorted(set(labels.tolist()))
    with contextlib.suppress(ValueError):
        names.sort(key=float)
    if len(names) < 2:
        raise UserError(f"The target is {names[0]!r} in every row; at least two classes are needed.")
    if len(names) > len(labels) * MOST_CLASSES_PER_ROW:
        raise UserError(
            f"The target has {len(names)} different values in {len(labels)} rows, too many to be classes (at least 3"
            " rows each are needed). Is it a number to predict, or an identifier? Give a label column with --target."
        )
    return tuple(names)


def to_numbers(labels: NDArray[Any], classes: Sequence[str], where: str) -> NDArray[np.int64]:
    """Return the class number of each label.

    Raises:
        UserError: if a label is none of ``classes``; ``where`` says where it stands.

    >>> to_numbers(np.array(["b", "a"], dtype=object), ["a", "b"], "here").tolist()
    [1, 0]
    """
    number = {name: index for index, name in enumerate(classes)}
    unknown = sorted(set(labels.tolist()) - set(number))
    if unknown:
        raise UserError(f"{where}: the label {unknown[0]!r} does not occur in the training data.")
    return np.array([number[label] for label in labels.tolist()], dtype=np.int64)
