"""Whether what a worker sent back can be what it was asked for: a machine that is broken is not believed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # workers start before TensorFlow is imported here
    from tfcourse.cohort.member import Member, State
    from tfcourse.cohort.work import Cohort, Trained

FLOAT32 = np.dtype(np.float32)


def fault_in(cohort: Cohort, found: Any) -> str:
    """Return what is wrong with what came back for a cohort, in words; empty if nothing is.

    A value that is not finite ends a training and may only be its last; weights that are not finite after epochs that
    all were have been spoilt on the way.
    """
    from tfcourse.cohort.work import Trained

    if not isinstance(found, list) or len(found) != len(cohort.members):
        return "it did not send one result a member"
    for place, trained in enumerate(found):
        if not isinstance(trained, Trained):
            return f"it sent a {type(trained).__name__} as a result"
        try:
            fault = _fault_in(cohort, place, trained)
        except Exception as error:  # of what may be anything
            fault = f"a result cannot be read ({type(error).__name__}: {error})"
        if fault:
            return fault
    return ""


def _fault_in(cohort: Cohort, place: int, trained: Trained) -> str:
    first, most = cohort.initial_epoch, cohort.epochs[place]
    expected = list(range(first, first + len(trained.epochs)))
    if not trained.epochs or trained.epochs != expected or expected[-1] >= most:
        return f"a member's epochs are {trained.epochs[:3]}…, but must be from {first} to {most - 1}"
    if "loss" not in trained.curves or any(len(curve) != len(expected) for curve in trained.curves.values()):
        return "a member's curves do not have a value an epoch"
    if trained.steps != cohort.layout.steps:
        return f"a member's epochs have {trained.steps} minibatches, not {cohort.layout.steps}"
    finite = [all(math.isfinite(curve[epoch]) for curve in trained.curves.values()) for epoch in range(len(expected))]
    if trained.diverged == all(finite) or not all(finite[:-1]):
        return "a member's values are not finite, and it went on"
    whole = not trained.diverged and len(expected) == most - first
    watch_over = trained.watch is not None and trained.watch.over
    if not (whole or trained.diverged or watch_over or cohort.stopping[place].patience is not None):
        return f"a member stopped after {len(expected)} epochs, which nothing told it to"
    if (trained.watch is None) != (not cohort.watches) or (trained.state is None and not watch_over):
        return "a member's state is missing"
    return _fault_in_state(cohort.members[place], trained.state, finite=not trained.diverged) if trained.state else ""


def _fault_in_state(member: Member, state: State, *, finite: bool) -> str:
    for arrays in (state.weights, state.first, state.second):
        if [array.shape for array in arrays] != member.shapes or any(array.dtype != FLOAT32 for array in arrays):
            return "a member's weights have other shapes than its network's"
        if finite and not all(map(all_finite, arrays)):
            return "a member's weights are not finite, though its loss is"
    return ""


def all_finite(array: NDArray[np.float32]) -> bool:
    """Say whether all values are finite; a sum of squares that is tells so in half the time, of values below 1e17."""
    return math.isfinite(np.vdot(array, array)) or bool(np.isfinite(array).all())
