"""In which forms dates are written: a form that training did not have may put day and month the other way round."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tfcourse.data.reading.column import Distinct, is_of_texts
from tfcourse.data.reading.dates import YEAR_FIRST, YEAR_LAST, moments, parse_dates
from tfcourse.data.reading.periods import PERIOD_ORDERS
from tfcourse.data.reading.reading import Order, Reading

IN_WORDS, MARKS = "words", "-/."
POINTS: dict[str, str] = {"dmy": "."}
"""The mark by which dates of an order are known without a day above 12."""
LAST = {"mdy": ("mm", "dd")} | dict.fromkeys(("", "ymd", "dmy", "words"), ("dd", "mm"))
"""What stands before the year, where that comes last."""


def date_forms(texts: Any, order: Order, are_dates: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return the form that each date is written in, empty where a text is none; a time that follows is no part of it.

    >>> texts = pa.array(["3.4.2024", "3/4/24 10:30", "2024-04-03", "soon"])
    >>> date_forms(texts, "dmy", np.array([True, True, True, False])).tolist()
    ['dd.mm.yyyy', 'dd/mm/yy', 'yyyy-mm-dd', '']
    """
    forms = np.where(are_dates, IN_WORDS, "").astype(object)
    for pattern in (YEAR_LAST, YEAR_FIRST):
        parts = pc.extract_regex(texts, pattern)
        if parts.null_count == len(parts):
            continue
        mark = np.asarray(pc.fill_null(pc.struct_field(parts, "mark"), "")).astype(str)
        figures = np.asarray(pc.fill_null(pc.utf8_length(pc.struct_field(parts, "Y")), 0))
        for each in MARKS:
            for length in (2, 4):
                places = ["y" * length, "mm", "dd"] if pattern == YEAR_FIRST else [*LAST[order], "y" * length]
                forms[are_dates & (mark == each) & (figures == length)] = each.join(places)
    return forms


def untold(texts: Any, order: Order, marks: str) -> NDArray[np.bool_]:
    """Return which dates are another day with day and month exchanged, and have none of the ``marks`` between them.

    >>> untold(pa.array(["3.4.2024", "3/4/2024", "13/4/2024", "4/4/2024"]), "dmy", ".").tolist()
    [False, True, False, False]
    """
    if order not in ("", "dmy", "mdy"):
        return np.zeros(len(texts), dtype=bool)
    one, other = parse_dates(texts, "dmy")[0], parse_dates(texts, "mdy")[0]
    mark = pc.fill_null(pc.struct_field(pc.extract_regex(texts, YEAR_LAST), "mark"), "")
    known = np.asarray(pc.is_in(mark, pa.array(list(marks), pa.string())))
    return ~known & (one != other) & ~np.isnan(one) & ~np.isnan(other)


def marks_that_tell(texts: Any, order: Order) -> str:
    """Return the marks between day and month whose own dates tell which comes first: by one above 12, or as points do.

    >>> marks_that_tell(pa.array(["13/4/2024", "3.4.2024", "3-4-2024"]), "dmy")
    './'
    """
    if order not in ("dmy", "mdy"):
        return ""
    own = parse_dates(texts, order)[0]
    other = parse_dates(texts, "mdy" if order == "dmy" else "dmy")[0]
    mark = pc.fill_null(pc.struct_field(pc.extract_regex(texts, YEAR_LAST), "mark"), "")
    telling = set(np.asarray(mark)[~np.isnan(own) & np.isnan(other)].tolist()) - {""}
    return "".join(sorted(telling | set(POINTS.get(order, ""))))


def marks_of(forms: tuple[str, ...], order: Order) -> str:
    """Return the marks between day and month that tell in new rows: those of training's forms, and points.

    >>> marks_of(("dd/mm/yyyy", "yyyy-mm-dd"), "dmy"), marks_of(("mm/dd/yyyy",), "mdy")
    ('/.', '/')
    """
    marks = [form[2:3] for form in forms if form != IN_WORDS and not form.startswith("y")]
    return "".join(dict.fromkeys([*marks, *POINTS.get(order, "")]))


def new_forms(column: Any, reading: Reading) -> list[str]:
    """Return lines on dates of new rows in a form that training did not have, and on dates out of every range.

    >>> born = Reading("born", "date", order="dmy", forms=("dd.mm.yyyy",))
    >>> print(*new_forms(pa.chunked_array([["3.4.2024", "2024-03-04"]]), born))
    born: 1 date is written as yyyy-mm-dd, and in training they were dd.mm.yyyy: '2024-03-04' in row 2 is read as 2024-03-04
    """  # noqa: E501
    if reading.order in ("", *PERIOD_ORDERS) or reading.is_plain or not is_of_texts(column):
        return []
    values = Distinct.of(column)
    days, odd = parse_dates(values.texts, reading.order)
    forms, lines = date_forms(values.texts, reading.order, ~np.isnan(days)), []
    for form in dict.fromkeys(forms.tolist()):
        if form and reading.forms and form not in reading.forms:
            these = np.flatnonzero(forms == form)
            count, place = int(values.counts[these].sum()), int(these[0])
            moment = moments(days[place : place + 1])[0]
            lines.append(
                f"{reading.name}: {count} date{'s are' if count > 1 else ' is'} written as {form}, and in training they"
                f" were {' or '.join(reading.forms)}: {values.texts[place].as_py()!r} in row {values.first_row(place)}"
                f" is read as {moment:%Y-%m-%d}"
            )
    if odd.any():
        count, place = int(values.counts[odd].sum()), int(np.flatnonzero(odd)[0])
        lines.append(f"{reading.name}: {out_of_range(count, values, place)}")
    return lines


def out_of_range(count: int, values: Distinct, place: int) -> str:
    """Return what is said of dates out of every range."""
    return (
        f"{count} date{'s' * (count > 1)} out of every range {'are' if count > 1 else 'is'} read as missing, such as"
        f" {values.texts[place].as_py()!r} in row {values.first_row(place)}"
    )
