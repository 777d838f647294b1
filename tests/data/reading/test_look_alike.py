"""One value spelled twice is told: among labels, among categories, in new rows; nothing is merged in silence."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.columns import CategoryColumn
from tfcourse.data.labels import classes_of, to_numbers
from tfcourse.data.reading.look_alike import alike_key, look_alikes
from tfcourse.data.table_features import TableFeatures
from tfcourse.data.unlike_training import what_is_unlike
from tfcourse.errors import UserError
from tfcourse.look import main

SPELLED_TWICE = [
    ("yes", "Yes"), ("yes", "YES"), ("New York", "New  York"), ("New York", "new york"), ("a b", "a\u00a0b"),
    ("yes", "y\u200bes"), ("fine", "ﬁne"), ("yes", "ｙｅｓ"), ("straße", "STRASSE"), ("0.5", "0.50"), ("x²", "x2"),
]  # fmt: skip
DIFFERENT = [
    ("yes", "no"),
    ("a-b", "ab"),
    ("+", "-"),
    ("1", "11"),
    ("a b", "ab"),
    ("é", "e"),
    ("0.5", "5.0"),
    ("1", "l"),
]


@pytest.mark.parametrize(("one", "other"), SPELLED_TWICE)
def test_what_looks_alike_has_one_key(one: str, other: str) -> None:
    assert alike_key(one) == alike_key(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_is_different_has_two(one: str, other: str) -> None:
    assert alike_key(one) != alike_key(other)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12), st.sampled_from(["NFC", "NFKD"]))
def test_the_key_bears_every_form_and_blanks_around(text: str, form: str) -> None:
    key = alike_key(text)
    assert alike_key(f" {unicodedata.normalize(form, text)}\t") == key
    assert alike_key(key) == key


@given(st.dictionaries(st.sampled_from(["a", "A", "b", "B ", "c"]), st.integers(1, 9), min_size=1))
def test_groups_hold_every_text_that_has_a_twin_and_no_other(counts: dict[str, int]) -> None:
    keys = [text.strip().lower() for text in counts]
    twins = {text for text, key in zip(counts, keys, strict=True) if keys.count(key) > 1}
    assert {text for group in look_alikes(counts) for text in group} == twins


def write(labels: list[str], values: list[str] | None = None) -> None:
    rows = len(labels)
    frame = pd.DataFrame({"size": np.arange(rows) % 7 + 0.5, "town": values or ["A", "B"] * (rows // 2), "y": labels})
    frame.to_csv("t.csv", index=False)


@pytest.mark.parametrize(("one", "other"), [pair for pair in SPELLED_TWICE if pair != ("0.5", "0.50")])
def test_look_names_labels_and_categories_that_are_spelled_twice(
    one: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    write([one, "other", other] * 20, [other, one, "third"] * 20)
    assert main(["t.csv", "--target", "y"]) == 0
    told = capsys.readouterr().out
    first, last = sorted([one, other])
    twice = f"{first!r} (20 rows) and {last!r} (20 rows) differ only in capitals, spaces or the way they are written"
    assert f"the labels {twice}; each is a class of its own" in told
    assert f"town: the values {twice}; each is a category of its own" in told
    assert "3 classes" in told  # told, not merged


def test_a_class_of_too_few_rows_is_explained_by_its_twin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    write(["yes", "no"] * 20 + ["Yes", "no"])
    assert main(["t.csv", "--target", "y"]) == 2
    assert (
        "Class 'Yes' has only 1 row; at least 3 different rows are needed, for training, validation and test. Leave the"
        " class's rows out, merge it with another class, or add rows. It and 'yes' (20 rows) differ only in capitals,"
        " spaces or the way they are written: if they are one class, write them alike in the file."
    ) in " ".join(capsys.readouterr().out.split())


def test_too_many_labels_are_explained_by_their_twins() -> None:
    with pytest.raises(UserError, match=r"too many to be classes.* Also, the labels 'YES' \(1 row\)"):
        classes_of(np.array(["yes", "Yes", "YES", "no"], dtype=object))


def test_a_label_of_test_data_names_its_twin_in_training() -> None:
    with pytest.raises(UserError) as caught:
        to_numbers(np.array(["Yes"], dtype=object), ("no", "yes"), "--test-data")
    assert str(caught.value) == (
        "--test-data: the label 'Yes' does not occur in the training data. Training has 'yes'; if they are one, write"
        " them alike."
    )


@pytest.mark.parametrize(("one", "other"), SPELLED_TWICE)
def test_an_unknown_category_names_its_twin_in_training(one: str, other: str) -> None:
    features = TableFeatures((), (CategoryColumn("town", ("0", one)),))
    assert what_is_unlike({"town": np.array(["0", other, "9"], dtype=object)}, features) == [
        f"town: 2 of 3 values were not in training and are read as 'other': {other!r} (1; training knew {one!r}),"
        " '9' (1)"
    ]
    with pytest.raises(UserError, match=f"training knew {one!r}"):
        what_is_unlike({"town": np.array([other] * 2, dtype=object)}, features)
