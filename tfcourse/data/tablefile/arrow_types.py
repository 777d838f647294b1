"""The types that columns of a file may have, as few as their values need: texts, numbers, booleans, dates and times."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tfcourse.data.tablefile.white_space import trim_column
from tfcourse.errors import UserError

_NESTED = "Save the file without it, or with what it holds in columns of its own"


def with_plain_types(
    columns: Sequence[pa.ChunkedArray], names: Sequence[str], name: str
) -> tuple[list[pa.ChunkedArray], list[str]]:
    """Return columns whose values are kept, under plain types, and notes.

    Numbers, booleans, decimals, dates, times and timestamps keep their types; texts are trimmed ``pa.string()``;
    dictionaries are decoded; durations become seconds.

    Raises:
        UserError: naming a column of lists, structures or bytes.

    >>> column = pa.chunked_array([pa.array([" a", "b"]).dictionary_encode()])
    >>> with_plain_types([column], ["x"], "t.parquet")[0][0].to_pylist()
    ['a', 'b']
    """
    plain, notes = [], []
    for column, title in zip(columns, names, strict=True):
        made = _plain(column, title, name)
        if pa.types.is_duration(made.type):
            made = _seconds(made)
            notes.append(f"the durations in {title!r} are read as seconds")
        plain.append(made)
    return plain, notes


def _plain(column: pa.ChunkedArray, title: str, name: str) -> pa.ChunkedArray:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if not _is_text(kind.storage_type) and not pa.types.is_boolean(kind.storage_type):
            raise _refused(title, name, f"of type {kind.extension_name}", "Save it as text or as numbers")
        return _plain(pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type), title, name)
    if pa.types.is_dictionary(kind):
        return _plain(column.cast(kind.value_type), title, name)
    if pa.types.is_run_end_encoded(kind):
        return _plain(pc.run_end_decode(column), title, name)
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if _is_text(kind):
        return trim_column(column.cast(pa.string()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        raise _refused(title, name, "of bytes", "Save the file without it, or as text if it is text")
    if pa.types.is_nested(kind):
        raise _refused(title, name, f"of type {kind}", _NESTED)
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_temporal)
    if not any(check(kind) for check in known) or pa.types.is_interval(kind):
        raise _refused(title, name, f"of type {kind}", "Save it as text or as numbers")
    return column


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    ticks = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit]
    return pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), ticks)


def _refused(title: str, name: str, kind: str, advice: str) -> UserError:
    shown = kind if len(kind) <= 80 else kind[:79] + "…"
    return UserError(
        f"{name!r}: column {title!r} holds values {shown}; only numbers, texts, booleans, dates and times can be read."
        f" {advice}."
    )
