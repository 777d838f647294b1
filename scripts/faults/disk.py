"""Make every call by which a run writes fail once, and kill it there once: one message, and the same result later.

    python scripts/faults/disk.py                      every call of a search, a retest and a training: hours
    python scripts/faults/disk.py --sample 20 --of train --seed 3
    python scripts/faults/disk.py --every 10 --first 3

strace lists the calls that an undisturbed run makes in its folder, in all of its threads (open to write, write, fsync,
rename, unlink, mkdir, truncate). Then the run is made again and again, each time with one of these calls failing with
ENOSPC, with EIO, or with SIGKILL at that call. A run that fails must end with status 2 and one message, without a
traceback; started again it must come to the undisturbed result. A run that can do without what failed (its lock, a
page) may go on to that result at once. A call is found again by its file and its number there; one that a run does not
make is counted as missed. Told to stop (Ctrl-C, SIGTERM), it prints what it has come to. Exit status: 0 if no fault was
found, 1 if one was, 3 without strace.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interrupted import until_told_to_stop
from kills import subjects_in
from limited import messages
from subjects import DONE, Subject
from tiny import LOST, differences
from traced import INJECTED, Call, Traced, UntraceableError
from warm import Child, Warm

FAILURES = ("ENOSPC", "EIO", "KILL")
NEVER_FULL = ("unlink", "unlinkat", "rmdir")
"""A disk that is full still lets files go."""
NO_STRACE = 3
PAGE_AGAIN = "Try again: python -m tfcourse.report"
"""What a run says that has come to its result, but not to its page; the campaign does as it is told."""


@dataclass
class Found:
    """What came of a subject: calls there are, failures to try, those tried and missed, how runs ended, faults."""

    calls: Counter[str] = field(default_factory=Counter)
    chosen: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    went_on: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        tried = ", ".join(f"{failure} {count}" for failure, count in sorted(self.tried.items()))
        done = self.tried.total() + self.missed
        stopped = f"; stopped after {done} of {self.chosen}" * (done < self.chosen)
        return f"failures tried: {tried}; {self.missed} missed; {self.went_on} runs went on{stopped}"


def disturb(warm: Warm, subject: Subject, place: Path, options: argparse.Namespace) -> Found:
    """Make calls of a subject fail in a new folder and return what was found.

    Raises:
        UntraceableError: if there is no strace here, or it may not trace.
    """
    if shutil.which("strace") is None:
        raise UntraceableError("There is no strace here; install the package strace.")
    place.mkdir()
    draw = random.Random(options.seed)
    found, whole, log = Found(), place / "whole", place / "strace.txt"
    # The first run keeps its programs; each later one finds all of them, so that it makes the calls of the one before.
    warm.run(subject.name, *subject.words(place / "first"))
    traced = Traced(warm, log, (subject.name, *subject.words(whole)))
    if traced.status not in subject.statuses:
        raise SystemExit(f"{subject.name}, undisturbed, ended with status {traced.status}: {traced.child.said}")
    calls = traced.calls(whole, beside=options.beside)
    found.calls.update(call.name for call in calls)
    cases = [
        (call, failure)
        for call in calls
        for failure in options.failures
        if not (failure == "ENOSPC" and call.name in NEVER_FULL)
    ]
    chosen = cases[options.first :: options.every]
    if options.sample is not None:
        chosen = sorted(draw.sample(chosen, min(options.sample, len(chosen))), key=cases.index)
    wanted, found.chosen = subject.outcome(whole), len(chosen)
    with until_told_to_stop():
        for number, (call, failure) in enumerate(chosen):
            one_case(warm, subject, call, failure, place / f"{number:05d}", wanted, found)
    return found


def one_case(
    warm: Warm, subject: Subject, call: Call, failure: str, folder: Path, wanted: object, found: Found
) -> None:
    """Make one call of a subject fail in one way, in a new folder, and add what comes of it to what was found."""
    log = folder.parent / "strace.txt"
    effect = "signal=KILL" if failure == "KILL" else f"error={failure}"
    traced = Traced(warm, log, (subject.name, *subject.words(folder)), (call, effect, folder))
    hit = [traced.status == -9] if failure == "KILL" else [INJECTED in log.read_text(errors="replace")]
    if not any(hit):
        found.missed += 1
    else:
        found.tried[failure] += 1
        at = f"{failure} at {call.name} {call.number} of {call.file}"
        came = faults_of(warm, subject, folder, traced.child, failure, wanted, found)
        faults = [f"{at}: {fault}" for fault in came]
        print("".join(f"{fault}\n" for fault in faults), end="", file=sys.stderr, flush=True)
        found.faults += faults
    shutil.rmtree(folder, ignore_errors=True)


def faults_of(
    warm: Warm, subject: Subject, folder: Path, child: Child, failure: str, wanted: object, found: Found
) -> list[str]:
    """Return what is wrong with how a run took a failure, and with what it comes to in the end."""
    status, said = child.wait(), child.said
    faults = []
    if "Traceback" in said:
        faults.append(f"status {status} with a traceback: {said.strip().splitlines()[-1]}")
    elif status in subject.statuses:
        found.went_on += 1
    elif failure == "KILL":
        pass
    elif status != 2 or messages(said) != 1:
        faults.append(f"status {status}, {messages(said)} messages: {said.strip()[-200:]!r}")
    if status in subject.statuses and PAGE_AGAIN in said:
        warm.run("report.__main__", folder)
    if status not in subject.statuses and subject.stage(folder) != DONE:
        again = warm.run(subject.name, *subject.words(folder))
        if again.wait() not in subject.statuses:
            return [*faults, f"started again: status {again.wait()}: {again.said.strip()[-200:]!r}"]
    try:
        found_now = subject.outcome(folder)
    except OSError as error:
        return [*faults, f"in the end: {error}"]
    differ = differences(wanted, found_now)
    if failure == "ENOSPC":  # a training goes on without a checkpoint that a full disk does not take
        differ = [line for line in differ if not line.endswith(f"became {LOST}")]
    return [*faults, *(f"in the end: {line}" for line in differ[:3])]


def add_what_is_run(parser: argparse.ArgumentParser) -> None:
    """Add the options on what is run, and on how many cases of it are drawn."""
    parser.add_argument(
        "--of", nargs="+", choices=("train", "retest", "babysit"), default=["train", "retest", "babysit"]
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only N cases of each, drawn at random")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of that draw")
    parser.add_argument("--trials", type=int, default=2, metavar="N", help="of the search (default 2)")
    parser.add_argument("--epochs", type=int, default=1, metavar="N", help="of the training (default 1)")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--failures", nargs="+", choices=FAILURES, default=list(FAILURES), help="what happens at a call"
    )
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only every K-th case")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="leave out the N cases before it")
    parser.add_argument("--beside", action="store_true", help="only calls of other threads than the first")
    add_what_is_run(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and return its exit status."""
    options = build_parser().parse_args(argv)
    faults = 0
    with tempfile.TemporaryDirectory() as temporary, Warm(Path(temporary), Path(temporary) / "programs") as warm:
        place = Path(temporary)
        subjects = subjects_in(place, options.trials, options.epochs)
        for name in options.of:
            began = time.monotonic()
            try:
                found = disturb(warm, subjects[name], place / f"{name}-calls", options)
            except UntraceableError as error:
                print(error, file=sys.stderr)
                return NO_STRACE
            calls = ", ".join(f"{call} {count}" for call, count in sorted(found.calls.items()))
            print(
                f"{name}: {found.calls.total()} calls that write ({calls}); {found}; {len(found.faults)} faults;"
                f" {math.ceil(time.monotonic() - began)} s"
            )
            print("".join(f"  {fault}\n" for fault in found.faults), end="", flush=True)
            faults += len(found.faults)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
