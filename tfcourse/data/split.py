"""Split rows into training, validation and test parts, rows of one group staying together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.odd_labels import why_few
from tfcourse.errors import UserError

Rows = NDArray[np.int64]

_PARTS_NEEDED = 3
EVEN = 0.1
"""Parts are even when rows, and rows of each class, are off by no more than this share, or by one row."""
DRAWS = 100


@dataclass(frozen=True)
class Split:
    """Row numbers of the training, validation and test parts; the test part is empty if it is another file."""

    train: Rows
    validation: Rows
    test: Rows


def split_stratified(
    groups: Rows, y: Rows, classes: Sequence[str], *, seed: int, test: float, validation: float, by_rows: bool = True
) -> Split:
    """Split so that every class has its share in every part, and rows of one group stay in one part.

    Each class's groups are put in random order; the first ones test, up to the class's share of the rows, the next
    validate, the rest train. Where groups are large that may come out uneven, so that the first of :data:`DRAWS`
    orders that does not is taken, or else the least uneven one.

    Args:
        groups: group number of each row, from :func:`tfcourse.data.groups.keep_together`.
        y: class number of each row.
        classes: the classes' names, for messages.
        seed: which random split.
        test: share of the test part, in [0, 1); 0 leaves it empty.
        validation: share of the validation part, in (0, 1).
        by_rows: False shares out groups by their number, whatever their size, as searches of before did.

    Raises:
        UserError: if a class has fewer than 3 different rows, or cannot be in every part.

    >>> split = split_stratified(np.arange(10), np.zeros(10, int), ["a"], seed=0, test=0.2, validation=0.2)
    >>> len(split.train), len(split.validation), len(split.test)
    (6, 2, 2)
    """
    check_classes(groups, y, classes)
    _, first_row, group = np.unique(groups, return_index=True, return_inverse=True)
    random = np.random.default_rng([seed, 0])
    if by_rows:
        label, weight = rarest_class(group, y), np.bincount(group)
    else:
        label, weight = y[first_row], np.ones(len(first_row), dtype=np.int64)
    shares = np.array([1 - test - validation, validation, test])
    large = _large(label, weight, min(share for share in shares if share))
    place, own = np.cumsum(large) - 1, large[group]
    in_large = np.zeros((int(large.sum()), len(classes)), dtype=np.int64)
    np.add.at(in_large, (place[group[own]], y[own]), 1)
    found, least = np.empty(0, dtype=np.int64), np.inf
    for _ in range(DRAWS if weight.max() > 1 else 1):  # groups of one row come out alike in every order
        part = _dealt(label, weight, large, in_large, shares, random)[group]
        off = unevenness(part, y, shares)
        if not len(found) or off.sum() < least:
            found, least = part, off.sum()
        if off.max() <= EVEN:
            break
    if by_rows and np.isinf(least):
        raise UserError(
            "No split has every class in every part: the rows of one class hang together with those of others. Leave"
            " a class out, merge it with another, or add rows."
        )
    return Split(*(np.flatnonzero(found == number) for number in range(3)))


def _large(label: Rows, weight: Rows, share: float) -> NDArray[np.bool_]:
    """Return which groups are larger than their label's share of a part, where three others at least fill the parts."""
    rows, groups = np.bincount(label, weight), np.bincount(label)
    large = weight > np.maximum(1, share * rows)[label]
    return large & (groups - np.bincount(label, large) >= _PARTS_NEEDED)[label]


def _dealt(
    label: Rows,
    weight: Rows,
    large: NDArray[np.bool_],
    in_large: NDArray[np.int64],
    shares: NDArray[np.float64],
    random: np.random.Generator,
) -> Rows:
    """Return the part of each group, 0 training, 1 validation, 2 test, by one random order of each label's groups.

    Args:
        label: class by which each group is dealt.
        weight: for how many rows each group counts.
        large: which groups are put anywhere, before the others fill up what is then wanting.
        in_large: rows of each class in each of these, shape (large groups, classes).
        shares: of the parts.
        random: of the order.
    """
    part, there = np.zeros(len(label), dtype=np.int64), np.zeros((len(shares), in_large.shape[1]))
    if large.any():
        part[large] = random.choice(len(shares), size=large.sum(), p=shares)
        np.add.at(there, part[large], in_large)
    for number in np.unique(label):
        members = random.permutation(np.flatnonzero((label == number) & ~large))
        if len(members) < _PARTS_NEEDED:
            continue
        rest = weight[members].sum()
        wanted = shares * (rest + there[:, number].sum())
        if large.any():
            wanted = np.maximum(wanted - there[:, number], 0)
            wanted *= rest / wanted.sum()
        tests, validations = _filled(weight[members], float(wanted[2]), float(wanted[1]))
        part[members[:tests]] = 2
        part[members[tests : tests + validations]] = 1
    return part


