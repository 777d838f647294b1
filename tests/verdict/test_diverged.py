"""Diverged trials: how many, and where their learning rates begin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.verdict.synthetic import TWO, noise, ranked, search
from tfcourse.run.trials import TrialRecord
from tfcourse.space import Parameter, SearchSpace
from tfcourse.verdict.diverged import cut_between, judge_diverged


def said(trials: list[TrialRecord], space: SearchSpace = TWO) -> list[tuple[str, str]]:
    return [(s.level, s.text) for s in judge_diverged(trials, ranked(trials), space).sentences]


def above(limit: float, best: float) -> list[TrialRecord]:
    """Return trials at learning rates 1e-4, 1e-3.9, ..., 1, diverged from ``limit`` on, the best at ``best``."""
    trials = []
    for number, exponent in enumerate(np.arange(-40, 1) / 10):
        rate = float(10**exponent)
        diverged = exponent >= limit
        score = None if diverged else abs(float(exponent) - best)
        values = {"learning_rate": rate, "dropout": 0.1}
        trials.append(TrialRecord(number, "diverged" if diverged else "completed", values, score=score))
    return trials


def test_none() -> None:
    assert said(search(10, noise, space=TWO)) == [("good", "None of 10 trials diverged.")]
    assert said([]) == []


def test_the_best_learning_rate_far_from_those_that_diverge() -> None:
    assert said(above(-0.5, best=-3.0)) == [
        ("note", "6 of 41 trials diverged (15%)."),
        ("note", "They begin at a learning rate of about 0.32; the best trial has 0.001, well below."),
    ]


def test_the_best_learning_rate_next_to_those_that_diverge() -> None:
    trials = above(-1.5, best=-1.6)
    assert said(trials) == [
        ("warning", "16 of 41 trials diverged (39%)."),
        (
            "warning",
            "They begin at a learning rate of about 0.032; the best trial has 0.025, next to them: a small change may"
            " make it diverge.",
        ),
    ]
    numbers = judge_diverged(trials, ranked(trials), TWO).numbers
    assert numbers["from_learning_rate"] == pytest.approx(10**-1.5)
    assert (numbers["borders"], numbers["share"]) == (True, 16 / 41)
    # A tenth of the scale of four decades is 0.4 of a decade.
    assert judge_diverged(above(-1.5, -1.9), ranked(above(-1.5, -1.9)), TWO).numbers["borders"] is True
    assert judge_diverged(above(-1.5, -2.0), ranked(above(-1.5, -2.0)), TWO).numbers["borders"] is False


def test_divergence_that_does_not_go_by_the_learning_rate() -> None:
    # By chance 5 % of such searches are said to; 0.05 ± 0.03 over 300 seeds.
    found = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        found += cut_between([(float(random.random()), index < 8) for index in range(40)]) is not None
    assert 0.02 < found / 300 < 0.08


def test_a_stray_divergence_does_not_move_the_cut() -> None:
    points = [(p / 40, p >= 30) for p in range(40)]
    points[3] = (3 / 40, True)
    assert cut_between(points) == 0.75


def test_all_diverged_and_too_few() -> None:
    assert said(search(4, lambda p, v, r: math.inf, space=TWO)) == [("warning", "4 of 4 trials diverged (100%).")]
    two = above(-0.1, best=-3.0)
    assert len(said(two)) == 1  # two that diverged do not make a region


def test_a_fixed_learning_rate_borders_nothing() -> None:
    fixed = SearchSpace((Parameter("learning_rate", "choice", values=(0.1,)), TWO["dropout"]))
    trials = [replace(trial, values={**trial.values, "learning_rate": 0.1}) for trial in above(-1.5, best=-2.0)]
    assert len(said(trials, fixed)) == 1
