"""Label new rows with a run's model: ``python -m tfcourse.predict RUN --data new.csv --out predictions.csv``."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features, TableFeatures
from tfcourse.data.reading.date_forms import new_forms
from tfcourse.data.sources import NAMES, checked_path, is_arrays, load, read_npz
from tfcourse.data.table import Table
from tfcourse.data.tablefile import KINDS as KINDS_OF_TABLES
from tfcourse.data.tablefile import read_table, read_text
from tfcourse.data.unlike_training import what_is_unlike
from tfcourse.errors import UserError
from tfcourse.explain.explained import explained_header, explained_rows, words_of_method
from tfcourse.explain.shapley import BACKGROUND
from tfcourse.files.writing import replacing
from tfcourse.process.command import OK, Parser, run_command, whole_number
from tfcourse.process.streams import data_output
from tfcourse.run.effects import effects_of
from tfcourse.run.exported import features_of, load_exported, model_inputs, probabilities_of
from tfcourse.run.folder import SEARCH, TRAINING, RunFolder, check_out
from tfcourse.run.own_data import own_data


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.predict",
        description="Write the label and the class probabilities of each row, by the model of a run.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that python -m tfcourse.train or tfcourse.babysit wrote")
    parser.add_argument(
        "--data",
        required=True,
        metavar="PATH",
        help="the rows: a file as in training, or - for a CSV on standard input",
    )
    parser.add_argument(
        "--out", default="-", metavar="PATH", help="the CSV to write, or - for standard output (default)"
    )
    parser.add_argument(
        "--explain",
        metavar="N",
        type=whole_number(1),
        help="name the N columns that moved each row's probability most, with their Shapley values",
    )
    parser.add_argument(
        "--background",
        metavar="PATH",
        help="with --explain, the rows to compare with (default the run's own training rows)",
    )
    parser.add_argument(
        "--allow-unknown", action="store_true", help="accept columns of which training knew no value at all"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments: argparse.Namespace = build_parser().parse_args(argv)
    folder = RunFolder.open(Path(arguments.run), SEARCH, TRAINING)
    folder.result()  # it has ended
    if note := folder.on_another_model():
        print(f"note: {note}", file=sys.stderr)
    features = features_of(folder)
    _check_explain(arguments, features)
    _check_out(arguments.out)
    if arguments.out != "-":
        check_out(Path(arguments.out), arguments.data)
    rows, notes = read_rows(arguments.data, features)
    if isinstance(features, TableFeatures) and isinstance(rows, dict):
        notes += what_is_unlike(rows, features, allow_unknown=arguments.allow_unknown)
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
    inputs = model_inputs(rows, features)
    classes = folder.record["classes"]
    model = load_exported(folder.model_path, features, len(classes))
    probabilities = probabilities_of(model, inputs)
    explained: list[list[Any]] = []
    if arguments.explain and isinstance(features, TableFeatures) and isinstance(rows, dict):
        background = _background(folder, features, arguments.background)
        effects = effects_of(model, features, rows, background)
        whose = "the training data" if arguments.background is None else arguments.background
        print(f"note: {words_of_method(effects, min(len(background), BACKGROUND), whose)}", file=sys.stderr)
        explained = [
            explained_header(effects, arguments.explain),
            *explained_rows(effects, features, rows, arguments.explain),
        ]
    with _opened(arguments.out) as file:
        write_predictions(file, probabilities, classes, explained)
    return OK


def _check_explain(arguments: argparse.Namespace, features: Features) -> None:
    """Refuse what cannot be explained, before any work is done."""
    if arguments.background and not arguments.explain:
        raise UserError("--background is for --explain N; give both.")
    if arguments.background == "-":
        raise UserError("--background: standard input is for --data; give a file.")
    if arguments.explain and not isinstance(features, TableFeatures):
        raise UserError("--explain names columns of a table, but the run was trained on arrays.")


def _background(folder: RunFolder, features: Features, given: str | None) -> NDArray[np.float32]:
    """Return the feature matrix of the rows that an explanation compares with.

    Raises:
        UserError: if the run's data are gone and no others are given.
    """
    if given is not None:
        x = features.transform(read_rows(given, features, "--background")[0])  # type: ignore[arg-type]
    else:
        prepared = own_data(folder, features)
        if prepared is None:
            raise UserError(
                f"--explain compares each row with training rows, but {folder.record['options']['data']!r} is gone or"
                " holds other data than the run was made on. Put it back, or give rows to compare with:"
                " --background PATH."
            )
        x = prepared.train.x
    return x


def read_rows(data: str, features: Features, flag: str = "--data") -> tuple[Table | NDArray[Any], list[str]]:
    """Return the rows that an option names, and notes; a table's target and other surplus columns do no harm.

    Raises:
        UserError: if the file cannot be read or is of another kind than the training data.
    """
    path = None if data == "-" or data in NAMES else checked_path(data, flag)
    is_table = data not in NAMES and (path is None or not is_arrays(path))
    if is_table != isinstance(features, TableFeatures):
        kind = "an array of images or features" if is_table else "a table"
        allowed = ".npz" if is_table else KINDS_OF_TABLES
        raise UserError(
            f"{flag}: the model was trained on {kind}, but {data!r} is not one; give a file that ends in {allowed}."
        )
    if isinstance(features, TableFeatures):
        read = read_text(sys.stdin.buffer.read(), "standard input") if path is None else read_table(path)
        notes = [f"{'standard input' if path is None else path.name}: {note}" for note in read.notes]
        rows = features.decode(read.table)
        for column in features.columns:
            notes += new_forms(read.table.column(column.name), features.reading(column))
        return rows, notes
    if path is not None:
        return read_npz(path)[0], []
    return load(data).x, []


def write_predictions(
    file: IO[str],
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    further: Sequence[Sequence[Any]] = (),
) -> None:
    """Write a CSV: the label, then one column of probabilities a class, then further columns, their header first.

    >>> import io
    >>> file = io.StringIO()
    >>> write_predictions(file, np.array([[0.25, 0.75]], dtype=np.float32), ["no", "yes"])
    >>> print(file.getvalue(), end="")
    label,probability_no,probability_yes
    yes,0.25,0.75
    """
    writer = csv.writer(file, lineterminator="\n")
    header, *cells = further or [()] * (len(probabilities) + 1)
    writer.writerow(["label", *(f"probability_{name}" for name in classes), *header])
    for row, more in zip(probabilities, cells, strict=True):
        writer.writerow([classes[int(row.argmax())], *(f"{p:.7g}" for p in row), *more])


def _check_out(out: str) -> None:
    """Refuse a place that cannot be written to, before any work is done."""
    path = Path(out)
    if not path.parent.is_dir():
        raise UserError(f"--out: there is no folder {str(path.parent)!r} to write {path.name!r} to.")
    if path.is_dir():
        raise UserError(f"--out: {out!r} is a folder; give a file to write to.")


@contextmanager
def _opened(out: str) -> Iterator[IO[str]]:
    if out == "-":
        with data_output() as output:
            yield output
        return
    path = Path(out)
    if path.exists() and not path.is_file():  # a device or a pipe
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
        return
    path = path.resolve()  # a link stays a link
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        yield file


if __name__ == "__main__":
    sys.exit(main())
