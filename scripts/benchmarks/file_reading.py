"""How long reading files takes beside pandas.read_csv, and how much memory at most (Linux).

    python scripts/benchmarks/file_reading.py [FILE.csv ...]

Without files: a table of two million rows and ten columns, written for it. Times are the least of several, in turns.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tfcourse.data.tablefile import read_table

# The high water mark of the process itself: what getrusage says starts from the process that started it.
_PEAK = """
import re, sys
from pathlib import Path
from tfcourse.data.tablefile import read_table
table = read_table(Path(sys.argv[1])).table
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


def write_table(path: Path, rows: int) -> None:
    """Write a table of numbers, whole numbers, categories and moments."""
    rng = np.random.default_rng(0)
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 10**8, rows), unit="s")
    columns = {f"x{i}": rng.normal(size=rows).round(6) for i in range(6)}
    more = {"count": rng.integers(0, 1000, rows), "id": np.arange(rows), "moment": moments}
    pd.DataFrame(columns | more | {"color": rng.choice(["red", "green", "blue"], rows)}).to_csv(path, index=False)


def seconds(read: Callable[[Path], object], path: Path) -> tuple[float, float]:
    """Return the seconds by the clock and of the processor that one reading takes."""
    gc.collect()
    clock, processor = time.perf_counter(), time.process_time()
    read(path)
    return time.perf_counter() - clock, time.process_time() - processor


def measure(path: Path) -> str:
    """Return a line on one file."""
    size = path.stat().st_size
    turns = 3 if size > 1e8 else 9
    ours, pandas = zip(*((seconds(read_table, path), seconds(pd.read_csv, path)) for _ in range(turns)), strict=True)
    (clock, processor), (pandas_clock, pandas_processor) = (
        map(min, zip(*ours, strict=True)),
        map(min, zip(*pandas, strict=True)),
    )
    peak = int(subprocess.run([sys.executable, "-c", _PEAK, str(path)], capture_output=True, check=True).stdout)
    return (
        f"{path.name}: {clock:.3f} s ({clock / pandas_clock:.2f} of pandas,"
        f" of the processor's time {processor / pandas_processor:.2f});"
        f" {size / 1e6:.1f} MB, peak {peak / 1e6:.0f} MB ({peak / size:.2f} of the file)"
    )


def main() -> None:
    """Measure the files given, or one that is made."""
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            print(measure(Path(name)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "two-million.csv"
        write_table(path, 2_000_000)
        print(measure(path))


if __name__ == "__main__":
    main()
