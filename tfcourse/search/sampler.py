"""Points of the unit cube for the trials of a round: independent random ones, or a quasi-random sequence."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import numpy as np

SAMPLERS = ("random", "quasi-random")


def unit_draw(seed: int, trial: int, name: str, attempt: int = 0) -> float:
    """Return the number in [0, 1) that decides hyperparameter ``name`` of trial ``trial``.

    Every (seed, trial, name) has a stream of its own, so that a trial is the same whatever ran before it or
    beside it, two seeds share no trial, and adding a hyperparameter changes no other.

    >>> unit_draw(0, 5, "learning_rate") == unit_draw(0, 5, "learning_rate")
    True
    >>> unit_draw(0, 5, "learning_rate") == unit_draw(1, 4, "learning_rate")
    False
    """
    # What np.random.default_rng(...).random() gives, without the generator around its bits.
    return float(np.random.PCG64([seed, trial, attempt, _key_of(name)]).random_raw() >> 11) * 2.0**-53


@functools.lru_cache(maxsize=1024)
def _key_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def random_point(seed: int, trial: int, names: Sequence[str], attempt: int = 0) -> dict[str, float]:
    """Return an independent random point: one number in [0, 1) a name."""
    return {name: unit_draw(seed, trial, name, attempt) for name in names}


def quasi_random_point(seed: int, index: int, names: Sequence[str]) -> dict[str, float]:
    """Return point ``index`` of a scrambled Sobol sequence (SciPy's): one number in [0, 1) a name.

    Its first 2^k points put one into each of the 2^k equal parts of every hyperparameter's scale; a sequence can be
    gone on with at any time. Another ``seed`` scrambles it anew.

    >>> points = [quasi_random_point(0, index, ["a", "b"]) for index in range(4)]
    >>> sorted(int(4 * point["a"]) for point in points)
    [0, 1, 2, 3]
    """
    return dict(zip(names, _points(seed, len(names), 2 ** max(5, index.bit_length()))[index].tolist(), strict=True))


@functools.lru_cache(maxsize=8)
def _points(seed: int, dimensions: int, count: int) -> np.ndarray:
    from scipy.stats import qmc

    points: np.ndarray = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed)).random(count)
    return np.minimum(points, np.nextafter(1.0, 0.0))
