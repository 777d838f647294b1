"""Write each table in many spellings and compare what is read with the plain table, bit for bit; then time the reading.

    python scripts/benchmarks/reading.py --data ../shared/data
    python scripts/benchmarks/reading.py --data ../shared/data --time

Every CSV of the folder is written anew: other missing markers, thousands separators and decimal commas, units, date
forms, encodings, delimiters, compressions, file kinds and orders of columns. A spelling must give the plain table's
feature matrix to the last bit, or be refused by a message that names the column or the file. What is read otherwise
with a line that names the column (a point that may stand before thousands) is counted as told; anything else is wrong,
and the script fails. A spelling that a table has nothing for (dates, missing values) is left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd
from reading_spellings import SPELLINGS
from reading_times import measure

from tfcourse.data.prepare import DataOptions, Prepared, prepare
from tfcourse.errors import UserError

TARGETS = {"adult-train": "income", "wine-quality-red": "quality", "splice": "Class", "vehicle": "Class"}
TARGETS |= {"penguins": "species", "noaa-weather": "rain"}


def main() -> int:
    """Run the benchmark and return 1 if a spelling was read wrongly in silence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder of CSV files")
    parser.add_argument("--tables", nargs="+", help="names of some of them")
    parser.add_argument("--rows", type=int, help="at most about so many rows of each, for a quick look")
    parser.add_argument("--time", action="store_true", help="measure time and memory beside pandas.read_csv instead")
    options = parser.parse_args()
    if options.time:
        return measure(options.data)
    names = options.tables or sorted(path.stem for path in options.data.glob("*.csv"))
    counts: Counter[str] = Counter()
    for name in names:
        counts += check(options.data / f"{name}.csv", options.rows)
    print(f"{sum(counts.values())} spellings of {len(names)} tables: {words(counts)}")
    return int(counts["wrong"] > 0)


def check(path: Path, rows: int | None) -> Counter[str]:
    """Print how every spelling of a table was read, and return how many were read in which way."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    if rows is not None:
        frame = frame.iloc[:: max(1, len(frame) // rows)]
    target = TARGETS.get(path.stem, "class")
    same = 0
    refused: list[str] = []
    told: list[str] = []
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.csv"
        frame.to_csv(plain, index=False)
        expected = prepare(DataOptions(str(plain), target))
        for spelling in SPELLINGS:
            written = spelling.write(frame.copy(), target, Path(folder))
            if written is None:
                continue
            try:
                found = prepare(DataOptions(str(written), target))
            except UserError as error:
                refused.append(f"{spelling.name}: {error}")
                continue
            if difference := unlike(expected, found):
                columns = tuple(f"{name}: " for name in frame.columns)
                said = [note for note in found.notes if note not in expected.notes and note.startswith(columns)]
                (told if said else wrong).append(f"{spelling.name}: {'; '.join(said) or difference}")
            else:
                same += 1
    counts = Counter({"the same": same, "refused": len(refused), "told": len(told), "wrong": len(wrong)})
    print(f"{path.stem}, {len(frame)} rows: {words(counts)}", flush=True)
    for kind, lines in (("refused", refused), ("told", told), ("WRONG", wrong)):
        for line in lines:
            print(f"    {kind} {line[:200]}", flush=True)
    return counts


def words(counts: Counter[str]) -> str:
    """Return how many spellings were read in which way."""
    return ", ".join(f"{counts[kind]} {kind}" for kind in ("the same", "refused", "told", "wrong"))


def unlike(expected: Prepared, found: Prepared) -> str:
    """Return how two readings differ, empty if they are the same to the last bit up to the order of the columns."""
    for part in ("train", "validation", "test"):
        one, other = getattr(expected, part), getattr(found, part)
        if one.x.shape != other.x.shape:
            return f"{part} has the shape {other.x.shape}, not {one.x.shape}"
        if (one.y != other.y).any():
            return f"labels of {part} differ"
        if sorted(one.x.T.tobytes()[i : i + 4 * len(one)] for i in range(0, one.x.nbytes, 4 * len(one))) != sorted(
            other.x.T.tobytes()[i : i + 4 * len(one)] for i in range(0, one.x.nbytes, 4 * len(one))
        ):
            return f"columns of {part} differ"
    return ""


if __name__ == "__main__":
    sys.exit(main())
