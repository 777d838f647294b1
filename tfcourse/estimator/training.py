"""One fit: rows in memory become the file of a run, and the run is carried out as the command does it."""

from __future__ import annotations

import functools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.errors import UserError
from tfcourse.estimator.options import toml_of
from tfcourse.estimator.rows import Rows, row_numbers, write_rows
from tfcourse.files.writing import make_folder, replacing, write_text
from tfcourse.process.interrupt import StopAtOnce
from tfcourse.run.folder import RunFolder
from tfcourse.run.lock import alone_in
from tfcourse.run.show import make_console, show_result
from tfcourse.tuning.run import carry_out, show_beginning
from tfcourse.tuning.start import resume, start
from tfcourse.tuning.tuning_run import TuningRun

NAMES = {"target": "y", "group": "groups", "weight": "sample_weight"}
"""What the columns beside those of X are called, unless X has such a one."""


@dataclass(frozen=True)
class Fit:
    """One fit: what it trains on, how, and where it is kept.

    Args:
        rows: a table or an array, shape (rows, ...).
        labels: texts, shape (rows,).
        beside: ``group``, what rows of one part have in common, and ``weight``, how much each counts, both of shape
            (rows,), as far as they are given.
        given: the command's options by name.
        flags: the same as words.
        path: the new run folder.
        own: what the classifier keeps in ``run.json``.
        check_classes: called with the classes as they were read, before anything is trained.
        verbose: whether to show progress and the result.
    """

    rows: Rows
    labels: NDArray[Any]
    beside: Mapping[str, Any]
    given: Mapping[str, Any]
    flags: list[str]
    path: Path
    own: Mapping[str, Any]
    check_classes: Callable[[Sequence[str]], object]
    verbose: bool = False

    def run(self, started: float) -> KeyboardInterrupt | None:
        """Leave a run folder with the rows in it, its search done and its model exported.

        Args:
            started: moment of ``time.monotonic()`` at which the fit began.

        Returns:
            The interrupt that ended the search early, where trials had ended by then: the model is the best of those.

        Raises:
            UserError: as :func:`tfcourse.tuning.start.start`, or if no trial completed.
            KeyboardInterrupt: if it was interrupted before a trial had ended, or twice.
        """
        console, path = make_console(quiet=not self.verbose, stderr=False), self.path
        make_folder(path.parent)
        place = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            data, run = self._begin(place)
            with alone_in(path, functools.partial(console.print, markup=False)), run.folder.begun():
                self._move_in(data, run.folder)
                show_beginning(console, run.prepared)
                try:
                    result = carry_out(run, console, started, self.given)
                except StopAtOnce:
                    raise
                except KeyboardInterrupt as interrupt:
                    _finish_early(run.folder, self.flags, console)
                    return interrupt
                show_result(console, result, result["classes"])
                return None
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _begin(self, place: Path) -> tuple[Path, TuningRun]:
        """Write the rows to a file in ``place`` and begin a run on it; return both."""
        data, names = _written(place, self.rows, self.labels, self.beside)
        options = {**self.given, **names, "data": str(data), "out": str(self.path)}
        words = [word for name, value in names.items() for word in (f"--{name}", value)]
        if self.own["parameters"].get("keep_columns") is None and (keep := row_numbers(self.rows)):
            options["keep_columns"] = keep
            words += ["--keep-columns", *keep]
        run = start(options, ["--data", data.name, *words, *self.flags])
        try:
            self.check_classes(run.prepared.classes)
        except UserError:
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        return data, run

    def _move_in(self, data: Path, folder: RunFolder) -> None:
        """Have the run folder hold all that it was made of."""
        kept = str(data.replace(folder.path / data.name).resolve())
        shutil.rmtree(data.parent, ignore_errors=True)
        if isinstance(space := self.given.get("space"), dict):
            write_text(folder.path / "space.toml", toml_of(space))
        folder.update(options={**folder.record["options"], "data": kept}, estimator=dict(self.own))


def _finish_early(folder: RunFolder, flags: list[str], console: Any) -> None:
    """Measure and export the best of what an interrupted search left."""
    folder.update(searched=True)
    run = resume({"resume": str(folder.path)}, flags)
    if not run.plan.trials:
        raise KeyboardInterrupt
    try:
        carry_out(run, console, time.monotonic(), {})
    except UserError:  # none of them completed
        raise KeyboardInterrupt from None


def _written(place: Path, rows: Rows, labels: NDArray[Any], beside: Mapping[str, Any]) -> tuple[Path, dict[str, str]]:
    """Write rows and labels to a file; return it, and the options that name its columns."""
    if not isinstance(rows, pa.Table):
        for name in beside:
            raise UserError(f"--{name} is for tables; X is an array of images or of many numbers that are alike.")
        path = place / "data.npz"
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, x=rows, y=labels.astype(str))
        return path, {}
    columns = {"target": pa.array(labels.tolist())}
    for name, values in beside.items():
        given = np.asarray(values)
        columns[name] = pa.array(given if name == "weight" else [str(each) for each in given.tolist()])
    names: dict[str, str] = {}
    for option, column in columns.items():
        names[option] = _free(NAMES[option], rows.column_names)
        rows = rows.append_column(names[option], column)
    path = place / "data.parquet"
    write_rows(path, rows)
    return path, names


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a column's name that no other column has.

    >>> _free("y", ["x", "y"])
    'y_'
    """
    taken = {each.strip() for each in taken}  # as they are read
    while name in taken:
        name += "_"
    return name
