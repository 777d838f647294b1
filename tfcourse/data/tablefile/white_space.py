"""What is trimmed off texts: all that Unicode calls white space, and byte order marks."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff"
_TRIM = pc.TrimOptions(characters=WHITE_SPACE)


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
    """Return a column of texts, each trimmed."""
    return pc.utf8_trim(column, options=_TRIM)
