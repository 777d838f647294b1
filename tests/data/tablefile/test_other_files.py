"""Parquet, Arrow, JSON and Excel keep the types and values that stand in them; what cannot be read is named."""

from __future__ import annotations

import datetime as dt
import decimal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.tablefile.test_encodings import zipped
from tests.examples import scaled
from tfcourse.data.tablefile import FileTable, read_table
from tfcourse.data.tablefile.white_space import WHITE_SPACE
from tfcourse.errors import UserError

BIG = 2**53 + 1
DAY = dt.datetime(2024, 2, 29, 12, 30, 1, 500)


def refusal(name: str) -> str:
    with pytest.raises(UserError) as caught:
        read_table(Path(name))
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize(
    ("array", "kind", "expected"),
    [
        (pa.array([1, None], pa.int8()), "int8", [1, None]),
        (pa.array([BIG, -BIG]), "int64", [BIG, -BIG]),
        (pa.array([2**64 - 1], pa.uint64()), "uint64", [2**64 - 1]),
        (pa.array([0.1, None]), "double", [0.1, None]),
        (pa.array([0.5], pa.float32()), "float", [0.5]),
        (pa.array([decimal.Decimal("1.50"), None]), "decimal128(3, 2)", [decimal.Decimal("1.50"), None]),
        (pa.array([True, None]), "bool", [True, None]),
        (pa.array([" a\u00a0", None, ""]), "string", ["a", None, ""]),
        (pa.array([" a"], pa.large_string()), "string", ["a"]),
        (pa.array(["u", None, "v"]).dictionary_encode(), "string", ["u", None, "v"]),
        (pa.array([3, 4]).dictionary_encode(), "int64", [3, 4]),
        (pa.array([None, None]), "string", [None, None]),
        (pa.array([DAY], pa.timestamp("us")), "timestamp[us]", [DAY]),
        (pa.array([DAY], pa.timestamp("us", "UTC")), "timestamp[us, tz=UTC]", [DAY.replace(tzinfo=dt.UTC)]),
        (pa.array([DAY.date()]), "date32[day]", [DAY.date()]),
        (pa.array([DAY.time()]), "time64[us]", [DAY.time()]),
        (pa.array([dt.timedelta(hours=1.5), None]), "double", [5400.0, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_types_are_kept(here: Path, suffix: str, array: pa.Array, kind: str, expected: list[Any]) -> None:
    table = pa.table({"x": array})
    (pa.parquet.write_table if suffix == ".parquet" else pa.feather.write_feather)(table, f"t{suffix}")
    read = read_table(Path(f"t{suffix}")).table
    assert [str(read.schema.field("x").type), *read["x"].to_pylist()] == [kind, *expected]


NUMBERS = st.integers(-(2**63), 2**63 - 1)
COLUMNS = st.fixed_dictionaries(
    {
        "i": st.lists(st.none() | NUMBERS, min_size=5, max_size=5),
        "f": st.lists(st.none() | st.floats(allow_nan=False), min_size=5, max_size=5),
        "t": st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=5), min_size=5, max_size=5),
        "d": st.lists(st.none() | st.datetimes(), min_size=5, max_size=5),
    }
)
TYPES = pa.schema({"i": pa.int64(), "f": pa.float64(), "t": pa.string(), "d": pa.timestamp("us")})


@given(COLUMNS)
@settings(max_examples=scaled(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parquet_in_row_groups_comes_back_exactly(tmp_path: Path, columns: dict[str, list[Any]]) -> None:
    pa.parquet.write_table(pa.table(columns, TYPES), tmp_path / "t.parquet", row_group_size=2)
    read = read_table(tmp_path / "t.parquet").table
    assert read.schema.remove_metadata() == TYPES
    texts = [text if text is None else text.strip(WHITE_SPACE) for text in columns["t"]]
    assert read.to_pydict() == columns | {"t": texts}


@pytest.mark.parametrize(
    ("frame", "names", "notes"),
    [
        (pd.DataFrame({"x": [1, 2]}), ["x"], []),
        (
            pd.DataFrame({"x": [1, 2]}, index=[7, 3]),
            ["x"],
            ["the row numbers that pandas kept beside the table (its index) are left out"],
        ),
        (
            pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="who")),
            ["x", "who"],
            ["the index of the pandas table is read as a column: 'who'"],
        ),
        (pd.DataFrame({"x": [1, 2]}, index=["a", "b"]), ["x", "__index_level_0__"], []),
        (pd.DataFrame({"x": [1, 2], "": [3, 4]}), ["x", "column 2"], ["columns without a name are called 'column 2'"]),
        (pd.DataFrame({"x": [1, 2], 5: [3, 4]}), ["x", "5"], []),
    ],
    ids=["range", "numbers", "named", "texts", "no name", "a number as name"],
)
@pytest.mark.filterwarnings("ignore:The DataFrame has column names of mixed type:UserWarning")
def test_the_index_of_pandas(here: Path, frame: pd.DataFrame, names: list[str], notes: list[str]) -> None:
    frame.to_parquet("t.parquet")
    read = read_table(Path("t.parquet"))
    assert (read.table.column_names, read.notes) == (names, notes)


ONLY = "only numbers, texts, booleans, dates and times can be read."
OWN = "Save the file without it, or with what it holds in columns of its own."


@pytest.mark.parametrize(
    ("values", "kind", "advice"),
    [
        ([[1, 2], [3]], "of type list<element: int64>", OWN),
        ([{"a": 1}, {"a": 2}], "of type struct<a: int64>", OWN),
        ([b"a", b"b"], "of bytes", "Save the file without it, or as text if it is text."),
        ([pd.Period("2024-01"), pd.Period("2024-02")], "of type pandas.period", "Save it as text or as numbers."),
    ],
)
def test_what_a_column_of_parquet_may_not_hold(here: Path, values: Any, kind: str, advice: str) -> None:
    pd.DataFrame({"n": [1, 2], "my column": values}).to_parquet("t.parquet")
    assert refusal("t.parquet") == f"'t.parquet': column 'my column' holds values {kind}; {ONLY} {advice}"


def test_parquet_and_arrow_that_are_no_table(here: Path) -> None:
    pa.parquet.write_table(pa.table([[1], [2]], names=["x", "x"]), "twice.parquet")
    pd.DataFrame({"x": []}).to_parquet("none.parquet")
    pa.parquet.write_table(pa.table({}), "empty.parquet")
    pd.DataFrame({("a", "x"): [1], ("a", "y"): [2]}).to_parquet("levels.parquet")
    for name in ("text.parquet", "text.feather"):
        Path(name).write_text("x,y\n1,2\n")
    Path("old.feather").write_bytes(b"FEA1....FEA1")
    for name, message in [
        ("twice.parquet", "'twice.parquet' has 2 columns called 'x'; give each its own name."),
        ("none.parquet", "'none.parquet' holds no rows."),
        ("empty.parquet", "'empty.parquet' holds no columns."),
        (
            "levels.parquet",
            "'levels.parquet' has names of 2 levels over its columns; give each column one name, as by: frame.columns ="
            " ['_'.join(map(str, name)) for name in frame.columns]",
        ),
        ("text.feather", "'text.feather' is no Arrow or Feather file; save it as Parquet or CSV (UTF-8)."),
        (
            "old.feather",
            "'old.feather' is no Arrow or Feather file but an old one (version 1), which pandas.read_feather may read;"
            " save it as Parquet or CSV (UTF-8).",
        ),
    ]:
        assert refusal(name) == message
    assert refusal("text.parquet").startswith("'text.parquet' cannot be read as Parquet: ")


def json_table(text: str | bytes, name: str = "t.jsonl") -> FileTable:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(Path(name))


@pytest.mark.parametrize(
    ("text", "expected", "kinds"),
    [
        ('{"x": 1, "y": "a"}\n{"x": 2, "y": " b "}\n', {"x": [1, 2], "y": ["a", "b"]}, ["int64", "string"]),
        ('{"x": 1}\n\n{"y": true}', {"x": [1, None], "y": [None, True]}, ["int64", "bool"]),
        ('[{"x": 1.5}, {"x": null},\n {"x": 2}]', {"x": [1.5, None, 2.0]}, ["double"]),
        (f'{{"x": {BIG}}}\n', {"x": [BIG]}, ["int64"]),
        (f'{{"x": {2**64}}}\n{{"x": 1.5}}\n', {"x": [str(2**64), "1.5"]}, ["string"]),
        ('{"x": 1}\n{"x": "a"}\n{"x": 2.0}\n{"x": false}\n', {"x": ["1", "a", "2", "FALSE"]}, ["string"]),
        ('{"x": null}\n', {"x": [None]}, ["string"]),
        ('\ufeff{"x": "2024-02-29"}\r\n', {"x": ["2024-02-29"]}, ["string"]),
    ],
)
def test_json(here: Path, text: str, expected: dict[str, list[Any]], kinds: list[str]) -> None:
    table = json_table(text).table
    assert table.to_pydict() == expected
    assert [str(kind) for kind in table.schema.types] == kinds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'t.jsonl' is empty; it needs an object a row, like {\"x\": 1, \"y\": \"a\"}."),
        ('{"x": 1}\n{"x":\n', "'t.jsonl' is not JSON at line 2: Expecting value. It must hold an object a line, or one"
         " list of objects."),
        ('{"x": 1}\n5\n', "'t.jsonl': line 2 holds no object but 5; each must be an object of a value a column, like"
         ' {"x": 1, "y": "a"}.'),
        ('{"x": 1, "x": 2}\n', "'t.jsonl': an object from line 1 on has two values of one name: {\"x\": 2}."),
        ('{"x": 1}\n{"x": [1]}\n', "'t.jsonl': column 'x' holds [1] in line 2; only numbers, texts and booleans can be"
         f" read. {OWN}"),
        ("{}\n", "'t.jsonl' holds no columns: its objects are empty."),
        ("[" * 100_000, "'t.jsonl' cannot be read from line 1 on: "),
        ('{"x": ' + "1" * 5000 + "}", "'t.jsonl' cannot be read from line 1 on: "),
    ],
)  # fmt: skip
def test_json_that_is_no_table(here: Path, text: str, message: str) -> None:
    Path("t.jsonl").write_text(text)
    assert refusal("t.jsonl").startswith(message)


