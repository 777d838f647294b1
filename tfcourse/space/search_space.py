"""The search space as a value: frozen, comparable, written to and read from JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from tfcourse.errors import UserError
from tfcourse.space.parameter import Parameter, Value
from tfcourse.space.zoom import zoomed


@dataclass(frozen=True)
class SearchSpace:
    """An ordered set of parameters; parents come before the parameters that depend on them.

    Raises:
        UserError: if a name occurs twice or a parent does not come first.

    >>> space = SearchSpace((Parameter("learning_rate", "log", 1e-4, 1.0),))
    >>> SearchSpace.from_json(space.to_json()) == space
    True
    """

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        seen: set[str] = set()
        for parameter in self.parameters:
            if parameter.name in seen:
                raise UserError(f"The search space holds {parameter.name!r} twice; each name may stand once.")
            if parameter.parent and parameter.parent not in seen:
                raise UserError(f"{parameter.name}: its parent {parameter.parent!r} must come before it.")
            seen.add(parameter.name)

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)

    def values_at(self, point: Mapping[str, float]) -> dict[str, Value]:
        """Return the values of the active parameters at a point of the unit cube, given by name.

        >>> space = SearchSpace((Parameter("learning_rate", "log", 1e-4, 1.0),))
        >>> space.values_at({"learning_rate": 0.5})
        {'learning_rate': 0.01}
        """
        values: dict[str, Value] = {}
        for parameter in self.parameters:
            if parameter.active(values):
                values[parameter.name] = parameter.from_unit(point[parameter.name])
        return values

    def zoomed(
        self, leaders: Sequence[Mapping[str, Value]], limits: Mapping[str, tuple[float, float]]
    ) -> tuple[SearchSpace, tuple[str, ...]]:
        """Return the region of the leading trials, with what was changed in words (slides A3).

        Each parameter is narrowed on its own scale to its values among the leaders that have it; where they crowd
        an edge, the space moves outward there instead. See :mod:`tfcourse.space.zoom` for the rule.

        Args:
            leaders: values of the leading trials, the active parameters of each.
            limits: lowest and highest value that makes sense, by parameter; one that is not named only narrows, and
                so does one on which others depend.
        """
        parents = {parameter.parent for parameter in self.parameters}
        parameters, notes = [], []
        for parameter in self.parameters:
            values = [leader[parameter.name] for leader in leaders if parameter.name in leader]
            fixed = parameter.name in parents or parameter.name not in limits
            limit = (parameter.low, parameter.high) if fixed else limits[parameter.name]
            narrower, note = zoomed(parameter, values, limit)
            parameters.append(narrower)
            notes += [note] if note else []
        return SearchSpace(tuple(parameters)), tuple(notes)

    def first_difference(self, other: SearchSpace) -> str:
        """Return in words how ``other`` first differs from this space; empty if it does not.

        >>> wide, narrow = (SearchSpace((Parameter("dropout", "linear", 0.0, high),)) for high in (0.5, 0.2))
        >>> wide.first_difference(narrow)
        'dropout is 0 ... 0.2 (linear) instead of 0 ... 0.5 (linear)'
        """
        for name in dict.fromkeys((*self.names, *other.names)):
            if name not in other.names:
                return f"{name} is not searched"
            if name not in self.names:
                return f"{name} is searched as well"
            if self[name] != other[name]:
                return f"{name} is {other[name].in_words()} instead of {self[name].in_words()}"
        return ""

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the space as a JSON-ready list, one object a parameter."""
        return [parameter.to_json() for parameter in self.parameters]

    @classmethod
    def from_json(cls, parameters: Sequence[Mapping[str, Any]]) -> Self:
        """Return the space whose :meth:`to_json` gave ``parameters``."""
        return cls(tuple(Parameter(**fields) for fields in parameters))
