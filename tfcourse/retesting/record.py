"""What a retest leaves: ``retest.json``, which all words come from, and one self-contained HTML page.

No link leads out of the page; it is light or dark as the reader has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfcourse.report.plain_page import BLUE, GREY, ORANGE, fill, svg
from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.recommendation import RULE, margin_of
from tfcourse.retesting.retest import Retest
from tfcourse.retesting.words import (
    advice,
    column_words,
    data_lines,
    hyperparameter_lines,
    is_of_own_rows,
    model_lines,
    setting_words,
)
from tfcourse.space.objective import Objective

MOST_COLUMNS = 15


def batch_record(found: Retest, new: NewData, label: str, objective: str) -> dict[str, Any]:
    """Return one retest JSON-ready.

    Args:
        found: the retest.
        new: the data it was made on.
        label: what to call the data: a file's name, or a stretch of time.
        objective: ``val_loss`` or ``val_accuracy``, which says what a cost is.
    """
    means = found.retraining.costs.mean(axis=1)
    order = means.argsort(kind="stable")
    places = {int(setting): place for place, setting in enumerate(order, start=1)}
    return {
        "label": label,
        "cost": "share of wrong labels" if Objective(objective).higher_is_better else "log-loss",
        "rows": {"all": len(new), **found.retraining.rows},
        "notes": new.notes,
        "recommendation": found.recommendation.to_json(),
        "interrupted": found.cut_short,
        "winner": {
            "setting": found.settings[0].name,
            "rank": found.rank[0],
            "rank_interval": list(found.rank[1:]),
            "of": len(found.settings),
        },
        "regret": {
            **found.regret.interval.to_json(),
            "margin": margin_of(found.regret.best_cost),
            "best_cost": found.regret.best_cost,
            "chance": found.chance,
            "on_own_data": {
                **found.control.regret.to_json(),
                "rows": found.control.rows,
                "costs": found.control.costs.tolist(),
            }
            if found.control
            else None,
            "best_setting": found.settings[found.best].name,
            "against_the_luckiest": found.regret.lucky,
        },
        "correlation": found.correlation.to_json() if found.correlation else None,
        "old_model": {
            "cost": found.excess.old,
            "cost_retrained": found.excess.retrained,
            "excess": found.excess.interval.to_json(),
            "margin": margin_of(found.excess.retrained),
            "accuracy": found.old_accuracy,
            "accuracy_retrained": float(np.concatenate(found.retraining.held_out_right).mean()),
        },
        "settings": [
            {
                **setting.to_json(),
                "rank": places[index],
                "mean_cost": float(means[index]),
                "costs": found.retraining.costs[index].tolist(),
                "diverged": found.retraining.diverged[index],
            }
            for index, setting in enumerate(found.settings)
        ],
        "misleading": [column.to_json() for column in found.misleading],
        "columns": [column.to_json() for column in found.columns],
        "classes": found.classes.to_json(),
    }


def page(record: Mapping[str, Any]) -> str:
    """Return the page of a retest, from what ``retest.json`` holds."""
    batches = record["batches"]
    last = batches[-1]
    return fill(
        "retest.html",
        record=record,
        last=last,
        advice=advice(last),
        tone="" if is_of_own_rows(last) else last["recommendation"]["action"].split()[0],
        rule=RULE,
        batches=_batch_rows(batches),
        batches_figure=svg(lambda figure: draw_batches(figure, batches), 3.4, "Regret and excess, batch by batch")
        if len(batches) > 1
        else "",
        hyperparameter_lines=hyperparameter_lines(last),
        settings_figure=svg(lambda figure: draw_settings(figure, last), 3.6, "Cost of each setting on the new data"),
        settings=_setting_rows(last),
        model_lines=model_lines(last),
        data_lines=data_lines(last),
        columns=_column_rows(last),
        more=max(0, len(last["columns"]) - MOST_COLUMNS),
    )


def _setting_rows(batch: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    rows = []
    for setting in sorted(batch["settings"], key=lambda each: each["rank"]):
        old = "not tried" if setting["old_score"] is None else f"{setting['old_score']:.4f}"
        cells = [setting["name"], str(setting["rank"]), f"{setting['mean_cost']:.4f}", old]
        winner = "winner" if setting["name"] == batch["winner"]["setting"] else ""
        rows.append((winner, [*cells, setting_words(setting["hyperparameters"])]))
    return rows


def _column_rows(batch: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    return [
        ("", [c["name"], "moved" if c["moved"] else "", "" if c["p"] is None else f"{c['p']:.2g}", column_words(c)])
        for c in batch["columns"][:MOST_COLUMNS]
    ]


def _batch_rows(batches: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    return [
        (
            "",
            [
                b["label"], str(b["rows"]["all"]), f"{b['winner']['rank']} of {b['winner']['of']}",
                f"{b['regret']['mean']:+.4f}", f"{b['old_model']['excess']['mean']:+.4f}", advice(b),
            ],
        )
        for b in batches
    ]  # fmt: skip


def draw_batches(figure: Any, batches: Sequence[Mapping[str, Any]]) -> None:
    """Draw the winner's regret and the old model's excess over the batches, with intervals and margins."""
    labels = [str(number) for number in range(1, len(batches) + 1)]
    for axes, key, title in zip(
        figure.subplots(1, 2), ("regret", "excess"), ("the winner's regret", "the old model's excess"), strict=True
    ):
        parts = [batch["regret"] if key == "regret" else batch["old_model"]["excess"] for batch in batches]
        margins = [(batch["regret"] if key == "regret" else batch["old_model"])["margin"] for batch in batches]
        means = [part["mean"] for part in parts]
        reach = [[p["mean"] - p["low"] for p in parts], [p["high"] - p["mean"] for p in parts]]
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.step(labels, margins, where="mid", color=ORANGE, linestyle="--", linewidth=1.2, label="margin")
        axes.errorbar(labels, means, yerr=reach, color=BLUE, marker="o", capsize=3, label="95 % interval")
        axes.set(title=title, xlabel="batch", ylabel=batches[0]["cost"])
        axes.legend(frameon=False)


def draw_settings(figure: Any, batch: Mapping[str, Any]) -> None:
    """Draw each setting's cost in each repeat and on average, in the new order."""
    axes = figure.subplots()
    for setting in batch["settings"]:
        winner = setting["name"] == batch["winner"]["setting"]
        colour = ORANGE if winner else GREY if setting["old_score"] is None else BLUE
        axes.plot([setting["rank"]] * len(setting["costs"]), setting["costs"], ".", color=colour, alpha=0.5)
        axes.plot(
            setting["rank"], setting["mean_cost"], "*" if winner else "o", color=colour, markersize=11 if winner else 6
        )
    for colour, marker, label in (
        (ORANGE, "*", "the run's winner"),
        (BLUE, "o", "other leaders"),
        (GREY, "o", "fresh"),
    ):
        axes.plot([], [], marker, color=colour, label=label)
    axes.set(xlabel="rank on the new data", ylabel=batch["cost"])
    axes.legend(frameon=False, loc="upper left")
