"""Are a run's hyperparameters still right on new data? ``python -m tfcourse.retest RUN --data new.csv``.

.. code-block:: text

    RUN/retests/TIME/retest.json    every number; also what --json prints
    RUN/retests/TIME/retest.html    the same to read
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.errors import UserError
from tfcourse.executors.choose import add_options, check_options, opened
from tfcourse.files.writing import make_folder, write_json, write_text
from tfcourse.process.command import INTERRUPTED, Parser, run_command, whole_number

if TYPE_CHECKING:
    from tfcourse.executors.dispatch import Dispatch

DEFAULT_BATCHES = 6


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.retest",
        description="Train a run's leading settings again on new data and say whether to keep, to retrain,"
        " or to search again. Exit status: 0 keep, 3 retrain, 4 search again.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that python -m tfcourse.train wrote")
    parser.add_argument("--data", required=True, metavar="NAME|PATH", help="the new data, with its labels")
    parser.add_argument(
        "--top", default=8, metavar="N", type=whole_number(1), help="leading settings of the run to train (default 8)"
    )
    parser.add_argument(
        "--repeats",
        default=5,
        metavar="N",
        type=whole_number(3),
        help="trainings of each setting, each from its own seed and with its own validation rows (default 5)",
    )
    parser.add_argument(
        "--since", metavar="COLUMN", help="cut the rows into consecutive batches by this column of dates or numbers"
    )
    parser.add_argument(
        "--batches", metavar="N", type=whole_number(2), help=f"with --since, how many (default {DEFAULT_BATCHES})"
    )
    parser.add_argument("--seed", default=0, metavar="N", type=whole_number(0), help="seed of parts, draws and weights")
    add_options(parser.add_argument)
    parser.add_argument("--out", metavar="DIR", help="where to write (default RUN/retests/TIME)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 keep, 3 retrain, 4 search again, 2 a mistake, 130 interrupted."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    if arguments.batches and not arguments.since:
        raise UserError("--batches needs --since COLUMN, by which the rows are put in order.")
    check_options(vars(arguments))
    from tfcourse.data.in_both import seen_words
    from tfcourse.retesting.new_data import consecutive, read_new_data
    from tfcourse.retesting.old_run import open_old_run
    from tfcourse.run.folder import RunFolder
    from tfcourse.run.show import make_console

    run = open_old_run(RunFolder.open(Path(arguments.run)), arguments.top)
    new = read_new_data(arguments.data, run.folder.record, run.features, arguments.since)
    new.notes.extend(seen_words(int(run.seen(new).sum()), len(new), "--data", "the data that the run was made on"))
    batches = [(new.name, new)]
    if arguments.since:
        batches = consecutive(new, arguments.batches or DEFAULT_BATCHES)
    console = make_console(quiet=arguments.quiet, stderr=arguments.json)
    record: dict[str, Any] = {
        "format": 1,
        "command": shlex.join(["python", "-m", "tfcourse.retest", *(sys.argv[1:] if argv is None else argv)]),
        "run": arguments.run,
        "data": arguments.data,
        "since": arguments.since,
        "seed": arguments.seed,
        "batches": [],
    }
    with new_folder(Path(arguments.out) if arguments.out else None, run.folder.path) as folder:
        try:
            with opened(vars(arguments)) as executor:
                _retest_each(batches, run, arguments, record, folder, console, executor)
        except KeyboardInterrupt:
            print(_interrupted(record, len(batches), folder, named=bool(arguments.out)), file=sys.stderr)
            return INTERRUPTED
    last = record["batches"][-1]
    console.print(f"Written to {folder}: retest.json, retest.html", markup=False)
    if arguments.json:
        print(json.dumps(record, indent=2))
    return int(last["recommendation"]["status"])


def _interrupted(record: dict[str, Any], batches: int, folder: Path, *, named: bool) -> str:
    """Return the line for somebody who interrupted: what is there, and how to get the rest."""
    done = record["batches"]
    there = "nothing was written" if not done else f"what was found until then is in {folder}"
    if done and done[-1]["interrupted"]:
        there += ", by the rule without a control on the run's own data"
    elif done:
        there += f": {len(done)} of {batches} batches"
    again = f"{record['command']}{' (with another --out)' if done and named else ''}"
    return f"Interrupted; {there}. For the whole answer start again: {again}"


def _retest_each(
    batches: list[Any],
    run: Any,
    arguments: argparse.Namespace,
    record: dict[str, Any],
    folder: Path,
    console: Any,
    executor: Dispatch | None,
) -> None:
    """Retest batch by batch, each written as soon as it is done; TensorFlow is imported here and not before."""
    from tfcourse.process.interrupt import patient_interrupt
    from tfcourse.process.quiet import quiet_start
    from tfcourse.process.start_keras import start_keras
    from tfcourse.retesting.record import batch_record, page
    from tfcourse.retesting.retest import check_rows, retest
    from tfcourse.retesting.words import RetestProgress, show_batch
    from tfcourse.run.folder import versions

    for _, part in batches:
        check_rows(part, arguments.repeats, len(batches))
    for note in batches[0][1].notes:
        console.print(f"  {note}", markup=False)
    with quiet_start():
        start_keras()
        import tfcourse.cohort  # noqa: F401
    for label, part in batches:
        with RetestProgress(console, arguments.repeats) as progress, patient_interrupt() as interrupted:
            found = retest(
                run,
                part,
                repeats=arguments.repeats,
                seed=arguments.seed,
                on_repeat=progress.repeat_done,
                on_own_repeat=progress.own_repeat_done,
                interrupted=interrupted,
                executor=executor,
            )
            stop = found.cut_short or (interrupted() and label != batches[-1][0])
        record["batches"].append(batch_record(found, part, label, run.plan.objective))
        record["ended"] = datetime.now().astimezone().isoformat(timespec="seconds")
        record["versions"] = versions()
        record["recommendation"] = record["batches"][-1]["recommendation"]
        write_json(folder / "retest.json", record)
        write_text(folder / "retest.html", page(record))
        if len(batches) > 1:
            console.print(f"[bold]{label}[/bold] ({len(part)} rows)")
        show_batch(console, record["batches"][-1])
        if stop:
            raise KeyboardInterrupt


@contextlib.contextmanager
def new_folder(out: Path | None, run: Path) -> Iterator[Path]:
    """Make the folder to write to, before any work is done; it goes again if nothing came to be written.

    Raises:
        UserError: if ``out`` holds something already or cannot be made.
    """
    from tfcourse.run.folder import check_new

    if out is not None:
        check_new(out)
        folder = out
    else:
        base = run / "retests" / f"{datetime.now():%Y%m%d-%H%M%S}"
        folder, number = base, 1
        while folder.exists():
            number += 1
            folder = base.with_name(f"{base.name}-{number}")
    try:
        make_folder(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(
            f"The folder {str(folder)!r} cannot be made: {error.strerror}. Give another with --out."
        ) from None
    try:
        yield folder
    finally:
        for empty in (folder, folder.parent) if out is None else (folder,):
            with contextlib.suppress(OSError):  # it holds something
                empty.rmdir()


if __name__ == "__main__":
    sys.exit(main())
