"""A KerasTuner tuner whose trials keep their weights without HDF5 writing on the disk, which may end the process."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.src.engine.tuner_utils import SaveBestEpoch

from tfcourse.files.writing import write_bytes
from tfcourse.models.saving import weights_content


class TunerOfWholeFiles(keras_tuner.Tuner):
    """A tuner that trains each trial as KerasTuner does, and whose weight files are whole or not there.

    On a full disk a trial then fails with an OSError, where HDF5 would end the whole search by a signal.
    """

    def _build_and_fit_model(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
        for callback in kwargs.get("callbacks", []):
            if type(callback) is SaveBestEpoch and self.distribution_strategy is None:
                callback._save_model = functools.partial(_save, callback)
        return super()._build_and_fit_model(trial, *args, **kwargs)


def _save(callback: SaveBestEpoch) -> None:
    write_bytes(Path(callback.filepath), weights_content(callback.model), durable=False)
