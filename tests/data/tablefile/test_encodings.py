"""Texts are read in the encoding and compression that their bytes show; what is no text is refused by its name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from tfcourse.data.tablefile import compression, read_table, read_text
from tfcourse.errors import UserError

TEXT = "größe,n\nweiß,1\n“œuvre”,2\n"
TABLE = {"größe": ["weiß", "“œuvre”"], "n": ["1", "2"]}


def packed(data: bytes, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    return bytes(sink.getvalue().to_pybytes())


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: packed(data, "zstd"),
}


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        (TEXT.encode(), []),
        (TEXT.encode("utf-8-sig"), []),
        (TEXT.encode("utf-16"), ["is read as UTF-16"]),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ["is read as UTF-16"]),
        (TEXT.encode("utf-16-le"), ["is read as UTF-16"]),
        (TEXT.encode("utf-16-be"), ["is read as UTF-16"]),
        (TEXT.encode("utf-32"), ["is read as UTF-32"]),
        (b"\0\0\xfe\xff" + TEXT.encode("utf-32-be"), ["is read as UTF-32"]),
        (
            TEXT.encode("cp1252"),
            ["is read as Windows-1252, since byte 2 is not UTF-8; if letters look wrong, save it again as UTF-8"],
        ),
    ],
    ids=["utf-8", "mark", "utf-16", "utf-16-be", "utf-16-le bare", "utf-16-be bare", "utf-32", "utf-32-be", "cp1252"],
)
def test_encodings(data: bytes, notes: list[str]) -> None:
    read = read_text(data, "t.csv")
    assert read.table.to_pydict() == TABLE
    assert read.notes == notes


def test_latin_1_is_read_alike() -> None:
    assert read_text("é,n\nü,1\n".encode("latin-1"), "t.csv").table.to_pydict() == {"é": ["ü"], "n": ["1"]}


def test_letters_that_a_piece_ends_within(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfcourse.data.tablefile.encoding._PIECE", 3)
    for encoding in ("utf-8", "utf-16", "cp1252"):
        assert read_text(TEXT.encode(encoding), "t.csv").table.to_pydict() == TABLE
    damaged = TEXT.encode() + b"\xff,3\n"
    with pytest.raises(UserError, match=f"the first of them byte {len(TEXT.encode())}:"):
        read_text(damaged, "t.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            TEXT.encode() + b"a\xff,3\n",
            "'t.csv' is UTF-8 but for 1 byte, the first of them byte 34: it is damaged, or pieced together from files"
            " of several encodings. Save it again as UTF-8.",
        ),
        (
            b"a,b\n\x81,\x8d\n",
            "'t.csv' is neither UTF-8 nor Windows-1252 ('charmap' codec can't decode byte 0x81 in position 4: character"
            " maps to <undefined>). Save it again as CSV (UTF-8).",
        ),
        (b"n,t\n1,a\0\n2,b\n", "'t.csv' is not text: its byte 7 is zero. Save it again as CSV (UTF-8)."),
        ("n\0,t\n1,a\n".encode("utf-16"), "'t.csv' is not text: its byte 1 is zero. Save it again as CSV (UTF-8)."),
        (
            TEXT.encode("utf-16")[:-1],
            "'t.csv' is not whole UTF-16 ('utf-16-le' codec can't decode byte 0x0a in position 0: truncated data). Save"
            " it again as CSV (UTF-8).",
        ),
    ],
    ids=["damaged", "no encoding", "zero", "zero in utf-16", "cut utf-16"],
)
def test_what_is_no_whole_text(data: bytes, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_text(data, "t.csv")
    assert str(caught.value) == message


def zipped(*members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in members:
            archive.writestr(member, "x")
    return file.getvalue()


SAVE = "save the table in it as CSV (UTF-8)"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (zipped("t.csv"), "a ZIP archive or a spreadsheet's own file; unpack it, or save it as CSV (UTF-8)"),
        (b"PK\x03\x04\xff", "a ZIP archive or a spreadsheet's own file; unpack it, or save it as CSV (UTF-8)"),
        (zipped("xl/workbook.xml"), "an Excel workbook; give it a name that ends in .xlsx, or save it as CSV (UTF-8)"),
        (zipped("x.npy", "y.npy"), "an NPZ file; give it a name that ends in .npz"),
        (b"\xd0\xcf\x11\xe0\xa1", "an old spreadsheet (.xls); save it as .xlsx or as CSV (UTF-8)"),
        (b"PAR1\0\0", "a Parquet file; give it a name that ends in .parquet"),
        (b"ARROW1\0\0", "an Arrow file; give it a name that ends in .arrow or .feather"),
        (b"%PDF-1.7\n", f"a PDF; {SAVE}"),
        (b"\x89PNG\r\n", f"an image (PNG); {SAVE}"),
        (b"SQLite format 3\0", f"an SQLite database; {SAVE}"),
        (b"\x89HDF\r\n", f"an HDF5 file; {SAVE}"),
        (b"\x80\x04\x95", f"a Python pickle, which could run any code and is never loaded; {SAVE}"),
        (b"x" * 257 + b"ustar\0", "a tar archive; unpack it"),
    ],
)  # fmt: skip
def test_what_is_no_text(data: bytes, kind: str) -> None:
    for given in (data, gzip.compress(data)):
        with pytest.raises(UserError) as caught:
            read_text(given, "t.csv" if given is data else "t.csv.gz")
        assert str(caught.value) == f"{'t.csv' if given is data else 't.csv.gz'!r} is not text but {kind}."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\n<!DOCTYPE html>\n<html>,\n", "a web page; download the file itself"),
        ("<?xml version='1.0'?>\n", f"XML; {SAVE}"),
        ('{"a": 1, "b": 2}\n{"a": 2, "b": 2}\n', "JSON; give it a name that ends in .jsonl or .json"),
        ('[\n {"a": 1}]', "JSON; give it a name that ends in .json"),
        ("version https://git-lfs.github.com/spec\n", "a pointer of Git LFS; fetch the file itself with: git lfs pull"),
    ],
)  # fmt: skip
def test_what_is_text_but_no_table(text: str, kind: str) -> None:
    with pytest.raises(UserError) as caught:
        read_text(text.encode(), "t.csv")
    assert str(caught.value) == f"'t.csv' is no CSV but {kind}."


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("method", PACKERS)
def test_compression_is_told_by_the_bytes(method: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"T.CSV{suffix.upper()}"
    path.write_bytes(PACKERS[method](TEXT.encode()))
    read = read_table(path)
    assert read.table.to_pydict() == TABLE
    right = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst"}[method] == suffix
    assert read.notes == ([] if right else [f"is compressed ({method}), though its name does not say so"])


def test_a_plain_file_named_as_compressed_and_a_file_of_two_parts(tmp_path: Path) -> None:
    (tmp_path / "t.tsv.gz").write_text("a\tb\n1\t2\n")
    assert read_table(tmp_path / "t.tsv.gz").notes == ["is not compressed, though its name ends in .gz"]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert read_table(tmp_path / "t.csv.gz").table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        *(
            (method, "Compressed file ended before the end-of-stream marker was reached")
            for method in list(PACKERS)[:3]
        ),
        ("zstd", "Truncated compressed stream"),
    ],
)
def test_a_cut_file(method: str, reason: str) -> None:
    with pytest.raises(UserError) as caught:
        read_text(PACKERS[method](TEXT.encode())[:-9], "t.csv")
    assert str(caught.value) == f"'t.csv' is not a whole {method} file: {reason}."


@pytest.mark.parametrize("method", PACKERS)
def test_a_bomb_is_refused_before_it_is_unpacked(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "ALWAYS_ALLOWED", 1000)
    monkeypatch.setattr(compression, "_PIECE", 1 << 16)
    bomb = PACKERS[method](b"x,y\n" + b"0,0\n" * 300_000)
    assert len(bomb) * compression.RATIO < 1_200_000
    with pytest.raises(
        UserError, match=r"^'t.csv' unpacks to more than [0-9,]+ bytes, over \d+ times its size; no table"
    ):
        read_text(bomb, "t.csv")
    monkeypatch.setattr(compression, "ALWAYS_ALLOWED", 1 << 30)
    assert read_text(bomb, "t.csv").table.num_rows == 300_000
