"""Each script runs with small settings, prints claim, numbers and verdict, and saves its figure."""

import importlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.slides.conftest import SLIDES

ROOT = SLIDES.parents[1]
SCRIPTS = sorted(path.stem for path in SLIDES.glob("[a-d][0-9]_*.py"))
# The rows of the syllabus with something to show; B3 and C3 have nothing of their own.
ROWS = [f"A{i}" for i in range(1, 10)] + ["B1", "B2", "B4", "B5", "B6", "B7", "B8"] + ["C1", "C2", "C4", "C5", "C6"]
ROWS += ["D1", "D2", "D3", "D4"]
# What small settings are enough for: exact statements, no statistics.
EXACT = {"A4", "A5", "A6", "B1", "B2", "B4", "C1", "C4", "C5", "C6", "D2", "D3", "D4"}


def test_every_row_has_its_script() -> None:
    assert [stem.split("_")[0].upper() for stem in SCRIPTS] == ROWS


@pytest.mark.parametrize("stem", SCRIPTS)
def test_script(stem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = importlib.import_module(stem)
    assert script.main(["--quick", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    record = json.loads((tmp_path / f"{stem}.json").read_text(encoding="utf-8"))
    assert record["row"] == stem.split("_")[0].upper()
    assert out.splitlines()[0] == f"{record['row']}  {record['title']}"
    for number in record["numbers"]:
        assert number["text"] in out
    assert out.splitlines()[-1] == ("holds" if record["holds"] else "does not hold")
    if record["row"] in EXACT:
        assert record["holds"]
    for suffix in ("", ".dark"):
        assert (tmp_path / f"{stem}{suffix}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("stem", SCRIPTS)
def test_script_is_short(stem: str) -> None:
    assert len((SLIDES / f"{stem}.py").read_text(encoding="utf-8").splitlines()) < 100


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("href", "src", "srcset")]
        self.ids += [str(value) for name, value in attrs if name == "id"]


def test_the_page_is_self_contained_and_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = importlib.import_module("all")
    assert everything.main(["--quick", "--only", "c6", "a5", "c1", "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\[ 1/3\] a5_log_scale +holds +\d+\.\d s +about +\d+ s left", lines[0])
    assert lines[-1].startswith("3 of 3 claims hold")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.ids == ["A5", "C1", "C6"]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links.found)
    assert len([link for link in links.found if link.startswith("data:")]) == 6
    assert page.count("does not hold") == 0
    assert "148.413" in page


def test_a_script_that_fails_is_told_and_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything, broken = importlib.import_module("all"), importlib.import_module("a5_log_scale")
    monkeypatch.setattr(broken, "LOW", -1.0)
    monkeypatch.setattr(broken, "CLAIMED", {})
    assert everything.main(["--quick", "--only", "a5", "c1", "--out", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert "FAILED" in captured.out
    assert captured.err == "all.py: error: failed: a5_log_scale; the page says why.\n"
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Traceback" in page
    assert "148.413" in page


def test_a_row_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module("all").main(["--only", "z9"]) == 2
    assert "--only z9 names no row; there are a1 " in capsys.readouterr().err
