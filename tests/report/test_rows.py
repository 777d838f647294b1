"""What charts and tables are made of, on trials that never ran: axes, thinned curves, measures of classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from tests.verdict.synthetic import search
from tfcourse.report.axes import axis_over, place_on
from tfcourse.report.classes import most_confused, per_class
from tfcourse.report.curves import curve_rows
from tfcourse.report.figures import best_so_far, most_shown
from tfcourse.report.verdict_rows import reliability_rows
from tfcourse.report.words import score_text
from tfcourse.run.trials import TrialRecord
from tfcourse.space.objective import Objective

ends = st.tuples(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9)).filter(lambda pair: pair[0] * (1 + 1e-6) < pair[1])


@given(st.sampled_from(["log", "linear"]), ends)
def test_ticks_are_round_values_at_their_own_places(scale: str, pair: tuple[float, float]) -> None:
    axis = axis_over(scale, pair)
    assert 2 <= len(axis.ticks) <= 15
    assert len({text for _, text in axis.ticks}) == len(axis.ticks), "their texts tell them apart"
    for place, text in axis.ticks:
        assert place == pytest.approx(place_on(scale, float(text)), rel=1e-4, abs=1e-4)
        assert axis.low <= place <= axis.high
    low, high = (math.log10(end) if scale == "log" else end for end in pair)
    assert axis.low < low < high < axis.high


def test_ticks_by_hand() -> None:
    assert [text for _, text in axis_over("one_minus_log", [0.9, 0.999]).ticks] == ["0.9", "0.99", "0.999"]
    assert [text for _, text in axis_over("log", [0.03, 1.1]).ticks] == ["0.03", "0.1", "0.3", "1"]
    assert [text for _, text in axis_over("integer", [2, 4]).ticks] == ["2", "3", "4"]
    assert [text for _, text in axis_over("linear", [0.91, 0.98], percent=True).ticks] == ["92%", "94%", "96%", "98%"]
    assert [text for _, text in axis_over("log", [0.3246, 0.333]).ticks] == ["0.326", "0.328", "0.33", "0.332"]
    narrow = [text for _, text in axis_over("log", [0.324600009, 0.324600051]).ticks]
    assert narrow == ["0.32460001", "0.32460002", "0.32460003", "0.32460004", "0.32460005"]
    assert axis_over("log", [0.0, 1.0]).scale == "linear", "0 has no logarithm"


@pytest.mark.parametrize(
    ("scale", "value", "percent", "shown"),
    [
        ("log", 0.3, False, ["0.2", "0.5"]),
        ("linear", 0.9, True, ["50%", "60%", "70%", "80%", "90%"]),
        ("linear", 0.0, False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_an_axis_of_one_value_has_ticks_too(scale: str, value: float, percent: bool, shown: list[str]) -> None:
    axis = axis_over(scale, [value, value], percent=percent)
    assert [text for _, text in axis.ticks] == shown
    assert axis.low < place_on(axis.scale, value) < axis.high


def test_long_curves_are_thinned_and_keep_their_best_epoch() -> None:
    random = np.random.default_rng(0)
    curves = {name: random.random(1000).tolist() for name in ("loss", "val_loss", "accuracy", "val_accuracy")}
    best = int(np.argmin(curves["val_loss"]))
    trials = [TrialRecord(number, "completed", {}, curves, 0.1, best) for number in range(10)]
    rows = curve_rows(trials, most_numbers=4 * 10 * 50)
    assert 1 <= len(rows) <= 10
    row = rows["0"]
    assert 50 <= len(row["val_loss"]) <= 51
    assert (row["epochs"][0], row["epochs"][-1]) == (1, 1000)
    assert min(row["val_loss"]) == pytest.approx(min(curves["val_loss"]), rel=1e-3)
    assert row["val_loss"] == pytest.approx([curves["val_loss"][epoch - 1] for epoch in row["epochs"]], rel=1e-3)
    few = curve_rows(trials, most_numbers=4 * 3 * 13)
    assert list(few) == ["0", "1", "2"], "where not all fit, the trials ranked first"


@pytest.mark.parametrize("seed", range(3))
def test_measures_of_classes_are_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, predicted = random.integers(0, 5, (2, 60))
    names = list("abcde")
    confusion = confusion_matrix(truth, predicted, labels=range(5)).tolist()
    for row, *expected in zip(
        per_class(confusion, names), *precision_recall_fscore_support(truth, predicted), strict=True
    ):
        assert [row["precision"], row["recall"], row["f1"], row["support"]] == pytest.approx(expected)
    shown = most_confused(confusion, names, most=4)
    counts = sorted((confusion[t][p] for t in range(5) for p in range(5) if t != p), reverse=True)
    assert [each["count"] for each in shown] == counts[:4]
    assert all(confusion[names.index(e["true"])][names.index(e["predicted"])] == e["count"] for e in shown)


def test_accuracies_rise_and_are_never_cut_off() -> None:
    trials = search(30, lambda point, values, random: point["dropout"])
    rows = best_so_far(trials, "val_accuracy")
    assert [row["best"] for row in rows] == np.maximum.accumulate([trial.score for trial in trials]).tolist()
    assert most_shown(trials, "val_accuracy", 2) == max(trial.score or 0.0 for trial in trials)
    assert most_shown(search(9, lambda *_: 7.0), "val_loss", 2) == 7.0, "all are worse than guessing"


def test_an_accuracy_of_few_rows_has_a_wide_interval() -> None:
    bins = {"count": [0, 1, 400], "confidence": [None, 0.5, 0.9], "accuracy": [None, 0.0, 0.9]}
    few, many = reliability_rows({"test": {"before": {"bins": bins}}})[0]["bins"]
    # Wilson (1927) by hand: for 0 of 1 the upper end is z²/(1 + z²) with z = 1.96.
    assert (few["low"], few["high"]) == (0.0, pytest.approx(1.96**2 / (1 + 1.96**2), abs=1e-4))
    assert many["high"] - many["low"] < 0.06


def test_scores_are_written_with_digits_that_tell_them_apart() -> None:
    texts = [score_text(score, "val_loss") for score in (0.0, 0.00042, 0.0307, 12.5, 344652.6)]
    assert texts == ["0", "0.00042", "0.0307", "12.5000", "3.45e+05"]
    assert score_text(0.0000231, "val_loss") == Objective("val_loss").said(0.0000231) == "2.31e-05"
