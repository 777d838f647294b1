"""Members with rows of their own, as in cross-validation: each trains as ``Model.fit`` does on just those rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.cohort.conftest import OPTIMIZERS, TOLERANCE, assert_same_weights
from tfcourse.cohort import fit_together
from tfcourse.cohort.member import Member, OwnRows, member_of_spec
from tfcourse.models.spec import NetworkSpec
from tfcourse.search.fit import Schedule, TrainingData, fit_network

EPOCHS = 2


def examples(rows: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    x = random.normal(size=(rows, 20)).astype(np.float32)
    return x, (x @ random.normal(size=(20, 4))).argmax(axis=1)


def own_rows(rows: int, counts: tuple[int, int], number: int) -> OwnRows:
    """Return some rows in a random order, none of them in both parts."""
    order = np.random.default_rng([3, number]).permutation(rows)
    return OwnRows(order[: counts[0]], order[counts[0] : sum(counts)], seed=100 + number)


def members(rows: int, counts: tuple[int, int]) -> list[tuple[NetworkSpec, OwnRows, Member]]:
    units = [(12,), (30, 9), (9, 16, 25)] * 3
    found = []
    for number, (each, optimizer) in enumerate(zip(units, [*OPTIMIZERS, OPTIMIZERS[0]], strict=True)):
        network = NetworkSpec(20, 4, each, l2=1e-3 * (number % 2), dropout=0.0)
        own = own_rows(rows, counts, number)
        member = member_of_spec(network, optimizer, number, pad_to=32, depths=(1, 3))
        found.append((network, own, replace(member, rows=own)))
    return found


@pytest.mark.parametrize(
    ("rows", "counts", "batch_size"),
    [(150, (100, 30), 25), (150, (101, 49), 25), (1300, (300, 1000), 64)],
    ids=["whole minibatches", "a short last minibatch", "validation in chunks"],
)
def test_each_trains_as_model_fit_on_its_own_rows(rows: int, counts: tuple[int, int], batch_size: int) -> None:
    x, y = examples(rows)
    everyone = members(rows, counts)
    histories = fit_together(
        [member for *_, member in everyone], x, y, validation_data=(x, y), epochs=EPOCHS, batch_size=batch_size
    )
    for number, (history, (network, own, _)) in enumerate(zip(histories, everyone, strict=True)):
        part = TrainingData(x[own.train], y[own.train], x[own.validation], y[own.validation])
        alone = fit_network(
            network, [*OPTIMIZERS, OPTIMIZERS[0]][number], part, Schedule(EPOCHS, 99, order_seed=own.seed),
            batch_size=batch_size, seed=number,
        )  # fmt: skip
        for name, values in alone.curves.items():
            np.testing.assert_allclose(history.history[name], values, rtol=TOLERANCE[10], atol=TOLERANCE[10])
        if alone.best_epoch == EPOCHS - 1:
            assert_same_weights(history.weights, alone.weights, tolerance=TOLERANCE[10])
    assert len({tuple(history.history["val_loss"]) for history in histories}) == len(histories)


def test_whoever_trains_with_it_a_member_ends_the_same_bit_for_bit() -> None:
    x, y = examples(150)
    everyone = [member for *_, member in members(150, (101, 49))]
    fit = {"validation_data": (x, y), "epochs": EPOCHS, "batch_size": 25}
    together = fit_together(everyone, x, y, **fit)
    for some in ([4], [0, 8, 1], [7, 4]):
        for history, number in zip(fit_together([everyone[i] for i in some], x, y, **fit), some, strict=True):
            assert history.history == together[number].history
            for ours, theirs in zip(history.weights, together[number].weights, strict=True):
                np.testing.assert_array_equal(ours, theirs)


def test_members_of_other_numbers_of_rows_train_in_programs_of_their_own() -> None:
    x, y = examples(150)
    few, many = members(150, (60, 30))[1], members(150, (100, 50))[1]
    fit = {"validation_data": (x, y), "epochs": EPOCHS, "batch_size": 20}
    both = fit_together([few[-1], many[-1]], x, y, **fit)
    for history, alone in zip(both, (few, many), strict=True):
        (own,) = fit_together([alone[-1]], x, y, **fit)
        assert history.history == own.history
    assert [history.params["steps"] for history in both] == [3, 5]
