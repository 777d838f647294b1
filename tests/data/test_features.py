"""Columns and images become the matrix that scikit-learn would make of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tfcourse.data.features import (
    ArrayFeatures,
    CategoryColumn,
    NumberColumn,
    TableFeatures,
    TextColumn,
    check_finite,
    features_from_json,
)
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError
from tfcourse.run.exported import model_inputs

float32s = st.floats(-1e6, 1e6, width=32)


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@given(st.lists(float32s | st.just(np.nan), min_size=1, max_size=20), float32s, st.floats(1e-3, 1e6))
def test_numbers_are_standardized(values: list[float], mean: float, deviation: float) -> None:
    column = np.array(values)
    matrix = TableFeatures((NumberColumn("n", mean, deviation, True),), ()).transform({"n": column})
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(values), 2))
    assert_array_equal(matrix[:, 1], np.isnan(column))
    assert_allclose(matrix[:, 0], np.nan_to_num((column - mean) / deviation), rtol=1e-6, atol=1e-30)


@given(st.lists(st.sampled_from(["a", "b", "new", ""]), min_size=1, max_size=20))
def test_categories_are_one_hot(values: list[str]) -> None:
    encoder = OneHotEncoder(categories=[["other", "missing", "a", "b"]], sparse_output=False)
    meant = [{"new": "other", "": "missing"}.get(value, value) for value in values]
    expected = encoder.fit_transform(np.array(meant)[:, None])
    matrix = TableFeatures((), (CategoryColumn("c", ("a", "b")),)).transform({"c": texts(*values)})
    assert_array_equal(matrix, expected)


FEATURES = TableFeatures(
    (NumberColumn("size", 2.0, 0.5, True), NumberColumn("day", 1.0, 1.0, False, True, ("day",))),
    (CategoryColumn("kind", ("a", "b")),),
    (TextColumn("note", ("red", "car")),),
    {"size": Reading("size", "number", decimal=",", missing=("-",), sentinels=(9.0,))},
)


def arrow(**columns: list[str]) -> pa.Table:
    return pa.table(columns)


def test_the_order_of_the_matrix() -> None:
    raw = arrow(
        kind=["b", ""], size=["3", "?"], day=["1970-01-03 06:00", ""], more=["x", "y"], note=["a Red car", "blue cars"]
    )
    table = FEATURES.decode(raw)
    assert list(table) == ["size", "day", "kind", "note"]
    expected = [[2, 1.25, 0, 1, 0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]]
    np.testing.assert_allclose(FEATURES.transform(table), expected, atol=1e-7)
    assert FEATURES.width == 11
    assert FEATURES.names == ("size", "day", "kind", "note")


def test_numbers_that_stand_for_missing_values() -> None:
    table = FEATURES.decode(arrow(size=["9", "-", "1,5"], day=[""] * 3, kind=["a"] * 3, note=[""] * 3))
    assert table["size"].tolist()[2] == 1.5
    assert np.isnan(table["size"][:2]).all()


def test_features_survive_json() -> None:
    again = features_from_json(json.loads(json.dumps(FEATURES.to_json())))
    assert again == FEATURES
    assert isinstance(again, TableFeatures)
    assert [again.reading(column) for column in again.columns] == [FEATURES.reading(c) for c in FEATURES.columns]
    images = ArrayFeatures((2, 2), (0.25,), (0.5,))
    assert features_from_json(json.loads(json.dumps(images.to_json()))) == images


def test_features_of_earlier_versions_are_understood() -> None:
    number = {"name": "born", "mean": 1.0, "deviation": 2.0, "has_missing": True, "date_format": "%d.%m.%Y %H:%M"}
    features = features_from_json({"numbers": [number], "categories": [{"name": "kind", "values": ["a"]}]})
    assert isinstance(features, TableFeatures)
    assert features.numbers == (NumberColumn("born", 1.0, 2.0, True, True),)
    table = features.decode(arrow(born=["03.01.1970 12:00", "?"], kind=["?", "a"]))
    assert features.transform(table).tolist() == [[0.75, 0, 0, 1, 0], [0, 1, 0, 0, 1]]
    assert model_inputs(table, features)["born"].tolist() == ["03.01.1970 12:00", ""]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            {"size": ["1", "tall"]},
            "Column 'size' holds 'tall' in row 2, but the model was trained on numbers such as 1234,5 there. Put it"
            " right, or leave the value empty.",
        ),
        (
            {"day": ["1970-01-01", "02.01.1970"]},
            "Column 'day' holds '02.01.1970' in row 2, but the model was trained on dates such as 2026-12-31 there."
            " Put it right, or leave the value empty.",
        ),
        (
            {"size": [float("inf"), float("-inf")]},
            "Column 'size' holds infinite numbers in 2 rows, the first in row 1. Put a finite number there, or leave"
            " the value empty.",
        ),
    ],
)
def test_values_that_training_did_not_know(column: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        FEATURES.decode(pa.table({"size": ["1", "2"], "day": ["", ""], "kind": ["a", "b"], "note": ["", ""], **column}))
    assert str(caught.value) == message


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(UserError) as caught:
        FEATURES.decode(arrow(day=["1970-01-01"]))
    assert str(caught.value) == (
        "The data lacks 3 columns that the model was trained on: 'size', 'kind', 'note'. Add them; leave values"
        " empty where they are not known."
    )


def test_rows_of_features_have_a_mean_and_a_deviation_each() -> None:
    x = np.random.default_rng(0).normal([0, 100], [1, 10], (50, 2)).astype(np.float32)
    features = ArrayFeatures.fit(x[:30])
    assert_allclose(features.transform(x), StandardScaler().fit(x[:30]).transform(x), atol=1e-5)


def test_images_share_one_mean_and_one_deviation() -> None:
    x = np.random.default_rng(0).integers(0, 256, (50, 3, 4), dtype=np.uint8)
    features = ArrayFeatures.fit(x[:30])
    expected = (x - x[:30].mean(dtype=np.float64)) / x[:30].std(dtype=np.float64)
    assert_allclose(features.transform(x), expected.reshape(50, 12), rtol=1e-6)
    assert len(features.mean) == len(features.deviation) == 1


def test_a_constant_feature_is_zero() -> None:
    x = np.array([[5.0, 1.0], [5.0, 3.0]])
    assert ArrayFeatures.fit(x).transform(x).tolist() == [[0, -1], [0, 1]]


def test_training_sees_the_rounded_numbers_that_the_exported_model_sees() -> None:
    x = np.array([[1e8 + 1], [1e8 + 2], [1e8 + 9]])
    features = ArrayFeatures.fit(x)
    assert_array_equal(features.transform(x), features.transform(x.astype(np.float32)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 2, 3)), "The model takes examples of shape (2, 2), but these have shape (2, 3)."),
        (
            np.full((1, 2, 2), np.nan),
            "x holds NaN or infinite numbers in 1 row, the first in row 1. Fill them in, or save the data as a table,"
            " where empty values are understood.",
        ),
    ],
)
def test_other_examples_are_refused(x: np.ndarray, message: str) -> None:
    with pytest.raises(UserError) as caught:
        ArrayFeatures((2, 2), (0.0,), (1.0,)).transform(x)
    assert str(caught.value) == message


def test_numbers_beyond_float32_are_infinite() -> None:
    check_finite(np.array([[3e38]]))
    check_finite(np.array([[True]]))
    with pytest.raises(UserError):
        check_finite(np.array([[1e39]]))
