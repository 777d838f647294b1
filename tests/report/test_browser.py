"""The page in a real Chromium: drawn without a complaint, brushed, picked from, dark, printed, on a phone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import Browser
from tests.report.conftest import read
from tests.report.page_text import Page
from tfcourse.report.page import write_comparison, write_report

UNDRAWN = "document.querySelectorAll('[data-chart]:not([data-drawn])').length"
CHART = "document.querySelector('[data-chart={}]').chart"


def scroll_through(browser: Browser) -> None:
    """Read the page from top to bottom, which draws its figures."""
    for share in range(11):
        browser.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {share} / 10)")
        browser.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")
    browser.wait_for(f"{UNDRAWN} === 0")


def centre_on(browser: Browser, chart: str) -> dict[str, float]:
    """Scroll to a figure and return where it lies in the window."""
    element = f"document.querySelector('[data-chart={chart}]')"
    browser.evaluate(f"{element}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    browser.wait_for(f"'drawn' in {element}.dataset")
    return dict(
        browser.evaluate(
            f"(({{left, top, width, height}}) => ({{left, top, width, height}}))({element}.getBoundingClientRect())"
        )
    )


@pytest.fixture
def opened(browser: Browser, report_run: Path) -> Browser:
    browser.open(report_run / "report.html")
    return browser


def test_every_figure_is_drawn_without_a_complaint_or_a_request(opened: Browser, report_run: Path) -> None:
    scroll_through(opened)
    assert opened.complaints == []
    assert opened.requests() == [(report_run / "report.html").resolve().as_uri()]
    paths = "(e) => [e.dataset.chart, e.querySelectorAll('svg path').length]"
    for figure, count in opened.evaluate(f"[...document.querySelectorAll('[data-chart]')].map({paths})"):
        assert count > 4, figure
    # Had a name been taken for markup, an alert would have stopped the page.
    assert opened.evaluate("document.images.length") == 0
    assert opened.evaluate("[...document.querySelectorAll('th')].some((e) => e.textContent.startsWith('<script>'))")


def test_the_axis_plot_draws_every_trial_and_its_crosses(opened: Browser, report_run: Path) -> None:
    centre_on(opened, "parameter")
    data = Page(report_run / "report.html").data
    drawn = opened.evaluate(
        CHART.format("parameter") + ".getOption().series.map((s) => [s.name, s.data.length, s.itemStyle?.color])"
    )
    counts = {name: count for name, count, _ in drawn[:4]}
    done = data["trials"]["status"].count("completed")
    assert counts["earlier rounds"] + counts["last round"] == done
    assert (counts["diverged"], counts["best"]) == (data["diverged"], 1)
    red = opened.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--red').trim()")
    assert next(color for name, _, color in drawn if name == "diverged") == red
    box = opened.evaluate(CHART.format("parameter") + ".getOption().series[1].markArea.data[0].map((e) => e.xAxis)")
    assert box == data["parameters"][0]["boxes"][0][1:]


def test_brushing_an_axis_keeps_the_trials_that_pass_there(opened: Browser, report_run: Path) -> None:
    centre_on(opened, "parameter")
    place = centre_on(opened, "parallel")
    data = Page(report_run / "report.html").data
    number = next(n for n, row in enumerate(data["parameters"]) if row["name"] == "dropout")
    axis = data["parameters"][number]
    x, top, bottom = opened.evaluate(
        f"""(() => {{
          const chart = {CHART.format("parallel")};
          const box = chart.getModel().getComponent('parallel').coordinateSystem;
          const layout = box.getAxisLayout(box.dimensions[{number}]);
          const rect = box.getRect();
          return [layout.position[0], rect.y, rect.y + rect.height];
        }})()"""
    )
    x, top, bottom = x + place["left"], top + place["top"], bottom + place["top"]
    middle = (axis["low"] + axis["high"]) / 2
    completed = [n for n, status in enumerate(data["trials"]["status"]) if status == "completed"]
    lower = {data["trials"]["number"][n] for n in completed if axis["x"][n] < middle}
    assert 0 < len(lower) < len(completed)
    opened.drag((x, bottom - 1), (x, (top + bottom) / 2))
    said = opened.wait_for("document.getElementById('brushed').textContent")
    found = re.fullmatch(
        r"(\d+) of (\d+) trials kept; the best of them is trial (\d+) with validation loss ([\d.]+)\.", said
    )
    assert found, said
    scores = {data["trials"]["number"][n]: data["trials"]["score"][n] for n in completed}
    best = min(lower, key=lambda trial: scores[trial])
    assert [int(part) for part in found.groups()[:3]] == [len(lower), len(completed), best]
    assert float(found[4]) == pytest.approx(scores[best], abs=1e-4)
    faint = CHART.format("parameter") + (
        ".getOption().series.slice(0, 2).flatMap((s) => s.data).filter((p) => p.itemStyle?.opacity === 0.1).length"
    )
    opened.wait_for(f"{faint} === {len(completed) - len(lower)}")
    opened.evaluate("document.getElementById('clear').click()")
    opened.wait_for(f"{faint} === 0")
    assert opened.evaluate("document.getElementById('brushed').textContent") == ""
    assert opened.complaints == []


def shown_trials(browser: Browser) -> list[int]:
    texts = browser.evaluate("[...document.querySelectorAll('#chips button')].map((e) => e.textContent)")
    return [int(text.split(",")[0].removeprefix("trial ")) for text in texts]


def drawn_trials(browser: Browser) -> set[int]:
    series = CHART.format("curves") + ".getOption().series.flatMap((s) => s.data.map((p) => p.trial))"
    return set(browser.evaluate(series))


def test_curves_of_any_trial_are_added_and_taken_away(opened: Browser, report_run: Path) -> None:
    data: dict[str, Any] = Page(report_run / "report.html").data
    centre_on(opened, "curves")
    leaders = data["leaders"]
    assert shown_trials(opened) == leaders
    assert drawn_trials(opened) == set(leaders)
    other = next(n for n in data["trials"]["number"] if n not in leaders and str(n) in data["curves"])
    opened.evaluate(f"document.getElementById('trial').value = {other}; document.querySelector('#pick button').click()")
    assert (
        opened.evaluate("document.getElementById('picked').textContent")
        == f"Trial {other} is among the learning curves."
    )
    assert shown_trials(opened) == [*leaders, other]
    assert other in drawn_trials(opened)
    opened.evaluate("document.querySelector('#chips button').click()")
    assert leaders[0] not in drawn_trials(opened)
    opened.evaluate("document.querySelector('input[value=accuracy]').click()")
    metrics = CHART.format("curves") + ".getOption().series.map((s) => s.name)"
    assert set(opened.evaluate(metrics)) == {"val_accuracy", "accuracy", "best epoch"}
    assert opened.complaints == []


def test_a_click_on_a_point_adds_its_trial(opened: Browser) -> None:
    place = centre_on(opened, "parameter")
    before = shown_trials(opened)
    crosses = opened.evaluate(
        f"(() => {{ const chart = {CHART.format('parameter')}; const series = chart.getOption().series[2];"
        " return series.data.map((p) => [p.index, ...chart.convertToPixel({seriesIndex: 2}, p.value)]); })()"
    )
    index, x, y = crosses[0]
    opened.click(place["left"] + x, place["top"] + y)
    opened.wait_for("document.getElementById('picked').textContent")
    assert len(shown_trials(opened)) in (len(before), len(before) + 1), "a trial that diverged at once has no curves"
    assert f"trial {index}" in opened.evaluate("document.getElementById('picked').textContent").lower()


def test_dark_and_light(browser: Browser, report_run: Path) -> None:
    colours = {}
    for dark in (False, True):
        browser.look(1200, 900, dark=dark)
        browser.open(report_run / "report.html")
        scroll_through(browser)
        assert browser.complaints == []
        style = "getComputedStyle({}).{}"
        page, ink = (browser.evaluate(style.format("document.body", name)) for name in ("backgroundColor", "color"))
        text = browser.evaluate("document.querySelector('[data-chart=importance] svg text').getAttribute('fill')")
        colours[dark] = (page, ink, text)
        assert contrast(page, ink) > 7
        card = browser.evaluate(style.format("document.querySelector('.card')", "backgroundColor"))
        for name in ("muted", "accent", "gold", "red", "green"):
            value = browser.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
            assert contrast(card, value) > 4, (name, dark)  # 3 for marks, 4.5 for small text (WCAG 2.2)
    assert all(light != dark for light, dark in zip(*colours.values(), strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    levels = []
    for colour in (one, other):
        parts = (
            [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
            if colour.startswith("#")
            else [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
        )
        linear = [p / 255 / 12.92 if p / 255 <= 0.04045 else ((p / 255 + 0.055) / 1.055) ** 2.4 for p in parts]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_down_and_not_sideways(browser: Browser, report_run: Path, width: int) -> None:
    browser.look(width, 800)
    browser.open(report_run / "report.html")
    scroll_through(browser)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    right = "Math.max(...[...document.querySelectorAll('[data-chart]')].map((e) => e.getBoundingClientRect().right))"
    assert browser.evaluate(right) <= width
    assert browser.complaints == []


def test_print_is_light_and_holds_every_figure(browser: Browser, report_run: Path, tmp_path: Path) -> None:
    browser.look(1200, 900, dark=True)
    browser.open(report_run / "report.html")
    browser.evaluate(
        "addEventListener('afterprint', () => { window.printed = [getComputedStyle(document.body).color] })"
    )
    browser.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "page.pdf").read_bytes())) in range(4, 16)
    assert browser.evaluate(UNDRAWN) == 0, "also those that were never scrolled to"
    assert browser.evaluate("document.documentElement.classList.contains('printing')") is False
    assert browser.complaints == []


def test_two_thousand_trials_are_drawn(browser: Browser, large_run: Path) -> None:
    browser.open(large_run / "report.html")
    scroll_through(browser)
    assert browser.complaints == []
    assert browser.evaluate(CHART.format("parallel") + ".getOption().series[0].data.length") == 2000


LABELS = """
  [...document.querySelectorAll('[data-chart]')].flatMap(({ chart, dataset }) =>
    ['xAxis', 'yAxis', 'parallelAxis'].flatMap((kind) => (chart.getOption()[kind] ?? []).map((option, index) => {
      const { axis } = chart.getModel().getComponent(kind, index);
      const texts = axis.getViewLabels().map((label) => label.formattedLabel);
      return [`${dataset.chart} ${kind}`, option.axisLabel.show === false, texts];
    })))
