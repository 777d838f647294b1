"""Alarms, by losses whose alarms were worked out by hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tfcourse.babysitting.lineage import best_epoch
from tfcourse.babysitting.rules import DISK, AlarmRules, limit_above, of_disk, of_loss

RULES = AlarmRules(margin=0.5, least_margin=0.05, stalled=3)


def alarms(losses: list[float | None], name: str = "val_loss") -> list[tuple[int, str]]:
    epochs: list[dict[str, Any]] = [
        {"kind": "epoch", "epoch": number, "logs": {name: loss}} for number, loss in enumerate(losses, 1)
    ]
    return [
        (count, alarm.what)
        for count in range(1, len(epochs) + 1)
        for best in [best_epoch(epochs[:count])]
        for alarm in of_loss(epochs[best["epoch"] if best else 0 : count], best, RULES)
    ]


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 0.5, 0.4], []),
        ([1.0, 1.4], []),  # 1.5 is the limit
        ([1.0, 1.6, 1.7, 0.9], [(2, "loss above its best")]),  # told once
        ([1.0, 1.6, 1.2, 1.6], [(2, "loss above its best"), (4, "stalled")]),
        ([0.01, 0.05], []),  # half of nearly nothing is nothing
        ([0.01, 0.07], [(2, "loss above its best")]),
        ([1.0, 1.1, 1.1, 1.1, 1.1, 1.1], [(4, "stalled")]),
        ([1.0, None], [(2, "not finite")]),
        ([None, 1.0], [(1, "not finite")]),
    ],
)
def test_alarms_of_the_loss(losses: list[float | None], expected: list[tuple[int, str]]) -> None:
    assert sorted(alarms(losses)) == sorted(expected)
    assert sorted(alarms(losses, "loss")) == sorted(expected)


def test_the_words_have_the_numbers() -> None:
    epochs = [
        {"kind": "epoch", "epoch": 1, "logs": {"loss": 0.5}},
        {"kind": "epoch", "epoch": 2, "logs": {"loss": 2.0}},
    ]
    (alarm,) = of_loss(epochs[1:], epochs[0], RULES)
    assert alarm.text == "loss 2 is far above its best, 0.5 at epoch 1"
    assert limit_above(0.5, RULES) == 0.75


def test_the_disk_alarm_compares_with_what_is_free(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    assert of_disk(tmp_path, free / 100, RULES) is None
    alarm = of_disk(tmp_path, free / 2, RULES)
    assert alarm is not None
    assert alarm.what == DISK
