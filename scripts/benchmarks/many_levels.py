"""Whether a column for how often a category occurs helps where thousands of levels share 64 columns.

    python scripts/benchmarks/many_levels.py

Synthetic tables of a number and a category of thousands of levels, drawn by Zipf's law. Of three worlds one lets the
label depend on each level by itself, one on how frequent it is, one on neither. Test accuracy (higher is better, mean ±
standard error over seeds) of a logistic regression, a small network and boosted trees on the matrix with shared columns
alone (``levels = "shared"``) and with the column for the frequency.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from tfcourse.data.fit_table import fit_table
from tfcourse.data.reading.reading import Levels, Reading

WORLDS = ("frequency", "neither", "level")


def main() -> int:
    """Print the table of accuracies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=12000)
    parser.add_argument("--levels", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(f"{'world':10s} {'model':10s} {'shared':>16s} {'with frequency':>16s} {'difference':>16s}")
    for world in WORLDS:
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in range(options.seeds):
            table, y = draw(world, options.rows, options.levels, seed)
            order = np.random.default_rng(seed + 1000).permutation(options.rows)
            train, test = order[: options.rows * 3 // 5], order[options.rows * 3 // 5 :]
            beside, plain = matrix(table, train, ""), matrix(table, train, "shared")
            for name in ("logistic", "network", "trees"):
                one, two = (model(name, seed).fit(x[train], y[train]).score(x[test], y[test]) for x in (plain, beside))
                found.setdefault(name, []).append((one, two))
        for name, pairs in found.items():
            scores = np.array(pairs)
            shown = [*scores.T, scores[:, 1] - scores[:, 0]]
            cells = [f"{each.mean():.4f} ± {each.std(ddof=1) / len(each) ** 0.5:.4f}" for each in shown]
            print(f"{world:10s} {name:10s} " + " ".join(f"{cell:>16s}" for cell in cells), flush=True)
    return 0


def draw(world: str, rows: int, levels: int, seed: int) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Return a table of a number and a category, and labels 0 and 1."""
    random = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, levels + 1) ** 0.8
    town = random.choice(levels, rows, p=share / share.sum())
    number = random.normal(size=rows)
    effect = {
        "level": random.normal(0, 1.5, levels),
        "frequency": 1.5 * (np.log(share) - (np.log(share) * share).sum() / share.sum()),
        "neither": np.zeros(levels),
    }[world]
    y = random.random(rows) < 1 / (1 + np.exp(-(number + effect[town])))
    names = np.array([f"town {place}" for place in random.permutation(levels)], dtype=object)
    return {"size": number, "town": names[town]}, y.astype(np.int64)


def matrix(table: dict[str, NDArray[Any]], train: NDArray[np.int64], levels: Levels) -> NDArray[np.float32]:
    """Return the features of all rows, with or without the frequencies."""
    readings = {"town": Reading("town", "category", levels=levels)}
    return fit_table(table, train, readings)[0].transform(table)


def model(name: str, seed: int) -> Any:
    """Return a model to fit."""
    if name == "logistic":
        return LogisticRegression(C=0.3, max_iter=300)
    if name == "network":
        return MLPClassifier((64, 32), alpha=1e-3, early_stopping=True, max_iter=60, random_state=seed)
    return HistGradientBoostingClassifier(max_iter=80, random_state=seed)


if __name__ == "__main__":
    sys.exit(main())
