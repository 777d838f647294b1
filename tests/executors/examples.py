"""A small cohort search that the tests of executors train: three classes, four cohorts of padded members."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

TOLD_OF_TIME = ("ended_at", "runs")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 6)).astype(np.float32)
Y = (X @ RANDOM.normal(size=(6, 3))).argmax(axis=1)
EPOCHS = 4
FIT: dict[str, Any] = {"validation_data": (X[80:], Y[80:]), "epochs": EPOCHS, "batch_size": 20, "seed": 3}


def members(count: int = 12) -> list[Member]:
    """Return members of one padding, so that their results do not depend on who trains together; one diverges."""
    rates = [*np.geomspace(0.003, 0.3, count - 1), 1e30]
    specs = [(NetworkSpec(6, 3, (5 + index % 4,)), OptimizerSpec("sgd", rate)) for index, rate in enumerate(rates)]
    return [member_of_spec(*spec, seed=index, pad_to=8) for index, spec in enumerate(specs)]


def trained(**options: Any) -> list[MemberHistory]:
    """Return what training the members gives."""
    return fit_together(members(), X[:80], Y[:80], **{**FIT, "places": 4, **options})


def check_same(found: list[MemberHistory], wanted: list[MemberHistory]) -> None:
    """Check that two trainings gave the same to the last bit."""
    for one, other in zip(found, wanted, strict=True):
        assert (one.epoch, one.best_epoch, one.diverged) == (other.epoch, other.best_epoch, other.diverged)
        assert list(one.history) == list(other.history)
        np.testing.assert_array_equal(list(one.history.values()), list(other.history.values()))
        for mine, theirs in zip(vars(one.state).values(), vars(other.state).values(), strict=True):
            for a, b in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(a, b)


def outcome(run: Path) -> dict[str, Any]:
    """Return all that came of a run, without when it was: trials, weights, and the result."""
    found: dict[str, Any] = {}
    for path in run.glob("search/trial_*/trial.json"):
        trial = json.loads(path.read_text(encoding="utf-8"))
        trial["tfcourse"] = {key: value for key, value in trial["tfcourse"].items() if key not in TOLD_OF_TIME}
        found[path.parent.name] = trial
    for path in run.rglob("*.npz"):
        with np.load(path) as arrays:
            found[str(path.relative_to(run))] = hashlib.sha256(
                b"".join(a.tobytes() for a in arrays.values())
            ).hexdigest()
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    return {**found, "result": {**result, "seconds": None}}


def ended(run: Path) -> int:
    """Return how many trials of a run have ended."""
    files = [path.read_text(encoding="utf-8") for path in run.glob("search/trial_*/trial.json")]
    return sum('"COMPLETED"' in text or '"FAILED"' in text for text in files)
