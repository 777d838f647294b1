"""Time the engines that train a search's trials: KerasTuner, tuned Model.fit, a pool of it, and the cohort.

    python scripts/benchmarks/engines.py --task digits --trials 200 64 --out digits.json
    python scripts/benchmarks/engines.py --task fashion --trials 24 --fashion DIR
    python scripts/benchmarks/engines.py --task memory --trials 3000     (does a long search grow or slow down?)

Every engine trains the same trials on the same data for the same epochs, each in a process of its own, one after the
other. The slow engines train a sample of the trials, and the table says so; their time per trial is what is compared.
The matrix-product peak of the machine is measured before and after each engine. Processor seconds, of all threads, are
given beside the time that passes: other work on the machine stretches the one and hardly changes the other. GFLOP/s are
those inside the cohorts' training loop, of what the networks need and of all that is multiplied, padding too.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import math
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_tasks import TASKS, Data, Trial, digits, draw, fashion, peak
from engine_ways import ENGINES, memory_engine
from rich.console import Console
from rich.table import Table


def _measured(engine: str, trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    before = peak()
    result = {**ENGINES, "memory": memory_engine}[engine](trials, data, settings)
    after = peak()
    return {**result, **{f"peak_{name}": max(before[name], after[name]) for name in before}}


def measure(engine: str, trials: list[Trial], data: Data, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what ``engine`` measured, in a process of its own."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        result = process.submit(_measured, engine, trials, data, settings).result()
    each = {f"{name}_per_trial": result[name] / result["trials"] for name in ("seconds", "processor_seconds")}
    return {"engine": engine, **each, **result}


def compare(task: str, count: int, data: Data, options: argparse.Namespace, console: Console) -> list[dict[str, Any]]:
    """Return the measurements of every engine on ``count`` trials; slow engines train the first few of them."""
    settings: dict[str, Any] = {**TASKS[task], "way": (1, False)}
    trials = draw(count, data, settings["batch_size"])
    results = []
    for engine in ENGINES:
        if options.engines and engine not in options.engines:
            continue
        sample = trials if engine == "cohort" else trials[: options.sample]
        results.append(measure(engine, sample, data, settings))
        settings["way"] = results[-1].get("way", settings["way"])
        console.print(f"{engine}: {results[-1]['seconds_per_trial']:.3f} s / trial", highlight=False)
    return results


def table(title: str, results: list[dict[str, Any]], count: int) -> Table:
    """Return the measurements as a table, a column an engine."""
    shown = Table("", *(row["engine"] for row in results), title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    names = ("seconds_per_trial", "processor_seconds_per_trial")
    cohort = next((row for row in results if row["engine"] == "cohort"), dict.fromkeys(names, math.nan))

    def share(row: dict[str, Any], rate: str) -> str:
        if f"{rate}_of_a_core" not in row:
            return ""
        by_clock, by_work = row[rate] / row["peak_gflops"], row[f"{rate}_of_a_core"] / row["peak_gflops_of_a_core"]
        return f"{row[rate]:.0f} = {by_clock:.0%} ({by_work:.0%} by processor time)"

    lines: dict[str, Callable[[dict[str, Any]], str]] = {
        "trials timed": lambda row: f"{row['trials']}{'' if row['trials'] == count else ' (sample)'}",
        "seconds a trial": lambda row: f"{row[names[0]]:.3f}",
        f"seconds for {count}": lambda row: f"{row[names[0]] * count:.0f}",
        "the cohort is faster by": lambda row: f"{row[names[0]] / cohort[names[0]]:.1f}",
        "processor seconds a trial": lambda row: f"{row[names[1]]:.3f}",
        "the cohort works less by": lambda row: f"{row[names[1]] / cohort[names[1]]:.1f}",
        "machine's peak, GFLOP/s": lambda row: f"{row['peak_gflops']:.0f}",
        "loop, GFLOP/s": lambda row: share(row, "loop_gflops"),
        "loop with its padding": lambda row: share(row, "loop_gflops_padded"),
        "padding": lambda row: f"{row['padding']:.0%}" if "padding" in row else "",
    }
    for name, text in lines.items():
        shown.add_row(name, *map(text, results))
    return shown


def long_search(count: int, data: Data, console: Console) -> dict[str, Any]:
    """Measure many trials in one process, a hundred at a time, and print what each hundred took and what is held."""
    result = measure("memory", draw(count, data, 64), data, TASKS["memory"])
    for row in result["rows"]:
        console.print(
            f"{row['trials']:5d} trials  {row['seconds'] / 100:.4f} s/trial"
            f"  {row['processor_seconds'] / 100:.4f} processor s/trial  {row['megabytes']:.0f} MB"
        )
    early, late = result["rows"][1:3], result["rows"][-2:]
    for name in ("seconds", "processor_seconds", "megabytes"):
        if len(late) == len(early) == 2:
            ratio = sum(row[name] for row in late) / sum(row[name] for row in early)
            console.print(f"last 200 trials against trials 101 to 300: {name} x {ratio:.3f}", highlight=False)
    return result


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(TASKS), default="digits")
    parser.add_argument("--trials", type=int, nargs="+", help="numbers of trials (default: those of the task)")
    parser.add_argument("--sample", type=int, default=4, help="trials that a slow engine trains (default: %(default)s)")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), help="only these engines")
    parser.add_argument("--fashion", type=Path, help="folder of Fashion-MNIST's four .gz files; else Keras's cache")
    parser.add_argument("--out", type=Path, help="file for the measurements as JSON")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Measure, print a table, and write the JSON file when asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = build_parser().parse_args(argv)
    data = fashion(options.fashion) if options.task == "fashion" else digits()
    console, written = Console(), []
    for count in options.trials or TASKS[options.task]["trials"]:
        if options.task == "memory":
            written.append(long_search(count, data, console))
            continue
        results = compare(options.task, count, data, options, console)
        console.print(table(f"{options.task}: {count} trials, {os.cpu_count()} cores", results, count))
        written.append({"task": options.task, "trials": count, "results": results})
        if options.out:
            options.out.write_text(json.dumps(written, indent=1))
    if options.out:
        options.out.write_text(json.dumps(written, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
