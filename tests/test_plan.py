"""How long a search trains, by the size of its data, and which batch sizes it may take."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.errors import UserError
from tfcourse.space import Parameter
from tfcourse.space.course import build_space, default_space
from tfcourse.train import build_parser
from tfcourse.tuning import start as starting
from tfcourse.tuning.plan import (
    Plan,
    default_batch_size,
    default_epochs,
    default_patience,
    plan_from_json,
    with_batch_size,
)


# 5 rows are one minibatch; for 30 the least is 16; 1078 / 32 is nearly 2^5; of 2500 rows 64 at a time leave 4, 63 leave
# 43; 6000 / 32 is nearly 2^8, and a million more: cut off at 2^6.
@pytest.mark.parametrize(("rows", "size"), [(5, 5), (30, 16), (1078, 32), (2500, 63), (6000, 64), (10**6, 64)])
def test_batch_sizes_worked_by_hand(rows: int, size: int) -> None:
    assert default_batch_size(rows) == size


# 1078 rows in batches of 32 are 34 minibatches: 1000 / 34 = 29.4 epochs. 512 000 rows are 16 times 32 000, 10.7 times
# 48 000.
@pytest.mark.parametrize(
    ("rows", "size", "epochs"),
    [
        (1078, 32, 30),
        (48000, 64, 11),
        (32000, 64, 16),
        (32000, 256, 16),
        (100, 16, 60),
        (1000, 16, 30),
        (3200, 128, 40),
    ],
)
def test_epochs_worked_by_hand(rows: int, size: int, epochs: int) -> None:
    assert default_epochs(rows, size) == epochs


@given(st.integers(1, 10**7))
def test_defaults_keep_their_bounds(rows: int) -> None:
    size = default_batch_size(rows)
    epochs = default_epochs(rows, size)
    assert size == rows < 16 or math.ceil(math.log2(size)) in range(4, 7)
    assert min(rows, (rows % size or size)) >= min(32, size / 2)
    assert 10 <= epochs <= 60
    assert epochs == 60 or epochs * math.ceil(rows / size) >= 1000
    assert 3 <= default_patience(epochs) < epochs


def test_the_batch_size_is_what_the_data_says() -> None:
    assert with_batch_size(default_space(), None, 20000)["batch_size"].values == (64,)


def test_the_batch_size_is_what_the_user_says() -> None:
    assert with_batch_size(default_space(), [8, 16], 1000)["batch_size"].values == (8, 16)


def test_the_batch_size_is_what_the_space_says() -> None:
    stated = Parameter("batch_size", "integer", 8, 64)
    assert with_batch_size(build_space({"batch_size": stated}), None, 64)["batch_size"] == stated


STATED = build_space({"batch_size": Parameter("batch_size", "integer", 8, 64)})
LISTED = build_space({"batch_size": Parameter("batch_size", "choice", values=(8, 100, 16))})


@pytest.mark.parametrize(
    ("space", "given_sizes", "message"),
    [
        (
            default_space(),
            [16, 101],
            "--batch-size: 101 was given, but the training split has 63 rows; give at most 63.",
        ),
        (STATED, None, "--space: batch_size 64 was given, but the training split has 63 rows; give at most 63."),
        (LISTED, None, "--space: batch_size 100 was given, but the training split has 63 rows; give at most 63."),
        (
            STATED,
            [8],
            "--batch-size was given, but the --space file states batch_size as well; keep one of them.",
        ),
        (default_space(), [8, 16, 8], "--batch-size: 8 16 8 was given; give each size once."),
    ],
)
def test_batch_sizes_that_do_not_fit(space: object, given_sizes: list[int] | None, message: str) -> None:
    with pytest.raises(UserError) as caught:
        with_batch_size(space, given_sizes, 63)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_small_table_gets_a_batch_size_that_fits() -> None:
    assert with_batch_size(default_space(), None, 5)["batch_size"].values == (5,)


def test_a_plan_survives_json() -> None:
    plan = Plan(default_space(), 12, 30, 7, "val_accuracy", "keras", 3)
    assert plan_from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("words", "trials", "halving"),
    [
        ("", 64, True),  # two rounds of 32
        ("--trials 53", 53, False),  # of 26 and 27
        ("--trials 54", 54, True),
        ("--trials 27 --rounds 1", 27, True),
        ("--no-halving", 64, False),
        ("--trials 4 --halving", 4, True),
        ("--engine keras", 64, False),
        ("--budget 10m", 100_000, True),
    ],
)
def test_large_rounds_are_thinned_unless_told_otherwise(
    words: str, trials: int, halving: bool, pets_csv: Path, tmp_path: Path
) -> None:
    argv = ["--data", str(pets_csv), "--target", "kind", "--out", str(tmp_path / "run"), *words.split()]
    plan = starting.start(vars(build_parser().parse_args(argv)), argv).plan
    assert (plan.trials, plan.halving) == (trials, halving)
