"""What the columns of a table are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tfcourse.data.tablefile.white_space import trim_name
from tfcourse.errors import UserError


def with_names(columns: Sequence[pa.ChunkedArray], fields: Sequence[str], name: str, notes: list[str]) -> pa.Table:
    """Return columns as a table under the names in a header; what has neither name nor values is left out, noted."""
    kept = [i for i, column in enumerate(columns) if fields[i] or not _is_empty(column)]
    if count := len(columns) - len(kept):
        one = count == 1
        notes.append(f"{count} column{'' if one else 's'} without name and values {'is' if one else 'are'} left out")
    names, more = column_names([fields[i] for i in kept], name)
    notes += more
    return pa.table([columns[i] for i in kept], names=names)


def _is_empty(column: pa.ChunkedArray) -> bool:
    if pa.types.is_string(column.type):
        return pc.max(pc.binary_length(column)).as_py() in (0, None)
    return column.null_count == len(column)


def column_names(fields: Sequence[str], name: str) -> tuple[list[str], list[str]]:
    """Return the columns' names, trimmed and composed (NFC), the empty ones filled, and notes on those.

    Raises:
        UserError: if two columns have one name.

    >>> column_names(["", " x"], "t.csv")
    (['column 1', 'x'], ["the first column has no name and is called 'column 1'"])
    """
    given = [trim_name(text) for text in fields]
    names = [text or f"column {number}" for number, text in enumerate(given, 1)]
    column, count = Counter(names).most_common(1)[0] if names else ("", 1)
    if count > 1:
        raise UserError(f"{name!r} has {count} columns called {column!r}; give each its own name.")
    filled = [name for text, name in zip(given, names, strict=True) if not text]
    if filled == ["column 1"]:
        return names, ["the first column has no name and is called 'column 1'"]
    shown = ", ".join(map(repr, filled[:5])) + (f" and {len(filled) - 5} more" if len(filled) > 5 else "")
    return names, [f"columns without a name are called {shown}"] * bool(filled)
