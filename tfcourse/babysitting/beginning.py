"""The commands that train: begin a training, go on with one, or begin another from a checkpoint of it."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting.changes import parse_changes
from tfcourse.babysitting.checkpoints import Checkpoints, path_of
from tfcourse.babysitting.commands import make_private
from tfcourse.babysitting.journal import Journal
from tfcourse.babysitting.lineage import find_state
from tfcourse.babysitting.lock import Lock, is_held, read_heartbeat
from tfcourse.babysitting.setting import Start, begin_with, winner_of
from tfcourse.babysitting.show import status_of
from tfcourse.babysitting.words import ordinal, start_words
from tfcourse.data.options import SPLIT_RULES, DataOptions
from tfcourse.data.prepare import prepare, rows_in_split
from tfcourse.errors import UserError
from tfcourse.files.writing import replacing
from tfcourse.process.command import INTERRUPTED, OK
from tfcourse.run.folder import TRAINING, RunFolder, RunStatus, check_new, check_not_of_own_model

DATA_FLAGS = tuple(DataOptions.__dataclass_fields__)
DETACHED_SECONDS = 120.0
OWN = ("started", "versions", "test_looks", "status", "model_sha256")
"""What a branch does not take over from the record of the training that it begins from."""


def start(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    """Begin a training, or go on with the one in ``--out``, and train until it is stopped."""
    out = Path(arguments.out)
    begun = (out / "run.json").exists()
    data = {name: value for name, value in vars(arguments).items() if name in DATA_FLAGS}
    if begun:
        _check_going_on(out, data, arguments)
    else:
        check_not_of_own_model(out)
        check_new(out)
    if arguments.detach:
        return _detach(out, argv)
    with contextlib.ExitStack() as held:
        if not begun:
            held.enter_context(_begin(out, data, arguments, argv).begun())
        changes = parse_changes(arguments.set, "--set") if begun and arguments.set else {}
        return _train(out, changes, arguments, {k: v for k, v in data.items() if begun and k in ("data", "test_data")})


def _check_going_on(out: Path, data: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Refuse options that belong to another training than the one in the folder."""
    if is_held(out):
        Lock(out).release()  # tells who is there
    record = RunFolder.open(out, TRAINING).record
    if arguments.winner:
        raise UserError(f"--from was given, but the training in {str(out)!r} has begun; leave it out to go on.")
    for name, value in data.items():
        if name not in ("data", "test_data") and _listed(record["options"].get(name)) != _listed(value):
            raise UserError(
                f"--{name.replace('_', '-')} {value} was given, but the training in {str(out)!r} began with"
                f" {record['options'].get(name)}. Leave it out to go on, or begin another with a new --out."
            )


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _begin(out: Path, data: dict[str, Any], arguments: argparse.Namespace, argv: Sequence[str]) -> RunFolder:
    """Make the folder of a new training."""
    winner = None
    fields: dict[str, Any] = {"split_rules": SPLIT_RULES, **data}
    if arguments.winner:
        search, winner = winner_of(Path(arguments.winner))
        if not data:
            fields = dict(search.record["options"])
    options = DataOptions.from_json(fields)
    if options.weight is not None:
        raise UserError(
            f"--from: the run counts its rows by {options.weight!r} (--weight), and a babysat training counts every row"
            " once. Give the data themselves, as with --data and --drop."
        )
    prepared = prepare(options)
    begun = begin_with(arguments.set, prepared, winner)
    there = Path(options.data)
    kept = {**options.to_json(), "data": str(there.resolve()) if there.exists() else options.data}
    if options.test_data is not None:
        kept["test_data"] = str(Path(options.test_data).resolve())
    return _make_folder(
        out,
        argv,
        begun,
        {
            "options": kept,
            "seed": options.seed,
            "data": {
                "name": prepared.name, "fingerprint": prepared.fingerprint, "split": rows_in_split(prepared),
                "columns": prepared.columns, "notes": prepared.notes,
            },
            "classes": list(prepared.classes),
            "features": prepared.features.to_json(),
        },
    )  # fmt: skip


def _make_folder(out: Path, argv: Sequence[str], begun: Start, fields: dict[str, Any]) -> RunFolder:
    made = make_private(out)
    command = shlex.join(["python", "-m", "tfcourse.babysit", *argv])
    folder = RunFolder.create(
        out, {"kind": TRAINING, "command": command, "status": RunStatus.INTERRUPTED, "start": begun.to_json(), **fields}
    )
    folder.made = made
    return folder


