"""The data that the run itself was made on, if they are still where they were: the control of a retest."""

from __future__ import annotations

from typing import Any

import numpy as np

from tfcourse.data.features import Features
from tfcourse.data.sources import load
from tfcourse.errors import UserError
from tfcourse.retesting.folds import thinned
from tfcourse.retesting.new_data import NewData, read_new_data


def read_own_data(record: dict[str, Any], features: Features) -> NewData | None:
    """Return a run's own data, or None where they are gone or have changed since.

    Args:
        record: the run's ``run.json``.
        features: the run's.
    """
    options = record["options"]
    try:
        found = load(
            options["data"], target=options["target"], drop=options["drop"], test_data=options["test_data"]
        ).fingerprint
        if found != record["data"]["fingerprint"]:
            return None
        return read_new_data(options["data"], record, features)
    except UserError:
        return None


def sample_of(own: NewData, most: int, seed: int = 0, *, in_order: bool = False) -> NewData:
    """Return at most ``most`` rows of a run's own data.

    As many rows as the new data has: how long a setting should train, and how large its network may be, depends on the
    number of rows, so that more of them could prefer other settings with nothing else changed.

    Args:
        own: the data.
        most: rows to return at most.
        seed: of the sample.
        in_order: whether the run was split by time: then evenly spread rows in their order are returned, and otherwise
            a random sample with the same shares of the classes.
    """
    if len(own) <= most:
        return own
    if in_order:
        return own.rows(thinned(np.arange(len(own)), most))
    random, place = np.random.default_rng([seed, 4]), np.empty(len(own))
    for number in np.unique(own.y):
        rows = random.permutation(np.flatnonzero(own.y == number))
        place[rows] = (np.arange(len(rows)) + random.random()) / len(rows)
    return own.rows(np.sort(place.argsort()[:most]))
