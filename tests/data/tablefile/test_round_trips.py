"""What writers write is read back exactly, and pandas, where it reads a file, reads the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.tablefile.test_encodings import PACKERS
from tests.examples import scaled
from tfcourse.data.tablefile import read_text
from tfcourse.data.tablefile.white_space import WHITE_SPACE
from tfcourse.errors import UserError

NAMES = ["x", "größe", "尺寸", "the third", "a-b"]
LETTERS = st.characters(codec="utf-8", exclude_characters="\0")
MARKS = st.sampled_from(list(" ,;|\t\"'\\\n\r#=1.5ab\u00a0\ufeffé"))
TEXTS = st.text(LETTERS, max_size=5) | st.text(MARKS, max_size=6)
PLAIN = st.text(st.sampled_from(list("ab1.5 ,;|\t\"\n'éü-")), max_size=6)


@st.composite
def tables(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[list[str]]:
    """Draw rows of two to four texts."""
    width = draw(st.integers(2, 4))
    return draw(st.lists(st.lists(texts, min_size=width, max_size=width), min_size=1, max_size=6))


def written(rows: list[list[str]], **dialect: object) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **dialect).writerows([NAMES[: len(rows[0])], *rows])  # type: ignore[arg-type]
    return file.getvalue()


def trimmed(rows: list[list[str]]) -> dict[str, list[str]]:
    columns = zip(*rows, strict=True)
    return {name: [text.strip(WHITE_SPACE) for text in column] for name, column in zip(NAMES, columns, strict=False)}


def values(data: bytes) -> dict[str, list[str]]:
    return dict(read_text(data, "t.csv").table.to_pydict())


QUOTINGS = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]


@given(tables(TEXTS), st.sampled_from(",;|\t"), st.sampled_from(["\r\n", "\n", "\r"]), st.sampled_from(QUOTINGS))
@settings(max_examples=scaled(150), deadline=None)
def test_any_texts_in_any_dialect(rows: list[list[str]], delimiter: str, end: str, quoting: int) -> None:
    # Python 3.11 quotes a line end inside a text only if it is one of those between lines.
    end = "\r\n" if quoting == csv.QUOTE_MINIMAL else end
    text = written(rows, delimiter=delimiter, lineterminator=end, quoting=quoting)
    assert values(text.encode()) == trimmed(rows)


@given(tables(PLAIN), st.sampled_from(",;|\t"))
@settings(max_examples=scaled(60), deadline=None)
def test_quotes_behind_a_backslash(rows: list[list[str]], delimiter: str) -> None:
    text = written(rows, delimiter=delimiter, quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\")
    assert values(text.encode()) == trimmed(rows)


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@given(tables(TEXTS), st.sampled_from(ENCODINGS), st.sampled_from([bytes, *PACKERS.values()]))
@settings(max_examples=scaled(60), deadline=None)
def test_any_texts_in_any_encoding_and_compression(
    rows: list[list[str]], encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    text = written(rows, quoting=csv.QUOTE_ALL)
    assert values(pack(text.encode(encoding))) == trimmed(rows)


@given(tables(PLAIN), st.sampled_from(["utf-16-le", "utf-16-be", "cp1252"]))
@settings(max_examples=scaled(40), deadline=None)
def test_encodings_without_a_mark(rows: list[list[str]], encoding: str) -> None:
    rows = [["é", *row[1:]] for row in rows]
    text = written(rows, quoting=csv.QUOTE_ALL).replace("尺寸", "n")
    read = read_text(text.encode(encoding), "t.csv")
    assert [column.to_pylist() for column in read.table.columns] == list(trimmed(rows).values())
    assert len(read.notes) == 1


@given(tables(PLAIN), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=scaled(80), deadline=None)
def test_pandas_writes_and_reads_the_same(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    frame = pd.DataFrame(rows, columns=NAMES[: len(rows[0])]).rename(columns={"尺寸": "n"})
    data = frame.to_csv(sep=delimiter, index=False, lineterminator="\n").encode(encoding)
    read = values(data)
    judged = pd.read_csv(io.BytesIO(data), sep=delimiter, encoding=encoding, dtype=str, keep_default_na=False)
    assert read == {name: [text.strip() for text in column] for name, column in judged.items()}
    assert list(read.values()) == list(trimmed(rows).values())


@given(st.text(st.sampled_from(list('ab1,;"\n\r \\#')), max_size=40))
@settings(max_examples=scaled(300), deadline=None)
def test_quoted_text_of_any_form_is_read_as_the_csv_module_reads_it_or_refused(text: str) -> None:
    text = "x,y,z\n" + text
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True))
    except csv.Error:
        rows = []
    try:
        read = read_text(text.encode(), "t.csv")
    except UserError:
        return
    if read.table.column_names != ["x", "y", "z"] or any("backslash" in note for note in read.notes):
        return
    rows = [[field.strip() for field in row] for row in rows[1:]]
    rows = [row for row in rows if row not in ([], [""])]
    expected = {name: list(column) for name, column in zip("xyz", zip(*rows, strict=True), strict=True)}
    assert read.table.to_pydict() == expected


@pytest.mark.parametrize("block", [64, 1 << 22])
def test_arrow_and_the_csv_module_agree_on_many_rows(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfcourse.data.tablefile.body._BLOCK", block)
    monkeypatch.setattr("tfcourse.data.tablefile.body._PIECE", 7)
    rows = [[f" {i}", "a\nb" if i % 7 else 'say ""', "," * (i % 3), ""] for i in range(500)]
    data = written(rows).encode()
    fast = values(data)
    monkeypatch.setattr("tfcourse.data.tablefile.body._by_arrow", lambda *_: None)
    assert values(data) == fast == trimmed(rows)
