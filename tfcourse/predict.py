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

from tfcourse.command import OK, Parser, run_command
from tfcourse.data.features import Features, TableFeatures, features_from_json
from tfcourse.data.read_table import decode, read_table, table_from_text
from tfcourse.data.sources import NAMES, SUFFIXES, checked_path, load, read_npz
from tfcourse.data.table import Table
from tfcourse.errors import UserError
from tfcourse.files import replacing
from tfcourse.run.exported import load_exported, model_inputs, probabilities_of
from tfcourse.run.folder import SEARCH, TRAINING, RunFolder, check_out
from tfcourse.streams import data_output


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
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments: argparse.Namespace = build_parser().parse_args(argv)
    folder = RunFolder.open(Path(arguments.run), SEARCH, TRAINING)
    folder.result()  # it has ended
    features = folder.parse(lambda record: features_from_json(record["features"]))
    _check_out(arguments.out)
    if arguments.out != "-":
        check_out(Path(arguments.out), arguments.data)
    inputs = model_inputs(read_rows(arguments.data, features), features)
    classes = folder.record["classes"]
    probabilities = probabilities_of(load_exported(folder.model_path, features, len(classes)), inputs)
    with _opened(arguments.out) as file:
        write_predictions(file, probabilities, classes)
    return OK


def read_rows(data: str, features: Features) -> Table | NDArray[Any]:
    """Return the rows to label; a table's target and other surplus columns do no harm.

    Raises:
        UserError: if the file cannot be read or is of another kind than the training data.
    """
    if data == "-":
        stdin = Path("standard input.csv")
        rows: Table | NDArray[Any] = table_from_text(decode(sys.stdin.buffer.read(), stdin), stdin)
    elif data in NAMES:
        rows = load(data).x
    else:
        path = checked_path(data, "--data")
        rows = read_npz(path)[0] if path.suffix.lower() == ".npz" else read_table(path)
    if isinstance(rows, dict) != isinstance(features, TableFeatures):
        table = isinstance(features, TableFeatures)
        kind = "a table" if table else "an array of images or features"
        allowed = ", ".join(suffix for suffix in SUFFIXES if (suffix != ".npz") == table)
        raise UserError(
            f"--data: the model was trained on {kind}, but {data!r} is not one; give a file that ends in {allowed}."
        )
    return rows


def write_predictions(file: IO[str], probabilities: NDArray[np.float32], classes: Sequence[str]) -> None:
    """Write a CSV: the label, then one column of probabilities a class.

    >>> import io
    >>> file = io.StringIO()
    >>> write_predictions(file, np.array([[0.25, 0.75]], dtype=np.float32), ["no", "yes"])
    >>> print(file.getvalue(), end="")
    label,probability_no,probability_yes
    yes,0.25,0.75
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["label", *(f"probability_{name}" for name in classes)])
    for row in probabilities:
        writer.writerow([classes[int(row.argmax())], *(f"{p:.7g}" for p in row)])


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
