"""What a worker is, wherever it runs: it keeps the data that it was given, and trains one cohort after the other."""

from __future__ import annotations

import contextlib
import platform
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfcourse.cohort.dataset import Examples
    from tfcourse.cohort.work import Cohort, Shared, Trained

SECONDS_BETWEEN_BEATS = 0.2
MOST_DATA = 3
"""Sets of data that a worker keeps: the search's, the folds', and one to spare."""


class StoppedError(Exception):
    """The driver no longer wants what the worker trains."""


class Trainer:
    """Trains cohorts in this process; TensorFlow is imported when it is made."""

    def __init__(self) -> None:
        from tfcourse.process.quiet import quiet_start
        from tfcourse.process.start_keras import start_keras

        with quiet_start():
            start_keras()
            import tensorflow as tf

            devices = [device.device_type for device in tf.config.list_physical_devices("GPU")]
        self.machine = {"host": socket.gethostname(), "kind": ", ".join([_processor(), *devices])}
        self._data: dict[str, tuple[Examples, Examples | None]] = {}

    def has(self, digest: str) -> bool:
        """Say whether it has these data."""
        return digest in self._data

    def keep(self, data: Shared, digest: str) -> None:
        """Keep data to train on; the oldest go."""
        self._data[digest] = data.examples()
        while len(self._data) > MOST_DATA:
            del self._data[next(iter(self._data))]

    def train(
        self, cohort: Cohort, beat: Callable[[Mapping[int, int]], object], stopped: Callable[[], bool]
    ) -> list[Trained]:
        """Train a cohort and return what came of each member.

        Args:
            cohort: what to train.
            beat: called a few times a second, at the ends of epochs, with what epochs members have reached.
            stopped: tells whether to stop.

        Raises:
            StoppedError: if it tells so.
        """
        from tfcourse.cohort.work import train_cohort

        news: dict[int, int] = {}
        told = 0.0

        def epoch_ended(epochs: Mapping[int, int]) -> None:
            nonlocal told
            if stopped():
                raise StoppedError
            news.update(epochs)
            if time.monotonic() - told > SECONDS_BETWEEN_BEATS:
                told = time.monotonic()
                beat(dict(news))
                news.clear()

        return train_cohort(cohort, self._data[cohort.data], epoch_ended)


def _processor() -> str:
    """Return the kind of processor, on which the last bits of a float32 sum depend."""
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo", encoding="utf-8") as lines:
        return next(line for line in lines if line.startswith("model name")).split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
