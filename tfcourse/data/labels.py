"""Labels: which rows have one, as texts, and as class numbers."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.odd_labels import odd_labels
from tfcourse.data.reading import markers
from tfcourse.data.reading.column import Distinct
from tfcourse.data.reading.decide import Wishes
from tfcourse.data.reading.look_alike import alike_of, alike_words
from tfcourse.errors import UserError

MOST_CLASSES_PER_ROW = 1 / 3
_WHOLE = re.compile(r"[-+]?[0-9]+(\.0*)?")


def classes_of(labels: NDArray[Any]) -> tuple[str, ...]:
    """Return the different labels, in numeric order if all are numbers, else in alphabetical order.

    Raises:
        UserError: if there is only one, or so many that most stand in fewer than three rows.

    >>> classes_of(np.array(["10", "9", "9", "10", "9", "10"], dtype=object))
    ('9', '10')
    """
    names = sorted(set(labels.tolist()))
    with contextlib.suppress(ValueError):
        names.sort(key=float)
    if len(names) < 2:
        raise UserError(f"The target is {names[0]!r} in every row; at least two classes are needed.")
    if len(names) > len(labels) * MOST_CLASSES_PER_ROW:
        alike = alike_words(Counter(labels.tolist()), "a class", "labels")
        raise UserError(
            f"The target has {len(names)} different values in {len(labels)} rows, too many to be classes (at least 3"
            " rows each are needed). Is it a number to predict, or an identifier? Give a label column with --target."
            + "".join(f" Also, {line}." for line in alike)
        )
    return tuple(names)


def to_numbers(labels: NDArray[Any], classes: Sequence[str], where: str) -> NDArray[np.int64]:
    """Return the class number of each label.

    Raises:
        UserError: if a label is none of ``classes``; ``where`` says where it stands.

    >>> to_numbers(np.array(["b", "a"], dtype=object), ["a", "b"], "here").tolist()
    [1, 0]
    """
    number = {name: index for index, name in enumerate(classes)}
    unknown = sorted(set(labels.tolist()) - set(number))
    if unknown:
        alike = alike_of(unknown[0], classes)
        there = f" Training has {alike!r}; if they are one, write them alike." if alike is not None else ""
        raise UserError(f"{where}: the label {unknown[0]!r} does not occur in the training data.{there}")
    return np.array([number[label] for label in labels.tolist()], dtype=np.int64)


def labels_of_column(
    column: Any, name: str, path: Path, wishes: Wishes | None = None
) -> tuple[NDArray[np.int64], NDArray[Any], list[str]]:
    """Return the rows that have a label, these labels as texts, and notes on the others and on odd labels."""
    wishes = wishes or Wishes()
    values = Distinct.of(column)
    texts, counts = values.texts.to_pylist(), values.counts
    others = [text for text in texts if not markers.among_others(text)]
    missing = np.array(
        [
            text in wishes.missing or (text not in wishes.not_missing and markers.in_target(text, others))
            for text in texts
        ]
    )
    if missing.all():
        raise UserError(f"The target {name!r} is missing in every row of {str(path)!r}.")
    notes = []
    count = int(counts[missing].sum())
    if count:
        written = [text for text, is_missing in zip(texts, missing, strict=True) if is_missing and text]
        quoted = ", ".join(map(repr, written))
        makes = f"--not-missing {shlex.join(written)} would make {'it' if len(written) == 1 else 'each'} a class"
        keep = f" ({quoted}; {makes})"
        left_out = f"{'are' if count > 1 else 'is'} left out{keep * bool(written)}"
        notes.append(f"{count} row{'s' * (count > 1)} without a {name!r} {left_out}")
    notes += [
        f"the label {text!r} is a class, in {number} rows; --missing {shlex.quote(text)} would leave them out"
        for text, is_missing, number in zip(texts, missing, counts, strict=True)
        if not is_missing
        and markers.among_others(text)
        and text.casefold() not in markers.PLAIN_WORDS
        and text not in wishes.not_missing
    ]
    names = np.array(texts, dtype=object)
    if all(_WHOLE.fullmatch(text) for text in names[~missing]):
        names = np.array([text.split(".")[0] for text in texts], dtype=object)
    kept = np.flatnonzero(~missing[values.codes])
    labels = names[values.codes[kept]]
    return kept, labels, notes + odd_labels(name, Counter(labels.tolist()))


def label_texts(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels as texts; whole numbers without a decimal point, so that 2 and 2.0 are one class."""
    texts = [str(label) for label in y.astype(str).tolist()]
    if all(_WHOLE.fullmatch(text) for text in texts):
        texts = [text.split(".")[0] for text in texts]
    return np.array(texts, dtype=object)
