"""The oracle of random search: independent draws, whole files, failures with their reasons."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine import trial as trial_module

from tfcourse.errors import UserError
from tfcourse.files.trial_file import read_trial_file
from tfcourse.files.write_batch import WriteBatch
from tfcourse.files.writing import write_bytes, write_json
from tfcourse.search.sampler import unit_draw as unit_draw
from tfcourse.search.shared_space import SharedSpace
from tfcourse.search.synchronized import synchronized
from tfcourse.space.names import DIVERGED, has_diverged
from tfcourse.space.objective import Objective

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

    A trial that diverges, so that its objective is never a finite number, is tried again as often as
    ``max_retries_per_trial`` says and then kept as FAILED, ``diverged`` in its file; it never ends the search. Other
    failures end it when ``max_consecutive_failed_trials`` come in a row, as in KerasTuner.

    Args:
        objective: what to optimize, ``"val_loss"`` or any of KerasTuner's objectives.
        max_trials: number of trials.
        seed: which random draws, from 0; unlike KerasTuner, 0 is a seed like any other. None draws one.
        hyperparameters: the search space, if it is known beforehand.
        **kwargs: as for ``keras_tuner.Oracle``.

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
        seed: int | None = 0,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(objective, max_trials, hyperparameters, seed=seed, **kwargs)
        self.hyperparameters: keras_tuner.HyperParameters = SharedSpace.of(hyperparameters)
        self.seed: int = self.seed if seed is None else seed
        self.clock: Callable[[], float] = time.monotonic
        self.notes: dict[str, dict[str, Any]] = {}
        self.bracket_size = 1
        self._saved_at = -np.inf
        self._files: WriteBatch | None = None
        self._folders: dict[str, str] = {}

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

    def trials_of_bracket(self, bracket: int) -> list[str]:
        """Return the trials drawn of a bracket, by their number."""
        numbers = range(bracket, bracket + self.bracket_size)
        near = [trial_id for trial_id in self.trials if int(trial_id) in numbers]
        return [trial_id for trial_id in near if self.bracket_of(int(trial_id)) == bracket]  # a round may end before

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
            trial.metrics.register(name, direction="max" if Objective(name).higher_is_better else "min")
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

    def diverged(self, trial_id: str) -> bool:
        """Say whether a trial ended because its loss was no longer a finite number."""
        return bool(self.notes.get(trial_id, {}).get(DIVERGED))

    def _excused(self, trial_id: str) -> bool:
        """Say whether a trial failed for a reason that says nothing against the next one."""
        return self.diverged(trial_id) or bool(self.notes.get(trial_id, {}).get("lost"))

    def score_trial(self, trial: Any) -> None:
        """Score a trial by its best epoch, or by the mean of its repeats; what is not a finite number has diverged."""
        history = trial.metrics.get_history(self.objective.name)
        values = np.array([each.value[0] if len(each.value) == 1 else each.mean() for each in history])
        numbers = values[~np.isnan(values)]
        best_of = np.max if self.objective.direction == "max" else np.min
        trial.score = float(best_of(numbers)) if len(numbers) else np.nan
        best = (each.step for each, value in zip(history, values, strict=True) if value == trial.score)
        trial.best_step = next(best, None)
        if repeats := self.notes.get(trial.trial_id, {}).get("repeats"):
            trial.score = float(np.mean(repeats))
        self.note(trial.trial_id, diverged=not np.isfinite(trial.score))
        if self.diverged(trial.trial_id):
            trial.message = trial.message or f"{DIVERGED}: {self.objective.name} was never a finite number"
            trial.score = np.nan  # which KerasTuner takes as no result, unlike an infinite score

    @synchronized
    def end_trial(self, trial: Any) -> None:
        """Score a trial that ended, have it tried again, or keep the reason why it failed; write its file."""
        key = trial.trial_id
        runs = self._run_times[key] + 1
        self.note(key, ended_at=round(self.clock(), 3), runs=runs, diverged=self.diverged(key))
        super().end_trial(trial)
        if key in self._retry_queue:
            self.note(key, diverged=False)
        self._check_failures()

    def _check_consecutive_failures(self) -> None:
        """Do nothing yet: KerasTuner looks before the trial is written, :meth:`end_trial` after that."""

    def _check_failures(self) -> None:
        last = [self.trials[trial_id] for trial_id in self.end_order[-self.max_consecutive_failed_trials :]]
        broken = [trial for trial in last if self.failed(trial.trial_id) and not self._excused(trial.trial_id)]
        if len(broken) == self.max_consecutive_failed_trials:
            raise RuntimeError(
                f"Number of consecutive failures exceeded the limit of {len(broken)}. The last reason: "
                f"{broken[-1].message}"
            )

    def note(self, trial_id: str, **notes: Any) -> None:
        """Have a trial's file say more about it, such as the round that drew it; it is written when the trial is."""
        self.notes.setdefault(trial_id, {}).update(notes)

    def _save_trial(self, trial: Any) -> None:
        state = {**trial.get_state(), "tfcourse": self.notes.get(trial.trial_id, {})}
        if trial.score is not None and not np.isfinite(trial.score):
            state["score"] = None
        del state["hyperparameters"]
        space = trial.hyperparameters
        space = space if isinstance(space, SharedSpace) else SharedSpace.of(space)
        # Curves hold NaN where a loss was none, as in KerasTuner's own files.
        content = f'{{"hyperparameters": {space.to_json()}, {json.dumps(state)[1:]}\n'.encode()
        path = f"{self._get_trial_dir(trial.trial_id)}/trial.json"
        if self._files is not None:
            self._files.write(path, content)
        else:
            write_bytes(Path(path), content)

    @contextlib.contextmanager
    def saving_together(self) -> Iterator[None]:
        """Have the files of all trials that are created or end in the block take their names at its end."""
        with WriteBatch() as self._files:
            try:
                yield
            finally:
                self._files = None

    def update_space(self, hyperparameters: keras_tuner.HyperParameters) -> None:
        """Add hyperparameters that are new to the space."""
        if hyperparameters.space != self.hyperparameters.space:  # a trial's are the same objects, if it added none
            super().update_space(hyperparameters)

    def _set_project_dir(self, directory: str, project_name: str) -> None:
        super()._set_project_dir(directory, project_name)
        self._folders.clear()

    def _get_trial_dir(self, trial_id: str) -> str:
        if trial_id not in self._folders:
            folder = f"{self._project_dir}/trial_{trial_id}"
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder)
            self._folders[trial_id] = folder
        return self._folders[trial_id]

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
                notes = dict(state.get("tfcourse", {}))
                self.notes[trial.trial_id] = {**notes, DIVERGED: has_diverged(notes, trial.message)}
                self._run_times[trial.trial_id] = int(notes.get("runs", 0))
                if self.allow_new_entries:  # what a hypermodel asked for while it was built stands in its trials alone
                    self.update_space(trial.hyperparameters)
                self._record_values(trial)
            except UserError:
                raise
            except Exception as error:  # of KerasTuner's classes, on hyperparameters that may be anything
                raise UserError(
                    f"{str(path)!r} is damaged ({error!r}). Restore it from a copy, or remove it."
                ) from None
            self.trials[trial.trial_id] = trial
        self.trials = dict(sorted(self.trials.items(), key=lambda item: int(item[0])))
        self._forget_what_a_power_cut_left()
        unended = [key for key, trial in self.trials.items() if trial.status in (Status.RUNNING, Status.INVALID)]
        self.start_order = list(self.trials)
        self.end_order = [key for key in self.trials if key not in set(unended)]
        self._retry_queue = unended[::-1]

    def _forget_what_a_power_cut_left(self) -> None:
        """Forget trials that never ran, if they follow a number that is not there.

        Those that are drawn together go to the disk in any order. They are drawn again, as they were.
        """
        missing = next((number for number, key in enumerate(self.trials) if int(key) != number), len(self.trials))
        for key in list(self.trials)[missing:]:
            if self.trials[key].status == Status.RUNNING and not self._run_times[key]:
                del self.trials[key]
                self._tried_so_far.discard(self._id_to_hash.pop(key))
