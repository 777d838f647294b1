"""The oracle of ``train``: a search in rounds, coarse to fine, that tries given settings first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np

from tfcourse.models.hypermodels import declare, hp_from_values
from tfcourse.search.oracle import MOST_COLLISIONS, RandomOracle, Status
from tfcourse.search.rounds import next_round
from tfcourse.search.sampler import quasi_random_point, random_point
from tfcourse.space import Round, SearchSpace, Value
from tfcourse.space.first_settings import completed_setting
from tfcourse.space.names import OWN, PORTFOLIO, values_from_hp


class RoundsOracle(RandomOracle):
    """Search a space in rounds; each trial is drawn on the scales of its round's space.

    Args:
        objective: ``"val_loss"`` or ``"val_accuracy"``.
        max_trials: number of trials.
        space: the first round's space.
        seed: which draws, from 0.
        sampler: ``random``, or ``quasi-random`` for points that fill each round's space evenly.
        starts: number of each round's first trial, 0 first; a round may also be begun earlier by :meth:`begin_round`.
        rounds: the rounds that an earlier part of the search began.
        first: settings to try before any draw; what one leaves out is in the middle of its range.
        portfolio: how many of these, the last ones, are the portfolio's and not the user's own.
        on_round: called with all rounds when one begins.
    """

    def __init__(
        self,
        objective: str,
        max_trials: int,
        *,
        space: SearchSpace,
        seed: int = 0,
        sampler: str = "random",
        starts: Sequence[int] = (0,),
        rounds: Sequence[Round] = (),
        first: Sequence[Mapping[str, Value]] = (),
        portfolio: int = 0,
        on_round: Callable[[list[Round]], object] = lambda rounds: None,
    ) -> None:
        declared = keras_tuner.HyperParameters()
        declare(space, declared)
        super().__init__(objective, max_trials, seed=seed, hyperparameters=declared)
        self.sampler, self.starts, self.first, self.on_round = sampler, tuple(starts), list(first), on_round
        self.rounds = list(rounds) or [Round(0, space)]
        self.own = len(self.first) - portfolio

    @property
    def rounds_left(self) -> int:
        """How many rounds are left, the present one included."""
        return max(1, len(self.starts) - len(self.rounds) + 1)

    @property
    def round_is_drawn(self) -> bool:
        """Whether the present round has all of its trials and there is another."""
        return len(self.rounds) < len(self.starts) and len(self.trials) >= self.starts[len(self.rounds)]

    @property
    def round_is_full(self) -> bool:
        """Whether the next round must begin before more trials are drawn: this one's are drawn and have ended."""
        return self.round_is_drawn and len(self.end_order) == len(self.trials)

    def begin_round(self) -> None:
        """Begin the next round with the region of the leading trials; every trial must have ended."""
        best_first = [
            values_from_hp(trial.hyperparameters.values)
            for trial in self.get_best_trials(len(self.trials))
            if trial.status == Status.COMPLETED
        ]
        self.rounds.append(next_round(self.rounds[-1], len(self.trials), best_first))
        self.on_round(self.rounds)

    def first_of_round(self, trial: int) -> int:
        """Return the number of the first trial of a trial's round."""
        return self.rounds[self.round_of(trial)].first_trial

    def round_of(self, trial: int) -> int:
        """Return which round, from 0, a trial belongs to."""
        return max(number for number, each in enumerate(self.rounds) if each.first_trial <= trial)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the values of a trial; IDLE when its round has to be begun first, STOPPED when nothing is left."""
        if self.round_is_drawn:
            return {"status": Status.IDLE, "values": None}
        number = int(trial_id)
        stage = self.round_of(number)
        space = self.rounds[stage].space
        for attempt in range(MOST_COLLISIONS):
            values = hp_from_values(space, self.values_of(number, attempt))
            if self._compute_values_hash(values) not in self._tried_so_far:
                self.note(trial_id, round=stage)
                if number < len(self.first) and attempt == 0:
                    self.note(trial_id, given=OWN if number < self.own else PORTFOLIO)
                return {"status": Status.RUNNING, "values": values}
        return {"status": Status.STOPPED, "values": None}

    def values_of(self, trial: int, attempt: int = 0) -> dict[str, Value]:
        """Return the setting of a trial; a further ``attempt`` gives another, for one that was tried before."""
        stage = self.round_of(trial)
        space = self.rounds[stage].space
        if trial < len(self.first) and attempt == 0:
            return completed_setting(space, self.first[trial])
        if self.sampler == "quasi-random" and attempt == 0:
            scramble = int(np.random.SeedSequence([self.seed, stage]).generate_state(1)[0])
            index = trial - max(self.rounds[stage].first_trial, len(self.first) if stage == 0 else 0)
            return space.values_at(quasi_random_point(scramble, index, space.names))
        return space.values_at(random_point(self.seed, trial, space.names, attempt))
