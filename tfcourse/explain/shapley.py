r"""Shapley values: which columns moved one row's predicted probability away from the average, and how far each.

The value of a set S of columns is :math:`v(S) = \frac1B \sum_b p(x_S, b_{\bar S})`, the probability averaged over
background rows b with the columns of S as in the row that is explained. A column's effect is what it adds to v,
averaged over all orders in which columns can come in (Shapley 1953), and the effects sum to p(x) − v(∅). With few
columns all sets are asked; with many, random orders and their reverses, each beginning at one background row
(Štrumbelj and Kononenko 2014; Castro, Gómez and Tejada 2009).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from tfcourse.explain.blocks import Places
from tfcourse.explain.importance import Predict

BACKGROUND = 100
"""Rows to compare with; more of them make the effects hardly steadier."""
MOST_EXACT = 8
"""Columns of which all sets are asked."""
ASKED = 50_000
"""Rows that the model is asked about for each row, roughly, where orders are drawn."""
MOST_NUMBERS = 20_000_000
"""Of rows that are made up at a time."""


@dataclass(frozen=True)
class RowEffects:
    """What moved the probabilities of some rows.

    Args:
        columns: the columns' names.
        classes: the class whose probability is explained, shape (rows,).
        average: its probability averaged over the background, shape (rows,).
        effects: what each column adds to that, shape (rows, columns); with ``average`` they sum to the probability.
        errors: their standard errors by the orders that were drawn, 0 where none were.
        orders: how many orders were drawn; 0 where all sets were asked.
    """

    columns: tuple[str, ...]
    classes: NDArray[np.int64]
    average: NDArray[np.float64]
    effects: NDArray[np.float64]
    errors: NDArray[np.float64]
    orders: int

    def leading(self, row: int, most: int) -> list[int]:
        """Return the columns that moved a row's probability most, that with the largest effect first."""
        return [int(place) for place in np.argsort(-np.abs(self.effects[row]), kind="stable")[:most]]


def explain_rows(
    predict: Predict,
    rows: NDArray[np.float32],
    background: NDArray[np.float32],
    blocks: Mapping[str, Places],
    *,
    classes: NDArray[np.int64] | None = None,
    most_exact: int = MOST_EXACT,
    asked: int = ASKED,
    seed: int = 0,
) -> RowEffects:
    """Return the Shapley values of the columns of each row.

    Args:
        predict: the model, from rows of the feature matrix to probabilities.
        rows: those to explain, shape (rows, width).
        background: those to compare with, of the training split, shape (background, width).
        blocks: the matrix columns of each column of the table, as :func:`tfcourse.explain.blocks.blocks_of` gives
            them; each matrix column is in one.
        classes: the class of each row whose probability is explained; its most probable one if left out.
        most_exact: of how many columns all sets are asked.
        asked: about how many rows the model may be asked for each row where orders are drawn.
        seed: of the orders; each row has the same.

    >>> def predict(x): return np.stack([x[:, 0] + x[:, 1] * x[:, 2], 1 - x[:, 0] - x[:, 1] * x[:, 2]], axis=1)
    >>> blocks = {"a": np.array([0]), "b": np.array([1]), "c": np.array([2])}
    >>> found = explain_rows(predict, np.array([[0.5, 0.5, 0.8]]), np.zeros((1, 3)), blocks)
    >>> found.average.tolist(), found.effects.round(6).tolist()
    ([0.0], [[0.5, 0.2, 0.2]])
    """
    chosen = predict(rows).argmax(axis=1) if classes is None else classes
    place = np.empty(rows.shape[1], np.int64)  # of which column each matrix column is
    for number, places in enumerate(blocks.values()):
        place[places] = number
    count = len(blocks)
    exact = count <= most_exact
    pairs = 0 if exact else len(background) * max(1, round(asked / (2 * (count + 1) * len(background))))
    random = np.random.default_rng(seed)
    ranks = np.stack([random.permutation(count) for _ in range(pairs)]) if pairs else np.zeros((0, count), np.int64)
    found = []
    for row, number in zip(rows, chosen, strict=True):

        def ask(mixed: NDArray[np.float32], number: int = int(number)) -> NDArray[np.float64]:
            return predict(mixed.reshape(-1, mixed.shape[-1]))[:, number].reshape(mixed.shape[:-1]).astype(np.float64)

        if exact:
            found.append(_all_sets(ask, row, background, place, count))
        else:
            found.append(_orders(ask, row, background, place, ranks))
    average = predict(background).astype(np.float64).mean(axis=0)[chosen]
    effects, errors = (
        np.array(part).reshape(len(rows), count) for part in (zip(*found, strict=True) if found else ([], []))
    )
    return RowEffects(tuple(blocks), chosen, average, effects, errors, 2 * pairs)


def _all_sets(
    ask: Predict, row: NDArray[np.float32], background: NDArray[np.float32], place: Places, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley values by their definition; a set is a number whose binary figures say which columns are in it."""
    sets = np.arange(2**count)
    members = (sets[:, None] >> np.arange(count)) & 1 == 1
    values = np.concatenate(
        [
            ask(np.where(members[part][:, None, place], row, background)).mean(axis=1)
            for part in _parts(len(sets), background.size)
        ]
    )
    sizes = members.sum(axis=1)
    weights = np.array([factorial(size) * factorial(count - size - 1) for size in range(count)]) / factorial(count)
    effects = np.empty(count)
    for column in range(count):
        without = sets[~members[:, column]]
        effects[column] = weights[sizes[without]] @ (values[without | 1 << column] - values[without])
    return effects, np.zeros(count)


def _orders(
    ask: Predict, row: NDArray[np.float32], background: NDArray[np.float32], place: Places, ranks: Places
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over orders and their reverses of what each column adds, and its standard error."""
    pairs, count = ranks.shape
    added = np.zeros((pairs, count))
    for part in _parts(pairs, (count + 1) * len(row)):
        begin = background[np.arange(pairs)[part] % len(background)]
        for rank in (ranks[part], count - 1 - ranks[part]):
            # After each step, which matrix columns have come in.
            come = rank[:, None, place] < np.arange(count + 1)[:, None]
            values = ask(np.where(come, row, begin[:, None, :]))
            added[part] += np.take_along_axis(np.diff(values, axis=1), rank, axis=1) / 2
    errors = added.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.zeros(count)
    return added.mean(axis=0), errors


def _parts(count: int, each: int) -> Iterator[slice]:
    """Return slices of a range, so short that what is made of them takes a bounded memory."""
    size = max(1, MOST_NUMBERS // each)
    for start in range(0, count, size):
        yield slice(start, start + size)
