"""The exported model reads raw columns exactly as training did, and needs no code of ours to be loaded."""

from __future__ import annotations

import calendar
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import scaled
from tfcourse.data.features import ArrayFeatures
from tfcourse.data.fit_table import fit_table
from tfcourse.data.numbers_as import WAYS, NumbersAs, numbers_as
from tfcourse.data.reading.decide import Wishes, decide
from tfcourse.data.table_features import TableFeatures
from tfcourse.models.builders import build_mlp
from tfcourse.models.model_file import load_model_file
from tfcourse.models.preprocessing import build_preprocessing, export_model
from tfcourse.models.spec import NetworkSpec
from tfcourse.run.exported import model_inputs

ROWS = 120
MONTHS = calendar.month_name[1:]


def messy_table(seed: int) -> pa.Table:
    """Return a table with numbers, dates, categories and texts in many spellings, missing values and awkward names."""
    random = np.random.default_rng(seed)
    years, months, days = random.integers(1890, 2100, ROWS), random.integers(1, 13, ROWS), random.integers(1, 29, ROWS)
    hours, micro = random.integers(0, 24, ROWS), random.integers(0, 1_000_000, ROWS)
    dates = list(zip(years, months, days, strict=True))
    prices = random.gamma(2, 3000, ROWS).round(2)
    table: dict[str, Any] = {
        "a/b": random.normal(1e5, 10, ROWS),
        "frequency": random.integers(868000000, 868000031, ROWS),
        "<script>": np.where(random.random(ROWS) < 0.3, np.nan, random.normal(size=ROWS)),
        "where": random.integers(0, 3, ROWS).astype(float),
        "preprocessing": random.normal(size=ROWS),
        "income": [*random.integers(20000, 90000, ROWS - 1).tolist(), 999999999],
        "PR.AXIS ratio?": random.choice(["x", "yy", "é ü", "?", ""], ROWS),
        "open": random.choice(["TRUE", "True", "false", "None"], ROWS),
        "price": [f"{p:,.2f} €".translate(str.maketrans(",.", ".,")) if p < 9000 else "-" for p in prices],
        "balance": [f"({p:,.2f})" if p > 5000 else f"{p:,.2f}" for p in prices],
        "rate": [f"−{p}%" if p > 5000 else f"+{p}%" for p in prices],
        "note": [
            " ".join(random.choice(["red", "Blue", "it's", "car.", "a", "Über"], 5)) + f" {n}" for n in range(ROWS)
        ],
        "day": [f"{y}-{m:02d}-{d:02d}" for y, m, d in dates],
        "moment": [f"{d}/{m}/{y} {h}:30" for (y, m, d), h in zip(dates, hours, strict=True)],
        "us": [
            f"{m}/{d}/{y} {h % 12 or 12}:05:09 {'AP'[int(h >= 12)]}M" for (y, m, d), h in zip(dates, hours, strict=True)
        ],
        "short": [f"{d:02d}.{m:02d}.{(y % 40 + 80) % 100:02d}" for y, m, d in dates],
        "words": [
            f"{d} {MONTHS[m - 1]} {y}, {h % 12 or 12}:05 {'AP'[int(h >= 12)]}M"
            for (y, m, d), h in zip(dates, hours, strict=True)
        ],
        "month first": [
            f"Saturday, {MONTHS[m - 1].upper()} {d}, {y} {h:02d}:01:02.{u:06d}-07:30"
            for (y, m, d), h, u in zip(dates, hours, micro, strict=True)
        ],
        "oracle": [f"{d:02d}-{MONTHS[m - 1][:3]}-{(y % 40 + 80) % 100:02d}" for y, m, d in dates],
        "zulu": [
            f"{y}-{m:02d}-{d:02d}T{h:02d}:01:02.{u:06d}Z" for (y, m, d), h, u in zip(dates, hours, micro, strict=True)
        ],
        "offset": [f"{y}-{m:02d}-{d:02d} {h:02d}:01:02-0{h % 9}:30" for (y, m, d), h in zip(dates, hours, strict=True)],
        "clock": [f"{h}:{m:02d}" for m, h in zip(months, hours, strict=True)],
        "half": [f"{h % 12 or 12}:05:09 {'ap'[int(h >= 12)]}.m." for h in hours],
        "part of a second": [f"{h:02d}:01:02.{u:06d}" for h, u in zip(hours, micro, strict=True)],
        "month": [f"{1980 + y % 60}-{m:02d}" for y, m, _ in dates],
        "month last": [f"{m}/{1980 + y % 60}" for y, m, _ in dates],
        "month in words": [f"{MONTHS[m - 1]} {1980 + y % 60}" for y, m, _ in dates],
        "quarter": [f"{1980 + y % 60}Q{1 + m % 4}" for y, m, _ in dates],
        "quarter first": [f"Q{1 + m % 4} {1980 + y % 60}" for y, m, _ in dates],
        "week": [f"{1980 + y % 60}-W{1 + d * m % 52:02d}" for y, m, d in dates],
        "epoch": 1_500_000_000 + random.integers(0, 10**8, ROWS),
        "milliseconds": 1_500_000_000_000 + random.integers(0, 10**11, ROWS),
        "compact": [y * 10000 + m * 100 + d for y, m, d in dates],
        "town": [f"town {int(n)}" for n in random.exponential(60, ROWS)],
    }
    for name, marker in (("day", "?"), ("moment", "0000-00-00"), ("short", "n/a"), ("zulu", "9999-12-31T00:00:00Z"),
                         ("clock", "-"), ("week", "n/a")):  # fmt: skip
        table[name][0] = marker
    return pa.table({name: pa.array(values) for name, values in table.items()})


