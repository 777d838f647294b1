"""Real tables are read as a sensible person would read them; skipped where they are not at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from tfcourse.data.features import TableFeatures
from tfcourse.data.prepare import DataOptions, Prepared, prepare

DATA = Path(os.environ.get("TFCOURSE_DATA", Path(__file__).parents[1].parent / "shared" / "data"))

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real tables are not beside the repository")

# file: target, rows, classes, numbers, categories; a column that is constant or an identifier is not counted
TABLES = {
    "adult-train": ("income", 32561, 2, 6, 8),
    "banknote": ("class", 1372, 2, 4, 0),
    "breast-cancer-wisconsin": ("class", 699, 2, 10, 0),
    "car-evaluation": ("class", 1728, 4, 0, 6),
    "credit-approval": ("class", 690, 2, 6, 9),
    "german-credit": ("class", 1000, 2, 7, 13),
    "ionosphere": ("class", 351, 2, 33, 0),
    "letter-recognition": ("class", 20000, 26, 16, 0),
    "magic-gamma": ("class", 19020, 2, 10, 0),
    "mushroom": ("class", 8124, 2, 0, 21),
    "noaa-weather": ("rain", 18159, 2, 8, 0),
    "optdigits-first-writers": ("class", 3823, 10, 62, 0),
    "penguins": ("species", 344, 3, 4, 2),
    "segment": ("class", 2310, 7, 18, 0),
    "sonar": ("class", 208, 2, 60, 0),
    "spambase": ("class", 4601, 2, 57, 0),
    "splice": ("Class", 3190, 3, 0, 60),
    "vehicle": ("Class", 846, 4, 18, 0),
    "wine-quality-red": ("quality", 1599, 6, 11, 0),
}


@cache
def read(name: str) -> Prepared:
    return prepare(DataOptions(str(DATA / f"{name}.csv"), target=TABLES[name][0]))


def columns(name: str) -> TableFeatures:
    features = read(name).features
    assert isinstance(features, TableFeatures)
    return features


@pytest.mark.parametrize("name", TABLES)
def test_rows_classes_and_kinds_of_columns(name: str) -> None:
    prepared, features = read(name), columns(name)
    _, rows, classes, numbers, categories = TABLES[name]
    parts = [prepared.train, prepared.validation, prepared.test]
    assert sum(map(len, parts)) == rows
    assert (len(prepared.classes), len(features.numbers), len(features.categories)) == (classes, numbers, categories)
    assert all(set(part.y) == set(range(classes)) for part in parts)
    assert_allclose([len(part) / rows for part in parts], [0.6, 0.2, 0.2], atol=0.011)
    assert all(np.isfinite(part.x).all() and part.x.shape[1] == features.width for part in parts)
    assert_allclose(prepared.train.x[:, :numbers].mean(axis=0, dtype=np.float64), 0, atol=1e-4)


@pytest.mark.parametrize("name", TABLES)
def test_equal_rows_stay_in_one_part(name: str) -> None:
    prepared = read(name)
    table = pd.read_csv(DATA / f"{name}.csv", dtype=str, keep_default_na=False).drop(columns=TABLES[name][0])
    used = list(columns(name).names)
    among = " in all columns that are used" * (len(used) < table.shape[1])
    repeated = int(table[used].duplicated().sum())
    said = [note for note in prepared.notes if "repeat" in note]
    some = f"{repeated} row{'s' * (repeated > 1)} repeat{'s' * (repeated == 1)}"
    assert said == [f"{some} another one{among}; equal rows stay in one part of the split"] * bool(repeated)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("splice", "Instance_name: left out, its texts are nearly all different (1906 in 1913 rows)"),
        ("segment", "region-pixel-count: left out, it is 9 in every training row"),
        ("ionosphere", "a02: left out, it is 0 in every training row"),
        ("mushroom", "veil-type: left out, it is 'p' in every training row"),
        ("optdigits-first-writers", "input40: left out, it is 0 in every training row"),
        (
            "breast-cancer-wisconsin",
            "id: whole number, 395 different (if it only numbers the rows: --drop id)",
        ),
    ],
)
def test_what_the_user_is_told(name: str, line: str) -> None:
    assert line in read(name).columns


@pytest.mark.parametrize(
    ("name", "column", "missing"),
    [
        ("penguins", "bill_length_mm", 2),
        ("penguins", "sex", 11),
        ("breast-cancer-wisconsin", "bare_nuclei", 16),
        ("adult-train", "occupation", 1843),
        ("mushroom", "stalk-root", 2480),
    ],
)
def test_question_marks_and_empty_fields_are_missing(name: str, column: str, missing: int) -> None:
    """The counts are those of the data sets' own descriptions; each missing value sets its 0/1 column."""
    prepared, features = read(name), columns(name)
    flagged = [number.name for number in features.numbers if number.has_missing]
    place = len(features.numbers)
    if column in flagged:
        place += flagged.index(column)
    else:
        before = features.categories[: [category.name for category in features.categories].index(column)]
        place += len(flagged) + sum(category.width for category in before) + 1
    found = sum(part.x[:, place].sum() for part in (prepared.train, prepared.validation, prepared.test))
    assert found == missing


def test_labels_are_read_as_they_are() -> None:
    assert read("penguins").classes == ("Adelie", "Chinstrap", "Gentoo")
    assert read("breast-cancer-wisconsin").classes == ("2", "4")
    assert read("credit-approval").classes == ("+", "-")
    assert read("optdigits-first-writers").classes == tuple("0123456789")


def test_the_weather_may_be_split_by_time() -> None:
    prepared = prepare(DataOptions(str(DATA / "noaa-weather.csv"), target="rain", split="time"))
    rain = pd.read_csv(DATA / "noaa-weather.csv")["rain"].to_numpy()
    assert prepared.test.y.tolist() == rain[-len(prepared.test) :].tolist()
