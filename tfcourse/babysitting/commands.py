"""Commands to a running training: files in its folder that only its owner can write; no port is opened.

A command is written whole or not at all, is taken once, and is answered by an event in the journal that names it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfcourse.babysitting.journal import Event, read_journal
from tfcourse.babysitting.lock import is_held
from tfcourse.babysitting.words import start_words
from tfcourse.errors import UserError
from tfcourse.files.writing import make_folder as make_new_folder
from tfcourse.files.writing import parse_json, write_json

FOLDER = "commands"
KINDS = ("set", "revert", "pause", "resume", "stop")
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Command:
    """What somebody wants of a training: its name, its kind, and what belongs to it."""

    name: str
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


def make_folder(folder: Path) -> None:
    """Make the place for commands, which only its owner may enter."""
    (folder / FOLDER).mkdir(mode=0o700, exist_ok=True)


def make_private(folder: Path) -> list[Path]:
    """Make the folder of a training, which only its owner may enter; return the folders that are new.

    Raises:
        UserError: if it cannot be made.
    """
    try:
        return make_new_folder(folder, 0o700)
    except OSError as error:
        raise UserError(
            f"The folder {str(folder)!r} cannot be made: {error.strerror}. Give another place to write to."
        ) from None


def send(folder: Path, kind: str, **fields: Any) -> str:
    """Leave a command for the training in ``folder`` and return its name.

    Raises:
        UserError: if no training is alive there, or it belongs to somebody else.
    """
    check_alive(folder, fields.get("values") if kind == "set" else None)
    name = f"{time.time_ns()}-{os.getpid()}"
    try:
        write_json(folder / FOLDER / f"{name}.json", {"kind": kind, **fields})
    except PermissionError:
        raise UserError(
            f"The training in {str(folder)!r} belongs to somebody else; only who started it may change it."
        ) from None
    return name


def check_alive(folder: Path, values: Mapping[str, Any] | None = None) -> None:
    """Refuse a folder without a babysat training that is alive, with how to go on with it, and with which changes."""
    if not read_journal(folder).events:
        raise UserError(f"{str(folder)!r} holds no babysat training; start one there with --out {folder}.")
    if not is_held(folder):
        raise UserError(
            f"The training in {str(folder)!r} is not running, so nothing can be changed in it now. Go on with it:"
            f" {start_words(folder, values)}"
        )


def take(folder: Path) -> tuple[list[Command], list[str]]:
    """Return the waiting commands, the oldest first, and what is wrong with files that are none.

    Files that are no commands are removed; commands stay until :func:`done`, so that a kill loses none.
    """
    commands: list[Command] = []
    wrong: list[str] = []
    for path in sorted((folder / FOLDER).glob("[0-9]*.json")):
        reason, found = _read(path)
        if found is None:
            wrong.append(f"{path.name} {reason}")
            path.unlink(missing_ok=True)
        else:
            commands.append(found)
    return commands, wrong


def _read(path: Path) -> tuple[str, Command | None]:
    try:
        status = path.lstat()
        if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "is not written by this training's owner alone", None
        if not stat.S_ISREG(status.st_mode):
            return "is no file", None
        fields = parse_json(path.read_text(encoding="utf-8"))
        kind = fields.pop("kind")
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return "is no command", None
    return ("", Command(path.stem, kind, fields)) if kind in KINDS else (f"asks for {kind!r}, which is unknown", None)


def done(folder: Path, command: Command) -> None:
    """Remove a command that the journal has answered."""
    (folder / FOLDER / f"{command.name}.json").unlink(missing_ok=True)


def wait_for_answer(folder: Path, name: str, seconds: float) -> Event | None:
    """Return the event that answers a command; None if none came in time.

    Raises:
        UserError: if the training ended without an answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        alive = is_held(folder)  # asked first: an answer may be the last thing that a training writes
        answer = next((e for e in reversed(read_journal(folder).events) if e.get("command") == name), None)
        if answer is not None:
            return answer
        if not alive:
            (folder / FOLDER / f"{name}.json").unlink(missing_ok=True)  # or the next start would obey it
            raise UserError(f"The training in {str(folder)!r} ended before it took up the command; nothing changed.")
        if time.monotonic() > deadline:
            return None
        time.sleep(POLL_SECONDS)
