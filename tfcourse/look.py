"""See how a table would be read, in a second and without training: ``python -m tfcourse.look TABLE``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.data.flags import OF_THE_SPLIT, add_data_flags
from tfcourse.data.looking import LookedAt, look_at
from tfcourse.data.prepare import DataOptions, Prepared, prepare, rows_in_split
from tfcourse.data.reading.corrections import written
from tfcourse.data.sources import checked_path, is_arrays, labels_of_column
from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.writing import replacing
from tfcourse.process.command import OK, USER_ERROR, Parser, run_command, whole_number
from tfcourse.run.show import escape, make_console
from tfcourse.words import first_of

MOST_LINES = 60
MOST_CLASSES = 12


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.look",
        description="Show how each column of a table would be read, what looks odd, and what a run would refuse.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("table", metavar="TABLE", help="the file, as --data of train")
    add_data_flags(parser.add_argument)
    parser.add_argument("--seed", metavar="N", type=whole_number(0), help="which random split, as --seed of train")
    parser.add_argument("--write", metavar="FILE.toml", help="write how the columns are read, to correct it by hand")
    parser.add_argument("--html", metavar="FILE.html", help="write a page with a small histogram a column")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 if a run would take the table, 2 if it would not."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    given = vars(build_parser().parse_args(argv))
    path = checked_path(given["table"], "TABLE")
    if is_arrays(path):
        raise UserError(f"TABLE: {given['table']!r} holds arrays, in which there are no columns to look at.")
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    of_data: dict[str, Any] = {key: value for key, value in told.items() if key in DataOptions.__dataclass_fields__}
    options = DataOptions(given["table"], **of_data)
    if options.target is None and (flags := [name for name in OF_THE_SPLIT if name in given]):
        raise UserError(
            f"--{flags[0].replace('_', '-')} is of how rows are split; give the label column with --target."
        )
    looked, notes = look_at(path, options.drop, options.wishes, options.keep_columns)
    console = make_console(quiet=False, stderr=False)
    target = next((each for each in looked if each.name == options.target), None)
    if options.target is not None and target is None:
        near = did_you_mean(options.target, [each.name for each in looked])
        raise UserError(f"--target: {given['table']!r} has no column {options.target!r}.{near}")
    columns = [each for each in looked if each is not target]
    show(console, path.name, columns, notes)
    refused = any(each.refused for each in columns)
    if target is not None and not refused:
        refused = not show_target(console, options)
    if write := given.get("write"):
        with replacing(Path(write)) as temporary:
            temporary.write_text(_corrections(columns), encoding="utf-8")
        console.print(f"Written: {escape(write)}; correct it and give it to train with --reading.")
    if html := given.get("html"):
        from tfcourse.report.look_page import page

        with replacing(Path(html)) as temporary:
            temporary.write_text(page(path.name, columns, notes), encoding="utf-8")
        console.print(f"Written: {escape(html)}")
    return USER_ERROR if refused else OK


def show(console: Any, name: str, columns: Sequence[LookedAt], notes: Sequence[str]) -> None:
    """Print notes and a table of the columns, those that look odd first; of a wide table only these and a count."""
    from rich.table import Table

    rows = max((len(each.values) for each in columns if each.values is not None), default=0)
    console.print(f"[bold]{escape(name)}[/bold]: {rows} rows, {len(columns)} columns")
    for note in notes:
        console.print(f"  {escape(note)}")
    ordered = sorted(columns, key=lambda each: (not each.refused, not each.odd, each.column is not None))
    shown = ordered if len(ordered) <= MOST_LINES else [each for each in ordered if each.is_odd][:MOST_LINES]
    table = Table("", "column", "how it is read", "missing", show_lines=False)
    for each in shown:
        mark = "✗" if each.refused else "!" if each.odd else "-" if each.column is None else ""
        text = "\n".join([each.line, *each.odd])
        table.add_row(mark, escape(each.name), escape(text), f"{each.missing:.1%}" if each.missing else "")
    console.print(table)
    if len(shown) < len(ordered):
        kinds = Counter("left out" if each.column is None else each.line.split(",")[0] for each in ordered)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8))
        console.print(f"  and {len(ordered) - len(shown)} more; in all: {escape(told)}")


def show_target(console: Any, options: DataOptions) -> bool:
    """Print the classes and the split; say whether a run would take the table."""
    from tfcourse.data import tablefile

    column = tablefile.read_table(Path(options.data)).table.column(options.target)
    try:
        _, labels, _ = labels_of_column(column, str(options.target), Path(options.data), options.wishes)
        counts = Counter(labels.tolist())
        named = ", ".join(f"{label} ({count})" for label, count in counts.most_common(MOST_CLASSES))
        more = f" and {len(counts) - MOST_CLASSES} more" if len(counts) > MOST_CLASSES else ""
        console.print(f"Target {escape(str(options.target))}: {len(counts)} classes: {escape(named)}{more}")
        prepared = prepare(options)
    except UserError as error:
        console.print(f"✗ {escape(str(error))}")
        return False
    parts = ", ".join(f"{count} {part}" for part, count in rows_in_split(prepared).items())
    console.print(f"Split: {parts} rows; {prepared.features.width} features")
    console.print(f"  rows of each class there: {escape(classes_in_parts(prepared))}")
    for note in prepared.notes:
        console.print(f"  {escape(note)}")
    return True


def classes_in_parts(prepared: Prepared) -> str:
    """Return how many rows of each class the parts have, those of the largest classes."""
    parts = (prepared.train, prepared.validation, prepared.test)
    counts = np.array([np.bincount(part.y, minlength=len(prepared.classes)) for part in parts])
    order = np.argsort(-counts.sum(axis=0), kind="stable")
    said = [f"{prepared.classes[number]} {' + '.join(map(str, counts[:, number]))}" for number in order]
    return first_of(said, MOST_CLASSES)


def _corrections(columns: Sequence[LookedAt]) -> str:
    readings = {each.name: each.decided.reading for each in columns if each.decided is not None}
    return written(readings, {each.name: each.line for each in columns})


if __name__ == "__main__":
    sys.exit(main())
