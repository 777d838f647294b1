"""The rule, case by case."""

from __future__ import annotations

import pytest

from tfcourse.retesting.comparison import Interval
from tfcourse.retesting.recommendation import margin_of, recommend

NOTHING, SURE, UNSURE = Interval(0.0, -0.02, 0.02), Interval(0.3, 0.2, 0.4), Interval(0.3, -0.1, 0.7)
WIDE = Interval(0.3, 0.01, 0.6)
SMALL = Interval(0.015, 0.012, 0.018)


@pytest.mark.parametrize(
    ("regret", "chance", "excess", "new_classes", "action", "status"),
    [
        (NOTHING, 0.5, NOTHING, 0, "keep", 0),
        (UNSURE, 0.01, UNSURE, 0, "keep", 0),
        (SMALL, 0.01, SMALL, 0, "keep", 0),
        (WIDE, 0.01, WIDE, 0, "search again", 4),
        (SURE, 0.2, NOTHING, 0, "keep", 0),
        (SURE, 0.2, SURE, 0, "retrain", 3),
        (NOTHING, 0.5, SURE, 0, "retrain", 3),
        (NOTHING, 0.5, NOTHING, 1, "retrain", 3),
        (SURE, 0.01, NOTHING, 0, "search again", 4),
        (SURE, 0.01, SURE, 2, "search again", 4),
    ],
)
def test_rule(regret: Interval, chance: float, excess: Interval, new_classes: int, action: str, status: int) -> None:
    recommendation = recommend(regret, 0.02, chance, excess, 0.02, new_classes)
    assert (recommendation.action, recommendation.status) == (action, status)
    assert len(recommendation.reasons) == 2 + bool(new_classes)


def test_reasons_give_the_numbers() -> None:
    reasons = recommend(SURE, 0.02, 0.013, NOTHING, 0.015, 1).reasons
    assert reasons == (
        "Other hyperparameters do better now, by +0.3000 (+0.2000 to +0.4000): above the margin 0.02 and too large to"
        " be the luck of the search itself (probability 0.013).",
        "The old model is not found to be worse than a retrained one: the difference is +0.0000 (-0.0200 to +0.0200),"
        " the margin 0.015.",
        "The old model cannot predict 1 class of the new data.",
    )


def test_margin_is_a_share_with_a_floor() -> None:
    assert [margin_of(cost) for cost in (0.0, 0.1, 0.2, 0.4, 2.0)] == pytest.approx([0.01, 0.01, 0.01, 0.02, 0.1])
