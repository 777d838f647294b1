"""What the saved model may be made of: leading settings, a proven one, softmax regression; numbers in their ways.

Numbers enter as in the search and, unless that was told, with columns of bins beside: the greedy weights choose by
what all of them say out of fold. The rows of both ways stand in one matrix, one way below the other, so that programs
serve both: where there are no bins, their columns are zeros, and so are the weights that they would meet.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfcourse.data.features import Features, Matrix, TableFeatures
from tfcourse.data.minibatches import even_batch_size
from tfcourse.data.prepare import Prepared, both_ways, numbers_otherwise
from tfcourse.files.shape import read_record
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values, optimizer_from_values
from tfcourse.models.stacked import Stack
from tfcourse.run.folder import RunFolder
from tfcourse.run.results import Baseline
from tfcourse.run.trials import TrialRecord
from tfcourse.search.retrain import Recipe
from tfcourse.space import Value
from tfcourse.space.names import PORTFOLIO
from tfcourse.tuning import defaults
from tfcourse.tuning.leaders import BASELINE
from tfcourse.words import listed

SETTINGS = 5
"""Leading settings that contend where there are no bins."""
WITHOUT_BINS, WITH_BINS = 3, 2
"""Leading settings that contend in either way where there are bins: no more networks in all."""
RATE_WITH_BINS = 0.01
"""Learning rate of softmax regression with bins: that without them may be too large, since more features add up."""


@dataclass(frozen=True)
class Contender:
    """A setting, with its way of taking numbers.

    Args:
        trial: its trial's number; None for softmax regression.
        values: its hyperparameters.
        bins: whether it has columns of bins, where the search had none.

    >>> Contender(9, {}, bins=True).name, Contender(None, {}).file
    ('trial 9 with bins', 'softmax-regression')
    """

    trial: int | None
    values: dict[str, Value]
    bins: bool = False

    @property
    def name(self) -> str:
        """How it is called."""
        return f"{BASELINE if self.trial is None else f'trial {self.trial}'}{' with bins' * self.bins}"

    @property
    def file(self) -> str:
        """How the files of its networks begin."""
        return self.name.replace(" ", "-")

    @property
    def seed(self) -> int:
        """What its seeds are made of; those of the ways are the same."""
        return defaults.MOST_TRIALS if self.trial is None else self.trial

    def batch_size(self, folds: Sequence[int]) -> int:
        """Return the size of minibatches for trainings on so many rows each."""
        return even_batch_size(min(int(self.values["batch_size"]), *folds), folds)

    def recipe(self, inputs: int, classes: int, rows: int, folds: Sequence[int]) -> Recipe:
        """Return what is trained on so many rows, in minibatches that suit the numbers of rows of all folds."""
        batch_size = self.batch_size(folds)
        if self.trial is None:
            optimizer = OptimizerSpec(str(self.values["optimizer"]), float(self.values["learning_rate"]))
            return Recipe(NetworkSpec(inputs, classes), optimizer, batch_size)
        return Recipe(
            network_from_values(self.values, inputs=inputs, classes=classes),
            optimizer_from_values(self.values, steps_per_epoch=math.ceil(rows / batch_size)),
            batch_size,
        )


@dataclass(frozen=True)
class Ways:
    """The rows of training and validation as contenders take them.

    Args:
        features: how numbers enter in the search, and with bins; the latter None where there are none.
        x: the rows as in the search and, where there are bins, below them those with bins.
    """

    features: tuple[Features, TableFeatures | None]
    x: Matrix

    @classmethod
    def of(cls, prepared: Prepared, *, bins: bool) -> Ways:
        """Return the ways of a table, with bins if that is wanted and any number of it has some."""
        if bins and isinstance(prepared.features, TableFeatures):
            with_bins = numbers_otherwise(prepared, "encoded")
            if with_bins.width > prepared.features.width:
                return cls((prepared.features, with_bins), both_ways(prepared, with_bins))
        return cls((prepared.features, None), np.concatenate([prepared.train.x, prepared.validation.x]))

    @property
    def has_bins(self) -> bool:
        """Say whether there is a way with bins."""
        return self.features[1] is not None

    @property
    def fingerprint(self) -> str:
        """What is equal for equal ways: another version may bound its bins otherwise."""
        written = json.dumps([each and each.to_json() for each in self.features], sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()

    def width(self, contender: Contender) -> int:
        """Return how many features a contender takes; they are the first."""
        return (self.features[1] if contender.bins and self.features[1] else self.features[0]).width

    def first_row(self, contender: Contender) -> int:
        """Return where a contender's rows begin."""
        return len(self.x) // 2 if contender.bins else 0


def contenders(folder: RunFolder, leaders: Iterable[TrialRecord], *, bins: bool) -> list[Contender]:
    """Return what contends: leaders, the portfolio's first, softmax regression, and with bins, if there are any.

    The best of many trials by a small validation part owe something to chance; what was good on other tables does not.
    """
    different = distinct(leaders)
    leading = different[: WITHOUT_BINS if bins else SETTINGS]
    proven = sorted((each for each in different if each.given == PORTFOLIO), key=lambda each: each.number)[:1]
    trials = [*leading, *(each for each in proven if each not in leading)]
    found = [Contender(trial.number, trial.values) for trial in trials]
    baseline = read_record(folder.path / "baseline" / "baseline.json", Baseline)["hyperparameters"]
    found.append(Contender(None, dict(baseline)))
    if bins:
        found += [replace(each, bins=True) for each in found[: len(leading)][:WITH_BINS]]
        found.append(Contender(None, {**baseline, "learning_rate": RATE_WITH_BINS}, bins=True))
    return found


def distinct(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the first trial of each setting."""
    found: list[TrialRecord] = []
    for trial in trials:
        if all(trial.values != other.values for other in found):
            found.append(trial)
    return found


def in_words(used: Sequence[Contender]) -> str:
    """Return what a model is made of.

    >>> in_words([Contender(9, {}), Contender(2, {}), Contender(9, {}, bins=True), Contender(None, {})])
    'the settings of trials 9, 2 and 9 with bins, and softmax regression'
    >>> in_words([Contender(None, {}, bins=True)])
    'softmax regression with bins'
    """
    names = [each.name.removeprefix("trial ") for each in used if each.trial is not None]
    many = "s" * (len(names) > 1)
    trials = [f"the setting{many} of trial{many} {listed(names)}"] if names else []
    regressions = [each.name for each in used if each.trial is None]
    return (", and " if len(names) > 1 else " and ").join([*trials, *([listed(regressions)] if regressions else [])])


def widened(stack: Stack, inputs: int) -> Stack:
    """Return a stack that takes more features, which it does not heed."""
    first, *others = stack.kernels
    kernels = (np.pad(first, ((0, 0), (0, inputs - first.shape[1]), (0, 0))), *others)
    return replace(stack, network=replace(stack.network, inputs=inputs), kernels=kernels)
