"""How columns become the feature matrix, in words and numbers, for programs in any language."""

from __future__ import annotations

from typing import Any

from tfcourse.data.columns import BOUND, PERIODS, CategoryColumn, NumberColumn
from tfcourse.data.table_features import TableFeatures

EXPLAINED = {
    "number": "(x - center) / scale; 0 where missing",
    "bounded number": f"z / sqrt(1 + (z / {BOUND:g})^2) of z = (x - center) / scale; 0 where missing",
    "missing": "1 where missing, else 0",
    "sine": "sin(2 pi (x + start) / period); 0 where missing",
    "cosine": "cos(2 pi (x + start) / period); 0 where missing",
    "one of": "1 where the text is one of values, else 0",
    "other": "1 where the text is none that any other place of this column names, and is not missing, else 0",
    "frequency": "the number of the text; that of '' where missing, and default where it is none of these",
    "word": "1 where the text, in small letters and without punctuation, holds the word, else 0",
    "bin": "(x - from) / (to - from), within 0 and 1; x is mean where missing",
}
"""What each kind of place is; x is its number: of a date the days since 1970-01-01 in UTC, of a time a part of one."""


def matrix_columns(features: TableFeatures) -> list[dict[str, Any]]:
    """Return what stands in each place of a row of the feature matrix, in its order.

    All computing is in 64-bit numbers, rounded to 32 bits at the end.

    >>> features = TableFeatures((NumberColumn("n", 5.0, 2.0, False),), (CategoryColumn("c", ("x",)),))
    >>> for place in matrix_columns(features): print(place)
    {'column': 'n', 'kind': 'number', 'center': 5.0, 'scale': 2.0}
    {'column': 'c', 'kind': 'other'}
    {'column': 'c', 'kind': 'missing'}
    {'column': 'c', 'kind': 'one of', 'values': ['x']}
    """
    numbers = features.numbers
    found = [_number(number) for number in numbers]
    found += [{"column": number.name, "kind": "missing"} for number in numbers if number.has_missing]
    for number in numbers:
        for cycle in number.cycles:
            period, start = PERIODS[cycle]
            turn = {"period": period, "start": start}
            found += [{"column": number.name, "kind": kind, **turn} for kind in ("sine", "cosine")]
    for category in features.categories:
        found += _category(category)
    found += [{"column": text.name, "kind": "word", "word": word} for text in features.texts for word in text.words]
    for number in numbers:
        ends = zip(number.edges[:-1], number.edges[1:], strict=True)
        found += [{"column": number.name, "kind": "bin", "from": a, "to": b, "mean": number.mean} for a, b in ends]
    return found


def _number(number: NumberColumn) -> dict[str, Any]:
    center, scale = number.robust or (number.mean, number.deviation)
    kind = "number" if number.robust is None else "bounded number"
    return {"column": number.name, "kind": kind, "center": center, "scale": scale}


def _category(category: CategoryColumn) -> list[dict[str, Any]]:
    held: dict[int, list[str]] = {}
    for value, place in category.places.items():
        if value:
            held.setdefault(place, []).append(value)
    found: list[dict[str, Any]] = [{"kind": "other"}, {"kind": "missing"}]
    found += [{"kind": "one of", "values": held.get(place, [])} for place in range(2, category.ones)]
    if category.frequencies:
        numbers = dict(zip(category.places, category.frequencies[1:], strict=True))
        found.append({"kind": "frequency", "numbers": numbers, "default": category.frequencies[0]})
    return [{"column": category.name, **place} for place in found]
