"""A hyperparameter as a value: its scale, its range or its choices, and when it is active."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tfcourse.equations import scales
from tfcourse.errors import UserError, did_you_mean

SCALES = ("linear", "log", "one_minus_log", "integer", "choice")
_MAPS = {
    "linear": (scales.linear_from_unit, scales.linear_to_unit),
    "log": (scales.log_from_unit, scales.log_to_unit),
    "one_minus_log": (scales.one_minus_log_from_unit, scales.one_minus_log_to_unit),
}

Value = float | int | str | bool


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter: its name, its scale, its range or its choices, and when it is active.

    Args:
        name: what it is called in files and reports.
        scale: one of :data:`SCALES`; ``choice`` takes ``values``, the others ``low`` < ``high``.
        low: smallest value, inclusive.
        high: largest value, inclusive.
        values: the choices; a single one fixes the parameter.
        parent: name of the earlier parameter that decides whether this one is active; empty for always.
        parent_values: the parent's values for which it is active.

    Raises:
        UserError: if the range is not one on that scale.

    >>> Parameter("momentum", "one_minus_log", 0.9, 0.999).from_unit(0.5)
    0.99
    """

    name: str
    scale: str
    low: float = 0.0
    high: float = 0.0
    values: tuple[Value, ...] = ()
    parent: str = ""
    parent_values: tuple[Value, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "parent_values", tuple(self.parent_values))
        if self.scale not in SCALES:
            raise UserError(
                f"{self.name}: scale = {self.scale!r} was given; allowed are {', '.join(SCALES)}."
                + did_you_mean(str(self.scale), SCALES)
            )
        if self.scale == "choice":
            if not self.values:
                raise UserError(f"{self.name}: values must hold at least one choice, but it is empty.")
            if len(set(self.values)) < len(self.values):
                raise UserError(f"{self.name}: values must differ, but {list(self.values)} was given.")
            return
        self._check_range()

    def _check_range(self) -> None:
        given = f"low = {self.low!r} and high = {self.high!r} were given"
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise UserError(f"{self.name}: low and high must be finite numbers, but {given}.")
        if not self.low < self.high:
            raise UserError(
                f"{self.name}: low < high must hold, but {given}. To fix a parameter give it a single value."
            )
        if self.scale == "log" and self.low <= 0:
            raise UserError(f"{self.name}: low > 0 must hold on a log scale, but {given}.")
        if self.scale == "one_minus_log" and self.high >= 1:
            raise UserError(f"{self.name}: high < 1 must hold on a one_minus_log scale, but {given}.")
        if self.scale == "integer" and (self.low != int(self.low) or self.high != int(self.high)):
            raise UserError(f"{self.name}: low and high must be whole numbers, but {given}.")

    def from_unit(self, p: float) -> Value:
        """Return the value at p in [0, 1] on this parameter's scale.

        >>> Parameter("layers", "integer", 2, 4).from_unit(0.5)
        3
        """
        if self.scale == "choice":
            return self.values[min(int(p * len(self.values)), len(self.values) - 1)]
        if self.scale == "integer":
            return int(min(self.low + math.floor(p * (self.high - self.low + 1)), self.high))
        value = float(_MAPS[self.scale][0](p, self.low, self.high))
        return min(max(value, self.low), self.high)

    def to_unit(self, value: Value) -> float:
        """Return the p in [0, 1] of a value, the middle of its cell for integers and choices.

        >>> Parameter("layers", "integer", 2, 4).to_unit(3)
        0.5
        """
        if self.scale == "choice":
            return (self.values.index(value) + 0.5) / len(self.values)
        if self.scale == "integer":
            return (float(value) - self.low + 0.5) / (self.high - self.low + 1)
        return float(_MAPS[self.scale][1](float(value), self.low, self.high))

    def contains(self, value: Value) -> bool:
        """Say whether ``value`` lies in the range or among the choices."""
        if self.scale == "choice":
            return value in self.values
        return not isinstance(value, str) and self.low <= value <= self.high

    def active(self, values: Mapping[str, Value]) -> bool:
        """Say whether this parameter plays a part beside the given values of its parent."""
        return not self.parent or values.get(self.parent) in self.parent_values

    def reached(self, p: float) -> float:
        """Return the number at p on this parameter's scale, also outside its range: p < 0 or p > 1.

        >>> round(Parameter("learning_rate", "log", 1e-4, 1.0).reached(1.25), 9)
        10.0
        """
        if self.scale == "integer":
            return self.low - 0.5 + p * (self.high - self.low + 1)
        return float(_MAPS[self.scale][0](p, self.low, self.high))

    def in_words(self) -> str:
        """Return the range with its scale, or the choices.

        >>> Parameter("learning_rate", "log", 1e-4, 1.0).in_words()
        '0.0001 ... 1 (log)'
        """
        if self.scale == "choice":
            return ", ".join(map(str, self.values))
        return f"{self.low:.10g} ... {self.high:.10g} ({self.scale})"

    def to_json(self) -> dict[str, Any]:
        """Return the fields that are set, JSON-ready."""
        fields: dict[str, Any] = {"name": self.name, "scale": self.scale}
        if self.scale == "choice":
            fields["values"] = list(self.values)
        else:
            fields |= {"low": self.low, "high": self.high}
        if self.parent:
            fields |= {"parent": self.parent, "parent_values": list(self.parent_values)}
        return fields
