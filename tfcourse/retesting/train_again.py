"""Train settings on new data, each from several seeds and each time on another split, as one cohort a repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import ArrayFeatures, Features, Matrix, NumberColumn
from tfcourse.data.fit_table import fit_table
from tfcourse.data.minibatches import even_batch_size
from tfcourse.data.numbers_as import numbers_as, robust_scale, way_of
from tfcourse.data.split import Rows
from tfcourse.data.table import is_missing, take
from tfcourse.retesting.folds import RetestFolds
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.old_run import Setting
from tfcourse.space.objective import Objective
from tfcourse.tuning.networks import image_shape
from tfcourse.tuning.plan import Plan

if TYPE_CHECKING:
    from tfcourse.cohort.work import Executor

LEAST_PROBABILITY = 1e-12
EVALUATION_ROWS = 4096


@dataclass
class Retraining:
    """What came of training again.

    Args:
        costs: shape (settings, repeats).
        diverged: of each setting, in how many repeats it diverged.
        held_out: the held-out rows of each repeat.
        held_out_costs: the winner's cost on each of them.
        held_out_right: whether its label for each of them was right.
        rows: numbers of training and validation rows of a repeat, and of held-out rows in all.
    """

    costs: NDArray[np.float64]
    diverged: list[int]
    held_out: list[Rows]
    held_out_costs: list[NDArray[np.float64]]
    held_out_right: list[NDArray[np.bool_]]
    rows: dict[str, int] = field(default_factory=dict)


def train_again(
    settings: Sequence[Setting],
    new: NewData,
    folds: RetestFolds,
    features: Features,
    plan: Plan,
    *,
    seed: int,
    on_repeat: Callable[[int], object] = lambda done: None,
    interrupted: Callable[[], bool] = lambda: False,
    executor: Executor | None = None,
) -> Retraining:
    """Train every setting once a repeat, by the run's plan, and measure the first one on the held-out rows.

    Which columns are read how, which categories are kept, and the bins of numbers are decided on all rows; μ and σ are
    those of each repeat's training rows. A training that diverged, or does worse than guessing by class frequencies,
    costs what guessing costs.

    Args:
        settings: the winner first.
        new: the data.
        folds: its parts.
        features: how the run reads the columns.
        plan: the run's.
        seed: of weights and minibatches.
        on_repeat: called with the number of repeats done.
        interrupted: tells after each epoch whether to stop with a KeyboardInterrupt.
        executor: where they are trained; None is on threads of this process.
    """
    from tfcourse.models.networks import build_network

    reading = read_again(new, np.arange(len(new)), features)
    costs = np.empty((len(settings), folds.repeats))
    diverged = [0] * len(settings)
    found = Retraining(costs, diverged, [], [], [])
    classifier: Any = None
    sizes = batch_sizes(settings, [len(train) for train, *_ in folds])
    for repeat, (train, validation, held_out) in enumerate(folds):
        fitted = standardized_by(reading, new, train)
        x = fitted.transform(new.x)  # type: ignore[arg-type]
        guess = guess_cost(new.y[train], new.y[validation], len(new.classes), plan.objective)
        trainings, network = _fit(
            settings, sizes, x, new, train, validation, plan, seed=seed, repeat=repeat, interrupted=interrupted,
            executor=executor, image=image_shape(features, plan.network),
        )  # fmt: skip
        for index, training in enumerate(trainings):
            diverged[index] += bool(training.diverged)
            costs[index, repeat] = min(cost_of(training, plan.objective), guess)
        probabilities = np.tile(frequencies(new.y[train], len(new.classes)), (len(held_out), 1))
        if trainings[0].best_epoch >= 0:
            classifier = classifier or build_network(network)
            classifier.set_weights(trainings[0].weights)
            probabilities = softmax_of(classifier, x[held_out])
        found.held_out.append(held_out)
        found.held_out_costs.append(row_costs(probabilities, new.y[held_out], plan.objective))
        found.held_out_right.append(probabilities.argmax(axis=1) == new.y[held_out])
        found.rows = {"train": len(train), "validation": len(validation), "held out": sum(map(len, found.held_out))}
        on_repeat(repeat + 1)
    return found


def batch_sizes(settings: Sequence[Setting], rows: Sequence[int]) -> list[int]:
    """Return the size of minibatches of each setting, for trainings on so many rows: of none is the last a handful.

    >>> batch_sizes([Setting("winner", {"batch_size": 64}), Setting("other", {"batch_size": 500})], [129])
    [51, 129]
    """
    return [even_batch_size(min(int(setting.values["batch_size"]), *rows), rows) for setting in settings]


def _fit(
    settings: Sequence[Setting],
    sizes: Sequence[int],
    x: Matrix,
    new: NewData,
    train: Rows,
    validation: Rows,
    plan: Plan,
    *,
    seed: int,
    repeat: int,
    interrupted: Callable[[], bool],
    executor: Executor | None,
    image: tuple[int, int, int] | None,
) -> tuple[list[Any], Any]:
    """Train all settings of a repeat together; return what came of each, and the first one's network."""
    from tfcourse.models.networks import spec_from_values
    from tfcourse.models.spec import NetworkSpec, optimizer_from_values
    from tfcourse.search.fit import Schedule, Training, TrainingData
    from tfcourse.search.oracle import trial_seed
    from tfcourse.search.padding import Padding
    from tfcourse.search.retrain import Recipe, retrain

    networks = [spec_from_values(s.values, inputs=x.shape[1], classes=len(new.classes), image=image) for s in settings]
    connected = [network for network in networks if isinstance(network, NetworkSpec)]
    jobs = [
        (
            Recipe(network, optimizer_from_values(s.values, steps_per_epoch=math.ceil(len(train) / size)), size),
            trial_seed(seed, repeat * len(settings) + index),
        )
        for index, (s, network, size) in enumerate(zip(settings, networks, sizes, strict=True))
    ]
    trainings: dict[int, Training] = {}
    retrain(
        jobs,
        TrainingData(x[train], new.y[train], x[validation], new.y[validation]),
        Schedule(plan.epochs, plan.patience, plan.objective, trial_seed(seed, repeat), interrupted=interrupted),
        padding=Padding.of_networks(connected, examples=len(train) * plan.epochs) if connected else Padding(1),
        on_end=lambda index, training: trainings.update({index: training}),
        executor=executor,
    )
    return [trainings[index] for index in range(len(jobs))], networks[0]


