"""What a search tries before any draw, and when its rounds begin: all of it is in the first round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfcourse.errors import UserError
from tfcourse.search.pace import FIRST_TRIALS
from tfcourse.space import SearchSpace, Value
from tfcourse.space.first_settings import read_first_settings
from tfcourse.space.portfolio import portfolio
from tfcourse.tuning import defaults
from tfcourse.tuning.plan import Plan, round_starts

LEAST_TRIALS_OF_A_ROUND = 8
"""Fewer leave no more than four leading trials, too few to narrow a space by."""


@dataclass(frozen=True)
class First:
    """What is tried first.

    Args:
        settings: the user's own, then the portfolio's.
        portfolio: how many are the portfolio's.
        starts: number of each round's first trial, 0 first.
    """

    settings: tuple[dict[str, Value], ...]
    portfolio: int
    starts: tuple[int, ...]


def tried_first(given: Mapping[str, Any], space: SearchSpace, trials: int) -> First:
    """Return what a search of so many trials tries first, from its options by name.

    Of the first of several rounds half is drawn, so that the next is not the region of the portfolio alone; where time
    alone limits it, half of the trials that it begins with. Where a search has fewer trials than there is to try, a
    resumed one may go on with it.

    Raises:
        UserError: if the options do not go together.
    """
    own = read_first_settings(given["first"], space) if "first" in given else []
    if len(own) > trials:
        raise UserError(
            f"--first {given['first']} holds {len(own)} settings, but there are {trials} trials; give --trials"
            f" {len(own)} or more."
        )
    later = dict.fromkeys(max(start, len(own)) for start in _round_starts(given, trials)[1:])
    starts = (0, *(start for start in later if start < trials))
    room = min(starts[1] // 2, starts[1] - len(own)) if len(starts) > 1 else None
    if room is not None and "budget" in given:
        room = min(room, FIRST_TRIALS // 2)
    good = portfolio(space)[:room] if given.get("portfolio", True) else []
    return First((*own, *good), len(good), starts)


def first_said(plan: Plan) -> str:
    """Return what is tried before any draw, as a line for the terminal; empty if nothing is.

    >>> from tfcourse.space.course import default_space
    >>> first_said(Plan(default_space(), 64, 30, 7, "val_loss", "cohort", 0, first=({}, {}, {}), portfolio=2))
    'First your own setting, then 2 settings that were good on many tables (without: --no-portfolio)'
    """
    own = f"your own setting{'s' * (len(plan.own) > 1)}" if plan.own else ""
    tried = min(plan.portfolio, plan.trials - len(plan.own))
    good = f"{tried} setting{'s' * (tried > 1)} that {'were' if tried > 1 else 'was'} good on many tables"
    parts = [own] * bool(own) + [f"{good} (without: --no-portfolio)"] * (tried > 0)
    return f"First {', then '.join(parts)}" if parts else ""


def _round_starts(given: Mapping[str, Any], trials: int) -> tuple[int, ...]:
    """Return the number of each round's first trial; few trials make one round unless more are asked for."""
    rounds = given.get("rounds", defaults.ROUNDS if trials >= LEAST_TRIALS_OF_A_ROUND * defaults.ROUNDS else 1)
    if rounds > trials:
        raise UserError(f"--rounds: {rounds} rounds were given, but only {trials} trials; give at most {trials}.")
    return round_starts(trials, rounds)
