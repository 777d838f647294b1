"""The tables that ``portfolio.py`` chooses settings by: those of ``quality.py``, scikit-learn's, and generated ones."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import TASKS
from sklearn import datasets

from tfcourse.data.prepare import DataOptions, Part, Prepared, prepare

MOST_ROWS = 5000
"""Rows of a larger table are drawn, as many of each part as its share of them."""
FEW_ROWS, SPLITS_OF_FEW = 1200, 2
"""A table of so few rows is split several times: what one small part of it says is mostly chance."""
Made = tuple[NDArray[Any], NDArray[Any]]


def _spirals() -> Made:
    random = np.random.default_rng(0)
    turn, y = random.uniform(0.3, 1, 900) * 3 * np.pi, np.arange(900) % 3
    angle = turn + 2 * np.pi * y / 3
    return np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) + random.normal(0, 0.5, (900, 2)), y


OTHERS: dict[str, Callable[[], Made]] = {
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "wines": lambda: datasets.load_wine(return_X_y=True),
    "tumours": lambda: datasets.load_breast_cancer(return_X_y=True),
    "digits": lambda: datasets.load_digits(return_X_y=True),
    "shells": lambda: datasets.make_gaussian_quantiles(n_samples=1500, n_features=6, n_classes=4, random_state=0),
    "spirals": _spirals,
}
"""What scikit-learn has with it, and what is generated: numbers, and the class of each row."""


def tables(folder: Path | None) -> list[str]:
    """Return the names of the tables that are there; without a folder those that need none."""
    found = [name for name, task in TASKS.items() if folder and (folder / f"{task.file}.csv").exists()]
    return [*found, *OTHERS]


def splits(name: str, folder: Path | None) -> Iterator[tuple[int, Prepared]]:
    """Give the splits of a table by their seeds, prepared as ``train`` does."""
    with tempfile.TemporaryDirectory() as place:
        if name in TASKS and folder is not None:
            task = TASKS[name]
            options = DataOptions(str(folder / f"{task.file}.csv"), target=task.target, drop=task.drop)
        else:
            x, y = OTHERS[name]()
            np.savez(Path(place) / "table.npz", x=np.asarray(x, np.float32), y=np.asarray(y, np.int64))
            options = DataOptions(str(Path(place) / "table.npz"))
        first = prepare(options)
        yield 0, with_fewer_rows(first)
        if len(first.train) + len(first.validation) + len(first.test) < FEW_ROWS:
            for seed in range(1, SPLITS_OF_FEW):
                yield seed, prepare(replace(options, seed=seed))


def with_fewer_rows(prepared: Prepared) -> Prepared:
    """Return data of at most about :data:`MOST_ROWS` rows."""
    train, validation, test = prepared.train, prepared.validation, prepared.test
    share = MOST_ROWS / (len(train) + len(validation) + len(test))
    if share >= 1:
        return prepared
    return replace(
        prepared, train=_drawn(train, share), validation=_drawn(validation, share), test=_drawn(test, share)
    )  # fmt: skip


def _drawn(part: Part, share: float) -> Part:
    rows = np.random.default_rng(0).choice(len(part), round(share * len(part)), replace=False)
    return Part(part.x[rows], part.y[rows])
