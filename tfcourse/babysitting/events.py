"""What each kind of event in a journal holds, and what a training says of itself; see :mod:`tfcourse.files.shape`."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from tfcourse.files.shape import Count, Moment

Settings = dict[str, float | str | list[float] | None]


class Where(TypedDict):
    """Where a training is."""

    epoch: Count
    step: Count
    offset: NotRequired[Count]


class BranchOf(TypedDict):
    """Which state of another training one began from."""

    folder: str
    number: Count


class AnyEvent(TypedDict):
    """What every event holds, and what each may."""

    number: Count
    time: Moment
    kind: str
    epoch: NotRequired[Count]
    step: NotRequired[Count]
    offset: NotRequired[Count]
    note: NotRequired[str]
    command: NotRequired[str]
    checkpoint: NotRequired[bool]
    branch_of: NotRequired[BranchOf]
    why: NotRequired[str]


class Epoch(Where):
    """An epoch that has ended."""

    logs: dict[str, float | None]


class Change(Where):
    """Hyperparameters that were changed."""

    old: Settings
    new: Settings
    values: Settings


class Revert(TypedDict):
    """The way back to an earlier state."""

    to: Count
    from_epoch: Count
    from_step: Count
    from_offset: NotRequired[Count]
    last: NotRequired[Count]
    then: NotRequired[Settings]
    old: NotRequired[Settings]
    new: NotRequired[Settings]


class Restart(TypedDict):
    """The way back to the last state that was kept."""

    to: Count


class AlarmRecord(TypedDict):
    """What looked bad."""

    what: str
    text: str


class WithReason(TypedDict):
    """Something that has a reason."""

    why: str


BY_KIND = {
    "epoch": Epoch, "change": Change, "checkpoint": Where, "revert": Revert, "restart": Restart, "alarm": AlarmRecord,
    "refused": WithReason, "end": WithReason,
}  # fmt: skip


class HeartbeatRecord(TypedDict):
    """``status.json``."""

    process: Count
    host: str
    time: Moment
    samples_per_second: NotRequired[float | None]
    state: NotRequired[str]
    epoch: NotRequired[Count]
    step: NotRequired[Count]
    offset: NotRequired[Count]
    rows: NotRequired[Count | None]
    loss: NotRequired[float | None]
    live: NotRequired[dict[str, Any]]
