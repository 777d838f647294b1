"""Any table in any spelling is read as its plain one to the last bit, or refused, or told, by the column's name."""

from __future__ import annotations

import datetime
import gzip
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.dataset import Dataset
from tfcourse.data.sources import load
from tfcourse.errors import UserError

ROWS = 24
DATES = {
    "iso": "%Y-%m-%d",
    "slashes": "%Y/%m/%d",
    "points": "%d.%m.%Y",
    "day first": "%d/%m/%Y",
    "month first": "%m/%d/%Y",
    "hyphens": "%d-%m-%Y",
    "two figures": "%d.%m.%y",
    "zone": "%Y-%m-%dT%H:%M:%SZ",
    "fractions": "%Y-%m-%d %H:%M:%S.%f",
    "words": "%-d %b %Y",
    "American": "%B %d, %Y",
    "Oracle": "%d-%b-%y",
    "mail": "%a, %d %b %Y %H:%M:%S GMT",
}
COMMA = (",", ".")
LOCALES = (COMMA, COMMA, COMMA, (".", ""), (".", ","), (".", " "), (".", "\u00a0"), (".", "’"), (",", ""))
UNITS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: f"{text}%",
    lambda text: f"{text} kg",
    lambda text: f"{text} €",
    lambda text: f"-${text[1:]}" if text[0] == "-" else f"${text}",
    lambda text: f"({text[1:]})" if text[0] == "-" else text,
    lambda text: text.replace("-", "−"),
)
KINDS = ("whole", "seldom thousands", "decimal", "date", "category")
MARKERS = ("", "?", "NA", "#N/A", "n/a", "NULL", "-", "--", ".", "NaN", "#DIV/0!", "1.#QNAN")
WORDS = ("red", "light blue", "Größe", "None", "x;y", 'a "b", c', "1st", "TRUE-ish")

Column = tuple[str, list[Any]]


@st.composite
def columns(draw: st.DrawFn, kind: str) -> Column:
    """Draw values of one of KINDS, None where missing."""
    if kind == "whole":
        most = draw(st.sampled_from([9, 900, 5_000, 4_000_000]))
        values = st.integers(draw(st.sampled_from([0, -most])), most).map(str)
    elif kind == "seldom thousands":  # so that few points or commas stand in it, and only before three figures
        values = st.tuples(st.integers(0, 9), st.integers(0, 999)).map(lambda pair: str(pair[0] // 9 * 3000 + pair[1]))
    elif kind == "decimal":
        places, most = draw(st.integers(1, 4)), draw(st.sampled_from([2, 900, 80_000]))
        values = st.integers(draw(st.sampled_from([0, -1])) * most * 10**places, most * 10**places).map(
            lambda number: f"{'-' * (number < 0)}{abs(number) // 10**places}.{abs(number) % 10**places:0{places}d}"
        )
    elif kind == "date":
        values = st.dates(datetime.date(1980, 1, 1), datetime.date(2025, 12, 31))
    else:
        values = st.sampled_from(draw(st.lists(st.sampled_from(WORDS), min_size=2, unique=True)))
    present = draw(st.lists(values, min_size=ROWS, max_size=ROWS))
    gaps = draw(st.sets(st.integers(1, ROWS - 1), max_size=ROWS // 3))
    return kind, [None if row in gaps else value for row, value in enumerate(present)]


def plainly(column: Column) -> list[str]:
    return ["" if value is None else str(value) for value in column[1]]


def spelled(draw: st.DrawFn, column: Column, mark: str, thousands: str) -> list[str]:
    """Write a column in a drawn spelling of the file's locale."""
    kind, values = column
    missing = draw(st.sampled_from(MARKERS if kind != "category" else ("", "#N/A", "N/A")))
    if kind == "date":
        pattern = DATES[draw(st.sampled_from(sorted(DATES)))]
        return [missing if value is None else value.strftime(pattern) for value in values]
    if kind == "category":
        form = draw(st.sampled_from(["NFC", "NFD"]))
        return [missing if value is None else f" {unicodedata.normalize(form, value)}" for value in values]
    unit = draw(st.sampled_from(UNITS))

    def write(text: str) -> str:
        whole, _, decimals = text.lstrip("-").partition(".")
        figures = f"{int(whole):,}".replace(",", thousands) + (mark + decimals if decimals else "")
        return unit("-" * text.startswith("-") + figures)

    return [missing if value is None else write(value) for value in values]


def save(draw: st.DrawFn, frame: pd.DataFrame, folder: Path) -> Path:
    """Write a table of texts as a drawn kind of file."""
    kind = draw(st.sampled_from(["csv", "tsv", "parquet", "jsonl", "csv.gz", "csv as gz"]))
    path = folder / f"spelled.{kind.split()[0]}"
    if kind == "parquet":
        frame.to_parquet(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        delimiter = "\t" if kind == "tsv" else draw(st.sampled_from(",;|\t"))
        encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
        end = draw(st.sampled_from(["\n", "\r\n"]))
        data = frame.to_csv(index=False, sep=delimiter, lineterminator=end).encode(encoding)
        path.write_bytes(gzip.compress(data) if "gz" in kind else data)
    return path


def read(path: Path) -> Dataset | str:
    try:
        return load(str(path), target="label")
    except UserError as error:
        return str(error)


@given(st.data())
def test_a_table_is_the_same_in_every_spelling_or_is_refused_or_told_by_name(data: st.DataObject) -> None:
    kinds = data.draw(st.permutations(KINDS))[: data.draw(st.sampled_from([5, 5, 5, 2, 1]))]
    drawn = {f"column {letter}": data.draw(columns(kind)) for letter, kind in zip("pqrst", kinds, strict=False)}
    mark, thousands = data.draw(st.sampled_from(LOCALES))
    label = {"label": ["yes", "no"] * (ROWS // 2)}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.csv"
        pd.DataFrame({name: plainly(column) for name, column in drawn.items()} | label).to_csv(plain, index=False)
        texts = {name: spelled(data.draw, column, mark, thousands) for name, column in drawn.items()}
        order = data.draw(st.permutations([*texts, "label"]))
        frame = pd.DataFrame(texts | label)[order]
        expected, found = read(plain), read(save(data.draw, frame, Path(folder)))
    if isinstance(expected, str) or isinstance(found, str):  # dates without a day above 12, 1.234 beside 900
        for message in (expected, found):
            assert not isinstance(message, str) or message.startswith(tuple(f"Column {name!r}" for name in drawn))
        return
    assert isinstance(expected.x, dict)
    assert isinstance(found.x, dict)
    for name in drawn:
        told = [line for line in (*expected.odd, *found.odd) if line.startswith(f"{name}: ") and "look --write" in line]
        if not told:
            assert found.readings[name].kind == expected.readings[name].kind
            np.testing.assert_array_equal(found.x[name], expected.x[name], err_msg=str(texts[name]))