"""


def test_every_axis_has_labels_that_tell_its_ticks_apart(
    browser: Browser, report_run: Path, copied: Path, tmp_path: Path
) -> None:
    narrow(copied, 0.3246, 0.333)
    other = Path(shutil.copytree(copied, tmp_path / "other"))
    both = write_comparison([copied, other], tmp_path / "both.html")
    for page in (report_run / "report.html", write_report(copied), both):
        browser.open(page)
        scroll_through(browser)
        for axis, hidden, texts in browser.evaluate(LABELS):
            assert hidden or len(set(texts)) == len(texts) >= 2, (page, axis, texts)
    assert browser.complaints == []


def narrow(run: Path, low: float, high: float) -> None:
    """Bring the scores of all trials of a run into a narrow range."""
    paths = sorted((run / "search").glob("trial_*/trial.json"))
    scored = [(path, state) for path in paths if (state := read(path))["status"] == "COMPLETED"]
    for place, (path, state) in enumerate(scored):
        score = low + (high - low) * place / (len(scored) - 1)
        path.write_text(json.dumps({**state, "score": score}), encoding="utf-8")


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.3246, 0.333, ["0.326", "0.328", "0.33", "0.332"]),
        (0.324600009, 0.324600051, ["0.32460001", "0.32460002", "0.32460003", "0.32460004", "0.32460005"]),
        (2.31e-5, 2.34e-5, ["0.0000231", "0.0000232", "0.0000233", "0.0000234"]),
        (0.02, 1.5, ["0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
        (1000000.9, 1000003.1, ["1.000001e+6", "1.0000015e+6", "1.000002e+6", "1.0000025e+6", "1.000003e+6"]),
    ],
)
def test_ticks_of_a_log_axis_by_hand(opened: Browser, low: float, high: float, shown: list[str]) -> None:
    ticks = f"scales.written(scales.ticksBetween({low}, {high}, 'log'), scales.short)"
    assert [text for _, text in opened.evaluate(ticks)] == shown


def test_runs_side_by_side_are_drawn(browser: Browser, report_run: Path, copied: Path, tmp_path: Path) -> None:
    browser.open(write_comparison([report_run, copied], tmp_path / "comparison.html"))
    scroll_through(browser)
    assert browser.complaints == []
    assert len(browser.requests()) == 1
    lines = CHART.format("runs-trials") + ".getOption().series.map((s) => s.name)"
    assert browser.evaluate(lines) == ["run", "copied"]
    browser.look(390, 800)
    browser.open(tmp_path / "comparison.html")
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