def fitted(raw: pa.Table, train: int = 80) -> TableFeatures:
    decided = {name: decide(name, raw.column(name)) for name in raw.column_names}
    table = {name: each.values for name, each in decided.items()}
    readings = {name: each.reading for name, each in decided.items()}
    return fit_table(table, np.arange(train), readings)[0]


def raw_inputs(raw: pa.Table, features: TableFeatures) -> dict[str, Any]:
    """Return the columns as they stand in the table, as somebody who deploys the model gives them."""
    inputs: dict[str, Any] = {}
    for column in features.columns:
        values = raw.column(column.name)
        text = not features.reading(column).is_plain
        inputs[column.name] = np.array(values.to_pylist(), dtype=object) if text else values.to_numpy()
    return inputs


def tensors(inputs: dict[str, Any]) -> list[Any]:
    return [keras.ops.convert_to_tensor(values.reshape(-1, 1)) for values in inputs.values()]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=scaled(2), deadline=None)
def test_layers_and_numpy_give_the_same_matrix(seed: int) -> None:
    raw = messy_table(seed)
    features = fitted(raw)
    assert set(features.names) == set(raw.column_names)
    assert {number.cycles for number in features.numbers} == {
        (),
        ("day",),
        ("year",),
        ("week", "year"),
        ("day", "week", "year"),
    }
    preprocessing, _ = build_preprocessing(features)
    decoded = features.decode(raw)
    expected = features.transform(decoded)
    np.testing.assert_array_equal(preprocessing(tensors(raw_inputs(raw, features))), expected)
    np.testing.assert_array_equal(preprocessing(tensors(model_inputs(decoded, features))), expected)


def test_an_unseen_value_and_an_impossible_date_go_their_own_way() -> None:
    raw = messy_table(1)
    features = fitted(raw)
    new = raw.slice(0, 1).to_pydict()
    new["PR.AXIS ratio?"] = ["never seen"]
    new["day"] = ["0000-00-00"]
    table = pa.table({name: pa.array(values) for name, values in new.items()})
    matrix = features.transform(features.decode(table))
    category = features.categories[0]
    assert category.name == "PR.AXIS ratio?"
    start = features.width - sum(column.width for column in (*features.categories, *features.texts))
    assert matrix[0, start : start + category.width].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    preprocessing, _ = build_preprocessing(features)
    np.testing.assert_array_equal(preprocessing(tensors(raw_inputs(table, features))), matrix)


