"""Where predictions go: a file that is whole or not there, what a link points to, a pipe, standard output."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tfcourse.predict import _opened


def write(out: str) -> None:
    with _opened(out) as file:
        file.write("label\nä\n")


def test_a_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    write(str(path))
    assert path.read_text(encoding="utf-8") == "label\nä\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    with pytest.raises(TypeError), _opened(str(path)) as file:
        file.writelines(["half", None])  # type: ignore[list-item]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(str(tmp_path / "link.csv"))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8") == "label\nä\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write, args=(str(pipe),), daemon=True)
    writer.start()
    assert pipe.read_text(encoding="utf-8") == "label\nä\n"
    writer.join()
    assert pipe.is_fifo()


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write("-")
    assert capsys.readouterr().out == "label\nä\n"
