"""The commands that look at a training or ask something of it; none of them trains."""

from __future__ import annotations

import argparse
import errno
import json
import sys
import time
from pathlib import Path
from typing import Any

from tfcourse.babysitting.changes import parse_changes
from tfcourse.babysitting.commands import send, wait_for_answer
from tfcourse.babysitting.journal import read_journal
from tfcourse.babysitting.lineage import STATES
from tfcourse.babysitting.lock import is_held, read_heartbeat
from tfcourse.babysitting.show import INTERVENTIONS, status_lines, status_of
from tfcourse.babysitting.words import count_words, event_words
from tfcourse.errors import UserError
from tfcourse.process.command import FAILED, OK
from tfcourse.words import first_of

DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)
PROGRESS_SECONDS = 10.0
ANSWER_SECONDS = 60.0
"""A step may take long, and so may compiling the changed step of a large network."""


def status(arguments: argparse.Namespace) -> int:
    """Show how a training is."""
    found = status_of(Path(arguments.folder))
    if arguments.json:
        print(json.dumps(found.to_json(), indent=2))
    else:
        print("\n".join(status_lines(found, width=_width())))
    return OK


def watch(arguments: argparse.Namespace) -> int:
    """Keep the status on the screen until Ctrl-C, or until the training has ended."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stdout)
    folder = Path(arguments.folder)
    found = status_of(folder)
    with Live(console=console, auto_refresh=False, transient=False) as screen:
        while True:
            rows = max(6, min(20, console.height - 14))
            screen.update(Text("\n".join(status_lines(found, width=_width(), height=rows))), refresh=True)
            if not found.alive or getattr(sys.stdout, "unread", False):
                return OK
            try:
                time.sleep(arguments.every)
            except KeyboardInterrupt:
                return OK
            found = status_of(folder)


def _width() -> int:
    from shutil import get_terminal_size

    return max(20, min(100, get_terminal_size().columns - 15))


def set(arguments: argparse.Namespace) -> int:
    """Change hyperparameters."""
    return _ask(arguments, "set", values=parse_changes(arguments.values))


def revert(arguments: argparse.Namespace) -> int:
    """Go back to a checkpoint."""
    return _ask(
        arguments, "revert", to=arguments.to, values=parse_changes(arguments.set, "--set") if arguments.set else {}
    )


def pause(arguments: argparse.Namespace) -> int:
    """Pause a training."""
    return _ask(arguments, "pause")


def resume(arguments: argparse.Namespace) -> int:
    """Let a training go on after a pause."""
    return _ask(arguments, "resume")


def stop(arguments: argparse.Namespace) -> int:
    """Stop a training at the end of its epoch and wait until it has left its model."""
    folder = Path(arguments.folder)
    _ask(arguments, "stop")
    deadline = time.monotonic() + ANSWER_SECONDS
    while is_held(folder):
        if time.monotonic() > deadline:
            print(f"It goes on to the end of its epoch; look with: python -m tfcourse.babysit status {folder}")
            return OK
        time.sleep(0.2)
    if (folder / "model.keras").exists():
        print(f"Ended; the model is {folder / 'model.keras'}.")
    else:
        print(f"Ended; the model is with the program that trains it, its kept states are in {folder / 'checkpoints'}.")
    return OK


def _ask(arguments: argparse.Namespace, kind: str, **fields: Any) -> int:
    """Send a command, wait for its answer and print it."""
    folder = Path(arguments.folder)
    try:
        name = send(folder, kind, note=arguments.note, **fields)
    except OSError as error:
        if error.errno not in DISK_IS_FULL:
            raise
        process = read_heartbeat(folder).get("process")
        raise UserError(
            f"The disk that {str(folder)!r} lies on is full, so no command can be left there. Free some space and ask"
            f" again; or end the training at its next step: kill {process}"
        ) from None
    answer = wait_for_answer(folder, name, ANSWER_SECONDS)
    if answer is None:
        print(f"Not yet taken up after {ANSWER_SECONDS:.0f} s; it is done at the next step.", file=sys.stderr)
        return OK
    if answer["kind"] == "refused":
        raise UserError(f"{kind}: {answer['why']}" if not answer["why"].startswith(kind) else answer["why"])
    print(event_words(answer))
    return OK


def journal(arguments: argparse.Namespace) -> int:
    """Print everything that was done to a training, with the numbers of the states that a revert can name."""
    folder = Path(arguments.folder)
    found = read_journal(folder)
    status_of(folder)  # refuses a folder without a training
    width = len(f"#{found.events[-1]['number']}")
    for event in found.events:
        if event["kind"] in INTERVENTIONS:
            number = f"#{event['number']}" if event["kind"] in STATES and event.get("checkpoint") else ""
            print(f"{number:>{width}} {event_words(event)}")
    if found.torn:
        print(f"Line {', '.join(map(str, found.torn))} of journal.jsonl is torn and was left out.", file=sys.stderr)
    return OK


def replay(arguments: argparse.Namespace) -> int:
    """Train a journal again; fails if another curve or other weights come out."""
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras

    folder = Path(arguments.folder)
    if is_held(folder):
        raise UserError(f"The training in {str(folder)!r} runs; replay it when it has been stopped.")
    with quiet_start():
        start_keras()
        from tfcourse.babysitting.replay import replay as train_again
        from tfcourse.babysitting.training import open_training
    told = time.monotonic()

    def on_epoch(done: int, last: int) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"epoch {done} of {last}", flush=True)

    there = {"data": arguments.data, "test_data": arguments.test_data}
    opened = open_training(folder, {name: path for name, path in there.items() if path is not None})
    found = train_again(opened, on_epoch)
    print(
        f"Trained {count_words(found.steps, 'step')} again, with {count_words(found.changes, 'change')};"
        f" compared {count_words(found.epochs, 'epoch')} and {count_words(found.checkpoints, 'kept state')}."
    )
    if found.same:
        print("The same to the last bit: curve, weights and optimizer.")
        return OK
    differing = f"epochs {first_of(found.differing, 5)}" if found.differing else "no epoch"
    print(
        f"They differ: weights and optimizer by up to {found.difference:.3g}; the numbers of"
        f" {differing}. Was it trained on another machine,"
        " or with other versions, or was the journal changed?",
        file=sys.stderr,
    )
    return FAILED


def report(arguments: argparse.Namespace) -> int:
    """Write a page about one training, or about several side by side."""
    from tfcourse.babysitting.page import write_page

    folders = [Path(folder) for folder in arguments.folders]
    out = Path(arguments.out) if arguments.out else folders[0] / "report.html"
    if out.is_dir():
        raise UserError(f"--out: {str(out)!r} is a folder; give the file to write, such as {out / 'report.html'}.")
    if not out.parent.is_dir():
        raise UserError(f"--out: there is no folder {str(out.parent)!r} to write {out.name!r} to.")
    write_page([status_of(folder) for folder in folders], out)
    print(f"Written to {out}")
    return OK
