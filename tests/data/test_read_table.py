"""Tables are read as their owners mean them: quotes, spaces, line ends, marks, compressed, Parquet's types."""

from __future__ import annotations

import csv
import decimal
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfcourse.data.read_table import read_table
from tfcourse.errors import UserError

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def read(folder: Path, data: str | bytes, name: str = "t.csv") -> dict[str, list[Any]]:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return {column: values.tolist() for column, values in read_table(path).items()}


TABLE = {"n": ["1", "2"], "t": ["a", "b"]}


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str]], end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])
    assert read(tmp_path, file.getvalue()) == {
        "first": [a.strip() for a, _ in rows],
        "second": [b.strip() for _, b in rows],
    }


@pytest.mark.parametrize(
    "text",
    [
        "n,t\n1,a\n2,b\n",
        "n,t\r\n1,a\r\n2,b\r\n",
        "n,t\r1,a\r2,b\r",
        "n,t\n1,a\n2,b",
        "\ufeffn,t\n1,a\n2,b\n",
        " n , t\n 1 ,  a\n2 , b \n",
        "\n \nn,t\n\n1,a\n  \n2,b\n\n",
        '"n","t"\n"1","a"\n2, "b"\n',
    ],
    ids=["plain", "crlf", "cr", "no last line end", "mark", "spaces", "blank lines", "quotes"],
)
def test_ways_to_write_one_table(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == TABLE


def test_quoted_texts_keep_their_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    table = read(tmp_path, 'n,"t, u"\n1,"a, ""b""\nc"\n')
    assert table == {"n": ["1"], "t, u": ['a, "b"\nc']}


@pytest.mark.parametrize("name", ["t.tsv", "T.TSV", "t.tsv.gz"])
def test_tabs(tmp_path: Path, name: str) -> None:
    data = b"n\tt\n1\ta\n2\tb\n"
    assert read(tmp_path, gzip.compress(data) if name.endswith("gz") else data, name) == TABLE


def test_an_empty_last_field_is_kept_under_tabs(tmp_path: Path) -> None:
    assert read(tmp_path, "n\tt\n1\t\n", "t.tsv") == {"n": ["1"], "t": [""]}


def test_compressed(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(b"n,t\n1,a\n2,b\n"), "t.csv.gz") == TABLE


def test_an_empty_value_in_the_only_column_is_a_row(tmp_path: Path) -> None:
    assert read(tmp_path, 'n\n1\n""\n2\n') == {"n": ["1", "", "2"]}


def test_a_column_may_have_no_name_and_any_letters(tmp_path: Path) -> None:
    assert read(tmp_path, ",größe,尺寸\n0,1,2\n") == {"": ["0"], "größe": ["1"], "尺寸": ["2"]}


def test_a_text_of_other_delimiters_is_no_wrong_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, "n,a;b|c\n1,2\n") == {"n": ["1"], "a;b|c": ["2"]}


def parquet(folder: Path, **columns: Any) -> dict[str, list[Any]]:
    pd.DataFrame(columns).to_parquet(folder / "t.parquet")
    return {name: values.tolist() for name, values in read_table(folder / "t.parquet").items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([1, 2], np.int8), [1.0, 2.0]),
        (np.array([0.5, 2], np.float32), [0.5, 2.0]),
        ([True, False], ["True", "False"]),
        (pd.array([True, None], dtype="boolean"), ["True", ""]),
        (pd.Categorical(["u", None]), ["u", ""]),
        (pd.to_datetime(["2024-02-29 12:30:00", None]), ["2024-02-29 12:30:00", ""]),
        (pd.to_datetime(["2024-02-29", "1970-01-01"], utc=True), ["2024-02-29 00:00:00", "1970-01-01 00:00:00"]),
        (pd.to_datetime(["2024-02-29", "1970-01-01"]).date, ["2024-02-29", "1970-01-01"]),
        ([decimal.Decimal("1.50"), decimal.Decimal("2")], ["1.50", "2.00"]),
        ([" a ", None], ["a", ""]),
    ],
    ids=["int8", "float32", "bool", "boolean", "category", "datetime", "zone", "date",
         "decimal", "text"],
)  # fmt: skip
def test_the_types_of_parquet(tmp_path: Path, values: Any, expected: list[Any]) -> None:
    assert parquet(tmp_path, c=values)["c"] == expected


def test_nullable_integers(tmp_path: Path) -> None:
    one, missing = parquet(tmp_path, c=pd.array([1, None], dtype="Int64"))["c"]
    assert one == 1.0
    assert np.isnan(missing)


@pytest.mark.parametrize(
    ("values", "kind"), [([[1, 2], [3]], "ndarray"), ([{"a": 1}, {"a": 2}], "dict"), ([b"a", b"b"], "bytes")]
)
def test_what_a_column_of_parquet_may_not_hold(
    tmp_path: Path, values: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"n": [1, 2], "my column": values}).to_parquet("t.parquet")
    with pytest.raises(UserError) as caught:
        read_table(Path("t.parquet"))
    assert str(caught.value) == (
        f"'t.parquet': column 'my column' holds values of type {kind}; only numbers, texts and dates can be read."
        " Save the file without it."
    )


def test_parquet_with_a_name_twice_or_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow
    import pyarrow.parquet

    monkeypatch.chdir(tmp_path)
    pyarrow.parquet.write_table(pyarrow.table([[1], [2]], names=["x", "x"]), "twice.parquet")
    pd.DataFrame({"x": []}).to_parquet("none.parquet")
    for name, message in [
        ("twice.parquet", "'twice.parquet' has 2 columns called 'x'; give each its own name."),
        ("none.parquet", "'none.parquet' holds no rows."),
    ]:
        with pytest.raises(UserError) as caught:
            read_table(Path(name))
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("n,n,t\n1,2,a\n", "'t.csv' has 2 columns called 'n'; give each its own name."),
        ("n, n,t\n1,2,a\n", "'t.csv' has 2 columns called 'n'; give each its own name."),
        (
            "n,t\n1,a,\n",
            "'t.csv' ends line 2 after 3 fields, but its header names 2 columns. Each row needs a field a column; a"
            " text that holds commas must stand in double quotes.",
        ),
        (
            'n,t\n"1\n2",a\n3\n',
            "'t.csv' ends line 4 after 1 field, but its header names 2 columns. Each row needs a field a column; a"
            " text that holds commas must stand in double quotes.",
        ),
        (
            'n,t\n1,"a\n2,b\n',
            "'t.csv' cannot be read at line 3: unexpected end of data. A text in double quotes must end with one, and"
            " a double quote inside it must be written twice.",
        ),
    ],
)
def test_tables_that_cannot_be_right(tmp_path: Path, data: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(data)
    with pytest.raises(UserError) as caught:
        read_table(Path("t.csv"))
    assert str(caught.value) == message
