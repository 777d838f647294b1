"""The journal of a babysat training: one JSON object a line, only ever added to, each on the disk before it counts.

Every event has ``number`` (from 0), ``time`` (ISO 8601, with the zone) and ``kind``, and what its kind holds besides.
A line is written whole or taken back; one that a power cut tore is left where it is and skipped by readers; nothing
that was written before it is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from tfcourse.files.shape import Count, Moment, check_shape
from tfcourse.files.writing import parse_json

Event = dict[str, Any]
NAME = "journal.jsonl"
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
    disk_full: NotRequired[bool]
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


@dataclass(frozen=True)
class Read:
    """What a journal holds: its whole events, in order, and the numbers of the lines that are torn."""

    events: list[Event] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)


def read_journal(folder: Path) -> Read:
    """Return what the journal of ``folder`` holds; an absent journal holds nothing.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> start = '{"number": 0, "kind": "start", "time": "2026-01-01T00:00:00+00:00"}'
    >>> _ = (folder / NAME).write_text(start + '\\n{"number": 1, "ki')
    >>> read = read_journal(folder)
    >>> len(read.events), read.torn
    (1, [2])
    """
    path = folder / NAME
    events: list[Event] = []
    torn: list[int] = []
    if not path.exists():
        return Read()
    seen: set[int] = set()
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        event = _event(line)
        if event is None or event["number"] in seen:
            torn.append(number)
        else:
            events.append(event)
            seen.add(event["number"])
    return Read(events, torn)


def _event(line: bytes) -> Event | None:
    try:
        event: Event = parse_json(line)
        check_shape(event, AnyEvent)
        check_shape(event, BY_KIND.get(event["kind"], AnyEvent))
    except ValueError:
        return None
    return event


class Journal:
    """The journal of a folder, opened to add to; only who holds the folder's lock may.

    Args:
        folder: where it lies; it is made if it is absent.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        found = read_journal(folder)
        self.events, self.torn = found.events, found.torn

    @property
    def next_number(self) -> int:
        """The number of the event that is added next."""
        return int(self.events[-1]["number"]) + 1 if self.events else 0

    def add(self, kind: str, **fields: Any) -> Event:
        """Write an event through to the disk and return it; numbers that are not finite become None."""
        time = datetime.now().astimezone().isoformat(timespec="milliseconds")
        event = {"number": self.next_number, "time": time, "kind": kind, **fields}
        self._write(json.dumps(event, allow_nan=False, ensure_ascii=False).encode() + b"\n")
        self.events.append(event)
        return event

    def _write(self, line: bytes) -> None:
        """Add a whole line and see it on the disk; where that fails, take back what was written of it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # what is added must not continue a torn line
            try:
                left = memoryview(line)
                while left:  # a nearly full disk takes a part and says so only at the next call
                    left = left[os.write(descriptor, left) :]
                os.fsync(descriptor)
            except BaseException:
                with contextlib.suppress(OSError):  # then the next line begins anew, and readers skip this one
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
