"""The rounds of a search: each has its own space, computed from the leading trials of the rounds before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tfcourse.space import Round, SearchSpace, Value
from tfcourse.space.known import limits_of


def leading(completed: int) -> int:
    """Return how many of the completed trials lead: about the square root of twice their number.

    >>> [leading(trials) for trials in (3, 16, 32, 100)]
    [3, 6, 8, 15]
    """
    return min(completed, math.ceil(math.sqrt(2 * completed)))


def explored(rounds: Sequence[Round]) -> SearchSpace:
    """Return the smallest space that holds every round's: the first's, moved outward where a later one went beyond it.

    >>> from tfcourse.space import Parameter
    >>> spaces = [SearchSpace((Parameter("units_1", "integer", *ends),)) for ends in ((50, 100), (90, 113))]
    >>> both = explored([Round(0, spaces[0]), Round(16, spaces[1])])["units_1"]
    >>> both.low, both.high
    (50, 113)
    """
    widest = []
    for parameter in rounds[0].space:
        each = [stage.space[parameter.name] for stage in rounds]
        low, high = min(p.low for p in each), max(p.high for p in each)
        widest.append(parameter if parameter.scale == "choice" else replace(parameter, low=low, high=high))
    return SearchSpace(tuple(widest))


def next_round(last: Round, first_trial: int, completed: Sequence[Mapping[str, Value]]) -> Round:
    """Return the round after ``last``, its space the region of the leading trials.

    Args:
        last: the round before.
        first_trial: the number of the new round's first trial.
        completed: values of all completed trials, the best first.
    """
    space, notes = last.space.zoomed(completed[: leading(len(completed))], limits_of(last.space))
    return Round(first_trial, space, notes)
