"""Measures of predictions are scikit-learn's, and intervals those worked by hand from Wilson's formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from tfcourse.run.measure import accuracy_interval, log_loss, measure


@given(st.integers(2, 6), st.integers(1, 60), st.integers(0, 1000))
def test_measures_are_scikit_learns(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(classes, 0.5), rows)
    y = random.integers(0, classes, rows)
    found = measure(probabilities, y, [str(number) for number in range(classes)])
    predicted, numbers = probabilities.argmax(axis=1), np.arange(classes)
    assert found["n"] == rows
    assert found["accuracy"] == metrics.accuracy_score(y, predicted)
    clipped = np.maximum(probabilities, 1e-12)
    clipped /= clipped.sum(axis=1, keepdims=True)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(y, clipped, labels=numbers), rel=1e-6, abs=1e-9)
    assert found["confusion"] == metrics.confusion_matrix(y, predicted, labels=numbers).tolist()
    low, high = found["accuracy_interval"]
    assert 0 <= low <= found["accuracy"] <= high <= 1


def test_macro_f1_worked_by_hand() -> None:
    # class 0: 2 right, 1 missed, 1 false: F1 = 4/6; class 1: 1 right, 1 missed, 1 false: F1 = 2/4
    probabilities = np.eye(2)[[0, 0, 1, 0, 1]]
    found = measure(probabilities, np.array([0, 0, 0, 1, 1]), ["a", "b"])
    assert found["macro_f1"] == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert found["confusion"] == [[2, 1], [1, 1]]


def test_classes_without_a_test_row_do_not_count_in_macro_f1() -> None:
    found = measure(np.eye(3)[[0, 1]], np.array([0, 1]), ["a", "b", "c"])
    assert found["macro_f1"] == 1.0
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_log_loss_worked_by_hand() -> None:
    assert log_loss(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])) == pytest.approx(
        (math.log(2) + math.log(4 / 3)) / 2
    )


def test_a_certain_mistake_costs_much_but_not_everything() -> None:
    assert log_loss(np.array([[0.0, 1.0]]), np.array([0])) == pytest.approx(-math.log(1e-12))


@given(st.integers(1, 2000), st.data())
def test_intervals_are_wilsons(n: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, n))
    z, share = 1.959963984540054, right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    assert accuracy_interval(right, n) == pytest.approx((max(0.0, middle - half), min(1.0, middle + half)), abs=1e-9)


# (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n) with z² = 3.8415, to four digits
@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(90, 100, 0.8256, 0.9448), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (349, 359, 0.9495, 0.9848)],
)
def test_intervals_worked_by_hand(right: int, n: int, low: float, high: float) -> None:
    assert accuracy_interval(right, n) == pytest.approx((low, high), abs=5e-5)


def test_rows_that_stand_in_the_training_data_are_counted_and_the_others_measured() -> None:
    probabilities, y = np.array([[0.75, 0.25]] * 4), np.array([0, 1, 0, 1])
    seen = np.array([True, False, False, False])
    found = measure(probabilities, y, ["a", "b"], seen)
    assert found["accuracy"] == 0.5
    assert (found["seen"]["rows"], found["seen"]["others"]["n"]) == (1, 3)
    assert found["seen"]["others"]["accuracy"] == pytest.approx(1 / 3)
    assert measure(probabilities, y, ["a", "b"], np.ones(4, bool))["seen"] == {"rows": 4, "others": None}
    assert measure(probabilities, y, ["a", "b"], np.zeros(4, bool)) == measure(probabilities, y, ["a", "b"])
