"""Texts in any of the usual encodings, as UTF-8: what bytes are encoded in is told by the bytes themselves."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

import pyarrow as pa

from tfcourse.errors import UserError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_PIECE = 1 << 22
_HEAD = 1 << 16


def to_utf8(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """Return text as UTF-8 without a byte order mark, and a note if it was encoded otherwise.

    Read are UTF-8, UTF-16 and UTF-32, and, if it is none of them, Windows-1252, of which ISO 8859-1 is a part.

    Raises:
        UserError: if it is none of them, or holds zero bytes.

    >>> to_utf8("größe".encode("utf-16"), "t.csv")[0].decode()
    'größe'
    """
    mark, encoding, title = next(
        ((mark, encoding, title) for mark, encoding, title in _MARKS if data.startswith(mark)),
        (b"", *_without_mark(data)),
    )
    notes = [] if encoding == "utf-8" else [f"is read as {title}"]
    if encoding != "utf-8":
        text = _recoded(data, len(mark), encoding, title, name)
    elif _is_utf8(data):
        text = data[len(mark) :]
    else:
        place = _first_wrong(data)
        _check_is_not_damaged(data, place, name)
        notes = [
            f"is read as Windows-1252, since byte {place} is not UTF-8; if letters look wrong, save it again as UTF-8"
        ]
        text = _recoded(data, 0, "cp1252", "Windows-1252", name)
    if (place := text.find(b"\0")) >= 0:
        raise UserError(f"{name!r} is not text: its byte {place} is zero. Save it again as CSV (UTF-8).")
    return text, notes


def _without_mark(data: bytes) -> tuple[str, str]:
    """Return the encoding of data without a mark: in UTF-16 every other byte of most letters and digits is zero."""
    head = data[:_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) / 10 and min(even, odd) == 0 and len(data) % 2 == 0:
        return ("utf-16-le" if odd else "utf-16-be"), "UTF-16"
    return "utf-8", "UTF-8"


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    if len(data) >= 1 << 31:
        return _first_wrong(data) is None
    # One text over the whole buffer is checked by Arrow without a copy.
    offsets = pa.array([0, len(data)], pa.int32()).buffers()[1]
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _pieces(data: bytes, start: int = 0) -> Iterator[bytes]:
    return (data[place : place + _PIECE] for place in range(start, len(data), _PIECE))


def _first_wrong(data: bytes) -> int | None:
    """Return the place of the first byte that is not UTF-8."""
    decoder, done = codecs.getincrementaldecoder("utf-8")(), 0
    for piece in _pieces(data):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            return done - kept + error.start
        done += len(piece)
    kept = len(decoder.getstate()[0])
    return done - kept if kept else None


def _check_is_not_damaged(data: bytes, place: int | None, name: str) -> None:
    """Refuse text that is UTF-8 but for a few bytes: as Windows-1252 all its letters would come out wrong."""
    right = wrong = 0
    for piece in _pieces(data):
        ascii_bytes = len(piece.decode("ascii", "ignore"))
        utf8_bytes = len(piece.decode("utf-8", "ignore").encode())
        right, wrong = right + utf8_bytes - ascii_bytes, wrong + len(piece) - utf8_bytes
    if right > wrong:
        raise UserError(
            f"{name!r} is UTF-8 but for {wrong} byte{'s' * (wrong > 1)}, the first of them byte {place}: it is damaged,"
            " or pieced together from files of several encodings. Save it again as UTF-8."
        )


def _recoded(data: bytes, start: int, encoding: str, title: str, name: str) -> bytes:
    try:
        return b"".join(text.encode() for text in codecs.iterdecode(_pieces(data, start), encoding))
    except UnicodeError as error:
        also = "neither UTF-8 nor" if encoding == "cp1252" else "not whole"
        raise UserError(f"{name!r} is {also} {title} ({error}). Save it again as CSV (UTF-8).") from None
