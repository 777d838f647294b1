"""A run to report on, of data whose every name holds markup, and a browser to look at its page with."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.report.browser import Browser, find_chromium
from tfcourse import train
from tfcourse.errors import UserError
from tfcourse.report import write_report
from tfcourse.report.source import read_run

COLUMN = "<script>alert(1)</script>"
CLASSES = ["</script><img src=x onerror=alert(2)>", "<script>alert(3)</script>", "plain & 'quoted'"]
FILE = "<script>alert(4)<!--.csv"
SPACE = """
optimizer = ["sgd", "adam"]
batch_size = 32
units = [4, 8, 12]
[learning_rate]
low = 1e-3
high = 1e20
[layers]
low = 1
high = 2
"""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def hostile_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of three classes in which every name holds markup."""
    rng, rows = np.random.default_rng(0), 240
    a, b = rng.normal(size=(2, rows)).round(3)
    colour = rng.choice(["<b>red</b>", "blue"], rows)
    kind = np.digitize(a + b + (colour == "blue") + 0.4 * rng.normal(size=rows), [-0.3, 1.2])
    path = tmp_path_factory.mktemp("hostile") / FILE
    frame = pd.DataFrame({COLUMN: a, "x": b, "colour": colour, "kind": np.array(CLASSES)[kind]})
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def report_run(hostile_csv: Path) -> Path:
    """Return a finished run of two rounds on it, some of whose trials diverged."""
    folder = hostile_csv.parent
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")
    given = ["--data", str(hostile_csv), "--target", "kind", "--space", str(folder / "space.toml"), "--trials", "20"]
    out, ended = folder / "run", threading.Event()
    watcher = threading.Thread(target=watch, args=(out, ended))
    watcher.start()
    try:
        assert train.main([*given, "--epochs", "5", "--calibrate", "--tensorboard", "--quiet", "--out", str(out)]) == 0
    finally:
        ended.set()
        watcher.join()
    return out


def watch(run: Path, ended: threading.Event) -> None:
    """Ask for a report again and again while a search runs; ``watched.html`` beside it is the last before its end."""
    while not ended.wait(0.3):
        with contextlib.suppress(UserError):  # no trial has ended yet
            if read_run(run).result is None:
                write_report(run, run.parent / "watching.html")
                if not (run / "result.json").exists():
                    (run.parent / "watching.html").replace(run.parent / "watched.html")


@pytest.fixture
def copied(report_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the run, to be changed."""
    return Path(shutil.copytree(report_run, tmp_path / "copied"))


def stopped(run: Path, kept: int) -> None:
    """Make of a finished run one that is still searching, with so many trials ended and one under way."""
    (run / "result.json").unlink()
    (run / "report.html").unlink(missing_ok=True)
    for path in (run / "search").glob("trial_*/trial.json"):
        number = int(path.parent.name.removeprefix("trial_"))
        if number > kept:
            shutil.rmtree(path.parent)
        elif number == kept:
            state = {**read(path), "status": "RUNNING", "score": None, "metrics": {"metrics": {}}}
            path.write_text(json.dumps(state), encoding="utf-8")
    record = read(run / "run.json")
    (run / "run.json").write_text(json.dumps({**record, "status": "running"}), encoding="utf-8")


@pytest.fixture(scope="session")
def large_run(report_run: Path) -> Path:
    """Return a run of 2000 trials of 60 epochs with its report: the trials of a small one again, with other numbers."""
    run = Path(shutil.copytree(report_run, report_run.parent / "large"))
    states = [read(path) for path in sorted((run / "search").glob("trial_*/trial.json"))]
    done = [state for state in states if state["status"] == "COMPLETED"]
    shutil.rmtree(run / "search")
    draw = random.Random(0)
    for number in range(2000):
        state = json.loads(json.dumps(done[number % len(done)]))
        values, metrics = state["hyperparameters"]["values"], state["metrics"]["metrics"]
        values |= {"learning_rate": 10 ** draw.uniform(-3, 0), "dropout": draw.uniform(0, 0.5)}
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            points = [draw.uniform(0.1, 1.0) for _ in range(60)]
            metrics[name]["observations"] = [{"value": [value], "step": step} for step, value in enumerate(points)]
            if name == "val_loss":
                state |= {"score": min(points), "best_step": points.index(min(points))}
        state["trial_id"] = str(number)
        state["tfcourse"] |= {"ended_at": 0.1 * number, "round": number // 1000}
        folder = run / "search" / f"trial_{number}"
        folder.mkdir(parents=True)
        (folder / "trial.json").write_text(json.dumps(state), encoding="utf-8")
    write_report(run)
    return run


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a browser; skip where there is none."""
    if find_chromium() is None:
        pytest.skip("there is no Chromium here to look at pages with; apt-get install chromium")
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    """Return the browser as a reader has it at a desk, nothing complained of yet."""
    chromium.complaints.clear()
    chromium.look(1200, 900)
    return chromium
