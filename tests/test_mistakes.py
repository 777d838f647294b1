"""Every mistake in the data or the options that a user of the train command may make: the whole sentence they read."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.messy_files import write_files
from tfcourse.data.prepare import DataOptions, prepare
from tfcourse.train import main

HELP = " See python -m tfcourse.train --help."
FILES = (
    ".csv, .tsv, .txt, .jsonl, .ndjson, .json (each also .gz, .bz2, .xz, .zst), .parquet, .feather, .arrow, .xlsx, .npz"
)
NAMES = "digits, mnist, fashion_mnist, cifar10"

DATA = [
    (
        "--data gone.csv --target y",
        f"--data: there is no file 'gone.csv'. Give a path that ends in {FILES}, or one of {NAMES}.",
    ),
    (
        "--data digit",
        f"--data: there is no file 'digit'. Did you mean 'digits'? Give a path that ends in {FILES}, or one of"
        f" {NAMES}.",
    ),
    ("--data ''", f"--data: '' is a folder; give a file that ends in {FILES}."),
    ("--data folder.csv --target y", f"--data: 'folder.csv' is a folder; give a file that ends in {FILES}."),
    ("--data table.doc --target y", f"--data: 'table.doc' is of no known kind; allowed are {FILES}."),
    ("--data empty.csv --target y", "'empty.csv' is empty; a table needs a header line and rows."),
    ("--data blank.csv --target y", "'blank.csv' is empty; a table needs a header line and rows."),
    ("--data header.csv --target y", "'header.csv' holds a header line but no rows."),
    (
        "--data long-row.csv --target y",
        "'long-row.csv' ends line 32 after 5 fields, but its header names 4 columns. Each row needs a field a"
        " column; a text that holds commas must stand in double quotes.",
    ),
    (
        "--data short-row.csv --target y",
        "'short-row.csv' ends line 32 after 2 fields, but its header names 4 columns. Each row needs a field a"
        " column; a text that holds commas must stand in double quotes.",
    ),
    (
        "--data open-quote.csv --target y",
        "'open-quote.csv' cannot be read at line 32: unexpected end of data. A text in double quotes must end"
        " with one, and a double quote inside it must be written twice.",
    ),
    ("--data twice.csv --target y", "'twice.csv' has 2 columns called 'x'; give each its own name."),
    ("--data constant.csv --target y", "The target is 'a' in every row; at least two classes are needed."),
    (
        "--data rare.csv --target y",
        "Class 'c' has only 2 rows; at least 3 different rows are needed, for training, validation and test."
        " Leave the class's rows out, merge it with another class, or add rows.",
    ),
    (
        "--data repeated.csv --target y",
        "Class 'c' has only 4 rows, 1 of them different; at least 3 different rows are needed, for training,"
        " validation and test. Leave the class's rows out, merge it with another class, or add rows.",
    ),
    ("--data no-labels.csv --target y", "The target 'y' is missing in every row of 'no-labels.csv'."),
    (
        "--data all-missing.csv --target y",
        "Column 'my size' is empty in all 30 rows; leave it out with --drop 'my size'.",
    ),
    (
        "--data infinite.csv --target y",
        "Column 'n' holds infinite numbers in 2 rows, the first in row 29. Put a finite number there, or leave"
        " the value empty.",
    ),
    (
        "--data slips.csv --target y",
        "Column 'n' is numbers but for 1 of 30 values, such as '841 cm' in row 30. Put them right, leave them"
        " empty, read the column as categories with --categorical n, or leave it out with --drop n.",
    ),
    (
        "--data many-classes.csv --target y",
        "The target has 11 different values in 30 rows, too many to be classes (at least 3 rows each are needed)."
        " Is it a number to predict, or an identifier? Give a label column with --target.",
    ),
    (
        "--data numbers.csv --target y",
        "The target has 30 different values in 30 rows, too many to be classes (at least 3 rows each are needed)."
        " Is it a number to predict, or an identifier? Give a label column with --target.",
    ),
    (
        "--data only-target.csv --target y",
        "'only-target.csv' has no column left beside the target 'y' to learn from.",
    ),
    (
        "--data constant-columns.csv --target y",
        "Class 'a' has only 15 rows, 1 of them different; at least 3 different rows are needed, for training,"
        " validation and test. Leave the class's rows out, merge it with another class, or add rows.",
    ),
    (
        "--data late-class.csv --target y --split time",
        "--split time: class 'b' does not appear among the first 18 rows, which train. Use --split stratified, or"
        " leave the class's rows out.",
    ),
    ("--data zero.csv --target y", "'zero.csv' is not text: its byte 346 is zero. Save it again as CSV (UTF-8)."),
    (
        "--data sheet.csv --target y",
        "'sheet.csv' is not text but a ZIP archive or a spreadsheet's own file; unpack it, or save it as CSV (UTF-8).",
    ),
    (
        "--data cut.csv.gz --target y",
        "'cut.csv.gz' is not a whole gzip file: Compressed file ended before the end-of-stream marker was reached.",
    ),
    (
        "--data wide.npz",
        "The target has 2 different values in 5 rows, too many to be classes (at least 3 rows each are needed)."
        " Is it a number to predict, or an identifier? Give a label column with --target.",
    ),
    (
        "--data pickled.npz",
        "'pickled.npz' holds Python objects, which only pickle could read, and pickle can run any code; save"
        " plain arrays of numbers or texts instead.",
    ),
    (
        "--data one-hot.npz",
        "'one-hot.npz': y must hold one label a row, of shape (rows,), but it is (30, 2). Turn one-hot rows into"
        " class numbers with y.argmax(axis=1).",
    ),
    ("--data too-few-labels.npz", "'too-few-labels.npz': x holds 30 rows but y holds 29 labels; they must match."),
    ("--data no-x.npz", "'no-x.npz' holds no array 'x'; it holds images, y."),
    ("--data no-y.npz", "'no-y.npz' holds no array 'y'; save it with numpy.savez(file, x=..., y=...)."),
    (
        "--data flat.npz",
        "'flat.npz': x must hold numbers in the shape (rows, features) or (rows, height, width[, channels]), but"
        " its shape is (30,) and its type int64.",
    ),
    (
        "--data words.npz",
        "'words.npz': x must hold numbers in the shape (rows, features) or (rows, height, width[, channels]), but"
        " its shape is (30, 2) and its type <U1.",
    ),
    ("--data none.npz", "'none.npz': x is empty, of shape (0, 2, 2)."),
    (
        "--data nan.npz",
        "x holds NaN or infinite numbers in 1 row, the first in row 4. Fill them in, or save the data as a table,"
        " where empty values are understood.",
    ),
    ("--data text.npz", "'text.npz' is not a whole NPZ file; save it with numpy.savez(file, x=..., y=...)."),
    ("--data images.npz --target y", "--target is for tables; 'images.npz' holds arrays x and y."),
    ("--data images.npz --drop y", "--drop is for tables; 'images.npz' holds arrays x and y."),
    ("--data images.npz --categorical x", "--categorical is for tables; 'images.npz' holds arrays."),
    (
        "--data images.npz --test-data wide.npz",
        "--test-data: examples of shape (3, 3) do not match those of --data, (2, 2).",
    ),
    (
        "--data images.npz --test-data good.csv",
        "--test-data: 'good.csv' must be of the same kind as --data, a table or arrays (.npz).",
    ),
    (
        "--data good.csv",
        "--target is needed: which column of 'good.csv' is the label? Its columns are 'n', 'x', 'kind', 'y'.",
    ),
    (
        "--data good.csv --target Y",
        "--target: 'good.csv' has no column 'Y'. Did you mean 'y'? Its columns are 'n', 'x', 'kind', 'y'.",
    ),
    (
        "--data good.csv --target klass",
        "--target: 'good.csv' has no column 'klass'. Its columns are 'n', 'x', 'kind', 'y'.",
    ),
    (
        "--data good.csv --target y --drop kinds",
        "--drop: 'good.csv' has no column 'kinds'. Did you mean 'kind'? Its columns are 'n', 'x', 'kind', 'y'.",
    ),
    ("--data good.csv --target y --drop y", "--drop: 'y' is the target; a target cannot be left out."),
    (
        "--data good.csv --target y --drop n x kind",
        "'good.csv' has no column left beside the target 'y' to learn from.",
    ),
    ("--data good.csv --target y --categorical m", "--categorical: there is no column 'm'."),
    (
        "--data good.csv --target y --test-data gone.csv",
        f"--test-data: there is no file 'gone.csv'. Give a path that ends in {FILES}, or one of {NAMES}.",
    ),
    (
        "--data good.csv --target y --test-data lacks-kind.csv",
        "--target: 'lacks-kind.csv' has no column 'y'. Its columns are 'n', 'x'.",
    ),
    (
        "--data good.csv --target y --test-data new-label.csv",
        "--test-data: the label 'c' does not occur in the training data.",
    ),
    ("--data good.csv --target y --test-data header.csv", "'header.csv' holds a header line but no rows."),
    (
        "--data good.csv --target y --test-data images.npz",
        "--test-data: 'images.npz' must be of the same kind as --data, a table or arrays (.npz).",
    ),
    ("--data digits --target y", "--target is for files; --data digits has its own labels and columns."),
    ("--data digits --drop y", "--drop is for files; --data digits has its own labels and columns."),
    ("--data digits --test-data good.csv", "--test-data is for files; --data digits has its own labels and columns."),
    ("--data digits --categorical a", "--categorical is for tables; 'digits' holds arrays."),
    (
        "--data good.csv --target y --test-data lacks-x.csv",
        "--test-data: 'lacks-x.csv' lacks the column 'x'. Its columns are 'n', 'kind'.",
    ),
]

OPTIONS = [
    ("--data digits --trials 0", f"argument --trials: '0' was given; allowed are whole numbers from 1.{HELP}"),
    ("--trials -3", f"argument --trials: '-3' was given; allowed are whole numbers from 1.{HELP}"),
    ("--trials many", f"argument --trials: 'many' was given; allowed are whole numbers from 1.{HELP}"),
    ("--trials 1.5", f"argument --trials: '1.5' was given; allowed are whole numbers from 1.{HELP}"),
    ("--epochs 0", f"argument --epochs: '0' was given; allowed are whole numbers from 1.{HELP}"),
    ("--epochs -1", f"argument --epochs: '-1' was given; allowed are whole numbers from 1.{HELP}"),
    ("--batch-size 0", f"argument --batch-size: '0' was given; allowed are whole numbers from 2.{HELP}"),
    ("--batch-size -8", f"argument --batch-size: '-8' was given; allowed are whole numbers from 2.{HELP}"),
    ("--batch-size 1", f"argument --batch-size: '1' was given; allowed are whole numbers from 2.{HELP}"),
    ("--batch-size 16 two", f"argument --batch-size: 'two' was given; allowed are whole numbers from 2.{HELP}"),
    ("--batch-size 2000", "--batch-size: 2000 was given, but the training split has 1079 rows; give at most 1079."),
    ("--batch-size 16 16", "--batch-size: 16 16 was given; give each size once."),
    (
        "--data good.csv --target y --batch-size 19",
        "--batch-size: 19 was given, but the training split has 18 rows; give at most 18.",
    ),
    ("--budget soon", f"argument --budget: 'soon' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--budget 10", f"argument --budget: '10' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--budget -5m", f"argument --budget: expected one argument.{HELP}"),
    ("--budget 0s", f"argument --budget: '0s' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--budget nans", f"argument --budget: 'nans' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--budget infh", f"argument --budget: 'infh' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--budget ''", f"argument --budget: '' was given; allowed are times such as 90s, 10m or 2h.{HELP}"),
    ("--rounds 0", f"argument --rounds: '0' was given; allowed are whole numbers from 1.{HELP}"),
    ("--rounds 5 --trials 3", "--rounds: 5 rounds were given, but only 3 trials; give at most 3."),
    (
        "--sampler sobol",
        f"argument --sampler: 'sobol' was given; allowed are random, quasi-random.{HELP}",
    ),
    ("--repeats 0", f"argument --repeats: '0' was given; allowed are whole numbers from 1.{HELP}"),
    ("--first gone.toml", "--first: there is no file 'gone.toml'."),
    (
        "--halving --engine keras",
        "--halving was given with --engine keras, which trains one trial at a time; use --engine cohort.",
    ),
    ("--seed -1", f"argument --seed: '-1' was given; allowed are whole numbers from 0.{HELP}"),
    ("--split random", f"argument --split: 'random' was given; allowed are stratified, time.{HELP}"),
    ("--engine jax", f"argument --engine: 'jax' was given; allowed are cohort, keras.{HELP}"),
    (
        "--objective accuracy",
        f"argument --objective: 'accuracy' was given; allowed are val_loss, val_accuracy.{HELP}",
    ),
    ("--tirals 3", f"unrecognized arguments: --tirals 3.{HELP}"),
    ("stray", f"unrecognized arguments: stray.{HELP}"),
    ("--trials", f"argument --trials: expected one argument.{HELP}"),
]

PLACES = [
    ("--data good.csv --target y --out full", "--out: 'full' is not empty; give a new folder."),
    ("--data good.csv --target y --out good.csv", "--out: 'good.csv' is a file; give a folder."),
    (
        "--data good.csv --target y --out good.csv/run",
        "The run folder 'good.csv/run' cannot be made: Not a directory. Give another folder with --out.",
    ),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("messy")
    write_files(folder)
    return folder


@pytest.mark.parametrize(("arguments", "message"), [*DATA, *OPTIONS, *PLACES], ids=lambda value: value[:60])
def test_a_mistake_gives_one_sentence_and_exit_status_2(
    arguments: str, message: str, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    assert main(shlex.split(arguments)) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"error: {message}\n")


READ = (
    "semicolons.csv",
    "commas.tsv",
    "bars.csv",
    "utf16.csv",
    "utf16-no-mark.csv",
    "zipped.csv",
    "plain.csv.gz",
    "thousands.csv",
)


@pytest.mark.parametrize("name", READ)
def test_what_looks_like_a_mistake_and_is_none_is_read(name: str, files: Path) -> None:
    plain, other = (prepare(DataOptions(str(files / each), "y")) for each in ("good.csv", name))
    if name == "thousands.csv":
        assert other.features.numbers[0].mean > plain.features.numbers[0].mean  # type: ignore[union-attr]
        return
    np.testing.assert_array_equal(plain.train.x, other.train.x)


def test_a_mistake_leaves_no_folder_behind(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    assert main(["--data", "rare.csv", "--target", "y", "--out", "new"]) == 2
    assert main(["--data", "rare.csv", "--target", "y"]) == 2
    assert not (files / "new").exists()
    assert not (files / "runs").exists()


def test_a_file_that_is_not_parquet_is_named(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    assert main(["--data", "text.parquet", "--target", "y"]) == 2
    assert capsys.readouterr().err.startswith("error: 'text.parquet' cannot be read as Parquet: ")
