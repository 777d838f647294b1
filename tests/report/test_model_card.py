"""The model card holds the numbers of result.json, whatever the columns and classes are called."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tfcourse.report.__main__ import main as report
from tfcourse.report.model_card import model_card
from tfcourse.report.source import read_run
from tfcourse.train import main as train


def tables_of(card: str) -> dict[str, list[list[str]]]:
    """Return the tables of a card by their first two heading cells, each a list of rows."""
    found: dict[str, list[list[str]]] = {}
    for block in card.split("\n\n"):
        lines = [line.strip("|").split(" | ") for line in block.splitlines() if line[0] == "|"]
        rows = [[cell.strip() for cell in line] for line in lines]
        if len(rows) > 2:
            found[" ".join(rows[0][:2]).strip()] = rows[2:]
    return found


def test_numbers_are_those_of_the_result(pets_run: Path) -> None:
    result = json.loads((pets_run / "result.json").read_text())
    record = json.loads((pets_run / "run.json").read_text())
    card = (pets_run / "model-card.md").read_text()
    assert card == model_card(read_run(pets_run))
    tables = tables_of(card)
    parts = tables["column value"]
    assert {row[0] for row in parts} == {"colour", "weight", "born"}
    for row, each in zip(parts, result["slices"], strict=True):
        assert row[:3] == [each["column"], each["value"], str(each["n"])]
        assert row[3].split()[0] == f"{each['accuracy']:.2%}"
        assert ("worse" in row[3]) == (each["accuracy_interval"][1] < result["test"]["accuracy"])
    assert [row[0] for row in tables["class precision"]] == result["classes"]
    assert f"{result['test']['accuracy']:.2%}" in card
    for told in (record["data"]["fingerprint"], record["model_sha256"], record["command"]):
        assert told in card
    for sentence in result["verdict"]["sentences"]:
        if sentence["level"] == "warning":
            assert sentence["text"].split("_")[0][:40] in card


def test_report_writes_the_card_and_the_trials_again(pets_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(pets_run, run)
    kept = {name: (run / name).read_text() for name in ("model-card.md", "trials.csv")}
    for name in kept:
        (run / name).unlink()
    assert report([str(run)]) == 0
    (run / "trials.csv").unlink()  # as if it had been killed there
    assert train(["--resume", str(run), "--quiet"]) == 0
    assert {name: (run / name).read_text() for name in kept} == kept
    with (run / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    best = json.loads((run / "result.json").read_text())["best"]
    row = rows[int(best["trial_id"])]
    assert float(row["val_loss"]) == best["validation"]["loss"] == min(float(each["val_loss"]) for each in rows)
    for name, value in best["hyperparameters"].items():
        assert row[f"hp_{name}"] in (str(value), str(float(value)) if isinstance(value, int) else str(value))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--slices", "color"], "--slices: there is no column 'color'. Did you mean 'colour'?"),
        (["--slices", "kind"], "--slices: there is no column 'kind'."),
    ],
)
def test_slices_by_what_is_not_there(
    flags: list[str], message: str, pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(["--data", str(pets_csv), "--target", "kind", "--out", str(out), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
