"""A stage of the search, and the space that its trials are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfcourse.space.search_space import SearchSpace


@dataclass(frozen=True)
class Round:
    """A stage of the search.

    Args:
        first_trial: the number of its first trial.
        space: where its trials are drawn.
        notes: how the space came out of the last one, in words.
    """

    first_trial: int
    space: SearchSpace
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the round JSON-ready."""
        return {"first_trial": self.first_trial, "space": self.space.to_json(), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Round:
        """Return the round whose :meth:`to_json` gave ``fields``."""
        return cls(
            int(fields.get("first_trial", 0)), SearchSpace.from_json(fields["space"]), tuple(fields.get("notes", ()))
        )
