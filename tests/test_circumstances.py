"""Every command where nobody reads it, on a terminal that lacks most characters, beside somebody else's settings.

Importing TensorFlow takes seconds, so one process imports it, in a hostile environment, and forks a child for each
start of a command.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tfcourse import predict

ROOT = Path(__file__).parents[1]
CLASSES = {"cat": "Kätzchen", "dog": "狗"}
COLUMN = "größe"
FILE = b"caf\xe9.csv".decode("utf-8", "surrogateescape")
"""A file name that is no UTF-8."""
KERAS = {"floatx": "float16", "epsilon": 0.01, "backend": "jax", "image_data_format": "channels_first"}
ENVIRONMENT = {
    "KERAS_BACKEND": "numpy", "TF_USE_LEGACY_KERAS": "1", "KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1",
    "KERASTUNER_TUNER_ID": "tuner7", "KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": "9",
    "HOME": "/nonexistent", "TMPDIR": "/nonexistent", "MPLCONFIGDIR": "/proc/nonexistent", "TERM": "dumb",
    "COLUMNS": "100", "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3",
}  # fmt: skip

ZYGOTE = """
import importlib, io, json, os, signal, sys, traceback
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # however the tests were started
from tfcourse.process.start_keras import start_keras
start_keras()
import tfcourse.tuning.result, tfcourse.tuning.search, tfcourse.babysitting.training

def become(number, name, how):
    if how == "closed":
        os.close(number)
        setattr(sys, name, None)
        return
    if how == "left":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open(how, os.O_WRONLY | os.O_CREAT)
    os.dup2(write, number)
    os.close(write)
    stream = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    setattr(sys, name, io.TextIOWrapper(stream, "ascii"))

def recorded(name, call, path_of):
    def recording(*arguments):
        with open("disk", "a", encoding="utf-8", errors="surrogateescape") as log:
            print(name, path_of(arguments), file=log)
        return call(*arguments)
    return recording

os.replace = recorded("replace", os.replace, lambda given: os.path.abspath(given[1]))
if os.path.exists("/proc/self/fd"):
    os.fsync = recorded("fsync", os.fsync, lambda given: os.readlink(f"/proc/self/fd/{given[0]}"))

