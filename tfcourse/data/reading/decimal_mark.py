"""Whether 1.234 is one and a bit or a thousand and more: told by the other columns of the file, or by none."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading import markers
from tfcourse.data.reading.column import Distinct, holds
from tfcourse.data.reading.numbers import find_style, parse_numbers
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

SAMPLE, LEAST_GROUPED = 10_000, 5
"""Rows of the other columns that are looked at; different texts with separated thousands that tell by themselves."""
_BY_POINT = r"^([-+]?[1-9][0-9]{0,2}(\.[0-9]{3})+|[-+]?[0-9]{1,3}|[^0-9]*)$"
_BARE, _LONG = r"^[^.,]*[0-9][^.,]*$", r"(^|[^0-9.,])[0-9]{4,}($|[^0-9.,])"


class DecimalMark:
    """Which mark stands before decimals in a table, as far as its columns tell without each other.

    Args:
        table: an Arrow table; only its columns of texts tell.

    >>> DecimalMark(pa.table({"a": ["1,5", "2"], "b": ["1.234", "900"]})).mark
    ','
    >>> DecimalMark(pa.table({"a": ["1,5", "2"], "b": ["0.5", "2"]})).mark
    ''
    """

    def __init__(self, table: Any = None) -> None:
        self._table = table

    @cached_property
    def mark(self) -> str:
        """The mark, empty if no column tells, or if they contradict each other; looked for when first asked."""
        if self._table is None:
            return ""
        head = self._table.slice(0, SAMPLE)
        told = {_mark_of(head.column(name)) for name in head.column_names} - {""}
        return told.pop() if len(told) == 1 else ""


def settle(
    name: str, values: Distinct, texts: Any, style: Reading, numbers: NDArray[np.float64], beside: DecimalMark
) -> tuple[Reading, NDArray[np.float64], list[str]]:
    """Return how numbers are written, they themselves, and what is to be told, where two ways of writing explain them.

    Args:
        name: the column.
        values: its different texts.
        texts: those that are not missing, an Arrow array.
        style: a way of writing that explains them, as :func:`~tfcourse.data.reading.numbers.find_style` gives it.
        numbers: the numbers by it.
        beside: the other columns' mark.

    Raises:
        UserError: if nothing tells which it is, and it matters.
    """
    other = _other_way(texts, style)
    if other is None:
        return style, numbers, _on_points(texts, style)
    rival, by_rival = other
    if beside.mark:
        if beside.mark == style.decimal:
            return style, numbers, []
        return rival, by_rival, _on_points(texts, rival)
    point = rival.thousands or ","
    grouped = pc.match_substring(texts, point)
    bare = pc.any(pc.match_substring_regex(texts, _BARE)).as_py()
    enough = pc.sum(grouped).as_py() >= LEAST_GROUPED
    example = texts.filter(grouped)[0].as_py()
    if point == ",":
        doubt = f"{example!r} is read with thousands; look --write, decimal = ',' and thousands = '' say otherwise"
        return style, numbers, [] if enough else [doubt]
    if bare and enough:
        return rival, by_rival, _on_points(texts, rival)
    whole = example.replace(".", "")
    if not bare:
        doubt = f"{example!r} is read with decimals; if it stands for {whole}, look --write and thousands = '.' say so"
        return style, numbers, [doubt]
    place = pc.index(values.texts, example).as_py()
    unit = f" unit = {json.dumps(style.unit, ensure_ascii=False)}" if style.unit else ""
    table = f'[{json.dumps(name, ensure_ascii=False)}] kind = "number"{unit}'
    raise UserError(
        f"Column {name!r} holds {example!r} in row {values.first_row(place)}, which may be {example} or {whole}, and no"
        " other column tells which mark stands before decimals. Say so with --reading FILE.toml: its lines"
        f' {table} mean {example}, and decimal = "," thousands = "." below them {whole}; or leave the column out with'
        f" --drop {shlex.quote(name)}."
    )


def may_be_grouped(column: Any) -> bool:
    """Say whether every point of a column of plain numbers could stand before thousands.

    >>> may_be_grouped(pa.array(["1.234", "900", ""])), may_be_grouped(pa.array(["1.234", "0.9"]))
    (True, False)
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    head = column.slice(0, 100)  # is enough to say no of most columns
    return (
        bool(pc.all(pc.match_substring_regex(head, _BY_POINT)).as_py())
        and holds(column, b".")
        and bool(pc.all(pc.match_substring_regex(column, _BY_POINT)).as_py())
        and bool(pc.any(pc.match_substring_regex(column, r"[0-9]\.")).as_py())
    )


def _other_way(texts: Any, style: Reading) -> tuple[Reading, NDArray[np.float64]] | None:
    """Return the way of writing with the other mark, and the numbers by it, if it explains all texts as well."""
    point, comma = (pc.any(pc.match_substring(texts, mark)).as_py() for mark in ".,")
    if style.decimal == "." and point and not comma:
        rival = replace(style, decimal=",", thousands=".")
    elif (style.decimal, style.thousands) == (".", ",") and comma and not point:
        rival = replace(style, decimal=",", thousands="")
    else:
        return None
    if pc.any(pc.match_substring_regex(texts, _LONG)).as_py():  # 1500 beside 1.234: thousands are not separated
        return None
    numbers = parse_numbers(texts, rival)
    return None if np.isnan(numbers).any() else (rival, numbers)


def _mark_of(column: Any) -> str:
    """Return the mark that surely stands before decimals in a column, empty if there is none."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return ""
    values = Distinct.of(column)
    texts = values.texts.filter(pa.array([not markers.among_others(text) for text in values.texts.to_pylist()]))
    style, numbers = find_style(texts, np.ones(len(texts), np.int64))
    marked = pc.any(pc.match_substring(texts, style.decimal)).as_py()
    return "" if np.isnan(numbers).any() or not marked or _other_way(texts, style) is not None else style.decimal


def _on_points(texts: Any, style: Reading) -> list[str]:
    """Return what is said where points stand before thousands and nothing before decimals."""
    if style.thousands == "." and not pc.any(pc.match_substring(texts, ",")).as_py():
        return ["its points stand before thousands, since always three figures follow them: 1.234 is read as 1234"]
    return []
