"""Time commands and programs with nothing kept, with an empty cache, and with what the run before kept.

    python scripts/benchmarks/kept_programs.py --repeats 3
    python scripts/benchmarks/kept_programs.py -- --data table.csv --target label --trials 4 --epochs 10

Each repeat starts five processes, one after the other: an import of TensorFlow and Keras, the first epoch of one
program (8 members, 3 layers; a cache of its own, empty and then filled), and ``python -m tfcourse.train`` with whatever
follows ``--``: without a cache, with an empty one, and again. Seconds are those of the clock and of the processor; the
second are to be believed where others use the machine. Ratios are to the import of the same repeat.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

IMPORT = "import tensorflow, keras"
FIRST_EPOCH = """
import numpy, tensorflow, keras, os, time
from tfcourse import NetworkSpec, OptimizerSpec, fit_together
x = numpy.random.default_rng(0).normal(size=(1200, 64)).astype("float32")
pairs = [(NetworkSpec(64, 10, (40, 30, 20)), OptimizerSpec("sgd", 0.01 * each)) for each in range(1, 9)]
wall, processor = time.perf_counter(), time.process_time()
fit_together(pairs, x, numpy.arange(1200) % 10, validation_data=(x[:300], numpy.arange(300) % 10), epochs=1)
print(time.perf_counter() - wall, time.process_time() - processor)
"""


def seconds(words: list[str], cache: str) -> tuple[float, float]:
    """Return the seconds that a process takes, by the clock and by the processor; or those that it prints."""
    environment = os.environ | {"TFCOURSE_CACHE": cache, "TF_CPP_MIN_LOG_LEVEL": "3"}
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - began, os.times()
    if FIRST_EPOCH in words:
        printed = done.stdout.decode().split()
        return float(printed[-2]), float(printed[-1])
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


def repeat(arguments: list[str]) -> dict[str, tuple[float, float]]:
    """Return the seconds of each way, side by side."""
    python = sys.executable
    found = {"import of TensorFlow and Keras": seconds([python, "-c", IMPORT], "off")}
    with tempfile.TemporaryDirectory() as folder:
        for name, cache in (("off", "off"), ("first", f"{folder}/one"), ("second", f"{folder}/one")):
            found[f"first epoch, {name}"] = seconds([python, "-c", FIRST_EPOCH], cache)
        for name, cache in (("off", "off"), ("first", f"{folder}/all"), ("second", f"{folder}/all")):
            out = ["--quiet", "--out", str(Path(folder) / f"run-{name}")]
            found[f"train, {name}"] = seconds([python, "-m", "tfcourse.train", *arguments, *out], cache)
    return found


def main() -> None:
    """Print the medians over the repeats."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("arguments", nargs="*", help="of tfcourse.train, after --")
    given = parser.parse_args()
    repeats = [repeat(given.arguments) for _ in range(given.repeats)]
    table = Table("", "clock s", "processor s", "processor, by the import's")
    for name in repeats[0]:
        wall, processor = (statistics.median(each[name][part] for each in repeats) for part in (0, 1))
        ratio = statistics.median(each[name][1] / next(iter(each.values()))[1] for each in repeats)
        table.add_row(name, f"{wall:.2f}", f"{processor:.2f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
