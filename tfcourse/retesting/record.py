"""A retest as plain data: what ``retest.json`` holds, and what the terminal and the page are written from."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse.retesting.new_data import NewData
from tfcourse.retesting.recommendation import margin_of
from tfcourse.retesting.retest import Retest
from tfcourse.space.objective import Objective


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
