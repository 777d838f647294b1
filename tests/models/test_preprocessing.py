"""The exported model reads raw columns exactly as training did, and needs no code of ours to be loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfcourse.data.features import ArrayFeatures
from tfcourse.data.read_columns import fit_table
from tfcourse.data.table import Table
from tfcourse.models.builders import build_mlp
from tfcourse.models.preprocessing import build_preprocessing, export_model
from tfcourse.models.spec import NetworkSpec

ROWS = 60


def messy_table(seed: int) -> Table:
    """Return a table with numbers, dates, categories, missing values and awkward names."""
    random = np.random.default_rng(seed)
    years, months, days = random.integers(1890, 2100, ROWS), random.integers(1, 13, ROWS), random.integers(1, 29, ROWS)
    table: Table = {
        "a/b": random.normal(1e5, 10, ROWS),
        "<script>": np.where(random.random(ROWS) < 0.3, np.nan, random.normal(size=ROWS)),
        "where": random.integers(0, 3, ROWS).astype(float),
        "preprocessing": random.normal(size=ROWS),
        "PR.AXIS ratio?": random.choice(["x", "yy", "é ü", "?", ""], ROWS).astype(object),
        "day": np.array([f"{y}-{m:02d}-{d:02d}" for y, m, d in zip(years, months, days, strict=True)], dtype=object),
        "moment": np.array(
            [f"{d:02d}/{m:02d}/{y} {h:02d}:30" for y, m, d, h in zip(years, months, days, months, strict=True)],
            dtype=object,
        ),
    }
    table["day"][:2] = "?"
    return table


def feed(table: Table, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: table[name] for name in names}


@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_layers_and_numpy_give_the_same_matrix(seed: int) -> None:
    table = messy_table(seed)
    features, _ = fit_table(table, np.arange(40))
    preprocessing, _ = build_preprocessing(features)
    matrix = preprocessing.predict(list(feed(table, features.names).values()), verbose=0)
    np.testing.assert_array_equal(matrix, features.transform(table))


def test_an_unseen_value_and_an_impossible_date_go_their_own_way() -> None:
    table = messy_table(1)
    features, _ = fit_table(table, np.arange(40))
    new = {name: column[:1].copy() for name, column in table.items()}
    new["PR.AXIS ratio?"][0] = "never seen"
    matrix = features.transform(new)
    start = features.width - features.categories[0].width
    assert matrix[0, start:].tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    preprocessing, _ = build_preprocessing(features)
    out = preprocessing.predict(list(feed(new, features.names).values()), verbose=0)
    np.testing.assert_array_equal(out, matrix)


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
    table = messy_table(2)
    features, _ = fit_table(table, np.arange(40))
    model = export_model(features, build_mlp(NetworkSpec(features.width, 3, (8,)), seed=0))
    expected = model.predict(feed(table, features.names), verbose=0)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
    model.save(tmp_path / "model.keras")
    columns = {name: [None if v != v else v for v in table[name].tolist()] for name in features.names}
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
    one = {name: column[:1] for name, column in feed(table, features.names).items()}
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(one, verbose=0), expected[:1], rtol=1e-5)
