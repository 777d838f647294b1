"""One column of an Arrow table as its different values, and as exact numbers where its type says what they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.dates import in_days

MICROSECONDS = 1_000_000
_WHOLE = r"^([-+]?[0-9]+)\.0*$"


@dataclass(frozen=True)
class Distinct:
    """The different texts of a column.

    Args:
        texts: each once, in the order of their first rows; trimmed, in Unicode's normal form C.
        codes: the place in ``texts`` of each row's value, shape (rows,).

    >>> column = Distinct.of(pa.chunked_array([["b ", "a", "b", None]]))
    >>> column.texts.to_pylist(), column.codes.tolist(), column.counts.tolist()
    (['b', 'a', ''], [0, 1, 0, 2], [2, 1, 1])
    """

    texts: Any
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, column: Any) -> Distinct:
        """Return the different texts of an Arrow column of any type; missing values are empty."""
        texts = as_texts(column)
        encoded = pc.dictionary_encode(pc.fill_null(texts, "") if texts.null_count else texts)
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks() if encoded.num_chunks != 1 else encoded.chunk(0)
        raw = encoded.dictionary
        normal = pc.utf8_trim_whitespace(pc.utf8_normalize(pc.cast(raw, pa.string()), form="NFC"))
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        merged = pc.dictionary_encode(normal)
        if len(merged.dictionary) < len(raw):
            codes = merged.indices.to_numpy(zero_copy_only=False)[codes]
        return cls(merged.dictionary, codes)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """In how many rows each text stands."""
        return np.bincount(self.codes, minlength=len(self.texts)).astype(np.int64)

    def first_row(self, place: int) -> int:
        """Return the number of the first row, from 1, that holds the text at ``place``."""
        return int(np.argmax(self.codes == place)) + 1


def holds(texts: Any, letter: bytes) -> bool:
    """Say whether a letter may stand in an Arrow column of texts, told by its bytes in a moment.

    >>> holds(pa.chunked_array([["1", "2.5"]]), b"."), holds(pa.array(["1", None]), b".")
    (True, False)
    """
    chunks = texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]
    return any(chunk.buffers()[2] is not None and letter in chunk.buffers()[2].to_pybytes() for chunk in chunks)


def as_texts(column: Any) -> Any:
    """Return an Arrow column as texts: whole numbers without a decimal point, truth values as True and False.

    >>> as_texts(pa.chunked_array([[9007199254740993, None]])).to_pylist()
    ['9007199254740993', None]
    >>> as_texts(pa.chunked_array([[1.0, 0.5]])).to_pylist(), as_texts(pa.chunked_array([[True]])).to_pylist()
    (['1', '0.5'], ['True'])
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "True", "False")
    if pa.types.is_floating(kind):
        values = column.to_numpy().astype(np.float64).tolist()
        return pa.chunked_array([pa.array([_number_text(value) for value in values], pa.string())])
    texts = pc.cast(column, pa.string())
    return pc.replace_substring_regex(texts, _WHOLE, r"\1") if pa.types.is_decimal(kind) else texts


def is_of_texts(column: Any) -> bool:
    """Say whether an Arrow column's type is that of texts, or of categories of them.

    >>> is_of_texts(pa.array(["a"]).dictionary_encode()), is_of_texts(pa.array([1]))
    (True, False)
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def typed_numbers(column: Any) -> NDArray[np.float64] | None:
    """Return the values of a column whose type is a number, NaN where missing; None for any other type.

    >>> typed_numbers(pa.chunked_array([[1, None]])), typed_numbers(pa.chunked_array([["1"]]))
    (array([ 1., nan]), None)
    """
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if pa.types.is_duration(kind):
        return np.asarray(column.cast(pa.duration("us")).cast(pa.int64()).to_numpy(), np.float64) / MICROSECONDS
    return None


def typed_days(column: Any) -> NDArray[np.float64] | None:
    """Return the days since 1970 in UTC of a column whose type is a date or a moment; None for any other type.

    >>> import datetime
    >>> typed_days(pa.chunked_array([[datetime.date(1970, 1, 3), None]]))
    array([ 2., nan])
    """
    kind = column.type
    if pa.types.is_date(kind):
        return np.asarray(column.cast(pa.date32()).cast(pa.int32()).to_numpy(), dtype=np.float64)
    if not pa.types.is_timestamp(kind):
        return None
    moments = column.cast(pa.timestamp("us", kind.tz), safe=False)
    missing = np.asarray(moments.is_null())
    ticks = pc.fill_null(moments.cast(pa.int64()), 0).to_numpy()
    seconds, parts = np.divmod(ticks, MICROSECONDS)
    days, seconds = np.divmod(seconds, 86400)
    return np.where(missing, np.nan, in_days(days, seconds + parts / MICROSECONDS))


def _number_text(value: float | None) -> str | None:
    if value is None or value != value:
        return None
    return str(int(value)) if float(value).is_integer() else repr(value)
