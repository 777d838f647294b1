"""Kill a search, a retest and a babysat training at random moments, start each again, and compare to the last digit.

    python scripts/faults/kills.py                     100 kills, shared out: two of four to the search
    python scripts/faults/kills.py --kills 10 --of retest babysit --seed 3

SIGKILL comes at a moment drawn evenly over the time that an undisturbed run takes, or, every other time, after a
number of changes in its folder drawn evenly over all that are left, so that the short stages at the end are hit as
well. A killed run is started again, and may be killed again, until it ends by itself; then its trials, curves,
weights, verdict, model and journal must be those of the undisturbed run, nothing that had ended may have been made
again, and a training's replay must agree. The stages that were hit are counted and printed. Exit status: 0 if no fault
was found, else 1.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from subjects import DONE, Subject, retest, search, training
from tiny import Place, differences, old_run
from warm import Child, Warm

SECONDS_BETWEEN_LOOKS = 0.002
MOST_SECONDS_AFTER_A_CHANGE = 0.05
SHARES = {"train": 2, "retest": 1, "babysit": 1}


@dataclass
class Found:
    """What a campaign has come to: kills by the stage that was hit, whole runs that were compared, and faults."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Moment:
    """When to kill: after so many seconds, or after so many changes and a little while."""

    seconds: float = np.inf
    changes: float = np.inf
    after: float = 0.0


def looked_at(folder: Path) -> set[tuple[str, int, int]]:
    """Return the files of a folder as they are now; a set of another time differs by what has changed."""
    found = set()
    for place, folders, files in os.walk(folder):  # which passes over a folder that was there a moment ago
        for path in (os.path.join(place, name) for name in (*folders, *files)):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            found.add((path, status.st_ino, status.st_mtime_ns))
    return found


def watch(child: Child, folder: Path, moment: Moment) -> int:
    """Return the number of changes that were seen until the child ended, or was killed at its moment."""
    before, changes = looked_at(folder), 0
    while not child.ended():
        now = looked_at(folder)
        changes, before = changes + len(now - before), now
        if changes >= moment.changes:
            time.sleep(moment.after)
        if changes >= moment.changes or time.monotonic() - child.began >= moment.seconds:
            child.kill()
            child.wait()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return changes


def undisturbed(warm: Warm, subject: Subject, folder: Path) -> tuple[float, int]:
    """Run a subject to its end and return the seconds that it takes and the changes that are seen meanwhile."""
    child = warm.start(subject.name, *subject.words(folder))
    changes = watch(child, folder, Moment())
    if child.wait() not in subject.statuses:
        raise SystemExit(f"{subject.name}, undisturbed, ended with status {child.status}: {child.said}")
    return time.monotonic() - child.began, changes


def drawn(random: np.random.Generator, seconds: float, changes: int) -> Moment:
    """Return a moment, by time and by changes in turns."""
    if random.random() < 0.5:
        return Moment(seconds=random.uniform(0, seconds))
    return Moment(changes=int(random.integers(1, changes + 1)), after=random.uniform(0, MOST_SECONDS_AFTER_A_CHANGE))


def disturb(
    warm: Warm, subject: Subject, whole: Path, measured: tuple[float, int], kills: int, random: np.random.Generator
) -> Found:
    """Kill a subject so many times, and let every run that was killed come to its end.

    Args:
        warm: what starts the commands.
        subject: what is killed.
        whole: the folder of an undisturbed run.
        measured: its seconds and changes.
        kills: how often.
        random: draws the moments.
    """
    found, wanted = Found(), subject.outcome(whole)
    while found.kills.total() < kills:
        folder = whole.with_name(f"{subject.name}-{found.runs}")
        faults = one_run(warm, subject, folder, measured, kills, random, found.kills)
        if not faults:
            faults = differences(wanted, subject.outcome(folder))
        if not faults and subject.name == "babysit" and warm.run("babysit", "replay", folder).wait():
            faults = ["its replay does not agree"]
        found.runs += 1
        found.faults += [f"{folder.name}: {fault}" for fault in faults]
        print("".join(f"{folder}: {fault}\n" for fault in faults), end="", file=sys.stderr, flush=True)
    return found


def one_run(
    warm: Warm,
    subject: Subject,
    folder: Path,
    measured: tuple[float, int],
    kills: int,
    random: np.random.Generator,
    counts: Counter[str],
) -> list[str]:
    """Start a subject again and again until it ends by itself, killing it on the way, and return the faults."""
    seconds, changes = measured
    while True:
        before = subject.kept(folder)
        moment = drawn(random, seconds, max(1, changes)) if counts.total() < kills else Moment()
        child = warm.start(subject.name, *subject.words(folder))
        changes -= watch(child, folder, moment)
        after = subject.kept(folder)
        if lost := [name for name, content in before.items() if after.get(name) != content]:
            return [f"{name} was lost or made again" for name in lost]
        if child.wait() != -signal.SIGKILL:
            break
        counts[subject.stage(folder)] += 1
        if subject.stage(folder) == DONE:
            return []
    return [] if child.wait() in subject.statuses else [f"status {child.wait()}: {child.said.strip()[-500:]}"]


def subjects_in(place: Path, trials: int, epochs: int) -> dict[str, Subject]:
    """Return what is disturbed, by its name; what is retested is a search of an earlier version."""
    data, run = Place(place / "data").write(), old_run("table", place / "retested")
    return {"train": search(data, trials), "retest": retest(data, run), "babysit": training(data, epochs)}


def campaign(
    warm: Warm, place: Path, names: Sequence[str], kills: int, seed: int, trials: int, epochs: int
) -> dict[str, Found]:
    """Disturb each subject and return what was found, by its name."""
    subjects, total = subjects_in(place, trials, epochs), sum(SHARES[name] for name in names)
    found = {}
    for name in names:
        whole = place / name / "undisturbed"
        whole.parent.mkdir()
        measured = undisturbed(warm, subjects[name], whole)
        part = math.ceil(kills * SHARES[name] / total)
        found[name] = disturb(warm, subjects[name], whole, measured, part, np.random.default_rng([seed, len(name)]))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="how many (default 100)")
    parser.add_argument("--of", nargs="+", choices=list(SHARES), default=list(SHARES), help="what is killed")
    parser.add_argument("--seed", type=int, metavar="N", help="of the moments (default: another each time)")
    parser.add_argument("--trials", type=int, default=12, metavar="N", help="of the search (default 12)")
    parser.add_argument("--epochs", type=int, default=6, metavar="N", help="of the training (default 6)")
    parser.add_argument("--place", type=Path, metavar="DIR", help="a new folder to keep everything in")
    options = parser.parse_args(argv)
    seed = int(time.time()) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory() as temporary:
        place = options.place or Path(temporary)
        place.mkdir(exist_ok=True)
        with Warm(place) as warm:
            found = campaign(warm, place, options.of, options.kills, seed, options.trials, options.epochs)
    for name, each in found.items():
        stages = ", ".join(f"{stage} {count}" for stage, count in sorted(each.kills.items()))
        print(f"{name}: {each.kills.total()} kills ({stages}), {each.runs} runs compared, {len(each.faults)} faults")
        print("".join(f"  {fault}\n" for fault in each.faults), end="")
    print(f"{sum(each.kills.total() for each in found.values())} kills in all, seed {seed}")
    return int(any(each.faults for each in found.values()))


if __name__ == "__main__":
    sys.exit(main())
