"""Which settings are trained, and what a training costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss

from tfcourse.errors import UserError
from tfcourse.retesting.old_run import Setting, fresh_settings, leading_settings
from tfcourse.retesting.train_again import batch_sizes, cost_of, frequencies, guess_cost, row_costs, softmax_of
from tfcourse.run.trials import TrialRecord
from tfcourse.search.fit import Training
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space
from tfcourse.tuning.plan import with_batch_size

SPACE = with_batch_size(default_space(), None, 1000)
SCORES = {0: 0.5, 1: 0.2, 2: None, 3: 0.3, 4: 0.4}
TRIALS = [
    TrialRecord(number, "completed" if score else "diverged", {"layers": number}, score=score)
    for number, score in SCORES.items()
]


def test_the_winner_comes_first_then_the_best_of_the_others() -> None:
    assert [s.name for s in leading_settings(TRIALS, "val_loss", 3, 3)] == ["trial 3", "trial 1", "trial 4"]
    assert [s.old_score for s in leading_settings(TRIALS, "val_accuracy", 9, 0)] == [0.5, 0.4, 0.3, 0.2]
    with pytest.raises(UserError, match=r"^Trial 2, the winner of the run, is not among its completed trials"):
        leading_settings(TRIALS, "val_loss", 3, 2)


def test_fresh_settings_lie_in_the_space_and_are_new() -> None:
    fresh = fresh_settings(SPACE, 40, seed=0)
    assert len({tuple(setting.values.items()) for setting in fresh}) == 40
    for setting in fresh:
        assert all(SPACE[name].contains(value) for name, value in setting.values.items())
        assert [p.name for p in SPACE if p.active(setting.values)] == list(setting.values)
    assert fresh_settings(SPACE, 40, seed=0) == fresh != fresh_settings(SPACE, 40, seed=1)
    rates = [math.log10(float(setting.values["learning_rate"])) for setting in fresh_settings(SPACE, 400, seed=2)]
    assert np.quantile(rates, [0.25, 0.5, 0.75]) == pytest.approx([-3, -2, -1], abs=0.4)


def test_a_small_space_gives_what_it_has() -> None:
    space = SearchSpace((Parameter("layers", "choice", values=(1, 2, 3)),))
    fresh = fresh_settings(space, 8, seed=0)
    assert sorted(int(setting.values["layers"]) for setting in fresh) == [1, 2, 3]
    assert len(fresh_settings(space, 8, seed=0, known=fresh[:2])) == 1


@pytest.mark.parametrize("rows", [[129], [129, 130, 130], [1025, 1026], [33, 34]])
def test_no_repeat_ends_an_epoch_on_a_handful_of_rows(rows: list[int]) -> None:
    for wanted, size in zip(
        (16, 32, 64, 500), batch_sizes([Setting("", {"batch_size": n}) for n in (16, 32, 64, 500)], rows), strict=True
    ):
        assert wanted / 2 < size <= wanted or size <= min(rows)
        assert min(count % size or size for count in rows) >= min(32, size / 2)


def test_costs_of_trainings() -> None:
    training = Training({"val_loss": [0.5, 0.3, 0.4], "val_accuracy": [0.7, 0.8, 0.9]}, best_epoch=1)
    assert cost_of(training, "val_loss") == 0.3
    assert cost_of(training, "val_accuracy") == pytest.approx(0.2)
    assert cost_of(Training(diverged="yes"), "val_loss") == math.inf


def test_row_costs_are_the_log_loss() -> None:
    random = np.random.default_rng(0)
    probabilities, y = random.dirichlet(np.ones(3), 50), random.integers(3, size=50)
    assert row_costs(probabilities, y, "val_loss").mean() == pytest.approx(log_loss(y, probabilities))
    impossible = row_costs(np.array([[1.0, 0.0]]), np.array([1]), "val_loss")
    assert impossible.tolist() == pytest.approx([-math.log(1e-12)])


def test_guessing_costs_the_entropy_of_the_classes() -> None:
    train, validation = np.array([0] * 75 + [1] * 25), np.array([0] * 15 + [1] * 5)
    assert guess_cost(train, validation, 2, "val_loss") == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert guess_cost(train, validation, 2, "val_accuracy") == 0.25
    assert frequencies(np.array([0, 0, 0]), 2).tolist() == pytest.approx([3 / 3.5, 0.5 / 3.5])


def test_probabilities_of_a_network_are_kerass() -> None:
    from tfcourse.models.builders import build_mlp, with_softmax
    from tfcourse.models.spec import NetworkSpec

    model = build_mlp(NetworkSpec(3, 4, (5,), dropout=0.3), seed=0)
    x = np.random.default_rng(0).normal(size=(5000, 3)).astype(np.float32)
    assert np.allclose(softmax_of(model, x), with_softmax(model).predict(x, batch_size=512, verbose=0), atol=1e-6)
