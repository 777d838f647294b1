"""Make the run folders of the present version that later versions must take: tests/faults/old_runs/VERSION.

    python scripts/faults/make_old_runs.py tests/faults/old_runs/0.1.0

Made once for a version, before it is released, and never again: what matters is that this version wrote them. A
completed search on a table, with a retest in it; one that was interrupted; a completed search on images; a babysat
training. Beside them lie their data and ``expected.json``: what the models say of the rows, and what the interrupted
search comes to. Pages are left out, since they can be made again, and so is where the folders were made: paths become
/elsewhere/NAME.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SPACE = "units = [3, 5]\nlayers = [1, 2]\n[learning_rate]\nlow = 0.003\nhigh = 0.1\n"
TABLE = ["--data", "pets.csv", "--target", "kind", "--space", "space.toml", "--epochs", "2", "--quiet"]
HIDDEN_PLACE = "/elsewhere"


def write_data(place: Path) -> None:
    """Write the table, a newer one for the retest, the images and the space."""
    for name, seed, shift in (("pets.csv", 0, 0.0), ("new-pets.csv", 1, 3.0)):
        (place / name).write_text(table(90, seed, shift), encoding="utf-8")
    numbers = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = (numbers.integers(0, 150, (60, 3, 3)) + 100 * labels[:, None, None]).astype(np.uint8)
    np.savez_compressed(place / "images.npz", x=images, y=np.array(["dark", "light"])[labels])
    (place / "space.toml").write_text(SPACE, encoding="utf-8")


def table(rows: int, seed: int, shift: float) -> str:
    """Return a CSV with every kind of column, missing values and rows that repeat, its classes told apart by it."""
    draw = random.Random(seed)
    lines = ["name,weight,colour,legs,born,kind"]
    for number in range(rows):
        weight, colour = draw.gammavariate(4, 2), draw.choice(["black", "white", "ginger"])
        kind = "dog" if weight + 2 * (colour == "black") + draw.gauss(0, 1) > 8.5 else "cat"
        weight = "" if number % 10 == 0 else f"{weight + shift:.2f}"  # type: ignore[assignment]
        lines.append(f"pet {number},{weight},{colour},4,20{number % 20 + 10}-0{number % 9 + 1}-15,{kind}")
    return "\n".join([*lines, *lines[5:8]]) + "\n"


def call(place: Path, command: str, *words: str) -> None:
    """Run a command in the place, so that what it keeps of its words is relative."""
    done = subprocess.run(
        [sys.executable, "-m", f"tfcourse.{command}", *words], cwd=place, capture_output=True, text=True
    )
    if done.returncode not in ((0, 3, 4) if command == "retest" else (0,)):
        raise SystemExit(f"{command} {' '.join(words)}: status {done.returncode}\n{done.stderr}")


def interrupt(place: Path, *words: str) -> None:
    """Begin a search and press Ctrl-C once its first trial has ended."""
    search = subprocess.Popen([sys.executable, "-m", "tfcourse.train", *words], cwd=place)
    first = place / "interrupted" / "search" / "trial_0" / "trial.json"
    while not first.exists() or json.loads(first.read_text())["status"] == "RUNNING":
        time.sleep(0.005)
    search.send_signal(signal.SIGINT)
    if (status := search.wait()) != 130:
        raise SystemExit(f"the search was not interrupted but ended with status {status}")


def probabilities(place: Path, run: str, data: str) -> list[list[str]]:
    """Return the rows that predict writes."""
    call(place, "predict", run, "--data", data, "--out", "predictions.csv")
    with (place / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    (place / "predictions.csv").unlink()
    return rows


def make(place: Path) -> None:
    """Make all of it."""
    place.mkdir(parents=True)
    write_data(place)
    call(place, "train", *TABLE, "--trials", "2", "--out", "table")
    call(place, "retest", "table", "--data", "new-pets.csv", "--top", "2", "--repeats", "3", "--out", "table/retests/1")
    call(place, "train", "--data", "images.npz", "--space", "space.toml", "--epochs", "2", "--trials", "2", "--quiet",
         "--out", "arrays")  # fmt: skip
    slowly = [*TABLE, "--trials", "4", "--engine", "keras", "--rounds", "2"]
    interrupt(place, *slowly, "--out", "interrupted")
    call(place, "train", *slowly, "--out", "undisturbed")
    settings = ["units=4", "learning_rate=0.02", "dropout=0.1", "batch_size=16", "epochs=3"]
    call(place, "babysit", "start", "--data", "pets.csv", "--target", "kind", "--set", *settings, "--quiet",
         "--out", "training")  # fmt: skip
    expected: dict[str, Any] = {run: probabilities(place, run, "pets.csv") for run in ("table", "training")}
    expected["arrays"] = probabilities(place, "arrays", "images.npz")
    expected["interrupted"] = probabilities(place, "undisturbed", "pets.csv")
    expected["trials of interrupted"] = {
        path.parent.name: json.loads(path.read_text())["score"]
        for path in sorted((place / "undisturbed" / "search").glob("trial_*/trial.json"))
    }
    (place / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    for path in sorted((place / "undisturbed").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (place / "undisturbed").rmdir()
    strip(place)


def strip(place: Path) -> None:
    """Remove the pages, and from every text where and on which machine it was written."""
    here, host = str(place.resolve()), os.uname().nodename
    for path in place.rglob("*"):
        if path.suffix == ".html" or path.name == "lock":
            path.unlink()
        elif path.suffix in (".json", ".jsonl"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(here, HIDDEN_PLACE).replace(f'"{host}"', '"elsewhere"'), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path, metavar="DIR", help="a folder that is not there yet")
    make(parser.parse_args().place)
