"""Run on a disk that is full and stays so: one message, and the same result once there is room.

    python scripts/faults/full.py                      a search, a retest and a training at every size of their files
    python scripts/faults/full.py --sample 6 --of train --seed 3

An undisturbed run tells how large each file becomes. Then the run is made again and again, each time where no file can
hold more than one of these sizes, or a byte less, or half (RLIMIT_FSIZE), so that every write beyond fails, however
often it is tried: what is left when files are closed and when the process ends as well. Such a run must end with
status 2 and one message, without a traceback and not by a signal, and come to the undisturbed result when it is
started again without the limit. Told to stop (Ctrl-C, SIGTERM), it prints what it has come to. Exit status: 0 if no
fault was found, 1 if one was.
"""

from __future__ import annotations

import argparse
import math
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from disk import Found, add_what_is_run, faults_of
from interrupted import until_told_to_stop
from kills import subjects_in
from subjects import Subject
from warm import Warm

FULL = "FULL"


def sizes_of(folder: Path) -> list[int]:
    """Return the sizes at which a run in a folder meets the end of the disk.

    They are those at which a file lacks its last byte, or half, or all that goes beyond the next smaller file.
    """
    held = {path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sorted({size for each in held if each for size in (each - 1, each // 2, each)} - {max(held)})


def fill(
    warm: Warm, subject: Subject, place: Path, options: argparse.Namespace, at: Callable[[Path], list[int]] = sizes_of
) -> Found:
    """Run a subject on full disks in a new folder and return what was found.

    Args:
        warm: what starts the runs.
        subject: what is run.
        place: the new folder.
        options: the command's.
        at: tells the sizes by what an undisturbed run leaves.
    """
    place.mkdir()
    whole, found = place / "whole", Found()
    child = warm.run(subject.name, *subject.words(whole))
    if child.wait() not in subject.statuses:
        raise SystemExit(f"{subject.name}, undisturbed, ended with status {child.status}: {child.said}")
    sizes, wanted = at(whole), subject.outcome(whole)
    if options.sample is not None:
        sizes = sorted(random.Random(options.seed).sample(sizes, min(options.sample, len(sizes))))
    found.chosen = len(sizes)
    with until_told_to_stop():
        for number, size in enumerate(sizes):
            folder = place / f"{number:05d}"
            child = warm.run(subject.name, *subject.words(folder), most_bytes=size)
            came = faults_of(warm, subject, folder, child, FULL, wanted, found)
            faults = [f"files of {size} bytes: {fault}" for fault in came]
            print("".join(f"{fault}\n" for fault in faults), end="", file=sys.stderr, flush=True)
            found.tried[FULL] += 1
            found.faults += faults
            shutil.rmtree(folder, ignore_errors=True)
    return found


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_what_is_run(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and return its exit status."""
    options = build_parser().parse_args(argv)
    faults = 0
    with tempfile.TemporaryDirectory() as temporary, Warm(Path(temporary)) as warm:
        subjects = subjects_in(Path(temporary), options.trials, options.epochs)
        for name in options.of:
            began = time.monotonic()
            found = fill(warm, subjects[name], Path(temporary) / f"{name}-full", options)
            print(f"{name}: {found}; {len(found.faults)} faults; {math.ceil(time.monotonic() - began)} s")
            print("".join(f"  {fault}\n" for fault in found.faults), end="", flush=True)
            faults += len(found.faults)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
