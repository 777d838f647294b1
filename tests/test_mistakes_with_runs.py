"""Every mistake in going on with a run, or in labelling rows with one: the whole sentence the user reads."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.messy_files import write_files
from tests.records import result_of_search
from tfcourse import predict, train
from tfcourse.data.prepare import DataOptions
from tfcourse.report import __main__ as report
from tfcourse.run.lock import alone_in
from tfcourse.tuning import start as starting

SUFFIXES = (
    ".csv, .tsv, .txt, .jsonl, .ndjson, .json (each also .gz, .bz2, .xz, .zst), .parquet, .feather, .arrow, .xlsx"
)
START_AGAIN = "Restore it from a copy, or start again in a new folder."
GO_ON = "Leave it out to go on with that search, or start a new one with --out."

RESUME = [
    ("gone", "There is no run folder 'gone'; give the folder that a search wrote."),
    ("good.csv", "There is no run folder 'good.csv'; give the folder that a search wrote."),
    ("full", "'full' is not a whole run folder: run.json is not there."),
    ("run --seed 3", f"--resume: --seed 3 was given, but the search was started without --seed. {GO_ON}"),
    ("run --no-halving", f"--resume: --no-halving was given, but the search was started with --halving. {GO_ON}"),
    ("run --no-portfolio", f"--resume: --no-portfolio was given, but the search was started with --portfolio. {GO_ON}"),
    ("run --drop n x", f"--resume: --drop n x was given, but the search was started without --drop. {GO_ON}"),
    ("run --target kind", f"--resume: --target kind was given, but the search was started with --target y. {GO_ON}"),
    (
        "run --batch-size 8",
        f"--resume: --batch-size 8 was given, but the search was started with --batch-size 4 6. {GO_ON}",
    ),
    (
        "run --space narrow.toml",
        "--resume: --space narrow.toml holds another space than the search was started with: dropout is 0 ... 0.2"
        f" (linear) instead of 0 ... 0.5 (linear). {GO_ON}",
    ),
    (
        "run --space nesterov.toml",
        "--resume: --space nesterov.toml holds another space than the search was started with: nesterov is searched as"
        f" well. {GO_ON}",
    ),
    (
        "run --first mine.toml",
        f"--resume: --first mine.toml holds other settings than the search was started with. {GO_ON}",
    ),
    (
        "run --data other.csv",
        "--resume: 'other.csv' holds other data than the search in 'run' was started with. Give that data with"
        " --data, or start a new search with --out.",
    ),
    (
        "run --data gone.csv",
        f"--data: there is no file 'gone.csv'. Give a path that ends in {SUFFIXES}, .npz, or one of digits, mnist,"
        " fashion_mnist, cifar10.",
    ),
    (
        "run --trials 1",
        "--resume: --trials 1 was given, but the search was started with 64. Give more to go on beyond them, or leave"
        " it out.",
    ),
    (
        "run --trials 0",
        "argument --trials: '0' was given; allowed are whole numbers from 1. See python -m tfcourse.train --help.",
    ),
]

PREDICT = [
    ("gone --data good.csv", "There is no run folder 'gone'; give the folder that a search wrote."),
    ("full --data good.csv", "'full' is not a whole run folder: run.json is not there."),
    (
        "run --data good.csv",
        "The search in 'run' has not ended; go on with it: python -m tfcourse.train --resume run",
    ),
    ("done", "the following arguments are required: --data. See python -m tfcourse.predict --help."),
    ("done --data empty.csv", "'empty.csv' is empty; a table needs a header line and rows."),
    ("done --data header.csv", "'header.csv' holds a header line but no rows."),
    (
        "done --data lacks-kind.csv",
        "The data lacks 1 column that the model was trained on: 'kind'. Add them; leave values empty where they are"
        " not known.",
    ),
    (
        "done --data only-target.csv",
        "The data lacks 3 columns that the model was trained on: 'n', 'x', 'kind'. Add them; leave values empty where"
        " they are not known.",
    ),
    (
        "done --data text-in-x.csv",
        "Column 'x' holds 'tall' in row 2, but the model was trained on numbers there. Put it right, or leave the"
        " value empty.",
    ),
    (
        "done --data infinite-x.csv",
        "Column 'x' holds infinite numbers in 1 row, the first in row 1. Put a finite number there, or leave the"
        " value empty.",
    ),
    (
        "done --data images.npz",
        f"--data: the model was trained on a table, but 'images.npz' is not one; give a file that ends in {SUFFIXES}.",
    ),
    (
        "done --data digits",
        f"--data: the model was trained on a table, but 'digits' is not one; give a file that ends in {SUFFIXES}.",
    ),
    (
        "done-images --data good.csv",
        "--data: the model was trained on an array of images or features, but 'good.csv' is not one; give a file"
        " that ends in .npz.",
    ),
    (
        "done-images --data wide.npz",
        "The model takes examples of shape (2, 2), but these have shape (3, 3).",
    ),
    (
        "done-images --data nan.npz",
        "x holds NaN or infinite numbers in 1 row, the first in row 4. Fill them in, or save the data as a table,"
        " where empty values are understood.",
    ),
    ("done --data good.csv --out gone/p.csv", "--out: there is no folder 'gone' to write 'p.csv' to."),
    ("done --data good.csv --out full", "--out: 'full' is a folder; give a file to write to."),
    ("done --data good.csv --out good.csv", "--out: 'good.csv' is the file to read as well; give another to write to."),
    (
        "done --data good.csv --out done/result.json",
        "--out: 'done/result.json' belongs to a run, which would be lost; give another file.",
    ),
    ("done --data good.csv", "'done' is not a whole run folder: model.keras is not there."),
]


def python_says(mistake: Callable[[], object]) -> str:
    """Return the words of a TypeError, which differ between versions of Python."""
    with pytest.raises(TypeError) as caught:
        mistake()
    return str(caught.value)


DAMAGES: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    (
        "unknown scale",
        lambda record: record["space"][0].update(scale="lin"),
        "'hurt/run.json' is damaged (learning_rate: scale = 'lin' was given; allowed are linear, log, one_minus_log,"
        f" integer, choice. Did you mean 'linear'?). {START_AGAIN}",
    ),
    (
        "unknown option",
        lambda record: record["options"].update(dat="x.csv"),
        f"'hurt/run.json' is damaged ({python_says(lambda: DataOptions(dat='x.csv'))}). {START_AGAIN}",  # type: ignore[call-arg]
    ),
    (
        "no fingerprint",
        lambda record: record["data"].pop("fingerprint"),
        f"'hurt/run.json' is damaged (data.fingerprint is missing). {START_AGAIN}",
    ),
    (
        "other classes",
        lambda record: record.update(classes=["a", "b", "c"]),
        f"'hurt/run.json' is damaged (its classes are not those of its data). {START_AGAIN}",
    ),
    (
        "another format",
        lambda record: record.update(format=99),
        "'hurt' was written by another version of tfcourse, which must also read it.",
    ),
    (
        "data moved",
        lambda record: record["options"].update(data="/nowhere/good.csv"),
        "--resume: the search's data is no longer at '/nowhere/good.csv'; give its new place with --data.",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with messy files and two runs, each as it is before the search and as if it had ended."""
    folder = tmp_path_factory.mktemp("runs")
    write_files(folder)
    (folder / "narrow.toml").write_text("[dropout]\nlow = 0\nhigh = 0.2\n")
    (folder / "nesterov.toml").write_text("nesterov = [true, false]\n")
    (folder / "mine.toml").write_text("[[setting]]\nlearning_rate = 0.01\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        start("--data good.csv --target y --batch-size 4 6 --out run")
        start("--data images.npz --out done-images")
    shutil.copytree(folder / "run", folder / "done")
    for name in ("done", "done-images"):
        classes = json.loads((folder / name / "run.json").read_text())["classes"]
        (folder / name / "result.json").write_text(json.dumps(result_of_search(classes)))
    return folder


def start(arguments: str) -> None:
    """Make a run folder as the command does, without the search."""
    argv = shlex.split(arguments)
    starting.start(vars(train.build_parser().parse_args(argv)), argv)


def check(capsys: pytest.CaptureFixture[str], status: int, message: str) -> None:
    printed = capsys.readouterr()
    assert (status, printed.out, printed.err) == (2, "", f"error: {message}\n")


@pytest.mark.parametrize(("arguments", "message"), RESUME)
def test_going_on_with_a_run(
    arguments: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    check(capsys, train.main(["--resume", *shlex.split(arguments)]), message)


@pytest.mark.parametrize(("arguments", "message"), PREDICT)
def test_labelling_rows(
    arguments: str, message: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    check(capsys, predict.main(shlex.split(arguments)), message)


@pytest.fixture
def hurt(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of an ended run, to be damaged."""
    shutil.copy(folder / "good.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(folder / "done", "hurt"))


@pytest.mark.parametrize(("damage", "message"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES])
def test_a_damaged_record(
    damage: Callable[[dict[str, Any]], Any], message: str, hurt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads((hurt / "run.json").read_text())
    damage(record)
    (hurt / "run.json").write_text(json.dumps(record))
    check(capsys, train.main(["--resume", "hurt"]), message)


@pytest.mark.parametrize(
    "key", ["format", "status", "options", "given", "budget", "plan", "space", "data", "classes", "features"]
)
def test_a_record_that_lacks_a_part(key: str, hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((hurt / "run.json").read_text())
    del record[key]
    (hurt / "run.json").write_text(json.dumps(record))
    message = f"'hurt/run.json' is damaged ({key} is missing). {START_AGAIN}"
    check(capsys, train.main(["--resume", "hurt"]), message)
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('{"format": 1', "Expecting ',' delimiter: line 1 column 13 (char 12)"),
    ],
)
def test_a_record_that_is_cut_off(text: str, problem: str, hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hurt / "run.json").write_text(text)
    message = f"'hurt/run.json' is damaged ({problem}). {START_AGAIN}"
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('{"best": 1', "Expecting ',' delimiter: line 1 column 11 (char 10)"),
        ("{}", "best is missing"),
        ('{"best": {"trial_id": 0}}', "best.trial_id is 0, not a text"),
    ],
)
def test_a_damaged_result(text: str, problem: str, hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hurt / "result.json").write_text(text)
    message = (
        f"'hurt/result.json' is damaged ({problem}). The search beside it is not; make the result again:"
        " python -m tfcourse.train --resume hurt"
    )
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


def test_two_processes_in_one_run(hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with alone_in(hurt):
        message = f"Another process ({os.getpid()}) trains in 'hurt' already; wait until it ends, or stop it."
        check(capsys, train.main(["--resume", "hurt"]), message)


def test_a_report_does_not_take_the_place_of_what_a_run_needs(hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = (hurt / "run.json").read_bytes()
    message = "--out: 'hurt/run.json' belongs to a run, which would be lost; give another file."
    check(capsys, report.main(["hurt", "--out", "hurt/run.json"]), message)
    assert (hurt / "run.json").read_bytes() == record


def test_damaged_features(hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((hurt / "run.json").read_text())
    del record["features"]["numbers"][0]["mean"]
    (hurt / "run.json").write_text(json.dumps(record))
    message = f"'hurt/run.json' is damaged (features.numbers.0.mean is missing). {START_AGAIN}"
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


def test_a_model_that_is_cut_off(hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hurt / "model.keras").write_bytes(b"PK\x03\x04 and no more")
    message = "'hurt/model.keras' is damaged (it is not a whole .keras file). Restore it from a copy."
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


def test_a_model_that_brings_code(hurt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "print"}, "inbound_nodes": []}
    model = {"module": "keras.src.models.functional", "class_name": "Functional", "config": {"layers": [layer]}}
    with zipfile.ZipFile(hurt / "model.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("model.weights.h5", b"")
    message = (
        "'hurt/model.keras' is refused, since tfcourse exports no such model: its config.json asks for"
        " keras.layers.Lambda. Restore it from a copy."
    )
    check(capsys, predict.main(["hurt", "--data", "good.csv"]), message)


def test_a_space_file_may_be_called_otherwise_but_not_say_otherwise(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("good.csv", "narrow.toml", "mine.toml"):
        shutil.copy(folder / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    given = "--space narrow.toml --first mine.toml"
    start(f"--data good.csv --target y --batch-size 4 6 --out mine {given}")
    Path("narrow.toml").rename("same.toml")
    record = Path("mine/run.json").read_bytes()
    resumed = vars(
        train.build_parser().parse_args(["--resume", "mine", "--space", "same.toml", "--first", "mine.toml"])
    )
    starting.resume(resumed, [])
    assert Path("mine/run.json").read_bytes() == record
    Path("narrow.toml").write_text("[dropout]\nlow = 0\nhigh = 0.4\n")
    message = (
        "--resume: --space narrow.toml holds another space than the search was started with: dropout is 0 ... 0.4"
        f" (linear) instead of 0 ... 0.2 (linear). {GO_ON}"
    )
    check(capsys, train.main(["--resume", "mine", "--space", "narrow.toml"]), message)