def _filled(weight: Rows, test: float, validation: float) -> tuple[int, int]:
    """Return how many groups of an order test and validate to hold so many rows, one each and one left at least."""
    middle, count = np.cumsum(weight) - weight / 2, len(weight)
    tests = min(count - 2, max(1, int((middle < max(1, round(test))).sum()))) if test else 0
    reached = weight[:tests].sum() + max(1, round(validation))
    return tests, min(count - 1 - tests, max(1, int((middle < reached).sum()) - tests))


def rarest_class(group: Rows, y: Rows) -> Rows:
    """Return for each group the rarest class among its rows: so classes of few groups get into every part.

    >>> rarest_class(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0])).tolist()
    [1, 0]
    """
    order = np.argsort(np.bincount(y), kind="stable")
    place = np.argsort(order)
    least = np.full(group.max() + 1, len(order))
    np.minimum.at(least, group, place[y])
    return order[least]


def unevenness(part: Rows, y: Rows, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much parts are off their shares, shape (parts, 1 + classes): of all rows, then of each class.

    0.1 is a tenth more or less than there should be, one row being let off; a class that a part lacks is infinitely
    off, and a part without a share is left out.

    >>> unevenness(np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1]), np.array([0.5, 0.5])).tolist()
    [[0.2, 0.3333333333333333, 0.0], [0.2, inf, 0.0]]
    """
    classes = int(y.max()) + 1
    counts = np.bincount(part * classes + y, minlength=len(shares) * classes).reshape(len(shares), classes)
    counts, there = counts[shares > 0], np.bincount(y, minlength=classes) > 0
    wanted = shares[shares > 0][:, None] * np.bincount(y, minlength=classes)
    both = [np.column_stack([table.sum(axis=1), table[:, there]]) for table in (counts, wanted)]
    off = np.maximum(np.abs(both[0] - both[1]) - 1, 0) / both[1]
    return np.where(both[0] == 0, np.inf, off)


def uneven_words(split: Split, y: Rows, classes: Sequence[str], *, test: float, validation: float) -> list[str]:
    """Return a note on parts that are not as large as they should be, or lack their share of a class."""
    part = np.zeros(len(y), dtype=np.int64)
    part[split.validation], part[split.test] = 1, 2
    shares = np.array([1 - test - validation, validation, test])
    off = unevenness(part, y, shares)
    if off.max() <= EVEN:
        return []
    names, asked = ("training", "validation", "test"), [f"{share:.0%}" for share in shares if share]
    if off[:, 0].max() > EVEN:
        whose, of = "the rows", np.ones(len(y), dtype=bool)
    else:
        number = int(np.unique(y)[off[:, 1:].max(axis=0).argmax()])
        whose, of = f"class {classes[number]!r}", y == number
    found = np.bincount(part[of], minlength=3) / of.sum()
    parts = ", ".join(f"{name} {there:.0%}" for name, there, share in zip(names, found, shares, strict=True) if share)
    return [
        f"rows that stay together are too many for even parts: of {whose} they have {parts} instead of"
        f" {', '.join(asked)}; of {DRAWS} random splits this is the most even one"
    ]


def check_classes(groups: Rows, y: Rows, classes: Sequence[str]) -> None:
    """Refuse classes with fewer than 3 different rows.

    Raises:
        UserError: naming the class and its rows.
    """
    different = np.bincount(np.unique(groups * len(classes) + y) % len(classes), minlength=len(classes))
    few = np.flatnonzero(different < _PARTS_NEEDED)
    if len(few):
        number, rows = int(few[0]), np.bincount(y, minlength=len(classes))
        why = why_few(classes[number], _rows_of(y, classes))
        raise UserError(too_few(classes[number], int(rows[number]), int(different[number])) + why)


def _rows_of(y: Rows, classes: Sequence[str]) -> dict[str, int]:
    return dict(zip(classes, np.bincount(y, minlength=len(classes)).tolist(), strict=True))


def too_few(name: str, rows: int, different: int) -> str:
    """Return the message for a class that cannot be in all three parts."""
    counted = f"{rows} row{'s' * (rows != 1)}" + (f", {different} of them different" if different < rows else "")
    return (
        f"Class {name!r} has only {counted}; at least 3 different rows are needed, for training, validation and"
        " test. Leave the class's rows out, merge it with another class, or add rows."
    )


def split_time(y: Rows, classes: Sequence[str], *, test: float, validation: float) -> Split:
    """Split rows in their order: the first part trains, the next validates, the last tests.

    Raises:
        UserError: if a class first appears after the training part.

    >>> split_time(np.zeros(10, int), ["a"], test=0.2, validation=0.2).test.tolist()
    [8, 9]
    """
    rows = len(y)
    test_start = rows - round(test * rows)
    train_end = test_start - max(1, round(validation * rows))
    late = np.setdiff1d(np.unique(y), y[:train_end])
    if len(late):
        raise UserError(
            f"--split time: class {classes[late[0]]!r} does not appear among the first {train_end} rows, which train."
            f" Use --split stratified, or leave the class's rows out.{why_few(classes[late[0]], _rows_of(y, classes))}"
        )
    order = np.arange(rows)
    return Split(order[:train_end], order[train_end:test_start], order[test_start:])
