"""What is trimmed off texts: all that Unicode calls white space, and byte order marks."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"
_TRIM = pc.TrimOptions(characters=WHITE_SPACE)
_ASCII = [letter.encode() for letter in WHITE_SPACE if letter.isascii()]


def trim(text: str) -> str:
    """Return a text without white space around it.

    >>> trim("\ufeff\u00a0 a b \t")
    'a b'
    """
    return text.strip(WHITE_SPACE)


def trim_name(text: str) -> str:
    """Return a column's name trimmed and in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", trim(text))


def trim_column(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return a column of texts, each trimmed.

    >>> trim_column(pa.chunked_array([["a", " b"], ["c d"]])).to_pylist()
    ['a', 'b', 'c d']
    """
    if isinstance(column, pa.ChunkedArray):
        return pa.chunked_array([trim_column(chunk) for chunk in column.chunks], column.type)
    return pc.utf8_trim(column, options=_TRIM) if _may_hold_any(column) else column


def _may_hold_any(texts: pa.Array) -> bool:
    """Whether white space may stand in texts, told by their bytes in a moment, where trimming takes long."""
    buffer = texts.buffers()[2]
    letters = b"" if buffer is None else buffer.to_pybytes()
    return not letters.isascii() or any(letter in letters for letter in _ASCII)