def test_lines_of_json(here: Path) -> None:
    assert json_table('{"x": 1}\n{"x": 2}\n').line_of(1) == 2
    assert json_table('{"x": 1}\n\n{"x": 2}\n').line_of(1) is None
    assert json_table('[{"x": 1}]', "t.json").line_of(0) is None


FRAME = pd.DataFrame(
    {
        "whole": [1, None, 3],
        "real": [0.5, 1, np.nan],
        "text": [" a ", "NA", None],
        "flag": [True, False, True],
        "day": [dt.datetime(2024, 2, 29), None, dt.datetime(2024, 3, 1)],
        "mixed": [1, "a", True],
    },
    dtype=object,
)


def sheet(rows: Callable[[Any], None], name: str = "t.xlsx") -> FileTable:
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    rows(workbook.active)
    workbook.save(name)
    return read_table(Path(name))


def test_excel_keeps_types(here: Path) -> None:
    pytest.importorskip("openpyxl")
    FRAME.to_excel("t.xlsx", index=False)
    read = read_table(Path("t.xlsx"))
    assert {name: str(kind) for name, kind in zip(read.table.column_names, read.table.schema.types, strict=True)} == {
        "whole": "int64", "real": "double", "text": "string", "flag": "bool", "day": "timestamp[us]", "mixed": "string",
    }  # fmt: skip
    assert read.table.to_pydict() == {
        "whole": [1, None, 3],
        "real": [0.5, 1.0, None],
        "text": ["a", "NA", None],
        "flag": [True, False, True],
        "day": [dt.datetime(2024, 2, 29), None, dt.datetime(2024, 3, 1)],
        "mixed": ["1", "a", "TRUE"],
    }
    assert (read.notes, read.line_of(0)) == ([], 2)