def test_what_is_said_to_be_missing_and_weeks_that_a_year_lacks_are_missing_in_the_model_too() -> None:
    days = 20_000 + np.arange(40.0)
    moments = [datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day)) for day in days]
    columns: dict[str, list[Any]] = {
        "compact": [int(f"{moment:%Y%m%d}") for moment in moments],
        "seconds": (days * 86400).astype(int).tolist(),
        "milliseconds": (days * 86400000).astype(int).tolist(),
        "week": [f"{2018 + n % 6}-W{1 + n:02d}" for n in range(40)],
    }
    # 20301231 is a date, and said to stand for none; 2020 has a week 53, and 2021 has none.
    new = {"compact": [99999999, 20301231], "seconds": [-1, -1], "milliseconds": [-1, -1], "week": ["", "2020-W53"]}
    raw = pa.table({name: pa.array([*new[name], *values]) for name, values in columns.items()})
    wishes = Wishes(missing=("99999999", "20301231", "-1"))
    decided = {name: decide(name, raw.column(name), wishes) for name in raw.column_names}
    readings = {name: each.reading for name, each in decided.items()}
    features = fit_table({name: each.values for name, each in decided.items()}, np.arange(42), readings)[0]
    matrix = features.transform(features.decode(raw))
    assert {number.name for number in features.numbers if number.has_missing} == set(columns)
    np.testing.assert_array_equal(matrix[:2, :3], np.zeros((2, 3)))
    preprocessing, _ = build_preprocessing(features)
    np.testing.assert_array_equal(preprocessing(tensors(raw_inputs(raw, features))), matrix)
    wrong = raw.set_column(3, "week", pa.array(["2021-W53", "2020-W00", *columns["week"]]))
    matrix[1] = matrix[0]  # as a missing week
    np.testing.assert_array_equal(preprocessing(tensors(raw_inputs(wrong, features))), matrix)


def test_how_frequent_each_of_many_categories_is_comes_to_the_same_bits() -> None:
    random = np.random.default_rng(0)
    names = [*(f"{int(n)}" for n in random.zipf(1.2, 3000) if n < 5000), "?", "TRUE", "true"]
    raw = pa.table({"town": [*names, "never seen", "None", ""], "x": np.arange(len(names) + 3) / 7})
    decided = decide("town", raw.column("town"), Wishes(categorical=("town",)))
    readings = {"town": decided.reading, "x": decide("x", raw.column("x")).reading}
    table = {"town": decided.values, "x": np.arange(raw.num_rows) / 7}
    features = fit_table(table, np.arange(len(names)), readings)[0]
    (town,) = features.categories
    assert len(town.frequencies) == 2 + len(town.values) + len(town.binned) > 180
    matrix = features.transform(table)
    assert len(np.unique(matrix[:, -1])) > 20
    preprocessing, _ = build_preprocessing(TableFeatures.from_json(features.to_json()))
    np.testing.assert_array_equal(preprocessing(tensors(raw_inputs(raw, features))), matrix)


@pytest.mark.parametrize("way", WAYS)
def test_numbers_come_to_the_same_bits_in_every_way(way: NumbersAs, tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), 2000
    table = {
        "far from zero": random.normal(1e5, 10, rows),
        "heavy": random.standard_cauchy(rows) * 1e3,
        "missing": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
        "few": random.integers(0, 5, rows).astype(float),
        "mostly zero": np.where(random.random(rows) < 0.9, 0.0, random.normal(size=rows) * 1e100),
    }
    fit = fit_table(table, np.arange(1500))[0]
    features = TableFeatures.from_json(json.loads(json.dumps(numbers_as(fit, table, np.arange(1500), way).to_json())))
    expected = features.transform(table)
    assert np.isfinite(expected).all()
    inputs = {name: column.reshape(-1, 1) for name, column in table.items()}
    classifier = build_mlp(NetworkSpec(features.width, 2), seed=0)
    export_model(features, classifier).save(tmp_path / "model.keras")
    loaded = load_model_file(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.get_layer("preprocessing")(tensors(inputs)), expected)
    compiled = tf.function(build_preprocessing(features)[0], jit_compile=True)
    np.testing.assert_array_equal(compiled(tensors(inputs)), expected)


