"""Cut data into training, validation and test parts, as the options say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.dataset import Dataset, X
from tfcourse.data.fit_table import fit_table
from tfcourse.data.groups import equal_rows, keep_together
from tfcourse.data.labelled_table import columns_of
from tfcourse.data.options import DataOptions
from tfcourse.data.reading.reading import Reading
from tfcourse.data.split import Split, check_classes, split_stratified, split_time, uneven_words
from tfcourse.data.table import rows_of
from tfcourse.errors import UserError, did_you_mean

TEST_SHARE, VALIDATION_SHARE = 0.2, 0.2
Numbers = NDArray[np.int64]


def cut(
    dataset: Dataset,
    named: Numbers | None,
    y: Numbers,
    classes: Sequence[str],
    options: DataOptions,
    kept: Collection[str] = (),
) -> tuple[Split, Numbers | None]:
    """Return the parts, and the groups that they were cut by, None in the order of time.

    Args:
        dataset: the data.
        named: group number of each row, where the user names groups.
        y: class number of each row.
        classes: the classes' names.
        options: what the user says.
        kept: as for :func:`~tfcourse.data.fit_table.fit_table`.

    Raises:
        UserError: if a class cannot be in every part, or the rows have no such order.
    """
    test = 0.0 if dataset.test is not None else TEST_SHARE
    validation = VALIDATION_SHARE / (1 - TEST_SHARE) if dataset.test is not None else VALIDATION_SHARE
    if options.split == "time":
        order = _order(dataset.x, options.time)
        split = split_time(y[order], classes, test=test, validation=validation)
        return Split(order[split.train], order[split.validation], order[split.test]), None
    if options.time is not None:
        raise UserError(f"--time {options.time} was given without --split time; give both.")
    shares: dict[str, Any] = {"test": test, "validation": validation}
    if options.split_rules == 1:
        kinds = equal_rows(dataset.x)
        return split_stratified(kinds, y, classes, seed=options.seed, by_rows=False, **shares), kinds
    kinds = equal_rows(dataset.x)
    check_classes(kinds, y, classes)
    x, among = _seen_columns(dataset.x, dataset.readings, kept)
    if among:
        kinds = equal_rows(x)
    together = keep_together(kinds, y, len(y) * (test or validation), named, among)
    split = split_stratified(together.groups, y, classes, seed=options.seed, **shares)
    dataset.notes.extend(together.notes)
    if len(np.unique(together.groups)) < len(y):
        dataset.notes.extend(uneven_words(split, y, classes, **shares))
    return split, together.groups


def _order(x: X, time: str | None) -> Numbers:
    """Return the rows in the order of time: as they stand, or by a column of dates or numbers."""
    if time is None:
        return np.arange(rows_of(x))
    if not isinstance(x, dict):
        raise UserError("--time is for tables; the data holds arrays.")
    if time not in x:
        raise UserError(
            f"--time: there is no column {time!r} beside the target.{did_you_mean(time, x)} {columns_of(x)}"
        )
    values = x[time]
    if values.dtype == object or np.isnan(values).any():
        wrong = "holds texts" if values.dtype == object else f"is empty in {int(np.isnan(values).sum())} rows"
        raise UserError(f"--time: column {time!r} {wrong}; each row needs a date or a number.")
    return np.argsort(values, kind="stable")


def _seen_columns(x: X, readings: Mapping[str, Reading], kept: Collection[str]) -> tuple[X, str]:
    """Return what the model will see of the rows, and how to say so where that is not all.

    Which columns are left out is decided here on all rows, since there is no training part yet: a column that only the
    training part would leave out can set rows apart, but row numbers and identifiers cannot.
    """
    if not isinstance(x, dict):
        return x, ""
    used = fit_table(x, np.arange(rows_of(x)), readings, kept)[0].names
    return {name: x[name] for name in used}, " in all columns that are used" * (len(used) < len(x))
