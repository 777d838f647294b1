"""Events of a journal in words, the same on a terminal and on a page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting.journal import Event


def settings_words(values: Mapping[str, Any]) -> str:
    """Return hyperparameters on one line, as they are given on the command line.

    >>> settings_words({"learning_rate": 0.001234567, "patience": None, "batch_size": 32})
    'learning_rate=0.001235 patience=off batch_size=32'
    """
    return " ".join(f"{name}={value_words(value)}" for name, value in values.items())


def value_words(value: Any) -> str:
    """Return a value as a person would write it.

    >>> value_words(None), value_words(0.1), value_words(64), value_words([0.1, 0.5])
    ('off', '0.1', '64', '0.1,0.5')
    """
    if value is None:
        return "off"
    if isinstance(value, list):
        return ",".join(map(value_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def numbers_words(logs: Mapping[str, float | None]) -> str:
    """Return an epoch's numbers on one line.

    >>> numbers_words({"loss": 0.25, "val_loss": None})
    'loss 0.2500, val_loss not finite'
    """
    return ", ".join(f"{name} {'not finite' if value is None else f'{value:.4f}'}" for name, value in logs.items())


def count_words(number: int, noun: str) -> str:
    """Return a number of things.

    >>> count_words(1, "epoch"), count_words(2, "epoch")
    ('1 epoch', '2 epochs')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def ordinal(number: int) -> str:
    """Return a number as a place in a row.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 21, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '21st', '112th']
    """
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def start_words(folder: Path, values: Mapping[str, Any] | None = None) -> str:
    """Return the command that goes on with a training, with changes to the last digit.

    >>> start_words(Path("my nursery"), {"epochs": 4, "patience": None})
    "python -m tfcourse.babysit start --out 'my nursery' --set epochs=4 patience=off"
    """
    changes = [f"{name}={'off' if value is None else value}" for name, value in (values or {}).items()]
    words = [
        "python",
        "-m",
        "tfcourse.babysit",
        "start",
        "--out",
        str(folder),
        *(["--set"] if changes else []),
        *changes,
    ]
    return shlex.join(words)


def epoch_of(event: Event) -> int:
    """Return the epoch, counted from 1, that the last step before an event was of; 0 before the first step.

    >>> epoch_of({"epoch": 34, "offset": 32}), epoch_of({"epoch": 34, "offset": 0})
    (35, 34)
    """
    return int(event.get("epoch", 0)) + bool(event.get("offset"))


def where_words(event: Event) -> str:
    """Return after which step an event was, and the epoch of that step.

    >>> where_words({"epoch": 34, "step": 1536, "offset": 32})
    'epoch 35, step 1536'
    """
    return f"epoch {epoch_of(event)}, step {event.get('step', 0)}"


def event_words(event: Event) -> str:
    """Return an event on one line: when, at which epoch and step, and what.

    >>> event_words({"kind": "pause", "time": "2026-11-25T22:00:00+00:00", "epoch": 3, "step": 102, "note": "lunch"})
    '2026-11-25 22:00:00  epoch 3, step 102: paused ("lunch")'
    """
    when = datetime.fromisoformat(event["time"]).strftime("%Y-%m-%d %H:%M:%S")
    return f"{when}  {where_words(event)}: {what_words(event)}{quoted(event.get('note', ''))}"


def quoted(note: str) -> str:
    """Return a note to follow what it is about; nothing if there is none.

    >>> quoted("lunch")
    ' ("lunch")'
    """
    return f' ("{" / ".join(note.split(chr(10)))}")' if note else ""


def _changes(event: Event) -> str:
    new, old = event["new"], event["old"]
    return ", ".join(f"{name} {value_words(old.get(name))} → {value_words(new[name])}" for name in new)


def what_words(event: Event) -> str:
    """Return what an event was, without when and why.

    >>> what_words({"kind": "change", "old": {"dropout": 0.5}, "new": {"dropout": 0.2}})
    'dropout 0.5 → 0.2'
    """
    kind = event["kind"]
    if kind == "change":
        return _changes(event)
    if kind == "revert":
        back = _changes(event) if event.get("new") else ""
        then = f", then {settings_words(event['then'])}" if event.get("then") else ""
        start = {name: event.get(f"from_{name}", 0) for name in ("epoch", "step", "offset")}
        undo = f"; --to '#{event['last']}' undoes it" if event.get("last", event["to"]) > event["to"] else ""
        return f"back to here, from {where_words(start)}{', with ' if back else ''}{back}{then}{undo}"
    if kind == "alarm":
        return f"ALARM, {event['what']}: {event['text']}"
    if kind == "refused":
        return f"refused: {event['why']}"
    if kind == "end":
        return f"ended: {event['why']}"
    past = {"pause": "paused", "resume": "went on", "stop": "told to stop", "restart": "started again from here"}
    return past.get(kind, str(kind))
