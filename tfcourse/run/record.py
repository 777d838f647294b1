"""``run.json``, described: what the commands rely on; see :mod:`tfcourse.files.shape` for the check."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from tfcourse.data.reading.reading import Kind, Levels, Order
from tfcourse.files.shape import Amount, Count, Moment, OneOrMore, Positive

Value = float | int | str | bool
"""Of a hyperparameter."""
Values = dict[str, Value]
Objective = Literal["val_loss", "val_accuracy"]


class Options(TypedDict):
    """Which data, and how it is read and split."""

    data: str
    target: str | None
    drop: list[str]
    categorical: list[str]
    missing: NotRequired[list[str]]
    not_missing: NotRequired[list[str]]
    test_data: str | None
    split: Literal["stratified", "time"]
    seed: Count
    group: NotRequired[str | None]
    weight: NotRequired[str | None]
    split_rules: NotRequired[OneOrMore]
    reading: NotRequired[str | None]
    time: NotRequired[str | None]
    numbers: NotRequired[Literal["auto", "standard", "robust", "encoded"]]
    keep_columns: NotRequired[list[str]]


class Parts(TypedDict):
    """Rows of each part of the data."""

    train: Count
    validation: Count
    test: Count


class Data(TypedDict):
    """The data as it was."""

    name: str
    fingerprint: str
    split: Parts
    columns: list[str]
    notes: list[str]


class NumberColumnRecord(TypedDict):
    """A column of numbers."""

    name: str
    mean: float
    deviation: Positive
    has_missing: bool
    is_date: NotRequired[bool]
    date_format: NotRequired[str]
    cycles: NotRequired[list[Literal["day", "week", "year"]]]
    robust: NotRequired[tuple[float, Positive]]
    edges: NotRequired[list[float]]
    ends: NotRequired[tuple[float, float]]


class CategoryColumnRecord(TypedDict):
    """A column of categories."""

    name: str
    values: list[str]
    binned: NotRequired[list[str]]
    bins: NotRequired[Count]
    frequencies: NotRequired[list[float]]


class TextColumnRecord(TypedDict):
    """A column of texts."""

    name: str
    words: list[str]


class ReadingRecord(TypedDict):
    """How a column is written."""

    name: str
    kind: Kind
    decimal: NotRequired[str]
    thousands: NotRequired[str]
    unit: NotRequired[str]
    order: NotRequired[Order]
    forms: NotRequired[list[str]]
    missing: NotRequired[list[str]]
    kept: NotRequired[list[str]]
    sentinels: NotRequired[list[float]]
    levels: NotRequired[Levels]
    pattern: NotRequired[str]


class TableFeaturesRecord(TypedDict):
    """What is learned from a table."""

    numbers: list[NumberColumnRecord]
    categories: list[CategoryColumnRecord]
    texts: NotRequired[list[TextColumnRecord]]
    readings: NotRequired[list[ReadingRecord]]


class ArrayFeaturesRecord(TypedDict):
    """What is learned from arrays."""

    shape: list[Count]
    mean: list[float]
    deviation: list[Positive]


class ParameterRecord(TypedDict):
    """A hyperparameter of a space."""

    name: str
    scale: str
    low: NotRequired[float]
    high: NotRequired[float]
    values: NotRequired[list[Value]]
    parent: NotRequired[str]
    parent_values: NotRequired[list[Value]]


class PlanRecord(TypedDict):
    """What a search will do."""

    trials: OneOrMore
    epochs: OneOrMore
    patience: Count
    objective: Objective
    engine: Literal["cohort", "keras"]
    seed: Count
    sampler: NotRequired[Literal["random", "quasi-random"]]
    starts: NotRequired[list[Count]]
    first: NotRequired[list[Values]]
    portfolio: NotRequired[Count]
    repeats: NotRequired[OneOrMore]
    halving: NotRequired[bool]
    network: NotRequired[Literal["mlp", "conv"]]


class RoundRecord(TypedDict):
    """A stage of a search."""

    first_trial: Count
    space: list[ParameterRecord]
    notes: list[str]


class Saved(TypedDict):
    """What is saved of a search."""

    ensemble: NotRequired[OneOrMore]
    calibrate: NotRequired[bool]
    folds: NotRequired[OneOrMore | None]


class Look(Saved):
    """A look at the test split."""

    trials: Count


class TrainingCounts(TypedDict):
    """Counts over the training split."""

    classes: dict[str, Count]
    missing: dict[str, Count]
    categories: dict[str, list[Count]]


class KindRecord(TypedDict):
    """What tells the kinds and versions of ``run.json`` apart."""

    format: int
    kind: NotRequired[str]


class AnyRun(KindRecord):
    """What ``run.json`` says of every run."""

    started: NotRequired[Moment]
    versions: NotRequired[dict[str, str]]
    command: str
    status: Literal["running", "interrupted", "completed"]
    options: Options
    data: Data
    classes: list[str]
    features: TableFeaturesRecord | ArrayFeaturesRecord
    model_features: NotRequired[TableFeaturesRecord | ArrayFeaturesRecord | None]
    model_sha256: NotRequired[str]


class WorkerRecord(TypedDict):
    """What one worker did."""

    host: str
    kind: str
    cohorts: Count
    seconds: Amount
    rows: Count
    lost: str


class WorkersRecord(TypedDict):
    """What workers did in one part of a search."""

    workers: list[WorkerRecord]
    repeated: Count
    twice: Count
    given_up: Count


class SearchRun(AnyRun):
    """The ``run.json`` of a search."""

    given: dict[str, Any]
    budget: float | None
    plan: PlanRecord
    space: list[ParameterRecord]
    rounds: NotRequired[list[RoundRecord]]
    resumed: NotRequired[list[str]]
    model: NotRequired[Saved]
    searched: NotRequired[bool]
    training: NotRequired[TrainingCounts]
    test_looks: NotRequired[list[Look]]
    workers: NotRequired[list[WorkersRecord]]
    seconds: Amount
    seconds_before: Amount


class Limits(TypedDict):
    """When a training ends."""

    patience: OneOrMore | None
    epochs: OneOrMore | None


class StartRecord(TypedDict):
    """How a training begins."""

    network: dict[str, Any]
    optimizer: Values
    batch_size: OneOrMore
    limits: Limits


class TrainingRun(AnyRun):
    """The ``run.json`` of a babysat training."""

    seed: Count
    start: StartRecord
    branch_of: NotRequired[dict[str, Any]]
    test_looks: NotRequired[Count]
