"""How good the saved model is, beside its parts, scikit-learn's models and boosting, on the same test rows.

    python scripts/benchmarks/quality.py --data ../shared/data --out quality.jsonl
    python scripts/benchmarks/quality.py --data ../shared/data --tables sonar vehicle --splits 3 --ways default hgb

Each way trains on the rows of a run but for its test split, which every way is measured on. The others learn from the
matrix that the networks learn from, numbers standardized, with their defaults. Each measurement is a line of ``--out``
as soon as it is made, and is not made again: an interrupted call goes on. Seconds are the clock's, of the whole
command, and the processor's.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality_figure import draw
from quality_others import OTHERS, fitted
from quality_tables import show
from rich.console import Console

from tfcourse.data.prepare import DataOptions, Prepared, prepare


@dataclass(frozen=True)
class Task:
    """A table: its file, its target, and columns that are no features."""

    file: str
    target: str = "class"
    drop: tuple[str, ...] = ()
    split: str = "stratified"


TASKS = {
    "sonar": Task("sonar"), "penguins": Task("penguins", "species"), "ionosphere": Task("ionosphere"),
    "credit": Task("credit-approval"), "breast": Task("breast-cancer-wisconsin", drop=("id",)),
    "vehicle": Task("vehicle", "Class"), "german": Task("german-credit"), "banknote": Task("banknote"),
    "wine": Task("wine-quality-red", "quality"), "car": Task("car-evaluation"), "segment": Task("segment"),
    "splice": Task("splice", "Class", ("Instance_name",)), "optdigits": Task("optdigits-first-writers"),
    "spambase": Task("spambase"), "mushroom": Task("mushroom"), "noaa": Task("noaa-weather", "rain"),
    "magic": Task("magic-gamma"), "letter": Task("letter-recognition"), "adult": Task("adult-train", "income"),
}  # fmt: skip
"""The smallest first."""
OURS: dict[str, tuple[str, ...]] = {
    "default": (),
    "standard": ("--numbers", "standard"),
    "wide": ("--space", "wide"),
    "robust": ("--numbers", "robust"),
    "encoded": ("--numbers", "encoded"),
    "folds1": ("--folds", "1", "--numbers", "standard"),
    "single": ("--single", "--numbers", "standard"),
    "ensemble8": ("--ensemble", "8", "--numbers", "standard"),
}
"""What is added to the command."""


def ours(path: Path, task: Task, seed: int, flags: tuple[str, ...]) -> dict[str, Any]:
    """Return what came of the command."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--data", str(path), "--target", task.target, "--seed", str(seed), "--split", task.split]
        words += [*(["--drop", *task.drop] if task.drop else []), "--out", f"{folder}/run", "--json"]
        began, before = time.perf_counter(), _processor()
        done = subprocess.run(
            [sys.executable, "-m", "tfcourse.train", *words, *flags],
            capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        spent = {"seconds": time.perf_counter() - began, "cpu_seconds": _processor() - before}
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        result = json.loads(done.stdout)
    measured = {
        "accuracy": result["test"]["accuracy"],
        "log_loss": result["test"]["log_loss"],
        "ece": result["verdict"]["numbers"]["calibration"]["test"]["after"]["ece"]
        if result["model"]["temperature"] is not None
        else result["verdict"]["numbers"]["calibration"]["test"]["before"]["ece"],
    }
    return {**measured, **spent, "out_of_fold": result.get("out_of_fold")}


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kept(path: Path | None, key: Sequence[str] = ("table", "seed", "way")) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what earlier calls measured, by what tells it apart; a last line that was cut off does not count."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    if path is not None and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                each = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[tuple(each[name] for name in key)] = each
    return found


def keep(path: Path | None, measured: Mapping[str, Any]) -> None:
    """Add a line to the file of measurements, after one that was cut off."""
    if path is None:
        return
    cut_off = path.exists() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * cut_off + json.dumps(measured) + "\n")


def measure(way: str, path: Path, task: Task, seed: int, data: list[Prepared]) -> dict[str, Any]:
    """Return what a way reaches on a table; ``data`` holds the table once a way has needed it."""
    if way in OURS:
        return ours(path, task, seed, OURS[way])
    if not data:
        options = DataOptions(str(path), target=task.target, drop=task.drop, seed=seed, split=task.split)  # type: ignore[arg-type]
        data.append(prepare(options))
    return fitted(way, data[0])


def main(argv: list[str] | None = None) -> int:
    """Measure what is left to measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--splits", type=int, default=1, help="splits of each table")
    parser.add_argument("--first-split", type=int, default=0, help="number of the first, which is its seed")
    parser.add_argument("--ways", nargs="+", choices=[*OURS, *OTHERS], default=["default", "folds1", "single", *OTHERS])
    parser.add_argument("--out", type=Path, help="file of JSON lines for the measurements, which are not made again")
    parser.add_argument("--figure", type=Path, help="image for what the tables say; the first of --ways is the measure")
    options = parser.parse_args(argv)
    console = Console(width=160)
    results = kept(options.out)
    for seed in range(options.first_split, options.first_split + options.splits):
        for name in options.tables:
            task, data = TASKS[name], list[Prepared]()
            path = options.data / f"{task.file}.csv"
            if not path.exists():
                console.print(f"{path} is not there")
                continue
            for way in options.ways:
                if (name, seed, way) in results:
                    continue
                try:
                    found = measure(way, path, task, seed, data)
                except ImportError as error:
                    console.print(f"{way} is left out: {error}")
                    continue
                measured = {"table": name, "seed": seed, "way": way, **found}
                keep(options.out, measured)
                results[name, seed, way] = measured
                console.print(f"{name} {seed} {way}: {found['log_loss']:.4f} in {found['seconds']:.1f} s", markup=False)
    show(console, list(results.values()), options.tables, options.ways)
    if options.figure:
        draw(options.figure, list(results.values()), options.tables, options.ways)
    return 0


if __name__ == "__main__":
    sys.exit(main())
