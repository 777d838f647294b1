"""The page of a run: its numbers against the run's files, its texts escaped, nothing asked of the network."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, precision_recall_fscore_support

from tests.report.conftest import CLASSES, COLUMN, FILE, read
from tests.report.page_text import Page
from tfcourse.data.groups import equal_rows
from tfcourse.data.sources import load
from tfcourse.data.split import split_stratified
from tfcourse.report import write_report


@pytest.fixture(scope="module")
def page(report_run: Path) -> Page:
    return Page(report_run / "report.html")


@pytest.fixture(scope="module")
def trials(report_run: Path) -> pd.DataFrame:
    """Return the trials as their files hold them, one row each."""
    rows = []
    for path in (report_run / "search").glob("trial_*/trial.json"):
        state = read(path)
        metrics = state["metrics"]["metrics"]
        curves = {name: [point["value"][0] for point in metrics[name]["observations"]] for name in metrics}
        rows.append(
            {
                **state["hyperparameters"]["values"],
                "number": int(state["trial_id"]),
                "done": state["status"] == "COMPLETED",
                "score": min(curves["val_loss"]) if state["status"] == "COMPLETED" else np.nan,
                "ended": state["tfcourse"]["ended_at"],
                "curves": curves,
            }
        )
    return pd.DataFrame(rows).sort_values("number").reset_index(drop=True)


@pytest.fixture(scope="module")
def tested(report_run: Path, hostile_csv: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the test split's classes and the probabilities that the exported model gives them."""
    frame = pd.read_csv(hostile_csv)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tensor's name may hold no slash
        model = keras.saving.load_model(report_run / "model.keras")
    numbers = {name: frame[name].to_numpy("float32") for name in (COLUMN, "x")}
    probabilities = model.predict({**numbers, "colour": frame["colour"].to_numpy(object)}, verbose=0)
    labels = frame["kind"].map(sorted(CLASSES).index).to_numpy()
    groups = equal_rows(load(str(hostile_csv), target="kind").x)
    rows = split_stratified(groups, labels, sorted(CLASSES), seed=0, test=0.2, validation=0.2).test
    return labels[rows], probabilities[rows]


def test_the_verdict_comes_first_and_whole(page: Page, report_run: Path) -> None:
    headings = [text for text in page.texts if text in ("Verdict", "Leading trials", "What was searched", "Progress")]
    assert headings[-4:] == ["Verdict", "Leading trials", "What was searched", "Progress"]
    sentences = [sentence["text"] for sentence in read(report_run / "result.json")["verdict"]["sentences"]]
    places = [page.texts.index(" ".join(sentence.split())) for sentence in sentences]
    assert len(places) > 8
    assert places == sorted(places)
    assert places[-1] < page.texts.index("Trained again from fresh seeds")


