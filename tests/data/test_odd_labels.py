"""A target that is a quantity trains, and is told to be one; where a class has too few rows, that is why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfcourse.data.odd_labels import odd_labels, quantity_words
from tfcourse.look import main


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([str(n) for n in range(62)], "62 different numbers, 0 to 61"),
        ([f"{n / 4}" for n in range(11)], "11 different numbers, 0 to 2.5"),
        ([f"-{n}" for n in range(1, 22)], "21 different numbers, -21 to -1"),
        ([f"{n}e3" for n in range(21)], "21 different numbers, 0 to 20000"),
        ([str(n) for n in range(20)], ""),  # digits, grades: classes with numbers for names
        ([f"{n / 2}" for n in range(10)], ""),
        ([f"class {n}" for n in range(62)], ""),
        ([*map(str, range(62)), "none"], ""),
    ],
)
def test_many_different_numbers_are_a_quantity(labels: list[str], words: str) -> None:
    assert quantity_words(dict.fromkeys(labels, 5)) == words
    assert len(odd_labels("y", dict.fromkeys(labels, 5))) == bool(words)


@pytest.mark.parametrize("rare", [False, True])
def test_look_says_that_the_target_is_a_quantity(
    rare: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    price = np.r_[np.repeat(np.arange(62), 5), [62] * rare]
    pd.DataFrame({"size": np.random.default_rng(0).normal(size=len(price)), "price": price}).to_csv(
        "t.csv", index=False
    )
    assert main(["t.csv", "--target", "price"]) == 2 * rare
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "The target has 63 different numbers, 0 to 62: if it is a quantity rather than classes, cut it" in told
    ) == rare
    named = (
        "the target 'price' has 62 different numbers, 0 to 61, each of which is taken for a class, without their order"
    )
    assert (named in told) != rare
