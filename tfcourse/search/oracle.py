"""The oracle of random search: independent draws, whole files, failures with their reasons."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as trial_module

from tfcourse.errors import UserError
from tfcourse.files import write_json
from tfcourse.names import DIVERGED as DIVERGED
from tfcourse.search.sampler import unit_draw as unit_draw
from tfcourse.trial_file import read_trial_file

Status = trial_module.TrialStatus
MOST_COLLISIONS = 100
SECONDS_BETWEEN_SAVES = 1.0


def trial_seed(seed: int, trial: int, repeat: int = 0) -> int:
    """Return the seed of a trial's initial weights and dropout masks, below 2**31; another one for each repeat.

    >>> trial_seed(0, 1) == trial_seed(0, 1), trial_seed(0, 1) == trial_seed(1, 0)
    (True, False)
    """
    return int(np.random.SeedSequence([seed, trial, *([repeat] if repeat else [])]).generate_state(1)[0] >> 1)


class RandomOracle(keras_tuner.Oracle):
    """Random search over any KerasTuner space, each hyperparameter drawn on its own scale.

    A trial that diverges is kept as FAILED, with a message that begins with ``diverged``, and never ends the
    search; other failures end it when three come in a row, as in KerasTuner.

    Args:
        objective: what to optimize, ``"val_loss"`` or any of KerasTuner's objectives.
        max_trials: number of trials.
        seed: which random draws, from 0; unlike KerasTuner, 0 is a seed like any other.
        hyperparameters: the search space, if it is known beforehand.

    Attributes:
        clock: gives the seconds of searching so far; each trial keeps when it ended.
        bracket_size: trials, from a round's first on, that are compared with one another by halving.
        notes: what each trial's file says beside KerasTuner's own fields, under ``tfcourse``.
    """

    trials: dict[str, Any]
    ongoing_trials: dict[str, Any]
    end_order: list[str]

    def __init__(
        self,
        objective: Any = "val_loss",
        max_trials: int = 10,
        *,
        seed: int = 0,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(objective, max_trials, hyperparameters, seed=seed, **kwargs)
        self.seed = seed
        self.clock: Callable[[], float] = time.monotonic
        self.notes: dict[str, dict[str, Any]] = {}
        self.bracket_size = 1
        self._saved_at = -np.inf

    @property
    def rounds_left(self) -> int:
        """How many rounds are left: one, in this oracle."""
        return 1

    @property
    def round_is_full(self) -> bool:
        """Whether the next round must begin before more trials are drawn: never, in this oracle."""
        return False

    def begin_round(self) -> None:
        """Begin the next round; there is none in this oracle."""

    @property
    def cut_short(self) -> int:
        """How many trials were cut short when the search was last stopped; they are drawn again before any other."""
        return len(self._retry_queue)

    def first_of_round(self, trial: int) -> int:
        """Return the number of the first trial of a trial's round."""
        return 0

    def bracket_of(self, trial: int) -> int:
        """Return the number of the first trial of a trial's bracket: by its own number, whenever it is drawn.

        >>> oracle = RandomOracle()
        >>> oracle.bracket_size = 9
        >>> [oracle.bracket_of(trial) for trial in (0, 8, 9, 20)]
        [0, 0, 9, 18]
        """
        first = self.first_of_round(trial)
        return first + (trial - first) // self.bracket_size * self.bracket_size

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Return the values of a trial, or STOPPED when the space holds no further setting."""
        for attempt in range(MOST_COLLISIONS):
            values = self._draw(int(trial_id), attempt)
            if self._compute_values_hash(values) not in self._tried_so_far:
                return {"status": Status.RUNNING, "values": values}
        return {"status": Status.STOPPED, "values": None}

    def _draw(self, trial: int, attempt: int) -> dict[str, Any]:
        space = keras_tuner.HyperParameters()
        for hyperparameter in self.hyperparameters.space:
            space.merge([hyperparameter])
            if space.is_active(hyperparameter):
                p = unit_draw(self.seed, trial, hyperparameter.name, attempt)
                space.values[hyperparameter.name] = hyperparameter.prob_to_value(p)
        return dict(space.values)

    def record_curves(self, trial_id: str, curves: dict[str, list[float]]) -> None:
        """Keep a trial's whole learning curves: one list of values a metric, one value an epoch from 0."""
        trial = self.trials[trial_id]
        trial.metrics = type(trial.metrics)()
        for name, values in curves.items():
            trial.metrics.register(name, direction="max" if "accuracy" in name else "min")
            for epoch, value in enumerate(values):
                # The tracker's own update looks through the whole curve for its best, at every epoch.
                trial.metrics.metrics[name].update(float(value), step=epoch)

    def curve(self, trial_id: str, name: str) -> list[float]:
        """Return a kept learning curve, one value an epoch; for a trial that diverged, up to the epoch before."""
        metrics = self.trials[trial_id].metrics
        return [float(point.mean()) for point in metrics.get_history(name)] if metrics.exists(name) else []

    def failed(self, trial_id: str) -> bool:
        """Say whether a trial ended without a result."""
        return bool(self.trials[trial_id].status == Status.FAILED)

    def end_trial(self, trial: Any) -> None:
        """Score a trial that ended, or keep the reason why it failed, and write its file."""
        kept = self.trials[trial.trial_id]
        kept.hyperparameters, kept.status, kept.message = trial.hyperparameters, trial.status, trial.message
        if kept.status == Status.COMPLETED:
            self.score_trial(kept)
            if repeats := self.notes.get(kept.trial_id, {}).get("repeats"):
                kept.score = float(np.mean(repeats))
        else:
            kept.status = Status.FAILED
        self.note(kept.trial_id, ended_at=round(self.clock(), 3))
        self.end_order.append(kept.trial_id)
        self._save_trial(kept)
        self.ongoing_trials = {key: t for key, t in self.ongoing_trials.items() if t.trial_id != kept.trial_id}
        self.save()
        self._check_consecutive_failures()

    def _check_consecutive_failures(self) -> None:
        last = [self.trials[trial_id] for trial_id in self.end_order[-self.max_consecutive_failed_trials :]]
        broken = [t for t in last if t.status == Status.FAILED and not (t.message or "").startswith(DIVERGED)]
        if len(broken) == self.max_consecutive_failed_trials:
            raise RuntimeError(f"{len(broken)} trials in a row failed. The last reason: {broken[-1].message}")

    def note(self, trial_id: str, **notes: Any) -> None:
        """Have a trial's file say more about it, such as the round that drew it; it is written when the trial is."""
        self.notes.setdefault(trial_id, {}).update(notes)

    def _save_trial(self, trial: Any) -> None:
        state = {**trial.get_state(), "tfcourse": self.notes.get(trial.trial_id, {})}
        write_json(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", state, indent=None)

    def _get_trial_dir(self, trial_id: str) -> str:
        folder = Path(self._project_dir) / f"trial_{trial_id}"
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def save(self, now: bool = False) -> None:
        """Write ``oracle.json``, at most once a second unless ``now``: it grows with the number of trials.

        Nothing is lost when it is old, because :meth:`reload` goes by the trials' own files.
        """
        if now or time.monotonic() - self._saved_at > SECONDS_BETWEEN_SAVES:
            write_json(Path(self._get_oracle_fname()), self.get_state(), indent=None, durable=now)
            self._saved_at = time.monotonic()

    def reload(self) -> None:
        """Take up a search from its trials' files; trials that were running will be run again from the start.

        Raises:
            UserError: if a trial's file is damaged.
        """
        for path in sorted(Path(self._project_dir).glob("trial_*/trial.json")):
            try:
                state = read_trial_file(path)
                trial = trial_module.Trial.from_state(state)
                self.notes[trial.trial_id] = dict(state.get("tfcourse", {}))
                self._record_values(trial)
            except UserError:
                raise
            except Exception as error:  # of KerasTuner's classes, on hyperparameters that may be anything
                raise UserError(
                    f"{str(path)!r} is damaged ({error!r}). Restore it from a copy, or remove it."
                ) from None
            self.trials[trial.trial_id] = trial
        self.trials = dict(sorted(self.trials.items(), key=lambda item: int(item[0])))
        self.start_order = list(self.trials)
        self.end_order = [key for key, trial in self.trials.items() if trial.status != Status.RUNNING]
        self._retry_queue = [key for key, trial in reversed(self.trials.items()) if trial.status == Status.RUNNING]
