"""See how a table would be read, in a second and without training: ``python -m tfcourse.look TABLE``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfcourse.data.looking import LookedAt, look_at
from tfcourse.data.prepare import DataOptions, prepare, rows_in_split
from tfcourse.data.reading.corrections import written
from tfcourse.data.sources import checked_path, is_arrays, labels_of_column
from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.writing import replacing
from tfcourse.process.command import OK, USER_ERROR, Parser, run_command
from tfcourse.run.show import escape, make_console

MOST_LINES = 60
MOST_CLASSES = 12


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.look",
        description="Show how each column of a table would be read, what looks odd, and what a run would refuse.",
    )
    parser.add_argument("table", metavar="TABLE", help="the file, as --data of train")
    parser.add_argument("--target", metavar="COLUMN", help="the label column: show its classes and the split too")
    parser.add_argument("--drop", metavar="COLUMN", nargs="+", default=(), help="columns to leave out")
    parser.add_argument("--categorical", metavar="COLUMN", nargs="+", default=(), help="columns to read as categories")
    parser.add_argument("--missing", metavar="TEXT", nargs="+", default=(), help="texts that are missing values")
    parser.add_argument("--not-missing", metavar="TEXT", nargs="+", default=(), help="texts that are not")
    parser.add_argument("--reading", metavar="FILE.toml", help="how columns are to be read")
    parser.add_argument("--write", metavar="FILE.toml", help="write how the columns are read, to correct it by hand")
    parser.add_argument("--html", metavar="FILE.html", help="write a page with a small histogram a column")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 if a run would take the table, 2 if it would not."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    path = checked_path(arguments.table, "TABLE")
    if is_arrays(path):
        raise UserError(f"TABLE: {arguments.table!r} holds arrays, in which there are no columns to look at.")
    options = DataOptions(
        arguments.table, arguments.target, tuple(arguments.drop), tuple(arguments.categorical),
        tuple(arguments.missing), tuple(arguments.not_missing), reading=arguments.reading,
    )  # fmt: skip
    looked, notes = look_at(path, options.drop, options.wishes)
    console = make_console(quiet=False, stderr=False)
    target = next((each for each in looked if each.name == options.target), None)
    if options.target is not None and target is None:
        near = did_you_mean(options.target, [each.name for each in looked])
        raise UserError(f"--target: {arguments.table!r} has no column {options.target!r}.{near}")
    columns = [each for each in looked if each is not target]
    show(console, path.name, columns, notes)
    refused = any(each.refused for each in columns)
    if target is not None and not refused:
        refused = not show_target(console, options)
    if arguments.write:
        with replacing(Path(arguments.write)) as temporary:
            temporary.write_text(_corrections(columns), encoding="utf-8")
        console.print(f"Written: {escape(arguments.write)}; correct it and give it to train with --reading.")
    if arguments.html:
        from tfcourse.report.look_page import page

        with replacing(Path(arguments.html)) as temporary:
            temporary.write_text(page(path.name, columns, notes), encoding="utf-8")
        console.print(f"Written: {escape(arguments.html)}")
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
    for note in prepared.notes:
        console.print(f"  {escape(note)}")
    return True


def _corrections(columns: Sequence[LookedAt]) -> str:
    readings = {each.name: each.decided.reading for each in columns if each.decided is not None}
    return written(readings, {each.name: each.line for each in columns})


if __name__ == "__main__":
    sys.exit(main())
