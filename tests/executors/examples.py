"""A small cohort search that the tests of executors train: three classes, four cohorts of padded members."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse.cohort import MemberHistory, fit_together
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

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
