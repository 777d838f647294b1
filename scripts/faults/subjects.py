"""What a campaign disturbs: a search, a retest and a babysat training, and what each must come to all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tiny

Files = dict[str, Any]
DONE = "done"
"""The stage of a folder to which a further start has nothing to add, and says so."""


@dataclass(frozen=True)
class Subject:
    """A command that is disturbed and started again until it ends.

    Args:
        name: what it is called; also the command.
        words: gives the command's words for a folder, new or as an earlier start left it.
        outcome: gives what a folder holds in the end, but for the times.
        kept: gives what must not be lost or made again by a further start.
        stage: says in a word how far a folder has come.
        statuses: the exit statuses of a start that ends by itself.
    """

    name: str
    words: Callable[[Path], list[str]]
    outcome: Callable[[Path], Files]
    kept: Callable[[Path], Files]
    stage: Callable[[Path], str]
    statuses: tuple[int, ...] = (0,)


def search(place: tiny.Place, trials: int) -> Subject:
    """Return a search."""

    def words(run: Path) -> list[str]:
        if (run / "run.json").exists():
            return ["--resume", str(run), "--quiet"]
        return place.train(run, trials)

    def kept(run: Path) -> Files:
        return {name: (run / "search" / name / "trial.json").read_bytes() for name in tiny.ended_trials(run)}

    def stage(run: Path) -> str:
        if not (run / "run.json").exists():
            return "reading"
        if not (run / "baseline" / "baseline.json").exists():
            return "baseline"
        if (ended := len(tiny.ended_trials(run))) < trials:
            return f"round {1 + (2 * ended >= trials)}"
        repeats = tiny.read(run / "repeats.json")["scores"] if (run / "repeats.json").exists() else {}
        if sum(map(len, repeats.values())) < 20:
            return "retraining"
        for name in ("model.keras", "result.json", "report.html"):
            if not (run / name).exists():
                return name
        return "the end"

    return Subject("train", words, tiny.of_search, kept, stage)


def retest(place: tiny.Place, run: Path) -> Subject:
    """Return a retest of a run; it is begun again each time, and must leave the run as it is."""

    def words(out: Path) -> list[str]:
        return place.retest(run, fresh(out))

    def outcome(out: Path) -> Files:
        return tiny.of_retest(last(out))

    def kept(out: Path) -> Files:
        return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}

    def stage(out: Path) -> str:
        there = [path.name for path in last(out).iterdir()] if out.exists() else []
        return "the page" if "retest.json" in there else "training" if out.exists() else "reading"

    return Subject("retest", words, outcome, kept, stage, tiny.STATUS_OF_RETEST)


def fresh(out: Path) -> Path:
    """Return a new folder in ``out`` for one start."""
    out.mkdir(exist_ok=True)
    return out / f"{len(list(out.iterdir())):03d}"


def last(out: Path) -> Path:
    """Return the folder of the last start in ``out``."""
    return max(out.iterdir(), default=out)


def training(place: tiny.Place, epochs: int = 6) -> Subject:
    """Return a babysat training that ends by itself; its journal may only ever grow."""

    def words(out: Path) -> list[str]:
        return place.babysit(out, epochs)

    def kept(out: Path) -> Files:
        journal = out / "journal.jsonl"
        lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
        return {f"line {number}": line for number, line in enumerate(lines)}

    def stage(out: Path) -> str:
        if not (out / "journal.jsonl").exists():
            return "reading"
        if tiny.read(out / "run.json")["status"] == "completed":
            return DONE
        for name in ("model.keras", "result.json", "report.html"):
            if (out / name).exists():
                continue
            ended = sum(b'"kind": "epoch"' in line for line in kept(out).values())
            return name if ended >= epochs or name != "model.keras" else f"epoch {ended + 1}"
        return "the end"

    return Subject("babysit", words, tiny.of_training, kept, stage)
