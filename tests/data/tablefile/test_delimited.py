"""Delimited text comes out as it stands, whatever its delimiter, quotes, line ends and the lines before its header."""

from __future__ import annotations

import csv
from typing import Any

import pyarrow as pa
import pytest

from tfcourse.data.tablefile import read_text
from tfcourse.errors import UserError

TABLE = {"n": ["1", "2"], "t": ["a", "b"]}


def read(text: str, name: str = "t.csv") -> dict[str, list[str]]:
    table = read_text(text.encode(), name).table
    assert all(kind == pa.string() for kind in table.schema.types)
    return dict(table.to_pydict())


def refusal(text: str | bytes, name: str = "t.csv") -> str:
    with pytest.raises(UserError) as caught:
        read_text(text.encode() if isinstance(text, str) else text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "n,t\n1,a\n2,b\n",
        "n,t\r\n1,a\r\n2,b\r\n",
        "n,t\r1,a\r2,b\r",
        "n,t\r\n1,a\n2,b\r",
        "n,t\n1,a\n2,b",
        "\ufeffn,t\n1,a\n2,b\n",
        " n , t\n 1 ,  a\n2 , b \n",
        "\u00a0n\u3000,t\ufeff\n\t1,a\u2028\n2\u00a0,b\n",
        "\n \nn,t\n\n1,a\n  \n2,b\n\n",
        '"n","t"\n"1","a"\n"2","b"\n',
        '"n","t"\n"1","a"\n2, "b"\n',
        '"n","t"\n1, "a"\n2, "b"',
        "n;t\n1;a\n2;b\n",
        "n\tt\n1\ta\n2\tb\n",
        "n|t\n1|a\n2|b\n",
        "sep=;\nn;t\n1;a\n2;b\n",
        '"SEP=,"\r\nn,t\r\n1,a\r\n2,b\r\n',
        "sep=\t\nn\tt\n1\ta\n2\tb\n",
        "sep=^\nn^t\n1^a\n2^b\n",
        "n,t,\n1,a,\n2,b,\n",
        "n,t,,,\n1,a,,,\n2,b,,,\n",
        "n,t,\n1,a\n2,b\n",
        "# made by a program\n# on Monday\nn,t\n1,a\n2,b\n",
        "# made by a program, version 2\nn,t\n1,a\n2,b\n",
        "The title\n\nn,t\n1,a\n2,b\n",
        "The title,\n,\nn,t\n1,a\n2,b\n",
    ],
    ids=["plain", "crlf", "cr", "all line ends", "no last line end", "mark", "spaces", "unicode spaces",
         "blank lines", "quotes", "blank before a quote", "blanks before quotes", "semicolons", "tabs", "bars",
         "sep=;", "sep=, in quotes", "sep=tab", "sep=^", "trailing", "trailing more", "header trails", "comments",
         "comment as wide", "title", "padded title"],
)  # fmt: skip
def test_ways_to_write_one_table(text: str) -> None:
    assert read(text) == TABLE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('n,"t, u"\n1,"a, ""b""\nc"\n', {"n": ["1"], "t, u": ['a, "b"\nc']}),
        ('a,b\n5" pipe,7\'\n6",""\n', {"a": ['5" pipe', '6"'], "b": ["7'", ""]}),
        ('a,b\n"he said ""no""",1\n"""",2\n', {"a": ['he said "no"', '"'], "b": ["1", "2"]}),
        ('a,b\n"x \\"y\\", z",2\n"u",3\n', {"a": ['x "y", z', "u"], "b": ["2", "3"]}),
        ("a,b\nx\\, y,2\nu,3\n", {"a": ["x, y", "u"], "b": ["2", "3"]}),
        ('a,b\n"C:\\dir",2\n', {"a": ["C:\\dir"], "b": ["2"]}),
        ("price;name\n1,5;x\n2,5;y\n", {"price": ["1,5", "2,5"], "name": ["x", "y"]}),
        ("a;b\n1,5;2,5\n3,5;4,5\n", {"a": ["1,5", "3,5"], "b": ["2,5", "4,5"]}),
        ('a,b\n"x;y",1\n"z;w",2\n', {"a": ["x;y", "z;w"], "b": ["1", "2"]}),
        ("n,a;b|c\n1,2\n", {"n": ["1"], "a;b|c": ["2"]}),
        ("n\tt\n1\t\n", {"n": ["1"], "t": [""]}),
        ('n\n1\n""\n2\n', {"n": ["1", "", "2"]}),
        ('n\n""\n', {"n": [""]}),
        (",größe,尺寸\n0,1,2\n", {"column 1": ["0"], "größe": ["1"], "尺寸": ["2"]}),
        ("a,,c\n1,,3\n4,,6\n", {"a": ["1", "4"], "c": ["3", "6"]}),
        ("a,,c\n1,x,3\n4,,6\n", {"a": ["1", "4"], "column 2": ["x", ""], "c": ["3", "6"]}),
        ("o\u0308l,O\u0308l\no\u0308,2\n", {"öl": ["o\u0308"], "Öl": ["2"]}),
        ("#CHROM,POS\nX,1\n", {"#CHROM": ["X"], "POS": ["1"]}),
        ("# by me\n#CHROM\tPOS\nX\t1\n", {"#CHROM": ["X"], "POS": ["1"]}),
        ("0,1,2\n5,6,7\n1,2,3\n", {"0": ["5", "1"], "1": ["6", "2"], "2": ["7", "3"]}),
        ("land,2019,2020\nIT,1,2\nES,3,4\n", {"land": ["IT", "ES"], "2019": ["1", "3"], "2020": ["2", "4"]}),
        ("name,\nAnn,x\nBob,y\n", {"name": ["Ann", "Bob"], "column 2": ["x", "y"]}),
        ("a,b\n#1,2\n# no comment,3\n", {"a": ["#1", "# no comment"], "b": ["2", "3"]}),
    ],
)  # fmt: skip
def test_values(text: str, expected: dict[str, Any]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [("t.csv", "a\tb\n1\t2\n"), ("t.tsv", "a,b\n1,2\n"), ("t.txt", "a;b\n1;2\n"), ("standard input", "a|b\n1|2\n")],
)
def test_the_lines_tell_the_delimiter_not_the_name(name: str, text: str) -> None:
    assert read(text, name) == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("n,t\n1,a\n", []),
        ("n;t\n1;a\n", ["its fields stand between semicolons"]),
        ("sep=;\nn;t\n1;a\n", ["its first line names semicolons as delimiter"]),
        ("#x\nn,t\n1,a\n", ["1 comment before the header is left out"]),
        ("About\n\nn,t\n1,a\n2,b\n", ["what stands before the header, from line 1 on, is left out: 'About'"]),
        ("n,t,\n1,a\n", ["the header ends with a delimiter, after which no column follows"]),
        ("n,t,\n1,a,\n", ["1 column without name and values is left out"]),
        (",t\n1,a\n", ["the first column has no name and is called 'column 1'"]),
        ("n,,,t\n1,2,3,4\n", ["columns without a name are called 'column 2', 'column 3'"]),
        ('n,t\n"a\\"b",2\n', ["a backslash before a character is taken to mean just that character"]),
    ],
)
def test_what_is_told(text: str, notes: list[str]) -> None:
    assert read_text(text.encode(), "t.csv").notes == notes


