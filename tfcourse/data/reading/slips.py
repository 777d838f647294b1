"""Columns that are nearly numbers or dates, and those without values: refused with a row, and what to do."""

from __future__ import annotations

import shlex

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.reading import dates
from tfcourse.data.reading.column import Distinct
from tfcourse.data.reading.numbers import find_style, look_like_numbers
from tfcourse.errors import UserError

FEW_VALUES = 10
NEARLY = 0.5
"""A column of which this share or more is numbers or dates, over :data:`FEW_VALUES` of them different, has slips."""


def refuse_slips(name: str, values: Distinct, marker: NDArray[np.bool_]) -> None:
    """Refuse numbers or dates with other texts among them: as a category they would lose their order in silence."""
    texts, counts = values.texts.filter(~marker), values.counts[~marker]
    present = int(counts.sum())
    style, numbers = find_style(texts, counts)
    loose, wrong = look_like_numbers(texts), np.isnan(numbers)
    _, days, odd = dates.find_order(texts, counts)
    not_dates = np.isnan(days) & ~odd
    words, these = (style.words, loose) if not not_dates.sum() < wrong.sum() else ("dates", ~not_dates)
    wrong = wrong if words != "dates" else not_dates
    share = max(counts[~wrong].sum(), counts[these].sum()) / present
    if share < NEARLY or (~wrong | these).sum() <= FEW_VALUES:
        return
    place = int(np.flatnonzero(~marker)[np.flatnonzero(wrong)[0]])
    raise UserError(_slips(name, values, place, int(counts[wrong].sum()), present, words, these[wrong]))


def _slips(
    name: str, values: Distinct, place: int, wrong: int, present: int, words: str, loose: NDArray[np.bool_]
) -> str:
    text, quoted = values.texts[place].as_py(), shlex.quote(name)
    kind = "numbers" if words == "number" else words.replace("number", "numbers", 1)
    missing = "" if loose.all() else f", say that {text!r} is missing with --missing {shlex.quote(text)}"
    return (
        f"Column {name!r} is {kind} but for {wrong} of {present} values, such as {text!r} in row"
        f" {values.first_row(place)}. Put them right, leave them empty{missing}, read the column as categories with"
        f" --categorical {quoted}, or leave it out with --drop {quoted}."
    )


def empty(name: str, rows: int) -> str:
    """Return the message for a column without values."""
    return f"Column {name!r} is empty in all {rows} rows; leave it out with --drop {shlex.quote(name)}."
