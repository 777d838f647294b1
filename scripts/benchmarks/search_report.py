"""What the measured searches show: losses by trials, losses and targets by seconds."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

BASE = "keras_tuner.RandomSearch"


def best_at(values: Sequence[float], count: int) -> float:
    """Return the best of the first ``count`` trials."""
    return min(values[:count], default=math.inf)


def test_at(run: dict[str, Any], count: int) -> float:
    """Return the test log-loss of the best of the first ``count`` trials."""
    losses = run["validation"][:count]
    return float(run["test"][int(np.argmin(losses))]) if losses else math.inf


def seconds_until(run: dict[str, Any], loss: float) -> float:
    """Return the seconds until a search's best validation loss is at most ``loss``; infinite if it never is."""
    reached = [seconds for seconds, value in zip(run["seconds"], run["validation"], strict=True) if value <= loss]
    return min(reached, default=math.inf)


def interval(values: Iterable[float]) -> str:
    """Return the median (the lower of two) with its 95 % bootstrap interval; values may be infinite."""
    found = np.array(list(values))
    rng = np.random.default_rng(0)
    # Of infinite values too a quantile is one of them, where it is not interpolated.
    medians = np.quantile(rng.choice(found, (2000, len(found))), 0.5, axis=1, method="inverted_cdf")
    middle = float(np.quantile(found, 0.5, method="inverted_cdf"))
    low, high = np.quantile(medians, [0.025, 0.975], method="inverted_cdf")
    return f"{middle:.4f} [{low:.4f}, {high:.4f}]"


def best_by(run: dict[str, Any], seconds: float) -> float:
    """Return the best validation loss among the trials that had ended after so many seconds; infinite if none had."""
    ended = [value for at, value in zip(run["seconds"], run["validation"], strict=True) if at <= seconds]
    return min(ended, default=math.inf)


def excess(
    results: list[dict[str, Any]], way: str, pick: Callable[[dict[str, Any], dict[str, Any]], float]
) -> list[float]:
    """Return how much worse a way is than the best of all ways, for each table and seed, as a ratio minus 1.

    Args:
        results: all measurements.
        way: the way.
        pick: from a run, and the run of the base way on the same table and seed, to the loss.
    """
    found = []
    for table in sorted({result["table"] for result in results}):
        here = {result["way"]: result["runs"] for result in results if result["table"] == table}
        for seed in range(min(map(len, here.values()))):
            base = here.get(BASE, here[way])[seed]
            best, mine = min(pick(runs[seed], base) for runs in here.values()), pick(here[way][seed], base)
            found.append(mine / best - 1 if math.isfinite(mine) else math.inf)  # nothing had ended: the worst there is
    return found


def report(results: list[dict[str, Any]], trials: int, console: Console) -> None:
    """Print what the ways reach by trials and by seconds, over all tables and seeds."""
    ways = list(dict.fromkeys(result["way"] for result in results))
    measured = {(result["table"], result["way"]) for result in results}
    tables = sorted({table for table, _ in measured if all((table, way) in measured for way in ways)})
    left_out = sorted({table for table, _ in measured} - set(tables))
    if left_out:
        console.print(f"Left out, as not all ways were measured on them: {', '.join(left_out)}")
    if not tables:
        return
    results = [result for result in results if result["table"] in tables]
    console.print(f"Tables: {', '.join(tables)}; {len(results[0]['runs'])} seeds; medians with 95 % intervals")
    for what, at in (("validation", _validation_at), ("test", test_at)):
        console.print(_table_by_trials(what, at, results, ways, trials))
    if BASE in ways:
        console.print(_table_by_seconds(results, ways))
    console.print(_table_of_seconds(results, ways))


def _validation_at(run: dict[str, Any], count: int) -> float:
    return best_at(run["validation"], count)


def _table_by_trials(what: str, at: Any, results: list[dict[str, Any]], ways: list[str], trials: int) -> Table:
    counts = [count for count in (8, 16, 32, 64, 100) if count <= trials]
    table = Table(title=f"{what} log-loss of the best so far, excess over the best way (0 is best)")
    for column in ("way", *(f"{count} trials" for count in counts)):
        table.add_column(column, overflow="fold")
    for way in ways:
        picks = [functools.partial(lambda count, run, _: at(run, count), count) for count in counts]
        table.add_row(way, *(interval(excess(results, way, pick)) for pick in picks))
    return table


def _table_by_seconds(results: list[dict[str, Any]], ways: list[str]) -> Table:
    shares = (1 / 100, 1 / 50, 1 / 30, 1 / 20, 1 / 10)
    table = Table(
        title=f"validation log-loss by seconds, as shares of those of all trials in {BASE}; inf: none had ended"
    )
    for column in ("way", *(f"1/{round(1 / share)}" for share in shares)):
        table.add_column(column, overflow="fold")
    for way in ways:
        picks = [
            functools.partial(lambda share, run, base: best_by(run, share * max(base["seconds"])), share)
            for share in shares
        ]
        table.add_row(way, *(interval(excess(results, way, pick)) for pick in picks))
    return table


def _table_of_seconds(results: list[dict[str, Any]], ways: list[str]) -> Table:
    table = Table(title="seconds: for all trials, and until KerasTuner's random best is reached")
    for column in ("way", "s, all trials", "of it compiling", "s until reached", "reached in", "share of its seconds"):
        table.add_column(column)
    theirs = {(r["table"], n): run for r in results if r["way"] == BASE for n, run in enumerate(r["runs"])}
    for way in ways:
        mine = [((r["table"], n), run) for r in results if r["way"] == way for n, run in enumerate(r["runs"])]
        mine = [(key, run) for key, run in mine if key in theirs]
        until = [seconds_until(run, min(theirs[key]["validation"])) for key, run in mine]
        shares = [s / max(theirs[key]["seconds"]) for s, (key, _) in zip(until, mine, strict=True)]
        compiling = [run.get("compiling", 0.0) for _, run in mine]
        table.add_row(
            way,
            f"{np.median([max(run['seconds']) for _, run in mine]):.1f}" if mine else "",
            f"{np.median(compiling):.1f}" if any(compiling) else "",
            f"{np.median(until):.1f}" if until else "",
            f"{np.mean(np.isfinite(until)):.0%} of runs" if until else "",
            f"{np.median(shares):.3f}" if shares else "",
        )
    return table
