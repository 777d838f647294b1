"""Give random and damaged files to whatever reads files: each must work, or be refused in one message.

    python scripts/faults/inputs.py                          2000 inputs, some of them through the whole command
    python scripts/faults/inputs.py --inputs 300 --kinds csv npz --seed 7 --keep DIR

Tables (CSV, TSV, Parquet) and arrays (NPZ) are read, split and mapped as train does it, and as new rows; spaces and
first settings (TOML) are read; the JSON files of run folders of earlier versions are damaged and the folders shown,
gone on with and opened for a retest. Most of the inputs are whole but strange, the others good files with small
damage. Each is read in a process of its own with 2 GiB and some seconds of processor time. Exit status: 0 if every
input worked (0) or was refused with one message (2); 1 if there was a traceback, another status, or more time or
memory was taken. --keep keeps the inputs that did. Told to stop (Ctrl-C, SIGTERM), it prints what it has come to.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generate import MAKERS
from interrupted import until_told_to_stop
from limited import Outcome, limited
from mutate import damaged, damaged_json
from tiny import OLD_RUNS, old_run
from warm import Warm

SUFFIX = {"space": ".toml", "first": ".toml"}
TABLES = ("csv", "tsv", "parquet", "npz")
IN_SEARCH = (
    "run.json", "result.json", "repeats.json", "baseline/baseline.json", "search/oracle.json", "search/tuner0.json",
    "search/trial_0/trial.json", "search/trial_1/trial.json",
)  # fmt: skip
IN_TRAINING = ("run.json", "result.json", "status.json", "journal.jsonl")
KINDS = (*TABLES, "space", "first", "json")
GENERATED = {"npz": 0.8, "parquet": 0.8, "csv": 0.65, "tsv": 0.65, "space": 0.65, "first": 0.65}
"""Part of the inputs that are whole but strange; damage to packed files is mostly seen by their checksums."""
SHARE_OF_TRAINED = 0.15
"""Part of the damaged run folders that are also gone on with, which takes seconds where nothing is wrong."""
READING_SECONDS, GOING_ON_SECONDS = 20, 120


@dataclass
class Found:
    """What came of the inputs: how many worked and were refused by kind, and each fault with the inputs that had it."""

    tried: Counter[str] = field(default_factory=Counter)
    worked: Counter[str] = field(default_factory=Counter)
    warned: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str, outcome: Outcome) -> bool:
        """Count an outcome and say whether it is a fault."""
        self.tried[kind] += 1
        self.worked[kind] += outcome.status == 0 and not outcome.fault
        self.warned[kind] += "Warning: " in outcome.said
        if outcome.fault:
            self.faults.setdefault(f"{kind}: {outcome.fault}", []).append(name)
        return bool(outcome.fault)


class Inputs:
    """The inputs of a seed, one after the other, and what is done with each.

    Args:
        place: a folder to work in.
        seed: of the draws.
        trained: part of the damaged run folders that are also gone on with.
    """

    def __init__(self, place: Path, seed: int, trained: float = SHARE_OF_TRAINED) -> None:
        self.place, self.seed, self.trained = place, seed, trained
        self.good: dict[str, list[bytes]] = {}
        self.old: Path = max(path for path in OLD_RUNS.iterdir() if path.is_dir())
        for kind, make in MAKERS.items():
            self.good[kind] = [make(random.Random(number)) for number in range(12)]
        table, images = (self.old / "pets.csv").read_bytes(), (self.old / "images.npz").read_bytes()
        self.good["csv"] += [table] * 24
        self.good["tsv"] += [table.replace(b",", b"\t")] * 24
        self.good["npz"] += [images] * 6
        self.good["space"] += [(self.old / "space.toml").read_bytes()] * 3
        self.good["first"] += [b"[[setting]]\noptimizer = 'adam'\nlearning_rate = 0.001\nunits = 64\n"] * 3

    def draw(self, kind: str, number: int) -> random.Random:
        """Return the draws of one input, which are its own."""
        return random.Random(f"{self.seed} {kind} {number}")

    def file(self, kind: str, number: int) -> Path:
        """Write one input and return its path."""
        draw = self.draw(kind, number)
        content = MAKERS[kind](draw) if draw.random() < GENERATED[kind] else damaged(draw.choice(self.good[kind]), draw)
        path = self.place / f"{kind}-{number}{SUFFIX.get(kind, f'.{kind}')}"
        path.write_bytes(content)
        return path

    def reading(self, kind: str, path: Path) -> Callable[[], object]:
        """Return what reads a file."""
        from tfcourse.data.prepare import DataOptions, prepare
        from tfcourse.predict import read_rows
        from tfcourse.run.exported import model_inputs
        from tfcourse.space.course import default_space
        from tfcourse.space.first_settings import read_first_settings
        from tfcourse.space.space_file import read_space

        def as_new_rows(features: Any) -> None:
            model_inputs(read_rows(str(path), features)[0], features)

        if kind == "space":
            return lambda: read_space(str(path)) and None
        if kind == "first":
            return lambda: read_first_settings(str(path), default_space()) and None
        of_pets = b"kind" in path.read_bytes()[:200]
        target = None if kind == "npz" else "kind" if of_pets else "y"

        def both() -> None:
            prepared = prepare(DataOptions(str(path), target=target))
            as_new_rows(self.features_of_pets() if of_pets else prepared.features)

        return both

    def features_of_pets(self) -> Any:
        """Return how a good run reads the columns of the table that most inputs are made of."""
        from tfcourse.data.features import features_from_json

        return features_from_json(json.loads((self.old / "table" / "run.json").read_text(encoding="utf-8"))["features"])

    def damaged_run(self, number: int) -> tuple[Path, list[Callable[[], object]]]:
        """Return a run folder with one damaged file, and what may be done with it."""
        draw = self.draw("json", number)
        kind = draw.choice(("table", "table", "table", "training"))
        run = self.place / f"json-{number}"
        old_run(kind, run)
        path = run / draw.choice(IN_TRAINING if kind == "training" else IN_SEARCH)
        content = path.read_bytes()
        if draw.random() < 0.35:
            path.write_bytes(damaged(content, draw))
        elif path.suffix == ".jsonl":
            lines = content.splitlines()
            lines[draw.randrange(len(lines))] = damaged_json(json.loads(draw.choice(lines)), draw).replace(b"\n", b"")
            path.write_bytes(b"\n".join(lines) + b"\n")
        else:
            path.write_bytes(damaged_json(json.loads(content), draw))
        works = (self.with_training if kind == "training" else self.with_search)(run)
        return run, works if draw.random() < self.trained else works[:-1]

    def with_search(self, run: Path) -> list[Callable[[], object]]:
        """Return what may be done with the folder of a search."""
        from tfcourse import train
        from tfcourse.babysitting.setting import winner_of
        from tfcourse.report import __main__ as report
        from tfcourse.retesting.old_run import open_old_run
        from tfcourse.run.folder import RunFolder

        return [
            lambda: open_old_run(RunFolder.open(run), 2) and None,
            lambda: winner_of(run) and None,
            lambda: report.main([str(run)]),
            lambda: train.main(["--resume", str(run), "--quiet"]),
        ]

    def with_training(self, run: Path) -> list[Callable[[], object]]:
        """Return what may be done with the folder of a babysat training."""
        from tfcourse import babysit

        return [
            lambda: babysit.main(["status", str(run)]),
            lambda: babysit.main(["journal", str(run)]),
            lambda: babysit.main(["report", str(run)]),
            lambda: babysit.main(["start", "--out", str(run), "--quiet", "--set", "epochs=4"]),
        ]


def campaign(
    place: Path, kinds: Sequence[str], count: int, seed: int, keep: Path | None, trained: float, found: Found
) -> None:
    """Read every input in a process of its own and add what comes of it to what was found."""
    import_all("json" in kinds and trained > 0)
    inputs = Inputs(place, seed, trained)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        if kind == "json":
            path, works = inputs.damaged_run(number)
        else:
            path = inputs.file(kind, number)
            works = [inputs.reading(kind, path)]
        seconds = GOING_ON_SECONDS if kind == "json" else READING_SECONDS
        outcomes = (limited(work, place / "output.txt", seconds) for work in works)
        worst = max(outcomes, key=lambda outcome: (bool(outcome.fault), outcome.status, outcome.seconds))
        faulty = found.add(kind, path.name, worst)
        if faulty:
            print(f"{path.name}: {worst.fault}", file=sys.stderr, flush=True)
        if faulty and keep is not None:
            (shutil.copytree if path.is_dir() else shutil.copy)(path, keep / path.name)  # type: ignore[operator]
            (keep / f"{path.name}.txt").write_text(worst.said, encoding="utf-8")
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def through_the_command(place: Path, kinds: Sequence[str], count: int, seed: int, found: Found) -> None:
    """Give the first of the inputs to the whole command as well."""
    inputs = Inputs(place, seed)
    chosen = [kind for kind in kinds if kind != "json"]
    with Warm(place) as warm:
        for number in range(count if chosen else 0):
            kind = chosen[number % len(chosen)]
            path = inputs.file(kind, number)
            words = ["--trials", "1", "--epochs", "1", "--engine", "keras", "--quiet", "--out", place / f"run-{number}"]
            if kind in TABLES:
                words += ["--data", path, *([] if kind == "npz" else ["--target", "y"])]
            else:
                words += ["--data", inputs.old / "pets.csv", "--target", "kind", f"--{kind}", path]
            child = warm.run("train", *words)
            found.add("whole command", path.name, Outcome(child.wait(), child.said))


def import_all(with_tensorflow: bool) -> None:
    """Import what the readers need, once, before any fork."""
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import sklearn.datasets  # noqa: F401

    import tfcourse.babysitting.asking
    import tfcourse.data.prepare
    import tfcourse.predict
    import tfcourse.report.page
    import tfcourse.retesting.old_run
    import tfcourse.tuning.start

    if with_tensorflow:
        import tfcourse.babysitting.training
        import tfcourse.retesting.retest
        import tfcourse.tuning.result
        import tfcourse.tuning.search  # noqa: F401


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=2000, metavar="N", help="how many (default 2000)")
    parser.add_argument(
        "--commands", type=int, default=30, metavar="N", help="of them through the command (default 30)"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="what is read")
    parser.add_argument(
        "--trained",
        type=float,
        default=SHARE_OF_TRAINED,
        metavar="SHARE",
        help="of folders to go on with",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the inputs (default: others each time)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the inputs with a fault there")
    options = parser.parse_args(argv)
    seed = int(time.time()) if options.seed is None else options.seed
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        found = Found()
        with until_told_to_stop():
            campaign(Path(temporary), options.kinds, options.inputs, seed, options.keep, options.trained, found)
            if options.commands:
                through_the_command(Path(temporary), options.kinds, options.commands, seed, found)
    for kind, tried in found.tried.items():
        faults = sum(len(names) for fault, names in found.faults.items() if fault.startswith(f"{kind}: "))
        refused = tried - found.worked[kind] - faults
        warned = f", {found.warned[kind]} with a Python warning" * bool(found.warned[kind])
        print(f"{kind}: {tried} tried, {found.worked[kind]} worked, {refused} refused, {faults} faults{warned}")
    for fault, names in sorted(found.faults.items(), key=lambda item: -len(item[1])):
        print(f"  {len(names)} × {fault} (such as {names[0]})")
    done, wanted = found.tried.total(), options.inputs + options.commands * (options.kinds != ["json"])
    stopped = f", stopped after these of {wanted}" * (done < wanted)
    print(f"{done} inputs in all, seed {seed}{stopped}")
    return int(bool(found.faults))


if __name__ == "__main__":
    sys.exit(main())
