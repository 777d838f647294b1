"""Why the classifier says what it says of a row: the Shapley values of the row's columns, as a data frame."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError
from tfcourse.estimator.fitted_run import FittedRun
from tfcourse.estimator.rows import Rows, as_read
from tfcourse.explain.dependence import values_said
from tfcourse.run.effects import effects_of
from tfcourse.run.own_data import own_data


def explained(run: FittedRun, rows: Rows, background: Rows | None, classes: NDArray[Any], places: Any) -> pd.DataFrame:
    """Return a row for each row and column, the columns that moved the row's probability most first.

    Args:
        run: the run.
        rows: those to explain.
        background: rows to compare with; None for the run's own training rows.
        classes: the labels.
        places: where each stands among the run's own.

    Raises:
        UserError: if there are no columns, or no rows to compare with.
    """
    features = run.features
    if not isinstance(features, TableFeatures) or not isinstance(rows, pa.Table):
        raise UserError("explain names columns of a table, but the classifier was fitted on arrays.")
    if background is not None:
        compared = features.transform(features.decode(as_read(background)))
    elif (prepared := own_data(run.folder, features)) is not None:
        compared = prepared.train.x
    else:
        raise UserError(
            "explain compares each row with training rows, which a pickled classifier does not hold: give some with"
            " background=."
        )
    table = features.decode(as_read(rows))
    found = effects_of(run.model, features, table, compared)
    by_name = {column.name: column for column in features.columns}
    said = {name: values_said(table[name], by_name[name]) for name in found.columns}
    label = {int(place): each for each, place in zip(classes, places, strict=True)}
    return pd.DataFrame(
        [
            {
                "row": row,
                "label": label[int(found.classes[row])],
                "average_probability": found.average[row],
                "column": found.columns[column],
                "value": said[found.columns[column]][row],
                "effect": found.effects[row, column],
            }
            for row in range(len(rows))
            for column in found.leading(row, len(found.columns))
        ]
    )
