"""How one column is read, as data: decided once, used by training, prediction, the exported model and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from typing import Any, Literal, Self

Kind = Literal["number", "date", "category"]
Order = Literal[
    "", "ymd", "dmy", "mdy", "words", "compact", "seconds", "milliseconds", "clock", "months", "quarters", "weeks"
]

Levels = Literal["", "shared"]


@dataclass(frozen=True)
class Reading:
    """How the values of one column are written and what they are.

    Args:
        name: the column.
        kind: ``number``, ``date`` or ``category`` (any text; what becomes of it depends on how many values it has).
        decimal: the mark before the decimals of its numbers, ``.`` or ``,``.
        thousands: what separates thousands: empty, ``,``, ``.``, a blank or an apostrophe.
        unit: what stands before or after every number: ``%``, a currency, a unit of measure; empty for none.
        order: of a date's parts: ``ymd``, ``dmy`` or ``mdy``; ``words`` for months in English words; ``compact`` for
            the number 20261231, ``seconds`` and ``milliseconds`` for numbers that count from 1970; ``clock`` for a time
            of day, ``months``, ``quarters`` and ISO ``weeks`` of a year; empty for others.
        forms: of a date that is written as a text, the forms that training had, as ``dd.mm.yyyy``; none where any
            form is taken to be in this order.
        missing: texts that stand for a missing value in this column, beside the empty one.
        kept: texts that would stand for one, but were said not to.
        sentinels: numbers, or days since 1970, that stand for a missing value.
        levels: of a category with very many values, ``shared`` for shared columns alone; empty for one more that tells
            how frequent each value is.
        pattern: the strptime format of an older run's dates; these were written in no other way.

    >>> Reading("price", "number", decimal=",", thousands=".", unit="€").words
    'number such as 1.234,5 €'
    >>> born = Reading("born", "date", order="dmy", forms=("dd.mm.yyyy",))
    >>> born.to_json()
    {'name': 'born', 'kind': 'date', 'order': 'dmy', 'forms': ['dd.mm.yyyy']}
    >>> Reading.from_json(born.to_json()) == born
    True
    """

    name: str
    kind: Kind
    decimal: str = "."
    thousands: str = ""
    unit: str = ""
    order: Order = ""
    forms: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    sentinels: tuple[float, ...] = ()
    levels: Levels = ""
    pattern: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether its values are numbers that any program reads: digits, a decimal point, no unit."""
        if self.kind == "date":
            return self.order in ("compact", "seconds", "milliseconds")
        return self.kind == "number" and (self.decimal, self.thousands, self.unit) == (".", "", "")

    @property
    def words(self) -> str:
        """The kind and how it is written, in words."""
        if self.kind == "category":
            return "category"
        if self.order == "clock":
            return ORDERS["clock"]
        if self.kind == "date":
            return f"date, {ORDERS[self.order]}"
        unit = f" {self.unit}" if self.unit else ""
        return "number" if self.is_plain else f"number such as 1{self.thousands}234{self.decimal}5{unit}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults, JSON-ready."""
        values = asdict(self)
        kept = {f.name: values[f.name] for f in fields_of(self) if values[f.name] != f.default}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the reading whose :meth:`to_json` gave ``given``."""
        fields: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}
        return cls(**fields)


ORDERS: dict[str, str] = {
    "": "as written",
    "ymd": "year-month-day",
    "dmy": "day.month.year",
    "mdy": "month/day/year",
    "words": "month in words",
    "compact": "digits such as 20261231",
    "seconds": "seconds since 1970",
    "milliseconds": "milliseconds since 1970",
    "clock": "time of day",
    "months": "year and month",
    "quarters": "year and quarter",
    "weeks": "year and ISO week",
}
"""How each order of a date is called."""

ORDER_OF_PATTERN: dict[str, Order] = {
    "%Y-%m-%d": "ymd",
    "%Y/%m/%d": "ymd",
    "%d.%m.%Y": "dmy",
    "%d/%m/%Y": "dmy",
    "%d-%m-%Y": "dmy",
    "%m/%d/%Y": "mdy",
}
"""The order of each format of dates that earlier versions knew."""
