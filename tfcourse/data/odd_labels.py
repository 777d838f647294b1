"""Labels that may not be what they seem: one class spelled twice, a quantity taken for classes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np

from tfcourse.data.reading.look_alike import DIFFER, alike_of, alike_words, rows_in_words

MANY_NUMBERS, MANY_FRACTIONS = 20, 10
"""More different labels that are all numbers, or that have decimals, look like a quantity."""
REGRESSION = "cut it into a few ranges first, as pandas.qcut does, or use a program for regression"


def odd_labels(name: str, counts: Mapping[str, int]) -> list[str]:
    """Return a line for each thing that a person should know of the labels.

    Args:
        name: the target.
        counts: in how many rows each label stands.

    >>> odd_labels("price", {str(number): 5 for number in range(30)})[0].partition(":")[0]
    "the target 'price' has 30 different numbers, 0 to 29, each of which is taken for a class, without their order"
    """
    lines = alike_words(counts, "a class", "labels")
    if quantity := quantity_words(counts):
        lines.append(
            f"the target {name!r} has {quantity}, each of which is taken for a class, without their order: if it is a"
            f" quantity, {REGRESSION}"
        )
    return lines


def quantity_words(counts: Mapping[str, int]) -> str:
    """Return how many different numbers the labels are and from where to where, empty if they hardly are a quantity.

    >>> quantity_words({"0": 9, "1": 9}), quantity_words({f"{number}.5": 3 for number in range(12)})
    ('', '12 different numbers, 0.5 to 11.5')
    """
    with contextlib.suppress(ValueError):
        numbers = np.array([float(label) for label in counts])
        if np.isfinite(numbers).all():
            whole = bool((numbers == np.floor(numbers)).all())
            if len(numbers) > (MANY_NUMBERS if whole else MANY_FRACTIONS):
                return f"{len(numbers)} different numbers, {numbers.min():.6g} to {numbers.max():.6g}"
    return ""


def why_few(label: str, counts: Mapping[str, int]) -> str:
    """Return a sentence, with a blank before it, on why a class may have so few rows; empty where nothing tells.

    >>> why_few("Yes", {"yes": 90, "Yes": 1, "no": 8})
    " It and 'yes' (90 rows) differ only in capitals, spaces or the way they are written: if they are one class, write them alike in the file."
    """  # noqa: E501
    if (other := alike_of(label, sorted(counts, key=lambda text: -counts[text]))) is not None:
        return (
            f" It and {other!r} ({rows_in_words(counts[other])}) {DIFFER}: if they are one class, write them alike in"
            " the file."
        )
    if quantity := quantity_words(counts):
        return f" The target has {quantity}: if it is a quantity rather than classes, {REGRESSION}."
    return ""
