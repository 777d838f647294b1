"""Ctrl-C while cohorts train: the first waits for the epoch that runs, the second does not."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

from tfcourse.cohort import fit_together
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.process.interrupt import StopAtOnce, patient_interrupt


def test_the_second_does_not_wait_for_an_epoch_that_takes_long() -> None:
    x, y = np.random.default_rng(0).normal(size=(16, 2)).astype("float32"), np.arange(16) % 2
    members, over, ended = [(NetworkSpec(2, 2), OptimizerSpec())], threading.Event(), threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    with patient_interrupt() as interrupted:

        def takes_long(history: Any) -> None:
            """Press Ctrl-C twice in the middle of an epoch, which then goes on until the test lets it end."""
            signal.pthread_kill(main, signal.SIGINT)
            while not interrupted():
                time.sleep(0.01)
            signal.pthread_kill(main, signal.SIGINT)
            over.wait(60)
            ended.set()

        try:
            with pytest.raises(StopAtOnce):
                fit_together(members, x, y, epochs=1, on_epoch_end=takes_long, jit_compile=False)
            assert not ended.is_set()  # the epoch goes on
        finally:
            over.set()
