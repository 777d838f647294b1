"""Time and memory of reading tables, beside ``pandas.read_csv`` in the same run (on Linux)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

ROUNDS, LARGE_ROWS, LARGE_COLUMNS = 5, 2_000_000, 10
READ = """
import sys, time
from pathlib import Path
path = Path(sys.argv[1])
def kilobytes(of):  # not getrusage, whose peak a process inherits from the one that started it
    return int(next(line for line in open("/proc/self/status") if line.startswith(of)).split()[1])
import numpy, pandas, pyarrow, pyarrow.csv, pyarrow.compute, pyarrow.pandas_compat
import tfcourse.data.tablefile, tfcourse.data.reading.decide
from tfcourse.data.reading.each_column import each_column
before = kilobytes("VmRSS")
started = time.perf_counter()
if sys.argv[2] == "pandas":
    pandas.read_csv(path)
else:
    table = tfcourse.data.tablefile.read_table(path).table
    mark = tfcourse.data.reading.decimal_mark.DecimalMark(table)
    decide = tfcourse.data.reading.decide.decide
    each_column(lambda name, column: decide(name, column, beside=mark), table)
print(time.perf_counter() - started, kilobytes("VmHWM") - before)
"""


def measure(folder: Path) -> int:
    """Print seconds and memory of reading, and their ratios; return 0."""
    with tempfile.TemporaryDirectory() as temporary:
        large = Path(temporary) / "large.csv"
        write_large(large)
        for path in (folder / "letter-recognition.csv", folder / "adult-train.csv", large):
            size = path.stat().st_size
            ours, pandas = ([once(path, who) for _ in range(ROUNDS)] for who in ("ours", "pandas"))
            seconds, judge = (float(np.median([run[0] for run in runs])) for runs in (ours, pandas))
            memory = max(run[1] for run in ours) * 1024
            print(
                f"{path.stem}: {size / 1e6:.1f} MB; {seconds:.2f} s, pandas.read_csv {judge:.2f} s:"
                f" {seconds / judge:.2f} x; peak memory {memory / 1e6:.0f} MB, {memory / size:.1f} x the file"
            )
    return 0


def once(path: Path, who: str) -> tuple[float, int]:
    """Return seconds and kilobytes of one reading in a process of its own."""
    output = subprocess.run([sys.executable, "-c", READ, str(path), who], capture_output=True, text=True, check=True)
    seconds, memory = output.stdout.split()
    return float(seconds), int(memory)


def write_large(path: Path) -> None:
    """Write a table of two million rows: numbers, whole numbers, a date, categories."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{i}": random.normal(size=LARGE_ROWS).round(4) for i in range(LARGE_COLUMNS - 4)})
    frame["n"] = random.integers(0, 1000, LARGE_ROWS)
    frame["day"] = pd.Timestamp("2000-01-01") + pd.to_timedelta(random.integers(0, 9000, LARGE_ROWS), unit="D")
    frame["k"] = random.choice(["red", "green", "blue"], LARGE_ROWS)
    frame["t"] = random.choice([f"town {number}" for number in range(500)], LARGE_ROWS)
    frame.to_csv(path, index=False)


if __name__ == "__main__":
    sys.exit(measure(Path(sys.argv[1])))
