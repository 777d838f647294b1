"""New rows that training would not have known are counted column by column, or refused where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from tfcourse.data.columns import CategoryColumn, NumberColumn
from tfcourse.data.table_features import TableFeatures
from tfcourse.data.unlike_training import what_is_unlike
from tfcourse.errors import UserError

FEATURES = TableFeatures((NumberColumn("size", 170.0, 10.0, True),), (CategoryColumn("kind", ("a", "b"), ("c",), 1),))


def table(kinds: list[str], sizes: list[float]) -> dict[str, np.ndarray]:
    return {"kind": np.array(kinds, dtype=object), "size": np.array(sizes)}


def test_known_rows_say_nothing() -> None:
    assert what_is_unlike(table(["a", "c", ""], [160.0, np.nan, 300.0]), FEATURES) == []


def test_unknown_values_are_counted_and_the_most_frequent_named() -> None:
    assert what_is_unlike(table(["a", "z", "y", "x", "w", "z", ""], [170.0] * 7), FEATURES) == [
        "kind: 5 of 6 values were not in training and are read as 'other': 'z' (2), 'y' (1), 'x' (1) and 1 more"
    ]


def test_another_unit_is_told() -> None:
    assert what_is_unlike(table(["a"] * 3, [1.71, 1.8, np.nan]), FEATURES) == []
    metres = TableFeatures((NumberColumn("size", 1700.0, 80.0, False),), ())
    assert what_is_unlike({"size": np.array([1.71, 1.8, 1.65])}, metres) == [
        "size: its values, such as 1.71, are far from those of training, 1700 ± 80; is the unit another one?"
    ]


def test_a_column_of_which_nothing_is_known_is_refused_unless_allowed() -> None:
    unknown = table(["A", "B", "B"], [170.0] * 3)
    with pytest.raises(UserError) as caught:
        what_is_unlike(unknown, FEATURES)
    assert str(caught.value) == (
        "Column 'kind': none of its 3 values was in training: 'B' (2; training knew 'b'), 'A' (1; training knew"
        " 'a'). Training knew 'a', 'b'. Write them as in training, or say with --allow-unknown that they are others."
    )
    assert len(what_is_unlike(unknown, FEATURES, allow_unknown=True)) == 1
