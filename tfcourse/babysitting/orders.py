"""What people and alarms ask of a training, and how it is done: between two steps, and told in the journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tfcourse.babysitting import commands as inbox
from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.lineage import find_state
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.rules import DISK, NOT_FINITE, Alarm, stop_that_holds
from tfcourse.babysitting.words import quoted, what_words, where_words
from tfcourse.errors import UserError

LEAST_RATE = 1e-9
"""Halving the learning rate further than this mends nothing."""


class Orders:
    """Changes, reverts, pauses and the stop of one training.

    Args:
        folder: where the commands come in.
        kept: its journal and checkpoints.
        live: its live hyperparameters.
        on_alarm: ``tell``, ``pause`` or ``revert``; see :class:`~tfcourse.babysitting.babysitter.Babysitter`.
        say: called with each line for the person who watches.

    Attributes:
        paused: whether it waits before its next step.
        stopping: whether it ends with this epoch.
    """

    def __init__(self, folder: Path, kept: Keeper, live: Live, on_alarm: str, say: Callable[[str], object]) -> None:
        self.folder, self.kept, self.live, self.on_alarm, self.say = folder, kept, live, on_alarm, say
        told = [event["kind"] for event in kept.journal.events if event["kind"] in ("pause", "resume", "stop", "end")]
        self.paused, self.stopping = told[-1:] == ["pause"], False
        self._answered = {event["command"] for event in kept.journal.events if "command" in event}
        self._not_finite = False
        self._gone_back_to: int | None = None

    def take_up(self, *, stop: bool) -> None:
        """Say what was asked of an earlier process and still holds: a pause, and a stop where ``stop`` allows one."""
        self.stopping = stop and stop_that_holds(self.kept.journal.events) is not None
        if self.stopping:
            self.say(f"It was told to stop, which it does at the end of epoch {self.kept.epoch + 1}.")
        if self.paused:
            self.say(f"It was paused and still is; go on with: python -m tfcourse.babysit resume {self.folder}")

    def obey_all(self) -> None:
        """Do what was asked for since the last step, each command once."""
        found, wrong = inbox.take(self.folder)
        for reason in wrong:
            self._refuse(f"the command {reason}")
        for command in found:
            if command.name not in self._answered:
                try:
                    getattr(self, command.kind)(command.name, **command.fields)
                except (UserError, TypeError, AttributeError) as error:  # not of our command line
                    self._refuse(str(error), command=command.name)
                self._answered.add(command.name)
            inbox.done(self.folder, command)

    def _refuse(self, why: str, **fields: Any) -> None:
        self.kept.note("refused", why=why, **fields)
        self.say(f"Refused: {why}")

    def set(self, command: str | None, values: dict[str, Any], note: str = "", by: str = "person") -> None:
        """Change hyperparameters; they are checked before any of them changes."""
        epoch = self.kept.epoch
        self.live.check(values, epoch)
        before = self.live.present(epoch)
        self.live.apply(values, epoch)
        after = self.live.present(epoch)
        old, new = {name: before.get(name) for name in values}, {name: after[name] for name in values}
        told = {"old": old, "new": new, "values": values, "note": note, "by": by, **_named(command)}
        event = self.kept.note("change", checkpoint=True, **told)
        self.say(f"{where_words(event).capitalize()}: {what_words(event)}{quoted(note)}.")

    def revert(
        self, command: str | None, to: str, values: dict[str, Any] | None = None, note: str = "", by: str = "person"
    ) -> None:
        """Go back to a kept state, named as :func:`find_state` knows it, and change hyperparameters there."""
        state = find_state(self.kept.journal.events, to, self.kept.checkpoints.numbers, datetime.now().astimezone())
        if values:
            self.live.check(values, int(state["epoch"]))
        before, was = self.live.present(self.kept.epoch), self.kept.path
        told: dict[str, Any] = {f"from_{name}": value for name, value in self.kept.where.items()}
        told |= {"then": values or {}, "note": note, "by": by, **_named(command)}
        self.kept.load(state)
        self._not_finite = False
        after = self.live.present(self.kept.epoch)
        changed = [name for name in after if after[name] != before.get(name)]
        told |= {"old": {name: before.get(name) for name in changed}, "new": {name: after[name] for name in changed}}
        last = next((each for each in reversed(was) if each["number"] in self.kept.checkpoints.numbers), state)
        told |= {"to": state["number"], "last": last["number"], "data_order": self.kept.minibatches is not None}
        event = self.kept.note("revert", **told)
        self.say(f"{where_words(event).capitalize()}: {what_words(event)}{quoted(note)}.")
        if values:
            self.set(None, values, note, by)

    def pause(self, command: str | None, note: str = "") -> None:
        """Wait before the next step."""
        if self.paused:
            raise UserError("The training is paused already.")
        self.paused = True
        event = self.kept.note("pause", note=note, **_named(command))
        self.say(f"Paused at {where_words(event)}{quoted(note)}.")

    def resume(self, command: str | None, note: str = "") -> None:
        """Go on after a pause."""
        if not self.paused:
            raise UserError("The training is not paused.")
        self.paused = False
        self.kept.note("resume", note=note, **_named(command))
        self.say(f"Going on{quoted(note)}.")

    def stop(self, command: str | None, note: str = "") -> None:
        """End the training with this epoch."""
        self.stopping, self.paused = True, False
        self.kept.note("stop", note=note, **_named(command))
        self.say(f"Stopping at the end of epoch {self.kept.epoch + 1}{quoted(note)}.")

    def alarm(self, alarm: Alarm) -> None:
        """Tell an alarm and do what is to be done about it."""
        if alarm.what == NOT_FINITE:
            if self._not_finite:  # told already, and nothing has been mended since
                return
            self._not_finite = True
        self.kept.note("alarm", what=alarm.what, text=alarm.text)
        self.say(f"ALARM, {alarm.what}: {alarm.text}.")
        if alarm.what == DISK or (self.on_alarm == "revert" and self._back_and_slower(alarm.what)):
            return
        if (self.on_alarm != "tell" or alarm.what == NOT_FINITE) and not self.paused:
            self.pause(None, f"alarm: {alarm.what}")

    def _back_and_slower(self, what: str) -> bool:
        """Go back to the best epoch with half the present learning rate; say whether that was possible.

        If no epoch has ended since the last time, the best epoch's weights may be what is wrong: back to the start. A
        schedule of Keras's is not replaced by a constant rate: there it is not possible.
        """
        rate = self.live.rate.at(self.kept.epoch)
        if rate is None or rate / 2 < LEAST_RATE:
            return False
        best = None if self.kept.best is None else self.kept.best["number"]
        beginning = f"#{self.kept.path[0]['number']}"
        to = beginning if best is None or best == self._gone_back_to else "best"
        self._gone_back_to = best
        try:
            self.revert(None, to, {"learning_rate": rate / 2}, f"alarm: {what}", "alarm")
        except UserError as error:  # no checkpoint of it could be written
            self.say(str(error))
            return False
        return True

    def epoch_has_ended(self) -> None:
        """Take note that training has come further since the last alarm."""
        self._gone_back_to = None


def _named(command: str | None) -> dict[str, Any]:
    return {} if command is None else {"command": command}
