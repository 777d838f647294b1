"""In which way numbers enter the matrix, chosen by evidence: a few networks trained on folds with each way.

All of them train in a few programs: the rows of every way stand in one matrix, one way below the other, filled up with
zeros to the width of the widest, and each network trains on its way's rows, without those of one fold, which judge it.
The test part is not looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.member import OwnRows
from tfcourse.data.features import TableFeatures
from tfcourse.data.folds import deal_into_folds
from tfcourse.data.numbers_as import WAYS, NumbersAs, way_of
from tfcourse.data.prepare import Prepared, with_numbers_as
from tfcourse.data.split import Rows
from tfcourse.errors import UserError
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.models.stacked import logits_model, stacked
from tfcourse.run.exported import BATCH
from tfcourse.run.folder import RunFolder
from tfcourse.run.measure import log_loss
from tfcourse.search.fit import Schedule, Training, TrainingData
from tfcourse.search.padding import Padding
from tfcourse.search.retrain import OutOfTimeError, Recipe, retrain
from tfcourse.tuning.folds import LEAST_TRIALS, labels_of
from tfcourse.tuning.plan import Plan
from tfcourse.verdict.calibration import Predictions, fit_temperature

FOLDS, MOST_ROWS = 4, 6000
"""Of the comparison: folds, and rows, drawn at random where there are more."""
NETWORKS = (((), 0.01, 0.0), ((64, 64), 0.003, 0.1), ((64, 64), 0.01, 0.3))
"""Hidden layers, learning rate of Adam and dropout of what is trained."""
LEAST_SECONDS = 20.0
"""Less time than this is not begun with."""
_COMPARED = 0xFEA
IN_WORDS: dict[str, str] = {
    "standard": "standardized", "robust": "scaled robustly", "encoded": "with bins beside",
    "both": "scaled robustly with bins beside",
}  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """What a way is worth: its log-loss out of fold, of the average of its networks, at its best temperature."""

    way: NumbersAs
    prepared: Prepared
    log_loss: float = float("nan")


def numbers_chosen(
    folder: RunFolder,
    prepared: Prepared,
    plan: Plan,
    say: Callable[[str], object],
    *,
    deadline: float,
    interrupted: Callable[[], bool],
) -> Prepared:
    """Return the data with numbers as they do best, unless that was told or chosen before; it is kept in ``run.json``.

    Args:
        folder: the run.
        prepared: its data.
        plan: its plan.
        say: called with a line about what was chosen.
        deadline: moment of ``time.monotonic()``.
        interrupted: tells whether to stop with a KeyboardInterrupt.
    """
    if folder.record["options"].get("numbers", "standard") != "auto":
        return prepared
    candidates = candidates_of(prepared)
    notes: list[str] = []
    chosen = candidates[0] if candidates else Compared("standard", prepared)
    if len(candidates) > 1 and plan.trials >= LEAST_TRIALS and deadline - time.monotonic() > LEAST_SECONDS:
        try:
            compared = compare(candidates, plan, deadline=deadline, interrupted=interrupted)
        except (OutOfTimeError, UserError):
            compared = []
        if compared:
            chosen = min(compared, key=lambda each: each.log_loss)
            notes = [in_words(chosen, compared)]
            say(f"  {notes[0]}")
    record = folder.record
    folder.update(
        options={**record["options"], "numbers": chosen.way},
        features=chosen.prepared.features.to_json(),
        data={**record["data"], "notes": [*record["data"]["notes"], *notes]},
    )
    return replace(chosen.prepared, notes=[*prepared.notes, *notes])


def candidates_of(prepared: Prepared) -> list[Compared]:
    """Return the data in each way that makes a matrix of its own; none for arrays."""
    if not isinstance(prepared.features, TableFeatures) or not prepared.features.numbers:
        return []
    found = [Compared(way, with_numbers_as(prepared, way)) for way in WAYS]
    return [each for each in found if way_of(each.prepared.features.numbers) == each.way]  # type: ignore[union-attr]


def in_words(chosen: Compared, compared: Sequence[Compared]) -> str:
    """Return a line on what was chosen."""
    others = ", ".join(f"{IN_WORDS[each.way]} {each.log_loss:.4f}" for each in compared if each is not chosen)
    return (
        f"numbers: {IN_WORDS[chosen.way]}, by a log-loss of {chosen.log_loss:.4f} out of fold ({others}); --numbers"
        " decides otherwise"
    )


def compare(
    candidates: Sequence[Compared], plan: Plan, *, deadline: float, interrupted: Callable[[], bool]
) -> list[Compared]:
    """Return the candidates with their log-losses out of fold.

    Raises:
        OutOfTimeError: when the deadline passes first.
        KeyboardInterrupt: when asked for.
        UserError: if not even one network fits into the memory.
    """
    first = candidates[0].prepared
    y = labels_of(first)
    parts = _parts(first, y, plan.seed)
    width = max(each.prepared.features.width for each in candidates)
    x = np.zeros((len(candidates) * len(y), width), np.float32)
    for index, each in enumerate(candidates):
        rows = np.concatenate([each.prepared.train.x, each.prepared.validation.x])
        x[index * len(y) : (index + 1) * len(y), : rows.shape[1]] = rows
    networks = [NetworkSpec(width, len(first.classes), units, dropout=dropout) for units, _, dropout in NETWORKS]
    optimizers = [OptimizerSpec("adam", rate) for _, rate, _ in NETWORKS]
    batch_size = min(int(plan.space["batch_size"].from_unit(0.5)), len(parts[0][0]))
    jobs: list[tuple[int, int, int]] = [
        (way, network, fold)
        for network in range(len(networks))
        for way in range(len(candidates))
        for fold in range(len(parts))
    ]
    found: dict[tuple[int, int, int], Training] = {}
    retrain(
        [
            (Recipe(networks[network], optimizers[network], batch_size), _seed(plan.seed, fold, network))
            for _, network, fold in jobs
        ],
        TrainingData(x, np.tile(y, len(candidates)), x, np.tile(y, len(candidates))),
        Schedule(plan.epochs, plan.patience, "val_loss", 0, deadline, interrupted),
        padding=Padding(1),
        on_end=lambda index, training: found.update({jobs[index]: training}),
        rows=[
            OwnRows(parts[fold][0] + way * len(y), parts[fold][1] + way * len(y), _seed(plan.seed, fold, -1))
            for way, _, fold in jobs
        ],
    )  # fmt: skip
    compared = []
    for way, each in enumerate(candidates):
        logs, labels = [], []
        for fold, (_, own) in enumerate(parts):
            here = x[own + way * len(y)]
            probabilities = [
                _probabilities(networks[network], found[way, network, fold], here) for network in range(len(networks))
            ]
            present = [given for given in probabilities if given is not None]
            if not present:
                break
            logs.append(np.mean(present, axis=0))
            labels.append(y[own])
        else:
            predictions = Predictions.of_probabilities(np.concatenate(logs), np.concatenate(labels))
            at_best = predictions.probabilities(fit_temperature(predictions) or 1.0)
            compared.append(replace(each, log_loss=log_loss(at_best, predictions.y)))
    return compared


def _parts(prepared: Prepared, y: NDArray[np.int64], seed: int) -> list[tuple[Rows, Rows]]:
    """Return training and own rows of each fold; in the order of time the one split that the search has."""
    if prepared.groups is None:
        return [(np.arange(len(prepared.train)), np.arange(len(prepared.train), len(y)))]
    parts = list(deal_into_folds(prepared.groups, y, FOLDS, seed))
    if len(y) > MOST_ROWS:
        random = np.random.default_rng([seed, _COMPARED])
        train, own = MOST_ROWS * (FOLDS - 1) // FOLDS, MOST_ROWS // FOLDS
        parts = [(random.permutation(a)[:train], random.permutation(b)[:own]) for a, b in parts]
    return parts


def _probabilities(network: NetworkSpec, training: Training, x: NDArray[np.float32]) -> NDArray[np.float64] | None:
    from scipy.special import softmax

    if training.diverged or training.best_epoch < 0:
        return None
    model = logits_model(stacked(network, [training.weights]))
    logits = [np.asarray(model(x[start : start + BATCH], training=False))[:, 0] for start in range(0, len(x), BATCH)]
    return np.asarray(softmax(np.concatenate(logits).astype(np.float64), axis=1))


def _seed(seed: int, fold: int, network: int) -> int:
    return int(np.random.SeedSequence([seed, _COMPARED, fold, network + 1]).generate_state(1)[0] >> 1)
