"""What runs in a Ray actor: a worker that trains in one thread and answers in others."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from tfcourse.cohort.work import Cohort, Shared
from tfcourse.executors.trainer import StoppedError, Trainer

SECONDS_OF_A_BEAT = 1.0
Answer: TypeAlias = tuple[Literal["done", "stopped", "failed"], Any]


class Actor:
    """A worker in a Ray actor; its methods run in several threads."""

    def __init__(self) -> None:
        self._trainer = Trainer()
        self._changed = threading.Condition()
        self._news: dict[int, int] = {}
        self._task = self._stopped = -1

    def machine(self) -> dict[str, str]:
        """Return on which machine it is."""
        return self._trainer.machine

    def train(self, task: int, cohort: Cohort, parts: tuple[int, int], *arrays: Any) -> Answer:
        """Train a cohort on data whose arrays are, in this order, of the training and the validation examples."""
        self._task, self._news = task, {}
        try:
            if not self._trainer.has(cohort.data):
                self._trainer.keep(Shared(arrays[: parts[0]], arrays[parts[0] :]), cohort.data)
            return "done", self._trainer.train(cohort, self._beat, lambda: self._stopped == task)
        except StoppedError:
            return "stopped", None
        except Exception:
            return "failed", traceback.format_exc().strip().splitlines()[-1]

    def _beat(self, news: Mapping[int, int]) -> None:
        with self._changed:
            self._news.update(news)
            self._changed.notify_all()

    def beat(self, task: int) -> dict[int, int]:
        """Return what epochs members have reached since the last call, after a second at most."""
        with self._changed:
            if not self._news or self._task != task:
                self._changed.wait(SECONDS_OF_A_BEAT)
            found = self._news if self._task == task else {}
            if found:
                self._news = {}
            return found

    def stop(self, task: int) -> None:
        """Put down what it is at after this epoch."""
        self._stopped = task
