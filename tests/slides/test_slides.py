"""Each script runs with small settings, prints claim, numbers and verdict, and saves its figure."""

import contextlib
import functools
import importlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import Browser, find_chromium
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


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder to which each script writes, once."""
    return tmp_path_factory.mktemp("slides")


@functools.cache
def record_of(stem: str, out: Path) -> tuple[dict[str, Any], str]:
    """Run a script with small settings, unless it ran already; return its numbers and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert importlib.import_module(stem).main(["--quick", "--out", str(out)]) == 0
    return json.loads((out / f"{stem}.json").read_text(encoding="utf-8")), printed.getvalue()


@pytest.mark.parametrize("stem", SCRIPTS)
def test_script(stem: str, out: Path) -> None:
    record, printed = record_of(stem, out)
    assert record["row"] == stem.split("_")[0].upper()
    assert printed.splitlines()[0] == f"{record['row']}  {record['title']}"
    for number in record["numbers"]:
        assert number["text"] in printed
    assert printed.splitlines()[-1] == ("holds" if record["holds"] else "does not hold")
    if record["row"] in EXACT:
        assert record["holds"]
    for suffix in ("", ".dark"):
        assert (out / f"{stem}{suffix}.png").read_bytes().startswith(b"\x89PNG")


def test_the_hand_written_loop_is_model_fit_to_float64_rounding(out: Path) -> None:
    numbers = record_of("b5_hand_written_loop", out)[0]["numbers"]
    differences = [number["measured"] for number in numbers if "difference" in number["what"]]
    assert len(differences) == 3
    assert max(differences) < 1e-12  # in float32 it is above 1e-7


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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return the page of three scripts, and what making it printed."""
    out, printed = tmp_path_factory.mktemp("page"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        everything = importlib.import_module("all")
        assert everything.main(["--quick", "--only", "c6", "a5", "c1", "--out", str(out)]) == 0
    return out / "index.html", printed.getvalue().splitlines()


def test_the_page_is_self_contained_and_in_order(page: tuple[Path, list[str]]) -> None:
    file, lines = page
    assert re.fullmatch(r"\[ 1/3\] a5_log_scale +holds +\d+\.\d s +about +\d+ s left", lines[0])
    assert lines[-1].startswith("3 of 3 claims hold")
    text = file.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert links.ids == ["A5", "C1", "C6"]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links.found)
    assert len([link for link in links.found if link.startswith("data:")]) == 6
    assert text.count("does not hold") == 0
    assert "148.413" in text


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium here")
def test_the_page_in_a_browser(page: tuple[Path, list[str]]) -> None:
    browser = Browser()
    try:
        shown = {}
        for width, dark in ((1200, False), (390, False), (390, True)):
            browser.look(width, 900, dark=dark)
            browser.open(page[0])
            assert browser.evaluate("document.documentElement.scrollWidth") == width  # nothing sticks out
            assert browser.evaluate("[...document.images].map(image => image.naturalWidth > 0)") == [True] * 3
            assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []
            shown[dark] = browser.evaluate("document.images[0].currentSrc")
        assert shown[True] != shown[False]  # the dark figure on a dark page
        assert browser.complaints == []
    finally:
        browser.close()


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
    assert importlib.import_module("all").main(["--only", "a5", "z9"]) == 2
    assert capsys.readouterr().err.startswith("all.py: error: --only z9 names no row; there are a1 a2 ")


def test_a_folder_that_cannot_be_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("in the way", encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        importlib.import_module("a5_log_scale").main(["--quick", "--out", str(file)])
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"error: --out {file} cannot be made a folder (File exists); name another." in captured.err
