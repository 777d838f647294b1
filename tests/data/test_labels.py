"""Labels become class numbers, in an order that a reader expects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder

from tfcourse.data.labels import classes_of, to_numbers
from tfcourse.errors import UserError


def labels(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@given(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=6, unique=True), st.randoms())
def test_class_numbers_are_those_of_scikit_learn(names: list[str], random: object) -> None:
    given_labels = labels(*names * 3)
    random.shuffle(given_labels)  # type: ignore[attr-defined]
    encoder = LabelEncoder().fit(given_labels)
    classes = classes_of(given_labels)
    assert classes == tuple(encoder.classes_)
    assert to_numbers(given_labels, classes, "here").tolist() == encoder.transform(given_labels).tolist()


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["10", "9", "-1"], ("-1", "9", "10")),
        (["1.5", "1", "10"], ("1", "1.5", "10")),
        (["10", "9", "x"], ("10", "9", "x")),
        (["+", "-"], ("+", "-")),
        (["True", "False"], ("False", "True")),
    ],
)
def test_numbers_are_ordered_by_value_and_texts_by_letters(names: list[str], ordered: tuple[str, ...]) -> None:
    assert classes_of(labels(*names * 3)) == ordered


def test_one_class_is_none() -> None:
    with pytest.raises(UserError) as caught:
        classes_of(labels("a", "a"))
    assert str(caught.value) == "The target is 'a' in every row; at least two classes are needed."


def test_three_rows_a_class_are_enough_and_fewer_are_not() -> None:
    assert len(classes_of(labels(*"abc" * 3))) == 3
    with pytest.raises(UserError) as caught:
        classes_of(labels(*"abc" * 3)[:8])
    assert str(caught.value) == (
        "The target has 3 different values in 8 rows, too many to be classes (at least 3 rows each are needed)."
        " Is it a number to predict, or an identifier? Give a label column with --target."
    )


def test_a_label_that_training_never_saw() -> None:
    with pytest.raises(UserError) as caught:
        to_numbers(labels("a", "d", "c"), ("a", "b"), "--test-data")
    assert str(caught.value) == "--test-data: the label 'c' does not occur in the training data."