def branch(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    """Begin a second training from a checkpoint of a first and train it until it is stopped."""
    folder, out = Path(arguments.folder), Path(arguments.out)
    check_new(out)
    first = RunFolder.open(folder, TRAINING)
    found = status_of(folder)
    state = find_state(found.events, arguments.to, Checkpoints(folder).numbers, datetime.now().astimezone())
    changes = parse_changes(arguments.set, "--set") if arguments.set else {}
    kept = {name: value for name, value in first.record.items() if name not in OWN}
    begun = Start.from_json(first.record["start"])
    origin = {"folder": str(folder.resolve()), "number": state["number"]}
    command = shlex.join(["python", "-m", "tfcourse.babysit", *argv])
    _make_folder(out, argv, begun, {**kept, "command": command, "branch_of": origin})
    where = {"step": state["step"], "epoch": state["epoch"], "offset": state.get("offset", 0)}
    Journal(out).add("start", **where, checkpoint=True, branch_of=origin)
    path_of(out, 0).parent.mkdir(mode=0o700)
    with replacing(path_of(out, 0)) as temporary:
        shutil.copyfile(path_of(folder, int(state["number"])), temporary)
    return _train(out, changes, arguments, {}) if not arguments.detach else _detach_branch(out, arguments)


def _detach_branch(out: Path, arguments: argparse.Namespace) -> int:
    words = ["start", "--out", str(out), "--on-alarm", arguments.on_alarm]
    words += ["--checkpoint-every", str(arguments.checkpoint_every), "--keep", str(arguments.keep)]
    return _detach(out, [*words, *(["--set", *arguments.set] if arguments.set else [])])


def _train(out: Path, changes: dict[str, Any], arguments: argparse.Namespace, data: dict[str, Any]) -> int:
    """Train what is in a folder; its terminal may go away meanwhile."""
    from tfcourse.process.interrupt import patient_interrupt
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras

    say = sayer(arguments.quiet)
    with contextlib.suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with quiet_start():
        start_keras()
        from tfcourse.babysitting import training as trained

    opened = trained.open_training(out, data)
    say(f"Training in {out}; look at it from another terminal: python -m tfcourse.babysit status {out}")
    with patient_interrupt("step") as interrupted:
        try:
            result = trained.run(
                opened,
                changes=changes,
                say=say,
                interrupted=interrupted,
                on_alarm=arguments.on_alarm,
                checkpoint_every=arguments.checkpoint_every,
                keep_bytes=arguments.keep * 1e6,
            )
        except KeyboardInterrupt:
            print(f"Interrupted; the state is kept. Go on with: {start_words(out)}", file=sys.stderr)
            return INTERRUPTED
    test = result["test"]
    low, high = test["accuracy_interval"]
    looks = "" if result["test_looks"] == 1 else f" (looked at for the {ordinal(result['test_looks'])} time)"
    say(
        f"model.keras holds {result['saved']}. On the test split{looks}: {test['accuracy']:.2%} right,"
        f" 95 % interval {low:.2%} to {high:.2%}, log-loss {test['log_loss']:.4f}."
    )
    say(f"Written to {out}: model.keras, result.json, report.html, journal.jsonl")
    return OK


def sayer(quiet: bool) -> Callable[[str], None]:
    """Return what prints a line at once, or says nothing."""

    def say(line: str) -> None:
        if not quiet:
            print(line, flush=True)

    return say


def _detach(out: Path, argv: Sequence[str]) -> int:
    """Start the same command in the background, wait until it trains, and say how to look at it."""
    words = [word for word in argv if word != "--detach"]
    make_private(out)
    log = out.with_name(f"{out.name}.log")
    had_log = log.exists()
    with log.open("ab") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "tfcourse.babysit", *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + DETACHED_SECONDS
    while child.poll() is None and read_heartbeat(out).get("process") != child.pid and time.monotonic() < deadline:
        time.sleep(0.1)
    if child.poll() not in (None, OK):
        why = _last_line(log)
        with contextlib.suppress(OSError):
            out.rmdir()  # if nothing was begun; then nothing is left of it
            if not had_log:
                log.unlink()
            raise UserError(f"The training did not begin. {why}")
        raise UserError(f"The training did not begin. {why} All of it is in {log}.")
    print(f"Training in {out}, process {child.pid}; what it says goes to {log}.")
    print(f"Look at it: python -m tfcourse.babysit status {out}")
    return OK


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else ""
