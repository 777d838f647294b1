"""Ctrl-C, SIGTERM and SIGHUP: heard at a safe place first, at once then; what is ignored stays ignored."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tfcourse.process.command import run_command
from tfcourse.process.interrupt import SIGNALS, not_interrupted, patient_interrupt

LINE = "Stopping after this epoch; press Ctrl-C again to stop at once.\n"
by_name = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@pytest.fixture(autouse=True)
def handlers_stay_as_they_were() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@by_name
def test_the_first_is_told_and_the_second_interrupts(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with patient_interrupt() as interrupted:
        assert not interrupted()
        os.kill(os.getpid(), number)
        assert interrupted()
        assert capsys.readouterr().err == LINE
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


@by_name
def test_a_command_ends_as_interrupted(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    def run(argv: object) -> int:
        os.kill(os.getpid(), number)
        raise AssertionError("it went on")

    assert run_command(run, []) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    def run(argv: object) -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        with patient_interrupt() as interrupted:
            os.kill(os.getpid(), signal.SIGHUP)
            return int(interrupted())

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert run_command(run, []) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@by_name
def test_a_last_word_is_not_interrupted(number: int) -> None:
    with not_interrupted():
        os.kill(os.getpid(), number)
