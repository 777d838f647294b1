"""Undo a file's compression, which its first bytes tell, whatever its name says."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pyarrow as pa

from tfcourse.errors import UserError

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
ALWAYS_ALLOWED = 1 << 30
"""Bytes that any file may unpack to."""
RATIO = 100
"""How many times its own size a file may unpack to, if that is more."""

_PIECE = 1 << 22
_OPENERS: dict[str, tuple[bytes, str, Callable[[bytes], Any]]] = {
    ".gz": (b"\x1f\x8b", "gzip", lambda data: gzip.GzipFile(fileobj=BytesIO(data))),
    ".bz2": (b"BZh", "bzip2", lambda data: bz2.BZ2File(BytesIO(data))),
    ".xz": (b"\xfd7zXZ\0", "xz", lambda data: lzma.LZMAFile(BytesIO(data))),  # noqa: SIM115
    ".zst": (b"\x28\xb5\x2f\xfd", "zstd", lambda data: pa.input_stream(pa.BufferReader(data), compression="zstd")),
}


def without_suffix(name: str) -> str:
    """Return a file's name without the suffix of its compression.

    >>> without_suffix("T.CSV.GZ"), without_suffix("t.csv")
    ('T.CSV', 't.csv')
    """
    suffix = _suffix(name)
    return name[: -len(suffix)] if suffix else name


def decompressed(data: bytes, name: str) -> tuple[bytes, list[str]]:
    """Return a file's bytes without their compression, and a note if its name does not tell it.

    Raises:
        UserError: if the file is cut or damaged, or unpacks to more than any table would.
    """
    named = _suffix(name)
    found = next((suffix for suffix, (start, _, _) in _OPENERS.items() if data.startswith(start)), None)
    if found is None:
        return data, [f"is not compressed, though its name ends in {named}"] if named and data else []
    notes = [] if found == named else [f"is compressed ({_OPENERS[found][1]}), though its name does not say so"]
    return _unpacked(data, found, name), notes


def _suffix(name: str) -> str | None:
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), None)


def _unpacked(data: bytes, suffix: str, name: str) -> bytes:
    _, method, opener = _OPENERS[suffix]
    allowed = max(ALWAYS_ALLOWED, RATIO * len(data))
    pieces, size = [], 0
    try:
        with opener(data) as file:
            while piece := file.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > allowed:
                    raise UserError(
                        f"{name!r} unpacks to more than {allowed:,} bytes, over {allowed // len(data)} times its size;"
                        " no table does that. If it is one, unpack it yourself."
                    )
    except UserError:
        raise
    except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, ValueError) as error:
        raise UserError(f"{name!r} is not a whole {method} file: {str(error).rstrip('.')}.") from None
    return b"".join(pieces)
