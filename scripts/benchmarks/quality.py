"""How good the saved model is: default, --folds 1, boosting and logistic regression on the same test rows.

    python scripts/benchmarks/quality.py --data ../shared/data
    python scripts/benchmarks/quality.py --data ../shared/data --tables sonar vehicle --seeds 0 1 2 --out quality.json

Each way trains on the rows of a run but for its test split, which every way is measured on. scikit-learn's models have
their defaults and learn from the matrix that the networks learn from. Seconds are the clock's, of the whole command.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.run.measure import log_loss

TARGETS = {
    "sonar": "class", "ionosphere": "class", "vehicle": "Class", "credit-approval": "class", "german-credit": "class",
    "banknote": "class", "wine-quality-red": "quality",
}  # fmt: skip
OURS = {"default": (), "--folds 1": ("--folds", "1")}
OTHERS = {
    "boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "logistic regression": lambda: LogisticRegression(max_iter=1000),
}


def ours(path: Path, target: str, seed: int, flags: tuple[str, ...]) -> dict[str, Any]:
    """Return what came of the command."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--data", str(path), "--target", target, "--seed", str(seed), "--out", f"{folder}/run", "--json"]
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "tfcourse.train", *words, *flags],
            capture_output=True, text=True, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        seconds = time.perf_counter() - began
        result = json.loads(done.stdout)
    found = {name: result["test"][name] for name in ("accuracy", "log_loss")}
    return {**found, "seconds": seconds, "out_of_fold": result.get("out_of_fold")}


def others(path: Path, target: str, seed: int) -> dict[str, dict[str, Any]]:
    """Return what scikit-learn's models reach on the test rows of the same split."""
    data = prepare(DataOptions(str(path), target=target, seed=seed))
    x, y = np.concatenate([data.train.x, data.validation.x]), np.concatenate([data.train.y, data.validation.y])
    found = {}
    for name, make in OTHERS.items():
        began = time.perf_counter()
        model = make().fit(x, y)
        probabilities = model.predict_proba(data.test.x)
        found[name] = {
            "accuracy": float((model.classes_[probabilities.argmax(axis=1)] == data.test.y).mean()),
            "log_loss": log_loss(probabilities, data.test.y),
            "seconds": time.perf_counter() - began,
        }
    return found


def main(argv: list[str] | None = None) -> int:
    """Measure what is left to measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0], help="of the splits and searches")
    parser.add_argument("--out", type=Path, help="file for the measurements, which are not made again")
    options = parser.parse_args(argv)
    console = Console(width=120)
    results: dict[str, dict[str, Any]] = {}
    if options.out and options.out.exists():
        results = json.loads(options.out.read_text())
    for name in options.tables:
        path = options.data / f"{name}.csv"
        if not path.exists():
            console.print(f"{path} is not there")
            continue
        for seed in options.seeds:
            here = results.setdefault(f"{name} {seed}", {})
            for way, flags in OURS.items():
                if way not in here:
                    here[way] = ours(path, TARGETS[name], seed, flags)
            if not set(OTHERS) <= set(here):
                here |= others(path, TARGETS[name], seed)
            if options.out:
                options.out.write_text(json.dumps(results))
    table = Table("table, seed", *(f"{way}" for way in (*OURS, *OTHERS)), title="log-loss, accuracy, seconds")
    for name, here in results.items():
        cells = [
            f"{here[w]['log_loss']:.4f} {here[w]['accuracy']:.1%} {here[w]['seconds']:.0f} s" for w in (*OURS, *OTHERS)
        ]
        table.add_row(name, *cells)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
