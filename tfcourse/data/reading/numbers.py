"""Numbers as people write them: thousands separators, decimal commas, units, currencies, accounting negatives."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.reading import Reading

PLAIN = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
INFINITE = r"(?i)^[-+]?(inf|infinity|1\.#inf)$"
MINUS = r"[\x{2212}\x{2012}\x{2013}\x{FE63}\x{FF0D}]"
"""What people and programs write for a minus: the minus sign, dashes, the small and the full-width hyphen."""
CURRENCY = r"[$€£¥₹₽₩₺₴฿]|USD|EUR|GBP|CHF|JPY|CAD|AUD|SEK|NOK|DKK|PLN|Rs\.?|kr\.?|R\$|US\$"
STYLES = ((".", ""), (".", ","), (".", " "), (".", "'"), (",", ""), (",", "."), (",", " "), (",", "'"))
"""Decimal mark and thousands separator of the ways of writing that are known, the plainest first."""
_PARTS = (
    rf"^(?P<open>[-+]?\(?)\s*(?P<prefix>{CURRENCY})?\s*(?P<sign>[-+]?)\s*"
    r"(?P<figures>[0-9][0-9.,' ]*|[.,][0-9]+)(?P<power>[eE][-+]?[0-9]+)?\s*"
    r"(?P<unit>[^0-9\s.,'()+\-][^0-9]*?)?\s*(?P<close>[-)]?)$"
)


def parse_numbers(texts: Any, reading: Reading) -> NDArray[np.float64]:
    """Return the numbers that texts of one way of writing stand for, shape (rows,); NaN where a text is none.

    >>> price = Reading("price", "number", decimal=",", thousands=".", unit="€")
    >>> parse_numbers(pa.array(["1.234,50 €", "(7 €)", "€ -8", "12"]), price).tolist()
    [1234.5, -7.0, -8.0, nan]
    """
    texts = _plain_characters(texts)
    if reading.is_plain:
        return _to_float(texts, pc.match_substring_regex(texts, PLAIN))
    parts = pc.extract_regex(texts, _PARTS)
    part = {name: pc.fill_null(pc.struct_field(parts, name), "") for name in parts.type.names}
    figures = pc.utf8_trim(part["figures"], " ")
    valid = pc.match_substring_regex(figures, _figures(reading.decimal, reading.thousands))
    unit = pc.utf8_trim(pc.binary_join_element_wise(part["prefix"], part["unit"], ""), " ")
    valid = pc.and_(valid, pc.equal(unit, reading.unit))
    opened, closed = pc.match_substring(part["open"], "("), pc.equal(part["close"], ")")
    valid = pc.and_(valid, pc.equal(opened, closed))
    if reading.thousands:
        figures = pc.replace_substring(figures, reading.thousands, "")
    figures = pc.replace_substring(figures, reading.decimal, ".")
    figures = pc.binary_join_element_wise(figures, part["power"], "")
    negative = pc.match_substring_regex(
        pc.binary_join_element_wise(part["open"], part["sign"], part["close"], ""), r"[-(]"
    )
    numbers = _to_float(figures, pc.fill_null(valid, False))
    return np.where(negative.to_numpy(zero_copy_only=False).astype(bool), -numbers, numbers)


def find_style(texts: Any, counts: NDArray[np.int64]) -> tuple[Reading, NDArray[np.float64]]:
    """Return the way of writing that explains most of the values, and the numbers by it, NaN where it fails.

    Args:
        texts: different texts, a ``pyarrow`` array.
        counts: in how many rows each stands.

    >>> reading, numbers = find_style(pa.array(["1.234,5", "12,25"]), np.array([1, 1]))
    >>> (reading.decimal, reading.thousands), numbers.tolist()
    ((',', '.'), [1234.5, 12.25])
    """
    best = Reading("", "number")
    best_numbers = parse_numbers(texts, best)
    best_rows = rows_read(best_numbers, counts)
    if best_rows == counts.sum() or not look_like_numbers(texts).any():
        return best, best_numbers
    unit = _unit_of(texts, counts)
    for decimal, thousands in _by_likelihood(texts):
        reading = Reading("", "number", decimal, thousands, unit)
        numbers = parse_numbers(texts, reading)
        if (rows := rows_read(numbers, counts)) > best_rows:
            best, best_numbers, best_rows = reading, numbers, rows
    return best, best_numbers


def rows_read(numbers: NDArray[np.float64], counts: NDArray[np.int64]) -> int:
    """Return in how many rows the values could be read."""
    return int(counts[~np.isnan(numbers)].sum())


def look_like_numbers(texts: Any) -> NDArray[np.bool_]:
    """Say which texts are figures with some sign, currency or unit, in whatever way of writing.

    >>> look_like_numbers(pa.array(["$5", "1,2,3", "12 cm", "A12", "5-10"])).tolist()
    [True, True, True, False, False]
    """
    return np.asarray(pc.match_substring_regex(_plain_characters(texts), _PARTS)).astype(bool)


def is_infinite(texts: Any) -> NDArray[np.bool_]:
    """Say which texts mean an infinite number.

    >>> is_infinite(pa.array(["-inf", "1.#INF", "information"])).tolist()
    [True, True, False]
    """
    return np.asarray(pc.match_substring_regex(texts, INFINITE)).astype(bool)


def _plain_characters(texts: Any) -> Any:
    """Return texts with one kind of minus, blank and apostrophe."""
    texts = pc.replace_substring_regex(texts, MINUS, "-")
    texts = pc.replace_substring_regex(texts, r"[\x{00A0}\x{2007}\x{2009}\x{202F}\t]", " ")
    return pc.replace_substring_regex(texts, r"[\x{2019}\x{02BC}]", "'")


def _to_float(texts: Any, valid: Any) -> NDArray[np.float64]:
    """Return texts as numbers, rounded correctly as IEEE 754 says; NaN where not ``valid``."""
    texts = pc.replace_substring_regex(pc.if_else(valid, texts, None), r"^\+", "")
    return np.asarray(pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _figures(decimal: str, thousands: str) -> str:
    mark, separator = re.escape(decimal), re.escape(thousands)
    whole = rf"[1-9][0-9]{{0,2}}({separator}[0-9]{{2,3}})*{separator}[0-9]{{3}}|[0-9]+" if thousands else "[0-9]+"
    return rf"^(({whole})({mark}[0-9]*)?|{mark}[0-9]+)$"


def _unit_of(texts: Any, counts: NDArray[np.int64]) -> str:
    """Return what most of the texts that are figures have before or after these, empty for nothing."""
    parts = pc.extract_regex(_plain_characters(texts), _PARTS)
    if parts.null_count == len(parts):
        return ""
    prefix, unit = (pc.fill_null(pc.struct_field(parts, name), "") for name in ("prefix", "unit"))
    units = np.asarray(pc.utf8_trim(pc.binary_join_element_wise(prefix, unit, ""), " "))
    known = np.asarray(pc.is_valid(parts))
    names, place = np.unique(units[known].astype(object), return_inverse=True)
    return str(names[np.bincount(place, weights=counts[known]).argmax()])


def _by_likelihood(texts: Any) -> tuple[tuple[str, str], ...]:
    """Return the ways of writing, the likelier first: 1,234 is 1234 unless 5000 stands beside."""
    long_whole = pc.any(pc.match_substring_regex(texts, r"(^|[^0-9.,'])[0-9]{4,}($|[^0-9.'])")).as_py()
    if not long_whole:
        return STYLES
    return tuple(sorted(STYLES, key=lambda style: bool(style[1])))
