"""The smallest runs that come through every stage: data, commands, and what they leave but for the times."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from make_old_runs import HIDDEN_PLACE, SPACE, table

OLD_RUNS = Path(__file__).parents[2] / "tests" / "faults" / "old_runs"
STATUS_OF_RETEST = (0, 3, 4)


@dataclass(frozen=True)
class Place:
    """Where the data of the tiny runs lie."""

    path: Path

    def write(self) -> Place:
        """Write the data."""
        self.path.mkdir(exist_ok=True)
        (self.path / "pets.csv").write_text(table(60, 0, 0.0), encoding="utf-8")
        (self.path / "new-pets.csv").write_text(table(60, 1, 3.0), encoding="utf-8")
        (self.path / "space.toml").write_text(SPACE, encoding="utf-8")
        return self

    def train(self, out: Path, trials: int = 12) -> list[str]:
        """Return the words of a search in two rounds, each halved, with an average and a temperature at its end."""
        words = ["--data", f"{self.path}/pets.csv", "--target", "kind", "--space", f"{self.path}/space.toml"]
        words += ["--trials", str(trials), "--rounds", "2", "--halving", "--epochs", "3", "--batch-size", "16"]
        return [*words, "--ensemble", "2", "--calibrate", "--quiet", "--out", str(out)]

    def retest(self, run: Path, out: Path) -> list[str]:
        """Return the words of a retest."""
        words = [str(run), "--data", f"{self.path}/new-pets.csv", "--top", "2", "--repeats", "3"]
        return [*words, "--quiet", "--out", str(out)]

    def babysit(self, out: Path, epochs: int = 6) -> list[str]:
        """Return the words of a training that ends by itself; to be given again they leave out how it began."""
        words = ["start", "--out", str(out), "--quiet"]
        if (out / "run.json").exists():
            return words
        settings = ["units=4", "learning_rate=0.05", "dropout=0.2", "batch_size=8", f"epochs={epochs}"]
        return [*words, "--data", f"{self.path}/pets.csv", "--target", "kind", "--set", *settings]


def old_run(name: str, to: Path) -> Path:
    """Copy a run folder of the latest of the earlier versions, its data in their place, and return where it is."""
    version = max(path for path in OLD_RUNS.iterdir() if path.is_dir())
    shutil.copytree(version / name, to)
    record = (to / "run.json").read_text(encoding="utf-8")
    (to / "run.json").write_text(record.replace(f"{HIDDEN_PLACE}/", f"{version}/"), encoding="utf-8")
    return to


def read(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def digest(arrays: Sequence[Any]) -> str:
    """Return a number for the exact values, types and shapes of arrays."""
    found = hashlib.sha256()
    for array in map(np.asarray, arrays):
        found.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def of_npz(path: Path) -> str:
    """Return the digest of the arrays of an NPZ file."""
    with np.load(path, allow_pickle=False) as arrays:
        return digest([arrays[name] for name in sorted(arrays.files)])


def of_model(path: Path) -> str:
    """Return the digest of the weights of a .keras file."""
    arrays: list[Any] = []
    with zipfile.ZipFile(path) as file, h5py.File(io.BytesIO(file.read("model.weights.h5"))) as weights:
        weights.visititems(lambda name, found: arrays.append(found[()]) if isinstance(found, h5py.Dataset) else None)
    return digest(arrays)


def ended_trials(run: Path) -> dict[str, Any]:
    """Return the trials of a search that have ended, without when, by name."""
    trials = {path.parent.name: read(path) for path in run.glob("search/trial_*/trial.json")}
    return {
        name: {**trial, "tfcourse": {"round": trial["tfcourse"]["round"]}}
        for name, trial in trials.items()
        if trial["status"] != "RUNNING"
    }


def of_search(run: Path) -> dict[str, Any]:
    """Return what a search has left that must be the same whatever disturbed it."""
    return {
        "trials": ended_trials(run),
        "weights": {path.parent.name: of_npz(path) for path in sorted(run.rglob("best_epoch.npz"))},
        "repeats": read(run / "repeats.json"),
        "result": {**read(run / "result.json"), "seconds": None},
        "model": of_model(run / "model.keras"),
        "page": (run / "report.html").exists(),
        "status": read(run / "run.json")["status"],
        "left over": [path.name for path in run.rglob(".*")],
    }


def of_retest(out: Path) -> dict[str, Any]:
    """Return what a retest has left, without when and where."""
    record = read(out / "retest.json")
    return {
        "record": {name: value for name, value in record.items() if name not in ("ended", "command")},
        "page": (out / "retest.html").exists(),
        "left over": [path.name for path in out.rglob(".*")],
    }


LOST = "lost to a full disk, says the journal"


def of_training(out: Path) -> dict[str, Any]:
    """Return the curve, the kept states, the model and the result of a babysat training, by epoch."""
    from tfcourse.babysitting.journal import read_journal
    from tfcourse.babysitting.lineage import surviving

    events = read_journal(out)
    path = surviving(events.events)
    kept = out / "checkpoints"
    return {
        "curve": [(event["epoch"], event["step"], event["logs"]) for event in path if event["kind"] == "epoch"],
        "states": {
            (event["kind"], event["epoch"], event["step"]): LOST
            if event.get("disk_full")
            else of_state(kept / f"{event['number']:08d}.npz")
            for event in path
            if event["kind"] in ("start", "epoch")
        },
        "result": read(out / "result.json"),
        "model": of_model(out / "model.keras"),
        "page": (out / "report.html").exists(),
        "status": read(out / "run.json")["status"],
        "left over": [each.name for each in out.rglob(".*")],
    }


def of_state(path: Path) -> str:
    """Return the digest of a checkpoint: its arrays, and what it says beside them."""
    return of_npz(path) if path.exists() else "not there"


def differences(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Return the places at which two results differ.

    >>> differences({"a": [1, 2], "b": 0}, {"a": [1, 3], "b": 0})
    ['a.1: 2 became 3']
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = sorted(wanted.keys() | found.keys(), key=str)
        return [
            line
            for name in names
            for line in differences(wanted.get(name, "nothing"), found.get(name, "nothing"), f"{where}.{name}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            line
            for number, pair in enumerate(zip(wanted, found, strict=True))
            for line in differences(*pair, f"{where}.{number}")
        ]
    return [] if wanted == found else [f"{where.lstrip('.')}: {str(wanted)[:80]} became {str(found)[:80]}"]