def test_very_many_numbers_are_one_input() -> None:
    random = np.random.default_rng(0)
    raw = pa.table(
        {f"c{number}": random.normal(number, 1, ROWS) for number in range(201)} | {"k": ["a", "b"] * (ROWS // 2)}
    )
    features = fitted(raw)
    preprocessing, inputs = build_preprocessing(features)
    assert list(inputs) == ["numbers", "k"]
    decoded = features.decode(raw)
    given = model_inputs(decoded, features)
    assert given["numbers"].shape == (ROWS, 201)
    matrix = preprocessing(
        [keras.ops.convert_to_tensor(given["numbers"]), keras.ops.convert_to_tensor(given["k"].reshape(-1, 1))]
    )
    np.testing.assert_array_equal(matrix, features.transform(decoded))


def test_images_share_one_mean_and_deviation() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 3)).astype("uint8")
    features = ArrayFeatures.fit(images)
    matrix = features.transform(images)
    np.testing.assert_allclose(matrix, ((images - images.mean()) / images.std()).reshape(20, 12), rtol=1e-5, atol=1e-6)
    preprocessing, _ = build_preprocessing(features)
    np.testing.assert_allclose(preprocessing.predict(images.astype("float32"), verbose=0), matrix, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "x",
    [
        np.random.default_rng(0).normal(size=(30, 3)) * [1e-12, 1e-30, 1.0] + [1e-5, 0.0, 1e9],
        np.random.default_rng(1).normal(size=(30, 2)) * [1e30, 1e3] + [3e37, -1e10],
        np.random.default_rng(2).normal(1e5, 1e-2, (30, 2, 3, 2)),
        np.random.default_rng(3).integers(0, 256, (30, 4, 3)).astype("uint8"),
        np.full((5, 2), 7.0),
    ],
    ids=["tiny deviations", "huge numbers", "images far from zero", "bytes", "constant"],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_arrays_too_give_the_same_matrix_to_the_last_bit(x: np.ndarray, data_format: str, tmp_path: Path) -> None:
    features = ArrayFeatures.fit(x)
    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format(data_format)
        preprocessing, _ = build_preprocessing(features)
        matrix = preprocessing.predict(x.astype("float32"), verbose=0)
    finally:
        keras.config.set_image_data_format(before)
    np.testing.assert_array_equal(matrix, features.transform(x))
    # Worked out in NumPy: rounded to float32, flattened row by row, standardized in float64.
    flat = x.astype("float32").astype("float64").reshape(len(x), -1)
    axis = 0 if x.ndim == 2 else None
    deviation = np.where(flat.std(axis) > 0, flat.std(axis), 1)
    np.testing.assert_allclose(matrix, (flat - flat.mean(axis)) / deviation, rtol=1e-6, atol=1e-6)
    preprocessing.save(tmp_path / "p.keras")
    loaded = keras.saving.load_model(tmp_path / "p.keras")
    np.testing.assert_array_equal(loaded(x.astype("float32")), matrix)


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
def test_the_saved_model_loads_without_tfcourse_and_gives_the_same_probabilities(tmp_path: Path) -> None:
    # Each column of dates takes seconds to trace, three times here; the others are like these.
    raw = messy_table(2).drop_columns(["moment", "offset", "half", "part of a second", "month last", "quarter first"])
    features = fitted(raw)
    model = export_model(features, build_mlp(NetworkSpec(features.width, 3, (8,)), seed=0))
    inputs = raw_inputs(raw, features)
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
    model.save(tmp_path / "model.keras")
    columns = {name: [None if v != v else v for v in values.tolist()] for name, values in inputs.items()}
    (tmp_path / "columns.json").write_text(json.dumps(columns))
    (tmp_path / "load.py").write_text(
        "import json, sys\n"
        "sys.modules['tfcourse'] = None  # importing it would fail\n"
        "import keras, numpy as np\n"
        "columns = json.load(open('columns.json'))\n"
        "columns = {k: np.array([np.nan if x is None else x for x in v]) for k, v in columns.items()}\n"
        "columns = {k: v.astype(object) if v.dtype.kind == 'U' else v for k, v in columns.items()}\n"
        "model = keras.saving.load_model('model.keras', safe_mode=True)\n"
        "np.save('probabilities.npy', model.predict(columns, verbose=0))\n"
    )
    subprocess.run([sys.executable, "load.py"], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "probabilities.npy"), expected)
    one = {name: column[:1] for name, column in inputs.items()}
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(one, verbose=0), expected[:1], rtol=1e-5)
