"""Count how often a retest says what it should, on real tables and over seeds.

    python scripts/benchmarks/retest.py --data FOLDER --seeds 10 --out retest.json
    python scripts/benchmarks/retest.py --data FOLDER --tables noaa-weather --seeds 10

A table is shuffled with the seed and cut in two: a search on the first half, a retest on the second, as it is
(``same``: every answer but "keep" is a false alarm) and altered. The altered column is the one with the most mutual
information with the label in the first half. ``noaa-weather`` is cut in thirds in the order of time instead, each
thinned out at random; what is right there is not known. All searches and retests run in one process, so that programs
are compiled once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

TARGETS = {
    "magic-gamma": "class", "noaa-weather": "rain", "adult-train": "income", "letter-recognition": "class",
    "spambase": "class", "wine-quality-red": "quality", "german-credit": "class", "banknote": "class",
    "vehicle": "Class", "sonar": "class",
}  # fmt: skip
ALTERED = ("magic-gamma",)
IN_ORDER = "noaa-weather"
Alteration = Callable[[pd.DataFrame, str, str, np.random.Generator], pd.DataFrame]


def same(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Return the rows as they are."""
    return frame


def scaled(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Write the column in a unit ten times smaller."""
    return frame.assign(**{column: frame[column].astype(float) * 10})


def shifted(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Add two standard deviations to the column."""
    values = frame[column].astype(float)
    return frame.assign(**{column: values + 2 * values.std()})


def shuffled(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Give each row the column's value of another row."""
    return frame.assign(**{column: random.permutation(frame[column].to_numpy())})


def swapped(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Swap the first two classes."""
    a, b = sorted(frame[target].unique())[:2]
    return frame.assign(**{target: frame[target].replace({a: b, b: a})})


def other_rule(frame: pd.DataFrame, column: str, target: str, random: np.random.Generator) -> pd.DataFrame:
    """Label the quarter of the rows with the column's largest values by another rule: all as the first class."""
    values = frame[column].astype(float)
    first = min(frame[target].unique())
    return frame.assign(**{target: frame[target].where(values < values.quantile(0.75), first)})


ALTERATIONS: tuple[Alteration, ...] = (scaled, shifted, shuffled, swapped, other_rule)


def leading_column(frame: pd.DataFrame, target: str) -> str:
    """Return the column of numbers that tells most about the label."""
    from sklearn.feature_selection import mutual_info_classif

    numbers = frame.drop(columns=target).apply(pd.to_numeric, errors="coerce").dropna(axis=1)
    information = mutual_info_classif(numbers, frame[target], random_state=0)
    return str(numbers.columns[int(information.argmax())])


def halves(frame: pd.DataFrame, seed: int, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two random halves of at most ``most`` rows each."""
    order = np.random.default_rng(seed).permutation(len(frame))
    half = min(most, len(frame) // 2)
    return frame.iloc[order[:half]], frame.iloc[order[half : 2 * half]]


def batches(name: str, folder: Path, seed: int, most: int) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], str]:
    """Return the rows of the search, the batches to retest by what was done to them, and the altered column."""
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    if name == IN_ORDER:
        third, random = len(frame) // 3, np.random.default_rng(seed)
        kept = np.sort(random.permutation(third)[:most])
        first, second, last = (frame.iloc[start * third : (start + 1) * third].iloc[kept] for start in range(3))
        return first, {"second third": second, "last third": last}, ""
    target = TARGETS[name]
    first, second = halves(frame, seed, most)
    column = leading_column(first, target) if name in ALTERED else ""
    chosen = (same, *ALTERATIONS) if name in ALTERED else (same,)
    random = np.random.default_rng([seed, 1])
    return first, {alter.__name__: alter(second, column, target, random) for alter in chosen}, column


def measure(name: str, folder: Path, seed: int, trials: int, most: int) -> list[dict[str, Any]]:
    """Search on one part of a table, retest on others, and return a record a retest."""
    from tfcourse import train
    from tfcourse.retesting.new_data import read_new_data
    from tfcourse.retesting.old_run import open_old_run
    from tfcourse.retesting.retest import retest
    from tfcourse.run.folder import RunFolder

    place = Path(tempfile.mkdtemp())
    try:
        first, later, column = batches(name, folder, seed, most)
        first.to_csv(place / "old.csv", index=False)
        given = ["--data", str(place / "old.csv"), "--target", TARGETS[name], "--out", str(place / "run"), "--quiet"]
        if train.main([*given, "--trials", str(trials), "--seed", str(seed)]) != 0:
            raise SystemExit(f"the search on {name} failed")
        run = open_old_run(RunFolder.open(place / "run"), 8)
        records = []
        for done, frame in later.items():
            frame.to_csv(place / "new.csv", index=False)
            began = time.monotonic()
            new = read_new_data(str(place / "new.csv"), run.folder.record, run.features)
            found = retest(run, new, repeats=5, seed=seed)
            moved = [shift.name for shift in found.columns if shift.moved]
            records.append(
                {
                    "table": name, "done": done, "seed": seed, "rows": len(frame), "column": column,
                    "action": found.recommendation.action, "rank": found.rank[0], "moved": moved,
                    "misleading": [each.name for each in found.misleading],
                    "regret": found.regret.interval.to_json(), "lucky": found.regret.lucky, "chance": found.chance,
                    "excess": found.excess.interval.to_json(), "best_cost": found.regret.best_cost,
                    "retrained": found.excess.retrained, "seconds": time.monotonic() - began,
                }
            )  # fmt: skip
        return records
    finally:
        shutil.rmtree(place)


def show(records: list[dict[str, Any]], console: Console) -> None:
    """Print the tallies."""
    table = Table(title="What the retests said")
    columns = ("table", "done to the new rows", "rows", "keep", "retrain", "search again", "column named",
               "regret", "lucky regret", "excess", "seconds")  # fmt: skip
    for heading in columns:
        table.add_column(heading, justify="left" if heading in columns[:2] else "right")
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["table"], record["done"]), []).append(record)
    for (name, done), group in sorted(groups.items()):
        counts = [sum(r["action"] == action for r in group) for action in ("keep", "retrain", "search again")]
        named = sum(r["column"] in r["moved"] + r["misleading"] for r in group)
        table.add_row(
            name, done, str(group[0]["rows"]), *(f"{count}/{len(group)}" for count in counts),
            f"{named}/{len(group)}" if done in ("scaled", "shifted", "shuffled") else "",
            f"{np.mean([r['regret']['mean'] for r in group]):+.4f}", f"{np.mean([r['lucky'] for r in group]):+.4f}",
            f"{np.mean([r['excess']['mean'] for r in group]):+.4f}", f"{np.median([r['seconds'] for r in group]):.0f}",
        )  # fmt: skip
    console.print(table)
    unchanged = [r for r in records if r["done"] == "same"]
    if unchanged:
        alarms = sum(r["action"] != "keep" for r in unchanged)
        console.print(f"False alarms on unchanged tables: {alarms} of {len(unchanged)}.")


def main() -> None:
    """Run the tables, print the tallies, and keep every retest's numbers."""
    parser = argparse.ArgumentParser(description="How often does a retest say what it should?")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=10, help="how many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=16, help="trials of each search")
    parser.add_argument("--rows", type=int, default=1200, help="most rows of a half")
    parser.add_argument("--out", type=Path, help="JSON file of all records")
    arguments = parser.parse_args()
    records: list[dict[str, Any]] = []
    console = Console(width=150)
    for name in arguments.tables:
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            records += measure(name, arguments.data, seed, arguments.trials, arguments.rows)
            if arguments.out:
                arguments.out.write_text(json.dumps(records, indent=1), encoding="utf-8")
            console.print(name, seed, [(r["done"], r["action"]) for r in records if r["seed"] == seed][-6:])
    show(records, console)


if __name__ == "__main__":
    main()