PRICES = [(f"a{n}", f"{n},5") for n in range(20)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("title", ["Umsatz, 2023\n", "Umsatz, 2023\n\n", "Stand: 1.1.2023, Berlin\n"])
def test_a_title_with_a_comma_over_decimal_commas(title: str, columns: int, delimiter: str) -> None:
    rows = [("name", "price", "unit")[:columns], *((*each, "EUR")[:columns] for each in PRICES)]
    read = read_text((title + "\n".join(map(delimiter.join, rows))).encode(), "t.csv")
    assert read.table.to_pydict() == {name: list(values) for name, *values in zip(*rows, strict=True)}
    assert read.notes[1:] == [f"what stands before the header, from line 1 on, is left out: {title.strip()!r}"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("n,t\n1,a\n2,b\n", [2, 3]),
        ("n,t\r1,a\r2,b", [2, 3]),
        ("#x\n\nn,t\r\n1,a\r\n2,b\r\n", [4, 5]),
        ('n,t\n1,"a\nb"\n2,c\n', [None, None]),
    ],
)
def test_the_line_of_a_row(text: str, lines: list[int | None]) -> None:
    read = read_text(text.encode(), "t.csv")
    assert [read.line_of(row) for row in range(2)] == lines


MUST_END = "A text in double quotes must end with one, and a double quote inside it must be written twice."
NEEDS = "Each row needs a field a column; a text that holds commas must stand in double quotes."
SEMICOLONS = NEEDS.replace("commas", "semicolons")
RAGGED_BESIDE_COMMAS = [  # one row has another length, and all rows but the header have one comma each
    ("id;size;y\n" + "1;2,5;a\n" * 3 + "7;8,5;b;9\n" + "1;2,5;b\n" * 2, 5, 4),
    ("id;size;y\n" + "1;2,5;a\n" * 2 + "5;6,5\n" + "1;2,5;b\n" * 3, 4, 2),
    ("id;size;y\n" + "1;2,5;a\n" * 29 + "30;2,5;a;x\n" + "1;2,5;b\n" * 9, 31, 4),
    ("id;size;y\n" + "1;2,5;a;x\n" + "1;2,5;a\n" * 9, 2, 4),
    ("name;size;y\n" + "Ann;2,5;a;x\n" + "Bob;2,5;a\n" * 9, 2, 4),
    ("id;city;y\n" + "1;Paris, FR;a\n" * 2 + "3;Paris, FR;a;x\n" + "1;Oslo, NO;a\n" * 40, 4, 4),
]
NO_HEADER = "where the columns' names should be. Put a line with a name for each column on top."
TITLE = "If it is no part of the table, take it out; if it is the header, give each column a name."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'t.csv' is empty; a table needs a header line and rows."),
        (" \n\n", "'t.csv' is empty; a table needs a header line and rows."),
        ("sep=;\n", "'t.csv' is empty; a table needs a header line and rows."),
        ("n,t\n", "'t.csv' holds a header line but no rows."),
        ("# one\nn,t\n", "'t.csv' holds a header line but no rows."),
        ("n,n,t\n1,2,a\n", "'t.csv' has 2 columns called 'n'; give each its own name."),
        ("n, n,t\n1,2,a\n", "'t.csv' has 2 columns called 'n'; give each its own name."),
        ("ö,o\u0308\n1,2\n", "'t.csv' has 2 columns called 'ö'; give each its own name."),
        ("n,t\n1,a,\n", f"'t.csv' ends line 2 after 3 fields, but its header names 2 columns. {NEEDS}"),
        ('n,t\n"1\n2",a\n3\n', f"'t.csv' ends line 4 after 1 field, but its header names 2 columns. {NEEDS}"),
        *(
            (table, f"'t.csv' ends line {line} after {fields} fields, but its header names 3 columns. {SEMICOLONS}")
            for table, line, fields in RAGGED_BESIDE_COMMAS
        ),
        ("n\n1\n2,3\n", f"'t.csv' ends line 3 after 2 fields, but its header names 1 column. {NEEDS}"),
        (
            "n,t\n" + "1,a\n" * 900 + "2\n",
            f"'t.csv' ends line 902 after 1 field, but its header names 2 columns. {NEEDS}",
        ),
        ('n,t\n1,"a\n2,b\n', f"'t.csv' cannot be read at line 3: unexpected end of data. {MUST_END}"),
        ('n,t\n1,"a"b\n2,b\n', f"'t.csv' cannot be read at line 2: ',' expected after '\"'. {MUST_END}"),
        ('n,t\n1,"a" pipe"\n2,b\n', f"'t.csv' cannot be read at line 2: ',' expected after '\"'. {MUST_END}"),
        ('n,t\n1,""a"\n', f"'t.csv' cannot be read at line 2: ',' expected after '\"'. {MUST_END}"),
        ('"n,t\n1,a\n', f"'t.csv' cannot be read at line 2: unexpected end of data. {MUST_END}"),
        (
            "a;b,c\n1;2,3\n2;3,4\n",
            "'t.csv' can be read with commas (2 columns) and with semicolons (2 columns) between its fields. Say which"
            " it is by a first line 'sep=,' or 'sep=;'.",
        ),
        ("5.1,3.5\n4.9,3.0\n", f"'t.csv' has no header: line 1 holds values (5.1, 3.5) {NO_HEADER}"),
        ("-1\n2\n", f"'t.csv' has no header: line 1 holds values (-1) {NO_HEADER}"),
        ("5.1,3,se\n5.2,4,se\n6,3,vi\n", f"'t.csv' has no header: line 1 holds values (5.1, 3, se) {NO_HEADER}"),
        ("p,x,s,n\ne,x,y,n\np,b,s,n\n", f"'t.csv' has no header: line 1 holds values (p, x, s, n) {NO_HEADER}"),
        ("text\nhello, you\nhi, Ann\n", f"'t.csv': line 1 holds one field, but line 2 has 2. {TITLE}"),
        ("All,,\nAnn,x,y\nBob,z,w\n", f"'t.csv': line 1 holds one field, but line 2 has 3. {TITLE}"),
    ],
)  # fmt: skip
def test_what_cannot_be_right(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_fields_of_any_length(size: int) -> None:
    long, limit = "x" * size, csv.field_size_limit()
    assert read(f'n,t\n1,"{long}"\n2,b\n') == {"n": ["1", "2"], "t": [long, "b"]}
    assert read(f'n,t\n1,a\n2, "{long}"\n') == {"n": ["1", "2"], "t": ["a", long]}
    assert csv.field_size_limit() == limit


def test_a_long_text_takes_its_own_bytes_only() -> None:
    rows = "".join(f"{i},short\n" for i in range(40_000))
    table = read_text(f"n,t\n{rows}7,{'x' * 1_000_000}\n".encode(), "t.csv").table
    assert table.num_rows == 40_001
    assert table.nbytes < 3_000_000


def test_many_columns() -> None:
    names = [f"c{i}" for i in range(3000)]
    table = read(",".join(names) + "\n" + (",".join(["1"] * 3000) + "\n") * 3)
    assert table == dict.fromkeys(names, ["1"] * 3)