def softmax_of(classifier: Any, x: Matrix) -> NDArray[np.float64]:
    """Return the probabilities of a network that gives logits, without compiling it as ``predict`` would."""
    from scipy.special import softmax

    parts = [x[start : start + EVALUATION_ROWS] for start in range(0, len(x), EVALUATION_ROWS)]
    logits = np.concatenate([np.asarray(classifier(part, training=False)) for part in parts])
    return np.asarray(softmax(logits.astype(np.float64), axis=1))


def read_again(new: NewData, rows: Rows, features: Features) -> Features:
    """Return how the new data is read: as the run read it, with the categories that ``rows`` hold."""
    if isinstance(features, ArrayFeatures) or not isinstance(new.x, dict):
        return features
    used = {name: column for name, column in new.x.items() if not is_missing(column[rows]).all()}
    readings = {column.name: features.reading(column) for column in features.columns if column.name in used}
    fitted = fit_table(used, rows, readings, kept=used)[0]
    return numbers_as(fitted, used, rows, way_of(features.numbers))


def standardized_by(features: Features, new: NewData, rows: Rows) -> Features:
    """Return the features with μ and σ, or what is robust, of ``rows``; bins, whose number counts, stay."""
    if isinstance(features, ArrayFeatures):
        return ArrayFeatures.fit(take(new.x, rows))
    assert isinstance(new.x, dict)
    table = new.x

    def moved(column: NumberColumn) -> NumberColumn:
        values = table[column.name][rows]
        present = values[~np.isnan(values)]
        if not len(present):
            return column
        return replace(
            column,
            mean=float(present.mean()),
            deviation=float(present.std()) or 1.0,
            robust=column.robust and robust_scale(present),
        )

    return replace(features, numbers=tuple(map(moved, features.numbers)))


def cost_of(training: Any, objective: str) -> float:
    """Return the cost of a training at its best epoch, infinite if it has none."""
    if training.best_epoch < 0:
        return math.inf
    value = float(training.curves[objective][training.best_epoch])
    return 1 - value if Objective(objective).higher_is_better else value


def row_costs(probabilities: NDArray[Any], y: NDArray[np.int64], objective: str) -> NDArray[np.float64]:
    """Return the cost of each row: −log of its class's probability, or 1 where another class is more probable.

    >>> row_costs(np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]), "val_accuracy").tolist()
    [0.0, 1.0]
    """
    if Objective(objective).higher_is_better:
        return (probabilities.argmax(axis=1) != y).astype(np.float64)
    own = probabilities[np.arange(len(y)), y].astype(np.float64)
    return np.asarray(-np.log(np.maximum(own, LEAST_PROBABILITY)))


def frequencies(y: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the share of each class; absent ones count as half a row."""
    counts = np.maximum(np.bincount(y, minlength=classes), 0.5)
    return np.asarray(counts / counts.sum())


def guess_cost(train: NDArray[np.int64], validation: NDArray[np.int64], classes: int, objective: str) -> float:
    """Return the cost of predicting the training rows' class frequencies for every validation row.

    >>> round(guess_cost(np.array([0, 1]), np.array([0, 1]), 2, "val_loss"), 4)
    0.6931
    """
    probabilities = np.tile(frequencies(train, classes), (len(validation), 1))
    return float(row_costs(probabilities, validation, objective).mean())
