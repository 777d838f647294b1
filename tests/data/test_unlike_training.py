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


AGE = NumberColumn("age", 41.0, 12.0, False, ends=(18.0, 80.0))
SEEN = NumberColumn("seen", 18728.4, 251.0, False, is_date=True, ends=(18266.0, 19159.0))
EARLIER = NumberColumn("age", 41.0, 12.0, False)


@pytest.mark.parametrize(
    ("column", "values", "lines"),
    [
        (AGE, [20, 142, -44, np.nan], []),
        (AGE, [900], ["age: 900 in row 1 is far from the values of training, 18 to 80"]),
        (AGE, [20] * 4 + [900] + [30] * 15, ["age: 900 in row 5 is far from the values of training, 18 to 80"]),
        (AGE, [20, 30, np.nan, -999], ["age: -999 in row 4 is far from the values of training, 18 to 80"]),
        (
            AGE,
            [20, 200, 300, 20, 30],
            ["age: 2 of 5 values are far from those of training, 18 to 80: 300 in row 3"],
        ),
        (
            AGE,
            [7300.5, 9125, np.nan],  # days instead of years
            ["age: 2 of 2 values are far from those of training, 18 to 80: 9125 in row 2; is the unit another one?"],
        ),
        (EARLIER, [41 + 20 * 12, 20], []),
        (EARLIER, [900, 20], ["age: 900 in row 1 is far from the values of training, 41 ± 12"]),
        (SEEN, [19500.0], []),
        (SEEN, [-25567.0], ["seen: 1900-01-01 in row 1 is far from the values of training, 2020-01-05 to 2022-06-16"]),
        (
            SEEN,
            [30000.5, 30001.0],
            ["seen: 2 of 2 values are far from those of training, 2020-01-05 to 2022-06-16: 2052-02-21 in row 2"],
        ),
        (
            SEEN,
            [1.9e7],  # milliseconds, read as seconds
            ["seen: 19000000 days since 1970 in row 1 is far from the values of training, 2020-01-05 to 2022-06-16"],
        ),
        (
            NumberColumn("at", 0.4, 0.01, False, is_date=True, ends=(0.375, 10 / 24)),
            [0.375, 22.5 / 24],
            ["at: 22:30:00 in row 2 is far from the values of training, 09:00:00 to 10:00:00"],
        ),
        (AGE, [], []),
        (SEEN, [], []),
        (
            NumberColumn("flag", 5.0, 1.0, True, ends=(5.0, 5.0)),
            [5.0, 7.0],
            ["flag: 7 in row 2 is far from the values of training, 5 to 5"],
        ),
    ],
)
def test_every_value_far_from_all_of_training_is_told_with_its_row(
    column: NumberColumn, values: list[float], lines: list[str]
) -> None:
    assert what_is_unlike({column.name: np.array(values)}, TableFeatures((column,), ())) == lines


def test_a_column_of_which_nothing_is_known_is_refused_unless_allowed() -> None:
    unknown = table(["A", "B", "B"], [170.0] * 3)
    with pytest.raises(UserError) as caught:
        what_is_unlike(unknown, FEATURES)
    assert str(caught.value) == (
        "Column 'kind': none of its 3 values was in training: 'B' (2; training knew 'b'), 'A' (1; training knew"
        " 'a'). Training knew 'a', 'b'. Write them as in training, or say with --allow-unknown that they are others."
    )
    assert len(what_is_unlike(unknown, FEATURES, allow_unknown=True)) == 1
