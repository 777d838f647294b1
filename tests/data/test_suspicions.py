"""Columns that give the target away, groups of rows and rows in the order of time are told; honest ones are not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from tfcourse.data.suspicions import suspicions

ROWS = 400
RANDOM = np.random.default_rng(0)
Y = RANDOM.integers(0, 3, ROWS)
ORDER = RANDOM.permutation(ROWS)
TRAIN, VALIDATION = ORDER[:240], ORDER[240:320]


def told(column: np.ndarray, y: np.ndarray = Y, dates: tuple[str, ...] = ()) -> list[str]:
    return suspicions({"c": column}, y, TRAIN, VALIDATION, dates)


@pytest.mark.parametrize(
    "column",
    [
        Y * 10.0,
        np.array([3.0, 1.0, 2.0])[Y] + RANDOM.uniform(0, 0.5, ROWS),
        1e9 + Y,
        np.array(["no", "maybe", "yes"], dtype=object)[Y],
    ],
)
def test_a_column_that_tells_the_target_is_told(column: np.ndarray) -> None:
    assert told(column) == [
        "'c' alone is right in 100.0% of the validation rows: does it give the target away? If so, --drop c"
    ]


def test_groups_that_share_their_label_are_told() -> None:
    groups = np.repeat(np.arange(ROWS // 4), 4)
    y = RANDOM.integers(0, 2, ROWS // 4)[groups]
    patients = np.array([f"p{group}" for group in groups], dtype=object)
    assert "--group patient" in suspicions({"patient": patients}, y, np.arange(200), np.arange(200, 400))[0]


def test_rows_in_the_order_of_time_are_told() -> None:
    days = np.sort(RANDOM.uniform(19000, 19500, ROWS))
    line = "the rows are in the order of 'c': --split time would test on the latest ones"
    assert told(days, dates=("c",)) == [line]
    assert told(RANDOM.permutation(days), dates=("c",)) == []
    assert told(days) == []


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_honest_tables_are_not_suspected(load: object) -> None:
    x, y = load(return_X_y=True)  # type: ignore[operator]
    order = np.random.default_rng(1).permutation(len(y))
    table = {f"c{index}": x[:, index] for index in range(x.shape[1])}
    assert suspicions(table, y, order[: len(y) // 2], order[len(y) // 2 :]) == []