def test_a_title_over_a_sheet_and_more_sheets(here: Path) -> None:
    def rows(active: Any) -> None:
        for row in [["Sales"], [], ["n", "t"], [1, "a"], [2, "b"]]:
            active.append(row)
        active.parent.create_sheet("more")

    read = sheet(rows)
    assert read.table.to_pydict() == {"n": [1, 2], "t": ["a", "b"]}
    assert read.notes == [
        "its first sheet, 'Sheet', is read; not 'more'",
        "what stands before the header, from row 1 on, is left out: 'Sales'",
    ]
    assert read.line_of(1) == 5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "'t.xlsx' is empty: its first sheet holds nothing; a table needs a header row and rows."),
        ([["n", "t"]], "'t.xlsx' holds a header row but no rows."),
        ([["n", "n"], [1, 2]], "'t.xlsx' has 2 columns called 'n'; give each its own name."),
        (
            [[1, 5.5], [2, 6.5]],
            "'t.xlsx' has no header: row 1 holds values (1, 5.5) where the columns' names should be. Put a line with a"
            " name for each column on top.",
        ),
    ],
)
def test_sheets_that_are_no_table(here: Path, rows: list[list[Any]], message: str) -> None:
    with pytest.raises(UserError) as caught:
        sheet(lambda active: [active.append(row) for row in rows])  # type: ignore[arg-type, return-value]
    assert str(caught.value) == message


def test_what_is_no_workbook(here: Path) -> None:
    pytest.importorskip("openpyxl")
    Path("t.xlsx").write_text("n,t\n1,a\n")
    assert refusal("t.xlsx") == (
        "'t.xlsx' cannot be read as an Excel workbook: File is not a zip file. Save it as CSV (UTF-8)."
    )


def test_without_openpyxl_a_sentence_says_what_to_install(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    Path("t.xlsx").write_bytes(zipped("xl/workbook.xml"))
    assert refusal("t.xlsx") == (
        "'t.xlsx' is an Excel workbook; to read it, install openpyxl: pip install 'tfcourse[excel]'."
    )
