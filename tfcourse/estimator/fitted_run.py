"""What a fit left: its run folder, and the model in it asked for rows in memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfcourse.data.features import Features, TableFeatures
from tfcourse.errors import UserError
from tfcourse.estimator.rows import Rows, as_read
from tfcourse.run.exported import features_of, load_exported, model_inputs, probabilities_of
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import read_trials
from tfcourse.space import SearchSpace

LEAST_ASKED = 64
"""Rows are asked in batches of no fewer, filled up with the last row: so a row's answer is the same among many and
alone, and few shapes are traced."""


class FittedRun:
    """A run folder that has ended, and its model, loaded when it is first asked.

    Args:
        path: the folder.
        temporary: whether it goes when this object does.
    """

    def __init__(self, path: Path, *, temporary: bool) -> None:
        self.path = path
        self.folder = RunFolder.open(path)
        self.result = self.folder.result()
        if temporary:
            weakref.finalize(self, shutil.rmtree, path.parent, ignore_errors=True)

    @cached_property
    def features(self) -> Features:
        """How rows become what the model takes."""
        return features_of(self.folder)

    @cached_property
    def model(self) -> Any:
        """The exported Keras model."""
        return load_exported(self.folder.model_path, self.features, len(self.folder.record["classes"]))

    def probabilities(self, rows: Rows) -> NDArray[np.float32]:
        """Return the class probabilities of rows, shape (rows, classes), the classes in the run's order.

        Raises:
            UserError: if they are not of the kind that the model was trained on.
        """
        features = self.features
        if isinstance(rows, pa.Table) != isinstance(features, TableFeatures):
            kind = "a table" if isinstance(features, TableFeatures) else f"an array of shape {features.shape} a row"
            raise UserError(f"X: the model was trained on {kind}, and these rows are none.")
        decoded = features.decode(as_read(rows)) if isinstance(features, TableFeatures) else rows
        return probabilities_of(self.model, _filled(model_inputs(decoded, features)))[: len(rows)]

    def trials(self) -> list[Any]:
        """Return the trials as records."""
        return read_trials(self.path, SearchSpace.from_json(self.folder.record["space"]))

    def copy_to(self, path: Path) -> None:
        """Copy the folder to a new place, from which it can be opened and gone on with.

        Raises:
            UserError: if something is there already.
        """
        if path.exists():
            raise UserError(f"save: {str(path)!r} is there already; give a new folder.")
        temporary = path.with_name(f".{path.name}.half")
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.copytree(self.path, temporary, ignore=shutil.ignore_patterns("lock"))
        copy = RunFolder.open(temporary)
        options = copy.record["options"]
        if options["data"] is not None and Path(options["data"]).parent == self.path.resolve():
            copy.update(options={**options, "data": str((path / Path(options["data"]).name).resolve())})
        temporary.rename(path)

    def __getstate__(self) -> dict[str, bytes]:
        """Return the files that a fitted classifier needs: neither the training's rows nor the trials' weights."""
        kept = [self.path / name for name in ("run.json", "result.json", "model.keras")]
        kept += [file for file in self.path.glob("search/**/*") if file.suffix == ".json"]
        kept += list(self.path.glob("baseline/*.json"))
        return {str(file.relative_to(self.path)): file.read_bytes() for file in kept}

    def __setstate__(self, state: dict[str, bytes]) -> None:
        """Put the files into a new temporary folder."""
        path = Path(tempfile.mkdtemp(prefix="tfcourse-")) / "run"
        for name, content in state.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
        self.__init__(path, temporary=True)  # type: ignore[misc]


def _filled(inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return {name: _filled(values) for name, values in inputs.items()}
    missing = -len(inputs) % LEAST_ASKED
    return np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)]) if missing else inputs
