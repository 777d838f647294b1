"""Choose the settings that a search tries first, from many tables, and say what they are worth on others.

    python scripts/benchmarks/portfolio.py --data ../shared/data --out portfolio.jsonl
    python scripts/benchmarks/portfolio.py --out portfolio.jsonl --write tfcourse/space/portfolio.toml
    python scripts/benchmarks/portfolio.py --data ../shared/data --out portfolio.jsonl --search 64 --found found.jsonl

Settings are drawn from the course's space, the same ones for every table; each is trained on each table as a trial of
``train`` is, all of a table in a few compiled programs. A table's split is a line of ``--out`` as soon as it is
measured, and is not measured again: an interrupted call goes on. ``--search`` then searches each table as ``train``
does, with the settings that the other tables choose and without any.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

if TYPE_CHECKING:
    from portfolio_choice import Losses, Worth

SIZES = (1, 2, 4, 8, 12, 16)


def main(argv: list[str] | None = None) -> int:
    """Measure what is left to measure, print tables, and write the file of settings when asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the tables of quality.py")
    parser.add_argument("--tables", nargs="+", help="only these")
    parser.add_argument("--space", type=Path, help="a space file, to compare what draws from it reach")
    parser.add_argument("--draws", type=int, default=96, help="settings that are drawn")
    parser.add_argument("--out", type=Path, required=True, help="file of JSON lines for the measurements")
    parser.add_argument("--size", type=int, default=8, help="settings that are chosen")
    parser.add_argument("--write", type=Path, help="the file of chosen settings to write, from what is measured")
    parser.add_argument("--search", type=int, nargs="+", default=[], help="also search each table, in so many trials")
    parser.add_argument("--found", type=Path, help="file of JSON lines for what the searches find")
    options = parser.parse_args(argv)
    from portfolio_choice import Losses
    from quality import kept

    console = Console(width=140)
    if options.write is None and not options.search:
        _measure(options, console)
    losses = Losses.of(kept(options.out, ("table", "split")), options.draws)
    if options.write:
        _write(options, losses)
    elif options.search:
        _search(options, losses, console)
    else:
        _show(losses, console)
    return 0


def _settings(options: argparse.Namespace) -> tuple[Any, list[dict[str, Any]]]:
    """Return the space and what is drawn from it."""
    from portfolio_measure import draws

    from tfcourse.space.course import default_space
    from tfcourse.space.space_file import read_space

    space = read_space(options.space) if options.space else default_space()
    return space, draws(space, options.draws)


def _measure(options: argparse.Namespace, console: Console) -> None:
    from portfolio_measure import measured
    from portfolio_tables import splits, tables
    from quality import keep, kept

    space, settings = _settings(options)
    there = kept(options.out, ("table", "split"))
    for name in options.tables or tables(options.data):
        for seed, prepared in splits(name, options.data):
            if (name, seed) not in there:
                found = measured(prepared, space, settings, seed)
                keep(options.out, {"table": name, "split": seed, "draws": options.draws, **found})
                console.print(f"{name} {seed}: {found['cpu_seconds']:.0f} s of processor time", highlight=False)


def _write(options: argparse.Namespace, losses: Losses) -> None:
    from portfolio_choice import greedy

    from tfcourse.files.writing import write_text

    _, settings = _settings(options)
    tables = list(dict.fromkeys(losses.tables))
    lines = [
        "# Settings that together were good on many tables, the one that alone is best first; chosen and written by",
        f"# scripts/benchmarks/portfolio.py from {options.draws} draws on {len(tables)} tables:",
        *(f"# {line}" for line in textwrap.wrap(", ".join(tables), 116)),
    ]
    for number in greedy(losses.regret, losses.weights, options.size):
        lines += ["", "[[setting]]"]
        lines += [f"{name} = {_written(value)}" for name, value in settings[number].items()]
    write_text(options.write, "\n".join(lines) + "\n")


def _written(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _search(options: argparse.Namespace, losses: Losses, console: Console) -> None:
    from portfolio_choice import chosen_without
    from portfolio_measure import searched
    from portfolio_tables import splits, tables
    from quality import keep, kept

    space, settings = _settings(options)
    there = kept(options.found, ("table", "split", "way", "trials"))
    for name in options.tables or tables(options.data):
        seed, prepared = next(splits(name, options.data))
        first = [settings[number] for number in chosen_without(losses, name, options.size)]
        for trials in options.search:
            for way, tried in (("draws", []), (f"{options.size} first", first)):
                if (name, seed, way, trials) not in there:
                    found = searched(prepared, space, tried, seed, trials)
                    keep(options.found, {"table": name, "split": seed, "way": way, "trials": trials, **found})
                    console.print(f"{name}, {way}, {trials}: {found['test']:.4f}", highlight=False)
    there = kept(options.found, ("table", "split", "way", "trials"))
    _show_worths(
        [(f"search of {trials}", _worth_of(list(there.values()), trials)) for trials in options.search], console
    )


def _worth_of(found: Sequence[dict[str, Any]], trials: int) -> Worth:
    """Return what searches with settings tried first find, beside those without, where both are there."""
    from portfolio_choice import Worth

    left: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for each in found:
        if each["trials"] == trials:
            left[each["way"] != "draws"][each["table"]] = min(1.0, each["test"] / each["prior"])
    both = [table for table in left[True] if table in left[False]]
    ours, random = (np.array([left[way][table] for table in both]) for way in (True, False))
    return Worth(tuple(both), ours, random, (ours < random) + (ours == random) / 2)


def _show(losses: Losses, console: Console) -> None:
    from portfolio_choice import rows_of

    _show_worths(rows_of(losses, SIZES, (16, 64)), console)


def _show_worths(worths: Sequence[tuple[str, Worth]], console: Console) -> None:
    from portfolio_choice import interval
    from rich.table import Table

    page = Table(
        "settings", "chosen", "drawn", "gain", "95 % interval", "better on", "beats draws",
        title="What is left of the prior's test log-loss, on tables that did not choose",
    )  # fmt: skip
    for name, worth in worths:
        low, high = interval(worth.gain)
        page.add_row(
            name, f"{worth.ours.mean():.4f}", f"{worth.random.mean():.4f}", f"{worth.gain.mean():.4f}",
            f"{low:.4f} to {high:.4f}", f"{(worth.gain > 0).sum()} of {len(worth.tables)}", f"{worth.beats.mean():.0%}",
        )  # fmt: skip
    console.print(page)


if __name__ == "__main__":
    sys.exit(main())
