"""What a file is by its bytes, whatever its name says."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

from tfcourse.errors import UserError

_SAVE = "save the table in it as CSV (UTF-8)"
_BINARY: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls); save it as .xlsx or as CSV (UTF-8)"),
    (b"PAR1", "a Parquet file; give it a name that ends in .parquet"),
    (b"ARROW1", "an Arrow file; give it a name that ends in .arrow or .feather"),
    (b"FEA1", f"an old Feather file; {_SAVE}"),
    (b"%PDF", f"a PDF; {_SAVE}"),
    (b"\x89PNG", f"an image (PNG); {_SAVE}"),
    (b"\xff\xd8\xff", f"an image (JPEG); {_SAVE}"),
    (b"GIF8", f"an image (GIF); {_SAVE}"),
    (b"SQLite format 3\0", f"an SQLite database; {_SAVE}"),
    (b"\x89HDF", f"an HDF5 file; {_SAVE}"),
    (b"\x93NUMPY", "a NumPy array; save it with numpy.savez(file, x=..., y=...) as .npz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"ORC", f"an ORC file; {_SAVE}"),
    (b"Obj\x01", f"an Avro file; {_SAVE}"),
    (b"RDX", f"R's own file; {_SAVE}"),
    (b"$FL2", f"an SPSS file; {_SAVE}"),
    (b"MATLAB 5.0", f"a MATLAB file; {_SAVE}"),
    (b"<stata_dta>", f"a Stata file; {_SAVE}"),
)
"""How files that hold no text begin, what they are, and what to do about them."""

_MARKUP: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*(<!doctype html|<html\b)", re.I), "a web page; download the file itself"),
    (re.compile(rb"\s*<\?xml\b", re.I), f"XML; {_SAVE}"),
    (re.compile(rb"\s*\[\s*\{"), "JSON; give it a name that ends in .json"),
    (re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:'), "JSON; give it a name that ends in .jsonl or .json"),
    (re.compile(rb"version https://git-lfs"), "a pointer of Git LFS; fetch the file itself with: git lfs pull"),
)
"""The same of texts that are no tables."""


def check_is_text(data: bytes, name: str) -> None:
    """Refuse bytes that are known to be something else than text.

    Raises:
        UserError: naming what they are and what to do.
    """
    kind = _archive(data) or next((kind for start, kind in _BINARY if data.startswith(start)), None)
    if data[:1] == b"\x80" and data[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        kind = f"a Python pickle, which could run any code and is never loaded; {_SAVE}"
    if kind:
        raise UserError(f"{name!r} is not text but {kind}.")


def check_is_table(text: bytes, name: str) -> None:
    """Refuse text that is known to be no table of lines and fields.

    Raises:
        UserError: naming what it is and what to do.
    """
    for pattern, kind in _MARKUP:
        if pattern.match(text[:4096]):
            raise UserError(f"{name!r} is no CSV but {kind}.")


def _archive(data: bytes) -> str | None:
    if data[257:262] == b"ustar":
        return "a tar archive; unpack it"
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        members = []
    if "xl/workbook.xml" in members:
        return "an Excel workbook; give it a name that ends in .xlsx, or save it as CSV (UTF-8)"
    if members and all(member.endswith(".npy") for member in members):
        return "an NPZ file; give it a name that ends in .npz"
    return "a ZIP archive or a spreadsheet's own file; unpack it, or save it as CSV (UTF-8)"
