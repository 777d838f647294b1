"""Texts that are one category however they are spelled: True and TRUE, 1 and 1.0."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

_TRUE, _FALSE = r"^(?i)true$", r"^(?i)false$"
_WHOLE = r"^([-+]?(0|[1-9][0-9]*))\.0+$"


def canonical(texts: Any) -> Any:
    """Return texts with one spelling for truth values and whole numbers.

    >>> import pyarrow as pa
    >>> canonical(pa.array(["TRUE", "false", "1.0", "01", "x"])).to_pylist()
    ['True', 'False', '1', '01', 'x']
    """
    texts = pc.replace_substring_regex(texts, _TRUE, "True")
    texts = pc.replace_substring_regex(texts, _FALSE, "False")
    return pc.replace_substring_regex(texts, _WHOLE, r"\1")


def spellings(value: str) -> tuple[str, ...]:
    """Return the texts that are read as a category, for programs that look texts up one by one.

    >>> spellings("True"), spellings("2"), spellings("x")
    (('True', 'TRUE', 'true'), ('2', '2.0'), ('x',))
    """
    if value in ("True", "False"):
        return (value, value.upper(), value.lower())
    digits = value[1:] if value[:1] in "+-" else value
    if digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0"):
        return (value, f"{value}.0")
    return (value,)


def is_truth(texts: Any) -> Any:
    """Say which texts are truth values.

    >>> import pyarrow as pa
    >>> is_truth(pa.array(["TRUE", "yes"])).to_pylist()
    [True, False]
    """
    return pc.or_(pc.match_substring_regex(texts, _TRUE), pc.match_substring_regex(texts, _FALSE))
