"""What the user says of the data: which they are, how they are read, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from tfcourse.data.numbers_as import NumbersAs
from tfcourse.data.reading.corrections import read_corrections
from tfcourse.data.reading.decide import Wishes
from tfcourse.errors import UserError

SPLIT_RULES = 2
"""By which rules rows are split: 1, by number of different rows, all columns compared; 2, by rows, used columns."""


@dataclass(frozen=True)
class DataOptions:
    """Which data to read and how to split it; the fields are the command line's flags.

    ``split_rules`` is no flag: it is kept with a run, so that one that an earlier version began is split as it was.
    ``numbers`` is ``auto`` until a search has chosen one of the ways.
    """

    data: str = "digits"
    target: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    not_missing: tuple[str, ...] = ()
    test_data: str | None = None
    split: Literal["stratified", "time"] = "stratified"
    seed: int = 0
    group: str | None = None
    weight: str | None = None
    split_rules: int = SPLIT_RULES
    reading: str | None = None
    time: str | None = None
    numbers: NumbersAs | Literal["auto"] = "standard"
    keep_columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a column that is to be kept and to be left out."""
        if both := [name for name in self.keep_columns if name in self.drop]:
            raise UserError(f"--keep-columns: {both[0]!r} is named by --drop as well; leave it out of one of them.")

    @property
    def wishes(self) -> Wishes:
        """What the user said on how columns are read."""
        group = () if self.group is None else (self.group,)
        readings = read_corrections(self.reading) if self.reading is not None else {}
        return Wishes(self.missing, self.not_missing, (*self.categorical, *group), readings)

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns that say something of rows and are not learned from."""
        group = self.group if self.group not in self.categorical else None
        return tuple(name for name in (group, self.weight) if name is not None)

    def to_json(self) -> dict[str, Any]:
        """Return the options JSON-ready."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Return the options whose :meth:`to_json` gave ``fields``, by this version or an earlier one.

        >>> DataOptions.from_json({"data": "digits", "drop": ["x"]}).split_rules
        1
        """
        given: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
        }
        return cls(**{"split_rules": 1, **given})
