"""The rule, case by case."""

from __future__ import annotations

import pytest

from tfcourse.retesting.comparison import Interval
from tfcourse.retesting.recommendation import margin_of, recommend
from tfcourse.retesting.words import advice, is_of_own_rows

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
    better = regret in (SURE, WIDE)
    assert len(recommendation.reasons) == 2 + better + bool(new_classes)


@pytest.mark.parametrize(
    ("own", "chance", "excess", "action"),
    [
        (Interval(0.16, -0.1, 0.42), 0.001, NOTHING, "keep"),  # 0.14 less, ± 0.28: √(0.1² + 0.26²)
        (Interval(0.16, -0.1, 0.42), 0.001, SURE, "retrain"),
        (Interval(0.16, 0.08, 0.24), 0.001, NOTHING, "search again"),  # 0.14 less, ± 0.13
        (Interval(0.18, 0.1, 0.26), 0.001, NOTHING, "keep"),  # 0.12 less, ± 0.13
        (NOTHING, 0.9, SURE, "search again"),
    ],
)
def test_the_own_data_decide_where_they_are_there(own: Interval, chance: float, excess: Interval, action: str) -> None:
    """The data are to blame when the regret of 0.3 ± 0.1 has grown beyond doubt, whatever a simulation says."""
    assert recommend(SURE, 0.02, chance, excess, 0.02, own_regret=own).action == action


@pytest.mark.parametrize("action", [NOTHING, SURE])
@pytest.mark.parametrize(("seen", "own"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True)])
def test_the_runs_own_rows_cannot_tell_whether_the_model_is_right(action: Interval, seen: float, own: bool) -> None:
    found = recommend(NOTHING, 0.02, 0.5, action, 0.02, seen=seen)
    first = f"{seen:.0%} of these rows are rows that the run was made on, on which its model was trained:"
    assert found.reasons[0].startswith(first) == own
    batch = {"recommendation": found.to_json()}
    assert is_of_own_rows(batch) == own
    assert advice(batch).endswith(", as far as the run's own rows can tell") == own
    assert found.action == recommend(NOTHING, 0.02, 0.5, action, 0.02).action


def test_reasons_give_the_numbers() -> None:
    reasons = recommend(SURE, 0.02, 0.013, NOTHING, 0.015, 1).reasons
    untried = "Whether the search was to blame could not be tried on the run's own data"
    assert reasons == (
        "Other hyperparameters do better now, by +0.3000 (+0.2000 to +0.4000): above the margin 0.02.",
        f"{untried}; it is too much to be its luck (probability 0.013).",
        "The old model is not found to be worse than a retrained one: the difference is +0.0000 (-0.0200 to +0.0200),"
        " the margin 0.015.",
        "The old model cannot predict 1 class of the new data.",
    )
    longer = "a longer search (train --resume RUN --trials N) should find better ones."
    assert [recommend(SURE, 0.02, 0.2, NOTHING, 0.015, own_regret=own).reasons[1] for own in (None, SURE, NOTHING)] == [
        f"{untried}; it may be its luck (probability 0.2), and {longer}",
        "On the run's own data they do better by +0.3000 (+0.2000 to +0.4000): not so much less that the data must have"
        f" changed. The search was short; {longer}",
        "On the run's own data they do better by +0.0000 (-0.0200 to +0.0200): less than now, by +0.3000 (+0.1980 to"
        " +0.4020). So it is the data that have changed.",
    ]


def test_margin_is_a_share_with_a_floor() -> None:
    assert [margin_of(cost) for cost in (0.0, 0.1, 0.2, 0.4, 2.0)] == pytest.approx([0.01, 0.01, 0.01, 0.02, 0.1])
