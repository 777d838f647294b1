"""The leading settings trained on every fold, so that no row is kept from training, and what they say out of fold.

Each network trains on all folds but one, which validates it: early stopping and the best epoch are by its rows, as in
the search. So each row is predicted by networks that did not train on it. What is trained is kept, network by network.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.member import OwnRows
from tfcourse.cohort.work import Executor
from tfcourse.data.folds import Folds, deal_into_folds
from tfcourse.data.minibatches import ENOUGH, LEAST_OF_LAST
from tfcourse.data.split import Rows
from tfcourse.errors import UserError
from tfcourse.files.arrays import DamagedArraysError, read_arrays
from tfcourse.files.writing import make_folder, read_json, replacing, write_json
from tfcourse.models.answers import BATCH
from tfcourse.models.spec import NetworkSpec
from tfcourse.models.stacked import Stack, logits_model, stacked
from tfcourse.run.trials import TrialRecord
from tfcourse.search.fit import Schedule, Training, TrainingData
from tfcourse.search.padding import Padding
from tfcourse.search.retrain import OutOfTimeError, Recipe, retrain
from tfcourse.tuning.contenders import Contender, Ways, contenders
from tfcourse.tuning.folds import folds_of, labels_of
from tfcourse.tuning.leaders import BASELINE
from tfcourse.tuning.tuning_run import TuningRun
from tfcourse.words import listed

LEAST_SECONDS = 5.0
"""Less time than this is not begun with: compiling takes half of it."""
_BAGGED = 0xBA6


@dataclass(frozen=True)
class OutOfFold:
    """What settings say of the rows that their networks did not train on.

    Args:
        contenders: the settings, the best of the search first.
        stacks: the networks of each, one a fold.
        probabilities: what each setting says, shape (rows, classes).
        y: the class numbers, shape (rows,).
        folds: number of folds.
        weights: how much each row counts, shape (rows,); None for alike.
        always: how many further rows are in no fold and always train.
    """

    contenders: list[Contender]
    stacks: list[Stack]
    probabilities: list[NDArray[np.float64]]
    y: NDArray[np.int64]
    folds: int
    weights: NDArray[np.float32] | None = None
    always: int = 0


class Bagging:
    """The leaders of a run on every fold.

    Args:
        run: the run.
        leaders: its completed trials, the best first.
        executor: where they are trained; None is on threads of this process.

    Attributes:
        count: number of folds; 1 if there is nothing to train.
        contenders: the settings, the best first.
        ways: the rows as they take them.
        why_not: why they are not bagged, in a sentence; empty if they are, or nobody could expect it.
    """

    def __init__(
        self,
        run: TuningRun,
        leaders: list[TrialRecord],
        executor: Executor | None = None,
    ) -> None:
        self.executor = executor
        folder, prepared, plan = run.folder, run.prepared, run.plan
        asked = folder.record.get("model", {}).get("folds", 1)  # runs of earlier versions do not know of folds
        self.prepared, self.plan, self.path = prepared, plan, folder.path / "folds"
        self.count, self.why_not = folds_of(asked, prepared, len(leaders)) if leaders else (1, "")
        if self.count == 1:
            return
        self.ways = Ways.of(prepared, bins=folder.record["options"].get("numbers") == "auto")
        self.contenders = contenders(folder, leaders, bins=self.ways.has_bins)
        self.y, self.weights = labels_of(prepared), prepared.weights
        assert prepared.groups is not None
        self.folds: Folds = deal_into_folds(prepared.groups, self.y, self.count, plan.seed)
        self.sizes = [len(train) for train, _ in self.folds]
        self._forget_others()

    def _forget_others(self) -> None:
        """Remove networks that an earlier part of the run trained otherwise."""
        plan = self.plan
        how = {
            "folds": self.count, "rows": len(self.y), "epochs": plan.epochs, "patience": plan.patience,
            "objective": plan.objective, "seed": plan.seed, "features": self.ways.fingerprint,
        }  # fmt: skip
        wanted = [(each, min(int(each.values["batch_size"]), *self.sizes)) for each in self.contenders]
        if any(each.batch_size(self.sizes) != size for each, size in wanted):  # earlier versions trained with that size
            how["least_of_last"] = [LEAST_OF_LAST, ENOUGH]
        make_folder(self.path)
        kept = self.path / "folds.json"
        with contextlib.suppress(UserError):  # a damaged one says as little as none
            if kept.exists() and read_json(kept) == how:
                return
        for path in self.path.glob("*.npz"):
            path.unlink()
        write_json(kept, how)

    @property
    def missing(self) -> list[tuple[Contender, int]]:
        """The settings and folds that are not trained yet."""
        if self.count == 1:
            return []
        everything = [(each, fold) for each in self.contenders for fold in range(self.count)]
        return [(each, fold) for each, fold in everything if not self._file(each, fold).exists()]

    def _file(self, contender: Contender, fold: int) -> Path:
        return self.path / f"{contender.file}-fold-{fold + 1}.npz"

    def in_words(self) -> str:
        """Return what will be trained, as a line for the terminal."""
        trials = list(dict.fromkeys(str(each.trial) for each in self.contenders if each.trial is not None))
        settings = f"the setting{'s' * (len(trials) > 1)} of trial{'s' * (len(trials) > 1)} {listed(trials)}"
        what = f"{settings}, and {BASELINE},{' numbers without and with bins,' * self.ways.has_bins}"
        return f"Training {what} on each of {self.count} folds of {len(self.y)} training and validation rows"

    def train(self, say: Callable[[str], object], *, deadline: float, interrupted: Callable[[], bool]) -> None:
        """Train what an earlier part of the run has not trained.

        Args:
            say: called with a line about what begins, or why nothing does.
            deadline: moment of ``time.monotonic()``.
            interrupted: tells whether to stop with a KeyboardInterrupt.
        """
        if self.why_not:
            say(self.why_not)
        missing = self.missing
        if not missing:
            return
        if deadline - time.monotonic() < LEAST_SECONDS:
            self.why_not = no_time()
        else:
            say(self.in_words())
            self.why_not = self._train(missing, deadline, interrupted)
        if self.why_not:
            say(self.why_not)
            self.count = 1

    def _train(self, missing: list[tuple[Contender, int]], deadline: float, interrupted: Callable[[], bool]) -> str:
        parts = list(self.folds)
        plan, x = self.plan, self.ways.x
        ways = len(x) // len(self.y)
        y, weights = np.tile(self.y, ways), None if self.weights is None else np.tile(self.weights, ways)
        padding = Padding.of_space(plan.space, inputs=self.ways.x.shape[1], examples=len(parts[0][0]) * plan.epochs)
        try:
            retrain(
                [
                    (self.recipe(each, len(parts[fold][0])), seed_of(plan.seed, fold, each.seed))
                    for each, fold in missing
                ],
                TrainingData(x, y, x, y, weights, weights),
                Schedule(plan.epochs, plan.patience, plan.objective, 0, deadline, interrupted),
                padding=padding,
                on_end=lambda index, training: self._keep(*missing[index], training),
                rows=[self.rows(each, parts[fold], seed_of(plan.seed, fold)) for each, fold in missing],
                executor=self.executor,
            )
        except OutOfTimeError:
            return no_time()
        except UserError as error:  # they do not fit into the memory together
            return f"The leaders are not bagged: {error}"
        return ""

    def rows(self, contender: Contender, part: tuple[Rows, Rows], seed: int) -> OwnRows:
        """Return the rows of the matrix that a contender trains and validates on, on one fold."""
        first = self.ways.first_row(contender)
        return OwnRows(part[0] + first, part[1] + first, seed)

    def recipe(self, contender: Contender, rows: int) -> Recipe:
        """Return a setting for trainings on so many rows."""
        return contender.recipe(self.ways.width(contender), len(self.prepared.classes), rows, self.sizes)

    def _keep(self, contender: Contender, fold: int, training: Training) -> None:
        """Keep the weights of a network; none if it diverged."""
        with replacing(self._file(contender, fold)) as temporary:
            np.savez(temporary, *([] if training.diverged or training.best_epoch < 0 else training.weights))

    def out_of_fold(self) -> OutOfFold | None:
        """Return what the settings say out of fold, None unless all is trained; a setting that diverged is left out."""
        if self.count == 1 or self.missing:
            return None
        rows = self.folds.fold >= 0
        weights = None if self.weights is None else self.weights[rows]
        found = OutOfFold([], [], [], self.y[rows], self.count, weights, int((~rows).sum()))
        for each in self.contenders:
            networks = [self._weights(each, fold) for fold in range(self.count)]
            if all(networks):
                network = self.recipe(each, len(self.y)).network
                assert isinstance(network, NetworkSpec)  # others are not trained on folds
                stack = stacked(network, networks)
                found.contenders.append(each)
                found.stacks.append(stack)
                found.probabilities.append(self._probabilities(stack, self.ways.first_row(each)))
        if not found.contenders:
            self.why_not, self.count = "The leaders are not bagged: each of them diverged on some fold.", 1
            return None
        return found

    def _weights(self, contender: Contender, fold: int) -> list[NDArray[Any]]:
        path = self._file(contender, fold)
        try:
            return list(read_arrays(path).values())
        except DamagedArraysError as error:
            raise UserError(f"{str(path)!r} is damaged ({error}). Remove it; that network is trained again.") from None

    def _probabilities(self, stack: Stack, first_row: int) -> NDArray[np.float64]:
        """Return what the network that did not train on a row says of it, for the rows of all folds."""
        from scipy.special import softmax

        rows = np.flatnonzero(self.folds.fold >= 0)
        model = logits_model(stack)
        found = []
        for start in range(0, len(rows), BATCH):
            here = rows[start : start + BATCH]
            logits = np.asarray(model(self.ways.x[here + first_row, : stack.network.inputs], training=False))
            found.append(logits[np.arange(len(here)), self.folds.fold[here]])
        return np.asarray(softmax(np.concatenate(found).astype(np.float64), axis=1))


def seed_of(seed: int, fold: int, trial: int = -1) -> int:
    """Return the seed of a fold's minibatch order, or that of a trial's initial weights and dropout on it.

    >>> len({seed_of(0, fold, trial) for fold in (0, 1) for trial in (-1, 0, 1)})
    6
    """
    return int(np.random.SeedSequence([seed, _BAGGED, fold, trial + 1]).generate_state(1)[0] >> 1)


def no_time() -> str:
    """Return the sentence for a budget that left no time."""
    return (
        "The budget left no time to train the leaders on folds, so that the saved model is the best trial's;"
        " --resume with a larger --budget does it."
    )
