"""``result.json``, ``baseline.json`` and ``repeats.json``, described: what the commands rely on.

See :mod:`tfcourse.files.shape` for the check.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from tfcourse.explain.explanation import Explanation
from tfcourse.files.shape import Amount, Count, Number, OneOrMore, Share, read_record
from tfcourse.files.writing import damaged
from tfcourse.run.record import Values
from tfcourse.run.slices import Slice


class Measured(TypedDict):
    """Loss and accuracy."""

    loss: float
    accuracy: float


class Tested(TypedDict):
    """What a network is worth on the test split."""

    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float
    macro_f1: float
    n: Count
    confusion: list[list[Count]]


class Best(TypedDict):
    """The best trial."""

    trial_id: Number
    hyperparameters: Values
    epoch: Count
    validation: Measured
    test: Tested


class Model(TypedDict):
    """What is saved."""

    saved: str
    trials: list[Count]
    temperature: float | None
    validation: Measured


class BaselineHyperparameters(TypedDict):
    """Those of softmax regression."""

    optimizer: str
    learning_rate: Amount
    batch_size: OneOrMore


class Baseline(TypedDict):
    """Softmax regression, as ``baseline.json`` has it."""

    hyperparameters: BaselineHyperparameters
    epoch: Count
    validation: Measured
    curves: dict[str, list[float]]


class BaselineResult(TypedDict):
    """Softmax regression in a result."""

    hyperparameters: BaselineHyperparameters
    epoch: Count
    validation: Measured
    test: Tested


class Trials(TypedDict):
    """How trials ended."""

    completed: Count
    diverged: Count
    failed: Count


class SentenceRecord(TypedDict):
    """A sentence of a verdict."""

    topic: str
    level: Literal["good", "note", "warning"]
    text: str


class CandidateRecord(TypedDict):
    """A setting that was trained again."""

    name: str
    parameters: NotRequired[Count]
    mean: float | None
    sd: float | None
    scores: list[float | None]


class Winner(TypedDict):
    """What was trained again."""

    candidates: NotRequired[list[CandidateRecord]]


class Importance(TypedDict):
    """What decides a rank."""

    hyperparameters: NotRequired[dict[str, Any] | None]


class Bins(TypedDict):
    """A reliability diagram."""

    count: list[Count]
    confidence: list[float | None]
    accuracy: list[Share | None]


class Calibrated(TypedDict):
    """How well probabilities fit."""

    ece: float
    bins: Bins


class CalibratedSplit(TypedDict):
    """How well they fit before a temperature and after it."""

    before: NotRequired[Calibrated | None]
    after: NotRequired[Calibrated | None]


class Calibration(TypedDict):
    """How well they fit on the test split."""

    temperature: NotRequired[float | None]
    test: NotRequired[CalibratedSplit | None]


class Enough(TypedDict):
    """What more trials bring."""

    k: NotRequired[list[Count]]
    expected: NotRequired[list[float]]
    low: NotRequired[list[float]]
    high: NotRequired[list[float]]


class VerdictNumbers(TypedDict):
    """The numbers behind a verdict that are shown."""

    winner: NotRequired[Winner | None]
    importance: NotRequired[Importance | None]
    calibration: NotRequired[Calibration | None]
    enough: NotRequired[Enough | None]


class VerdictRecord(TypedDict):
    """A verdict."""

    sentences: NotRequired[list[SentenceRecord]]
    numbers: NotRequired[VerdictNumbers]


class Seconds(TypedDict):
    """How long a search took."""

    total: Amount


class SearchResult(TypedDict):
    """The ``result.json`` of a search."""

    best: Best
    model: NotRequired[Model]
    baseline: BaselineResult
    test: Tested
    classes: list[str]
    trials: Trials
    explanation: NotRequired[Explanation]
    slices: NotRequired[list[Slice]]
    verdict: NotRequired[VerdictRecord | None]
    seconds: Seconds


class TrainingResult(TypedDict):
    """The ``result.json`` of a babysat training."""

    test: Tested
    classes: list[str]
    test_looks: Count
    saved: str


class RepeatsRecord(TypedDict):
    """``repeats.json``."""

    schedule: dict[str, Any]
    scores: dict[str, dict[str, float | None]]


def read_result(path: Path, description: Any, classes: Sequence[str], advice: str) -> dict[str, Any]:
    """Return what ``result.json`` holds.

    Args:
        path: the file.
        description: what it should hold.
        classes: the names of the classes.
        advice: what to do if it does not.

    Raises:
        UserError: if it is not there, or damaged.
    """
    found: dict[str, Any] = read_record(path, description, advice)
    if problem := next(_wrong_sizes(found, len(classes)), None):
        raise damaged(path, problem, advice)
    return found


def _wrong_sizes(found: dict[str, Any], classes: int) -> Iterator[str]:
    """Yield which confusion matrices and charts have lists that do not fit together."""
    numbers = (found.get("verdict") or {}).get("numbers") or {}
    split = (numbers.get("calibration") or {}).get("test") or {}
    charts = {f"of calibration, {when}": ((split.get(when) or {}).get("bins") or {}) for when in ("before", "after")}
    charts["of enough"] = {name: each for name, each in (numbers.get("enough") or {}).items() if isinstance(each, list)}
    for name, lists in charts.items():
        if len({len(each) for each in lists.values() if isinstance(each, list)}) > 1:
            yield f"the numbers {name} are not as many as each other"
    for name in ("test", "best.test", "baseline.test"):
        tested: Any = found
        for part in name.split("."):
            tested = tested.get(part, {})
        rows = tested.get("confusion", [[]] * classes)
        if len(rows) != classes or any(len(row) != classes for row in tested.get("confusion", ())):
            yield f"{name}.confusion is not of {classes} classes"
