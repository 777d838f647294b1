"""A journal keeps what was written, whatever happened to its last line."""

from __future__ import annotations

import json
import resource
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import scaled
from tfcourse import babysit
from tfcourse.babysitting.journal import NAME, Journal, read_journal

TEXT = st.text(max_size=20)


def test_events_are_numbered_and_come_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add("start", step=0)
    journal.add("pause", note="zu schnell ↓\nzwei Zeilen")
    found = read_journal(tmp_path)
    assert [(event["number"], event["kind"]) for event in found.events] == [(0, "start"), (1, "pause")]
    assert found.events[1]["note"] == "zu schnell ↓\nzwei Zeilen"
    assert found.torn == []
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0
    assert len((tmp_path / NAME).read_text().splitlines()) == 2


def test_a_torn_last_line_is_left_out_and_nothing_is_glued_to_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add("start")
    journal.add("pause")
    path = tmp_path / NAME
    content = path.read_bytes()
    path.write_bytes(content[:-9])
    again = Journal(tmp_path)
    assert again.torn == [2]
    again.add("restart", to=0)
    found = read_journal(tmp_path)
    assert [event["kind"] for event in found.events] == ["start", "restart"]
    assert found.torn == [2]
    assert path.read_bytes().startswith(content[:-9])  # what was written stays written


@settings(max_examples=scaled(40), deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5), st.data())
def test_whatever_is_cut_off_the_events_before_are_whole(notes: list[str], data: st.DataObject) -> None:
    time = "2026-01-01T00:00:00+00:00"
    lines = [json.dumps({"number": n, "kind": "pause", "time": time, "note": note}) for n, note in enumerate(notes)]
    content = "\n".join([*lines, ""]).encode()
    cut = data.draw(st.integers(0, len(content)))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(content[:cut])
        found = read_journal(Path(folder))
        # A line that only lacks its end is whole.
        ends = [sum(len(line) + 1 for line in lines[: n + 1]) - 1 for n in range(len(lines))]
        assert [event["note"] for event in found.events] == notes[: sum(end <= cut for end in ends)]
        Journal(Path(folder)).add("restart", to=0)
        after = read_journal(Path(folder)).events
        assert [event["kind"] for event in after] == ["pause"] * len(found.events) + ["restart"]


def test_a_disk_that_takes_a_part_of_a_line_loses_no_event(tmp_path: Path) -> None:
    journal, path = Journal(tmp_path), tmp_path / NAME
    journal.add("start")
    size = path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))  # the system writes 20 bytes, then none
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.add("pause", note="longer than twenty bytes")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size  # the part is taken back
    journal.add("resume")
    found = read_journal(tmp_path)
    assert [(event["number"], event["kind"]) for event in found.events] == [(0, "start"), (1, "resume")]
    assert found.torn == []


def test_a_line_is_never_glued_to_one_that_was_torn_meanwhile(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add("start")
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"number": 1, "ki')
    journal.add("pause")
    found = read_journal(tmp_path)
    assert ([event["kind"] for event in found.events], found.torn) == (["start", "pause"], [2])


def test_lines_that_are_no_events_are_named(tmp_path: Path) -> None:
    good = json.dumps({"number": 0, "kind": "start", "time": "2026-01-01T00:00:00+00:00"})
    (tmp_path / NAME).write_text(f'{good}\n[1]\n{{"number": "1"}}\n\x00\x00\n{good.replace("start", "epoch")}\n')
    found = read_journal(tmp_path)
    assert (len(found.events), found.torn) == (1, [2, 3, 4, 5])


ODD = [
    b"[" * 100_000,
    b'{"number": 0, "kind": "pause", "time": "2026-01-01T00:00:00+00:00"}',  # a number that was there
    b'{"number": 5, "kind": "pause", "time": "2026-01-01T00:00:00"}',
    b'{"number": 5, "kind": "restart", "to": "best", "time": "2026-01-01T00:00:00+00:00"}',
    b'{"number": 5, "kind": "epoch", "epoch": 1, "step": 1, "logs": [], "time": "2026-01-01T00:00:00+00:00"}',
    b'{"number": 5, "kind": "pause", "note": 3, "time": "2026-01-01T00:00:00+00:00"}',
]


@pytest.mark.parametrize("line", ODD, ids=lambda line: line.decode()[:60])
def test_a_line_that_says_what_no_event_can_is_left_out(line: bytes, tmp_path: Path) -> None:
    Journal(tmp_path).add("start", epoch=0, step=0)
    with (tmp_path / NAME).open("ab") as file:
        file.write(line + b"\n")
    found = read_journal(tmp_path)
    assert (len(found.events), found.torn) == (1, [2])


LOOKS = ["status", "journal", "report"]


@pytest.mark.parametrize("command", LOOKS)
def test_a_journal_without_a_whole_line_is_no_training(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NAME).write_text("{}\n")
    assert babysit.main([command, str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {str(tmp_path)!r} holds no babysat training.")


@pytest.mark.parametrize("command", LOOKS)
def test_a_journal_that_goes_back_to_what_it_does_not_have_is_shown(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(tmp_path)
    journal.add("start", epoch=0, step=0)
    journal.add("epoch", epoch=1, step=5, logs={"loss": 0.5})
    journal.add("restart", epoch=0, step=0, to=7)
    assert babysit.main([command, str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