for line in sys.stdin:
    module, words, output, errors, trace = json.loads(line)
    if (child := os.fork()) == 0:
        os.setpgid(0, 0)
        sys.stdin = open(os.devnull)
        become(1, "stdout", output)
        become(2, "stderr", errors)
        try:
            status = importlib.import_module(module).main(words)
            for stream in (sys.stdout, sys.stderr):  # as the interpreter does at its end
                stream is None or stream.flush()
        except BaseException:
            status = 99
            with open(trace, "w") as file:
                traceback.print_exc(file=file)
        os._exit(status)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Commands:
    """Starts of commands, each in a process of its own.

    Args:
        place: where what they say is kept.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        home = place / "keras"
        home.mkdir()
        (home / "keras.json").write_text(json.dumps(KERAS), encoding="utf-8")
        self.zygote = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=place,
            env={**os.environ, **ENVIRONMENT, "KERAS_HOME": str(home)},
        )  # fmt: skip

    def begin(self, module: str, *words: str, output: str = "read", errors: str = "read") -> int:
        """Start a command and return its process; its streams are ``read``, ``left``, ``closed`` or ``full``."""
        files = {"left": "left", "closed": "closed", "full": "/dev/full"}
        for name in ("output", "errors", "trace", "disk"):
            (self.place / name).unlink(missing_ok=True)
        order = [module, words, files.get(output, "output"), files.get(errors, "errors"), "trace"]
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(order) + "\n")
        self.zygote.stdin.flush()
        return self._line()

    def end(self) -> tuple[int, bytes, bytes]:
        """Wait for the command and return its status, and what it said where that was read."""
        status = self._line()
        trace = self.place / "trace"
        assert not trace.exists(), trace.read_text()
        said = [self.place / "output", self.place / "errors"]
        output, errors = (file.read_bytes() if file.exists() else b"" for file in said)
        disk = self.place / "disk"
        self.disk = disk.read_text(encoding="utf-8", errors="surrogateescape").splitlines() if disk.exists() else []
        assert b"Traceback" not in errors, errors
        return status, output, errors

    def run(self, module: str, *words: str, **streams: str) -> tuple[int, bytes, bytes]:
        """Start a command and wait for it."""
        self.begin(module, *words, **streams)
        return self.end()

    def _line(self) -> int:
        assert self.zygote.stdout is not None
        return int(self.zygote.stdout.readline())

    def close(self) -> None:
        assert self.zygote.stdin is not None
        assert self.zygote.stdout is not None
        self.zygote.stdin.close()
        self.zygote.wait()
        self.zygote.stdout.close()


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    started = Commands(tmp_path_factory.mktemp("circumstances"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def table(commands: Commands, pets_csv: Path) -> Path:
    """Return the path of the pets, whose classes, a column and file have names that no ASCII terminal can show."""
    frame = pd.read_csv(pets_csv).rename(columns={"colour": COLUMN}).replace({"kind": CLASSES})
    path = commands.place / FILE
    frame.to_csv(path, index=False, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile_run(commands: Commands, table: Path) -> Path:
    """Return a run that had no reader, no standard error and a hostile Keras, of the settings of ``pets_run``."""
    words = ["--data", str(table), "--target", "kind", "--trials", "3", "--epochs", "4", "--out", "run"]
    assert commands.run("tfcourse.train", *words, output="left", errors="closed") == (0, b"", b"")
    run = commands.place / "run"
    (run / "disk").write_text("\n".join(commands.disk), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def nursery(commands: Commands, table: Path) -> Path:
    """Return a babysat training of two epochs that had no reader."""
    words = ["--data", str(table), "--target", "kind", "--set", "epochs=2", "units=4", "--out", "nursery"]
    assert commands.run("tfcourse.babysit", "start", *words, output="left", errors="left") == (0, b"", b"")
    return commands.place / "nursery"


def test_a_run_that_nobody_reads_beside_a_hostile_keras_is_the_run_without(hostile_run: Path, pets_run: Path) -> None:
    assert read(hostile_run / "run.json")["status"] == "completed"
    ours, undisturbed = read(hostile_run / "result.json"), read(pets_run / "result.json")
    assert ours["classes"] == list(CLASSES.values())
    for part in ("best", "model", "baseline", "test"):
        assert ours[part] == undisturbed[part]
    page = (hostile_run / "report.html").read_bytes().decode("utf-8")
    assert "caf\\udce9.csv" in page
    assert "Kätzchen" in page


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to name what is open")
def test_a_file_is_on_the_disk_before_any_that_tells_of_it(hostile_run: Path) -> None:
    asked = (hostile_run / "disk").read_text(encoding="utf-8").splitlines()
    asked = [line for line in asked if Path(line.partition(" ")[2]).is_relative_to(hostile_run)]  # not kept programs
    replaced = [number for number, line in enumerate(asked) if line.startswith("replace ")]
    names = {Path(asked[number]).name for number in replaced}
    assert names >= {"run.json", "result.json", "model.keras", "trial.json", "best_epoch.npz", "baseline.json"}
    for number in replaced:
        path = Path(asked[number].removeprefix("replace "))
        if path.name != "oracle.json":  # of which nothing tells
            before = [line for line in asked[:number] if Path(line.partition(" ")[2]).parent == path.parent]
            own = [line for line in before if line.endswith((f"/{path.name}", f".{path.name}"))]
            assert re.fullmatch(rf"fsync .*/\.\d+\.{re.escape(path.name)}", own[-1])  # since it last took its name
            # Files of one name may take theirs together; until their folders are on the disk, no other does.
            until = asked.index(f"fsync {path.parent}", number)
            for line in asked[number + 1 : until]:
                done, _, other = line.partition(" ")
                assert Path(other).is_dir() if done == "fsync" else Path(other).name == path.name
    for trial in hostile_run.glob("search/trial_*"):
        own = [line for line in asked if line.endswith((f"{trial.name}/trial.json", f"{trial.name}/best_epoch.npz"))]
        assert [Path(line).name for line in own if line.startswith("replace")] == [
            "trial.json", "best_epoch.npz", "trial.json",
        ]  # fmt: skip
        assert asked.index(f"fsync {trial.parent}") < asked.index(f"replace {trial / 'best_epoch.npz'}")


def test_a_training_that_nobody_reads_goes_on_to_its_end(nursery: Path) -> None:
    assert read(nursery / "run.json")["status"] == "completed"
    assert read(nursery / "result.json")["classes"] == list(CLASSES.values())


STARTS = [
    ("tfcourse.predict", "run --data FILE", 0),
    ("tfcourse.predict", "run --data FILE --out gone/FILE", 2),
    ("tfcourse.predict", "run --data -", 2),
    ("tfcourse.train", "--resume run", 0),
    ("tfcourse.train", "--resume run --json", 0),
    ("tfcourse.train", "--data FILE --target größer", 2),
    ("tfcourse.train", "--data gone-FILE --target kind", 2),
    ("tfcourse.retest", "run --data gone-FILE", 2),
    ("tfcourse.report.__main__", "run --out FILE.html", 0),
    ("tfcourse.report.__main__", "FILE", 2),
    ("tfcourse.babysit", "status nursery", 0),
    ("tfcourse.babysit", "status nursery --json", 0),
    ("tfcourse.babysit", "watch nursery", 0),
    ("tfcourse.babysit", "journal nursery", 0),
    ("tfcourse.babysit", "replay nursery", 0),
    ("tfcourse.babysit", "report nursery --out FILE.html", 0),
    ("tfcourse.babysit", "set nursery learning_rate=0.1 --note größe", 2),
    ("tfcourse.babysit", "start --data gone-FILE --out other", 2),
    ("legacy_tf1.minimize_tf2", "--steps 1 --plot FILE.png", 0),
    ("legacy_tf1.minimize", "--steps 1 --plot FILE.gone", 2),
]


SLOW = [
    ("tfcourse.predict", "run --data FILE"), ("tfcourse.babysit", "replay nursery"),
    ("legacy_tf1.minimize_tf2", "--steps 1 --plot FILE.png"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "words", "status"), STARTS, ids=[f"{m} {w}" for m, w, _ in STARTS])
@pytest.mark.usefixtures("hostile_run", "nursery")
def test_no_command_fails_where_nobody_reads_it_or_its_characters_cannot_be_shown(
    module: str, words: str, status: int, commands: Commands
) -> None:
    given = [word.replace("FILE", FILE) for word in words.split()]
    found, output, errors = commands.run(module, *given)
    aside = words.endswith("run --json")  # the tables go to standard error
    assert (found, bool(output), bool(errors)) == (status, status == 0, status != 0 or aside), errors
    if not words.startswith("run --data"):  # which writes data, no text to look at
        output.decode("ascii")
    errors.decode("ascii")
    assert commands.run(module, *given, output="left", errors="closed") == (status, b"", b"")
    if (module, words) not in SLOW:
        assert commands.run(module, *given, output="closed", errors="left") == (status, b"", b"")


def test_what_cannot_be_shown_is_spelled(commands: Commands, hostile_run: Path) -> None:
    _, output, _ = commands.run("tfcourse.train", "--resume", str(hostile_run))
    assert b"| K\\xe4tzchen |" in output
    assert b"+----" in output  # the tables' lines
    assert b"\\u2" not in output  # nothing of ours is left without another spelling
    *_, errors = commands.run("tfcourse.train", "--data", FILE, "--target", "kinds")
    assert errors.startswith(b"error: --target: 'caf\\udce9.csv' has no column 'kinds'."), errors


def test_predictions_are_utf_8_wherever_they_go(commands: Commands, hostile_run: Path, table: Path) -> None:
    assert predict.main([str(hostile_run), "--data", str(table), "--out", str(commands.place / "there.csv")]) == 0
    there = (commands.place / "there.csv").read_bytes()
    assert "狗".encode() in there
    assert commands.run("tfcourse.predict", "run", "--data", FILE) == (0, there, b"")


def test_output_that_is_lost_for_another_reason_is_an_error(commands: Commands, hostile_run: Path) -> None:
    status, _, errors = commands.run("tfcourse.predict", "run", "--data", FILE, output="full")
    assert (status, errors) == (2, b"error: Standard output could not be written: No space left on device.\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_search_with_a_true_status_and_the_line_that_resumes(
    how: signal.Signals, commands: Commands, table: Path
) -> None:
    out = commands.place / how.name
    words = ["--data", str(table), "--target", "kind", "--trials", "500", "--epochs", "3", "--engine", "keras"]
    words += ["--space", str(table.parent / "space.toml")]
    (table.parent / "space.toml").write_text("layers = 1\nunits = 4\nbatch_size = 32\n", encoding="utf-8")
    process = commands.begin("tfcourse.train", *words, "--out", str(out), output="left")
    until = time.monotonic() + 300
    while not (out / "baseline").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process, how)
    status, _, errors = commands.end()
    assert status == 130
    assert errors.decode().splitlines() == [
        "Stopping after this epoch; press Ctrl-C again to stop at once.",
        f"Interrupted; the trials that ended are kept. Go on with: python -m tfcourse.train --resume {out}",
    ]
    assert read(out / "run.json")["status"] == "interrupted"
