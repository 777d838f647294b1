"""The verdict on a search: one function from its trials, and what else is known, to sentences and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.run.trials import TrialRecord, leaders
from tfcourse.space import SearchSpace
from tfcourse.verdict.calibration import judge_calibration
from tfcourse.verdict.curves import judge_curves
from tfcourse.verdict.diverged import judge_diverged
from tfcourse.verdict.edges import judge_edges
from tfcourse.verdict.enough import judge_enough
from tfcourse.verdict.importance import judge_importance
from tfcourse.verdict.measured import judge_model, judge_test
from tfcourse.verdict.out_of_fold import judge_out_of_fold
from tfcourse.verdict.portfolio import judge_portfolio
from tfcourse.verdict.sentence import Finding, Sentence, Verdict
from tfcourse.verdict.winner import Candidate, judge_winner


def judge(
    trials: Sequence[TrialRecord],
    space: SearchSpace,
    objective: str,
    *,
    classes: Sequence[str],
    epochs: int | None = None,
    candidates: Sequence[Candidate] = (),
    not_retrained: str = "",
    model: Mapping[str, Any] | None = None,
    baseline_test: Mapping[str, Any] | None = None,
    test_looks: int = 1,
    calibration: Mapping[str, Any] | None = None,
    out_of_fold: Mapping[str, Any] | None = None,
    not_bagged: str = "",
) -> Verdict:
    """Return what may be said of a search, finished or still running.

    Args:
        trials: its trials.
        space: what is searched.
        objective: ``val_loss`` or ``val_accuracy``.
        classes: the classes' names.
        epochs: the most epochs of a trial; the longest training's when left out.
        candidates: the leaders and the baseline trained again, the search's best first.
        not_retrained: why there are none, in a sentence.
        model: the saved model: what :func:`tfcourse.verdict.measured.judge_model` takes.
        baseline_test: the baseline's measures on the test split.
        test_looks: how many models of the run the test split has judged.
        calibration: the saved model's, from :func:`tfcourse.verdict.calibration.calibrate`.
        out_of_fold: a bagged model's: what :func:`tfcourse.verdict.out_of_fold.judge_out_of_fold` takes.
        not_bagged: why there is none, in a sentence, where one could expect it.
    """
    ranked = leaders(list(trials), objective)
    findings: dict[str, Finding] = {}
    if candidates and ranked and ranked[0].score is not None:
        findings["winner"] = judge_winner(candidates, ranked[0].score, objective, _baseline_share(out_of_fold))
    elif not_retrained:
        findings["winner"] = Finding([Sentence("winner", "warning", not_retrained)])
    if model is not None and baseline_test is not None:
        findings["test"] = judge_test(model["test"], baseline_test, classes, looks=test_looks)
    if model is not None:
        findings["model"] = judge_model(model, objective)
    if out_of_fold is not None:
        findings["out_of_fold"] = judge_out_of_fold(out_of_fold)
    elif not_bagged:
        findings["out_of_fold"] = Finding([Sentence("out_of_fold", "note", not_bagged)])
    findings["portfolio"] = judge_portfolio(trials, ranked, objective)
    findings["edges"] = judge_edges(trials, space, objective)
    findings["diverged"] = judge_diverged(trials, ranked, space)
    findings["importance"] = judge_importance(trials, space, objective)
    findings["enough"] = judge_enough(trials, objective, candidates[0].deviation if candidates else None)
    findings["curves"] = judge_curves(trials, ranked, epochs)
    if model is not None and calibration is not None:
        findings["calibration"] = judge_calibration(calibration, calibrated=model["temperature"] is not None)
    return Verdict.of(findings)


def _baseline_share(out_of_fold: Mapping[str, Any] | None) -> float | None:
    """Return how much softmax regression, a setting without a trial, counts in a bagged model; None for others."""
    if out_of_fold is None:
        return None
    return float(sum(each["weight"] for each in out_of_fold["settings"] if each["trial"] is None))