def test_the_test_scores_are_scikit_learns(page: Page, tested: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = tested
    predicted = probabilities.argmax(axis=1)
    shown = dict(zip(page.texts, page.texts[1:], strict=False))
    assert shown["Test accuracy"] == f"{accuracy_score(truth, predicted):.2%}"
    assert float(shown["Test log-loss"]) == pytest.approx(log_loss(truth, probabilities), abs=1e-3)
    assert float(shown["Test macro-F1"]) == pytest.approx(f1_score(truth, predicted, average="macro"), abs=6e-4)


def test_confusion_and_classes_are_scikit_learns(page: Page, tested: tuple[np.ndarray, np.ndarray]) -> None:
    truth, probabilities = tested
    predicted = probabilities.argmax(axis=1)
    shown = page.table(sorted(CLASSES)[0])[1:]
    assert [row[0] for row in shown] == sorted(CLASSES)
    assert [[int(cell.replace("·", "0")) for cell in row[1:]] for row in shown] == confusion_matrix(
        truth, predicted
    ).tolist()
    measures = precision_recall_fscore_support(truth, predicted, zero_division=0)
    for row, *expected in zip(page.table("precision")[1:], *measures, strict=True):
        assert [float(cell.rstrip("%")) for cell in row[1:4]] == pytest.approx(
            [100 * value for value in expected[:3]], abs=0.051
        )
        assert int(row[4]) == expected[3]


def test_the_leading_trials_are_the_lowest_validation_losses(page: Page, trials: pd.DataFrame) -> None:
    best = trials[trials.done].nsmallest(10, "score")
    head, *rows = page.table("epoch")
    assert [row[0] for row in rows] == [*map(str, best.number), "softmax regression"]
    for row, (_, trial) in zip(rows, best.iterrows(), strict=False):
        assert int(row[2]) == int(np.argmin(trial.curves["val_loss"])) + 1
        cells = dict(zip(head, row, strict=True))
        assert float(cells["learning rate"]) == pytest.approx(trial.learning_rate, rel=1e-3)
        assert cells["optimizer"] == trial.optimizer
        units = [trial[f"units_{layer}"] for layer in range(1, int(trial.layers) + 1)]
        assert cells["units"] == " · ".join(f"{unit:.0f}" for unit in units)
        rest = trial.get("one_minus_momentum" if trial.optimizer == "sgd" else "one_minus_beta_1")
        momentum = cells.get("momentum" if trial.optimizer == "sgd" else "beta 1", "–")
        assert float(momentum) == pytest.approx(1 - rest, rel=1e-3)


def test_axis_plots_hold_every_trial_where_numpy_puts_it(page: Page, trials: pd.DataFrame, report_run: Path) -> None:
    parameters = {row["name"]: row for row in page.data["parameters"]}
    assert set(parameters) == {
        "learning_rate", "learning_rate_decay", "momentum", "beta_1", "units_1", "units_2", "layers", "optimizer",
        "dropout",
    }  # fmt: skip
    assert parameters["learning_rate"]["x"] == pytest.approx(np.log10(trials.learning_rate), abs=1e-4)
    momentum = (-np.log10(trials.one_minus_momentum)).where(trials.optimizer == "sgd")
    shown = [np.nan if x is None else x for x in parameters["momentum"]["x"]]
    assert shown == pytest.approx(momentum.to_list(), abs=1e-4, nan_ok=True)
    assert parameters["dropout"]["x"] == pytest.approx(trials.dropout, abs=1e-5)
    places = [round(x) for x in parameters["optimizer"]["x"]]
    assert places == [["sgd", "adam"].index(name) for name in trials.optimizer]
    assert page.data["trials"]["score"] == [
        None if np.isnan(score) else pytest.approx(score, rel=1e-5) for score in trials.score
    ]
    statuses = ["completed" if done else "diverged" for done in trials.done]
    assert page.data["trials"]["status"] == statuses
    assert statuses.count("diverged") == page.data["diverged"] > 0
    second = {each["name"]: each for each in read(report_run / "run.json")["rounds"][1]["space"]}["learning_rate"]
    ((number, low, high),) = parameters["learning_rate"]["boxes"]
    assert number == 1
    assert [low, high] == pytest.approx(np.log10([second["low"], second["high"]]).tolist(), abs=1e-4)


def test_a_nearly_diverged_trial_does_not_flatten_the_others(page: Page, trials: pd.DataFrame) -> None:
    guessing = np.log(len(CLASSES))
    assert trials.score.max() > 2 * guessing, "the run has such a trial"
    assert page.data["score"]["high"] < np.log10(3 * guessing)
    places = [place for place in page.data["trials"]["place"] if place is not None]
    assert max(places) == pytest.approx(page.data["score"]["high"], abs=1e-4)
    over = int((trials.score > 2 * guessing).sum())
    assert re.search(rf"{over} trials? ha(s|ve) a validation loss above 2\.1972, twice that of guessing", page.text)


def test_isolation_is_the_lowest_loss_of_each_part(page: Page, trials: pd.DataFrame) -> None:
    row = next(each for each in page.data["parameters"] if each["name"] == "learning_rate")
    done = trials[trials.done]
    edges = np.linspace(row["low"], row["high"], 11)
    lowest = done.score.groupby(np.digitize(np.log10(done.learning_rate), edges), observed=True).agg(["min", "size"])
    assert [each["best"] for each in row["isolation"]] == pytest.approx(lowest["min"].to_list())
    assert [each["count"] for each in row["isolation"]] == lowest["size"].to_list()
    optimizer = next(each for each in page.data["parameters"] if each["name"] == "optimizer")
    assert [each["best"] for each in optimizer["isolation"]] == pytest.approx(
        done.groupby("optimizer").score.min()[["sgd", "adam"]].to_list()
    )


def test_best_so_far_is_the_running_minimum_in_the_order_of_time(page: Page, trials: pd.DataFrame) -> None:
    ordered = trials.sort_values(["ended", "number"])
    shown = page.data["progress"]
    assert [row["trial"] for row in shown] == ordered.number.to_list()
    assert [row["seconds"] for row in shown] == pytest.approx(ordered.ended.to_list(), abs=0.006)
    running = np.fmin.accumulate(ordered.score.to_numpy())
    assert [np.nan if row["best"] is None else row["best"] for row in shown] == pytest.approx(running, nan_ok=True)


def test_every_trials_curves_are_there(page: Page, trials: pd.DataFrame) -> None:
    assert set(page.data["curves"]) == {
        str(n) for n, curves in zip(trials.number, trials.curves, strict=True) if curves
    }
    for trial in trials[trials.done].itertuples():
        shown = page.data["curves"][str(trial.number)]
        assert shown["val_loss"] == pytest.approx(trial.curves["val_loss"], rel=1e-3)
        assert shown["accuracy"] == pytest.approx(trial.curves["accuracy"], rel=1e-3, abs=1e-9)
        assert shown["best"] == int(np.argmin(trial.curves["val_loss"])) + 1


def test_reliability_bins_are_numpys(page: Page, tested: tuple[np.ndarray, np.ndarray], report_run: Path) -> None:
    truth, probabilities = tested
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    places = np.ceil(confidence * 15).astype(int)
    shown = page.data["reliability"][1]["bins"]  # with the temperature, which the saved model holds
    assert read(report_run / "result.json")["model"]["temperature"] is not None
    assert [each["count"] for each in shown] == [int((places == p).sum()) for p in np.unique(places)]
    assert [each["accuracy"] for each in shown] == pytest.approx([right[places == p].mean() for p in np.unique(places)])
    assert [each["confidence"] for each in shown] == pytest.approx(
        [confidence[places == p].mean() for p in np.unique(places)], abs=1e-4
    )
    assert all(each["low"] <= each["accuracy"] <= each["high"] for each in shown)


def test_losses_near_zero_keep_their_digits(copied: Path) -> None:
    result, (path, *_) = read(copied / "result.json"), sorted((copied / "search").glob("trial_*/trial.json"))
    result["test"]["log_loss"] = result["verdict"]["numbers"]["winner"]["candidates"][0]["mean"] = 0.0000231
    (copied / "result.json").write_text(json.dumps(result), encoding="utf-8")
    path.write_text(json.dumps({**read(path), "status": "COMPLETED", "score": 0.0000417}), encoding="utf-8")
    write_report(copied)
    page = Page(copied / "report.html")
    assert page.table("epoch")[1][1] == "4.17e-05"
    assert page.table("spread")[1][2] == "2.31e-05"
    assert dict(zip(page.texts, page.texts[1:], strict=False))["Test log-loss"] == "2.31e-05"


def test_a_share_below_zero_is_explained(page: Page) -> None:
    assert (
        "estimated share of the scores’ variation that it explains, with its 95 % interval; where that reaches zero or"
        " below, no effect can be told from chance" in page.text
    )


def test_what_came_from_the_file_stays_text(page: Page, report_run: Path) -> None:
    assert page.named("script") == [{"type": "application/json", "id": "data"}, {}, {}, {}, {}]
    assert not page.named("img")
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    for text in [*CLASSES, COLUMN, FILE]:
        assert text in page.text
    heading = page.texts.index("How the data was read")
    read_as = read(report_run / "run.json")["data"]["columns"]
    assert [line for line in page.texts[heading:] if line in read_as] == read_as
    assert any(COLUMN in line for line in read_as)
    assert read(report_run / "run.json")["command"] in page.text


def test_the_page_is_whole_and_asks_nothing_of_the_network(page: Page) -> None:
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "poster")
    ]
    assert all(address is not None and address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(
        r"@import|url\(\s*['\"]?(?!#|data:)", "".join(re.findall(r"<style>.*?</style>", page.source, re.S))
    )


def test_every_figure_says_in_words_what_it_shows(page: Page, trials: pd.DataFrame) -> None:
    figures = [attributes for attributes in page.named("div") if "data-chart" in attributes]
    assert {figure["data-chart"] for figure in figures} == {
        "parameter", "parallel", "trials", "seconds", "enough", "curves", "importance", "reliability", "columns",
        "dependence",
    }  # fmt: skip
    assert all(figure["role"] == "img" and len(figure["aria-label"] or "") > 30 for figure in figures)
    best, diverged = trials.loc[trials.score.idxmin()], int((~trials.done).sum())
    rate = next(figure["aria-label"] or "" for figure in figures if figure.get("data-number") == "0")
    assert rate.startswith("Scatter plot of validation loss against learning rate on a log scale, 20 trials.")
    assert f"trial {best.number} at {best.learning_rate:.4g}, with {best.score:.4f}." in rate
    assert f"{diverged} diverged, between " in rate


def test_what_the_model_goes_by_is_drawn_as_the_result_has_it(page: Page, report_run: Path) -> None:
    explanation = read(report_run / "result.json")["explanation"]
    for row, each in zip(page.data["columns"], explanation["importance"], strict=True):
        assert (row["mean"], [row["low"], row["high"]]) == (each["log_loss"], each["interval"])
        assert each["column"].startswith(row["label"].removesuffix("…"))
    for row, each in zip(page.data["dependence"], explanation["dependence"], strict=True):
        assert row["label"] == each["column"]
        for line in row["lines"]:
            place = next(k for k, name in enumerate(CLASSES) if name.startswith(line["name"].removesuffix("…")))
            assert line["values"] == [values[place] for values in each["probabilities"]]
    rows = page.table("of its label")
    assert [row[0] for row in rows[1:]] == [str(each["row"]) for each in explanation["surest_mistakes"]]


def test_two_thousand_long_trials_stay_under_five_megabytes(large_run: Path) -> None:
    page = Page(large_run / "report.html")
    assert len(page.source.encode()) < 5_000_000
    assert len(page.data["trials"]["number"]) == 2000
    assert len(page.data["curves"]) == 2000
    best = str(page.data["best"])
    curve = page.data["curves"][best]
    state = read(large_run / "search" / f"trial_{best}" / "trial.json")
    observed = [point["value"][0] for point in state["metrics"]["metrics"]["val_loss"]["observations"]]
    assert curve["val_loss"][curve["epochs"].index(curve["best"])] == pytest.approx(min(observed), rel=1e-3)
