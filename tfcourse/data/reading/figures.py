"""What a person should know of figures: texts that differ in them alone, and numbers that begin with zeros."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.periods import look_like_durations

LEAST_DIFFERENT = 20
"""Fewer different values are rather names: 0-9, 10-19, ... are ages, 2.4.1 and 2.5.0 versions."""
MOST_SHAPES = 4
"""With more of them the words tell the values apart too; north and south, with and without a sign, are four."""
ROWS_LOOKED_AT = 10_000
_NUMBER, _FURTHER = r"[-+−]?[0-9]+([.,][0-9]+)?", r"[0-9][^0-9]*[^0-9.,][^0-9]*[0-9]"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS = rf"^\s*({_OCTET}\.){{3}}{_OCTET}(/[0-9]{{1,2}}|:[0-9]{{1,5}})?\s*$"
_VERSION, _THOUSANDS = r"^\s*[0-9]+(\.[0-9]+){2,}\s*$", r"^\s*[1-9][0-9]{0,2}(\.[0-9]{3})+\s*$"
_CODE = r"^\s*0[0-9]+\s*$"


def look_like_addresses(texts: Any) -> NDArray[np.bool_]:
    """Say which texts are addresses of the internet: of four figures up to 255, no numbers with points at thousands.

    >>> look_like_addresses(pa.array(["192.168.100.101", "10.0.0.1:80", "1.234.567", "10.0.0.300"])).tolist()
    [True, True, False, False]
    """
    return np.asarray(pc.match_substring_regex(texts, _ADDRESS)).astype(bool)


def look_like_versions(texts: Any) -> NDArray[np.bool_]:
    """Say which texts have points as versions do, where no number has any.

    >>> look_like_versions(pa.array(["2.16.7", "1.234.567", "2.16", "2.16.7b"])).tolist()
    [True, False, False, False]
    """
    matches = pc.match_substring_regex(texts, _VERSION), pc.match_substring_regex(texts, _THOUSANDS)
    return np.asarray(pc.and_not(*matches)).astype(bool)


def told_of_words(words: Sequence[str]) -> list[str]:
    """Return a line on different texts that are read as categories, though their figures may tell how much; or none.

    >>> told_of_words(["90 min", "2h 30m"])[0][:40]
    "durations such as '90 min' are read as c"
    >>> told_of_words([f"{100 + n}/{60 + n}" for n in range(30)])[0][:61]
    "its texts differ in their figures alone, such as '100/60', an"
    >>> told_of_words([f"SKU-{n}" for n in range(30)]), told_of_words(["0-9", "10-19"])
    ([], [])
    """
    texts = pa.array(words, pa.string())
    if words and look_like_durations(texts).all():
        return [
            f"durations such as {words[0]!r} are read as categories, without their order: write them as numbers of one"
            " unit, such as 90 or 90 min"
        ]
    if len(words) > 1 and look_like_addresses(texts).all():
        return [
            f"addresses such as {words[0]!r} are read as categories: if they tell by what they begin with, give that a"
            " column of its own"
        ]
    if len(words) < LEAST_DIFFERENT or not np.asarray(pc.match_substring_regex(texts, _FURTHER)).all():
        return []
    if len(pc.unique(pc.replace_substring_regex(texts, _NUMBER, "0"))) > MOST_SHAPES:
        return []
    return [
        f"its texts differ in their figures alone, such as {words[0]!r}, and are read without their order: if they tell"
        " how much, give each figure a column of its own"
    ]


def told_of_zeros(name: str, column: Any, missing: Sequence[str] = ()) -> list[str]:
    """Return a line on a column of texts, read as numbers, that begin with zeros as codes do; or none.

    Args:
        name: the column's.
        column: its texts.
        missing: texts that stand for a missing value.

    >>> told_of_zeros("zip", pa.chunked_array([["04782", "10115"]]))[0][:41]
    "'04782' begins with a zero, as codes do: "
    >>> told_of_zeros("x", pa.chunked_array([["0", "0.5", "10"]])), told_of_zeros("x", pa.chunked_array([[4782]]))
    ([], [])
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return []
    texts = column.slice(0, ROWS_LOOKED_AT)
    codes = pc.unique(texts.filter(pc.fill_null(pc.match_substring_regex(texts, _CODE), False))).to_pylist()
    codes = [code for code in map(str.strip, codes) if code not in missing]
    if not codes:
        return []
    begin = f"{codes[0]!r} and others begin with zeros" if len(codes) > 1 else f"{codes[0]!r} begins with a zero"
    return [f"{begin}, as codes do: --categorical {shlex.quote(name)} reads such values without an order"]
