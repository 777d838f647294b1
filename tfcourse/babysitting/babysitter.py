"""A Keras callback that watches a training, keeps its whole state, and changes it when asked to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import keras

from tfcourse.babysitting import commands as inbox
from tfcourse.babysitting.alarms import DISK, NOT_FINITE, Alarm, AlarmRules, of_disk, of_loss
from tfcourse.babysitting.heartbeat import Heartbeat
from tfcourse.babysitting.keeper import Keeper
from tfcourse.babysitting.lineage import find_state, finite_logs
from tfcourse.babysitting.live import Live
from tfcourse.babysitting.lock import Lock
from tfcourse.babysitting.minibatches import ENDLESS, Minibatches
from tfcourse.babysitting.words import numbers_words, quoted, what_words
from tfcourse.errors import UserError

LEAST_RATE = 1e-9
"""Halving the learning rate further than this mends nothing."""


class Babysitter(keras.callbacks.Callback):
    """Watch one training: journal, checkpoints, alarms, and changes from outside while it runs.

    ``model.fit(..., callbacks=[Babysitter("nursery")])`` is enough; then, from another terminal,
    ``python -m tfcourse.babysit status nursery``, ``set nursery learning_rate=0.003``, and so on. Called again with
    the same folder, a training goes on from its last checkpoint, with the settings that the journal has. With
    ``minibatches`` the order of the data is a part of the state and the minibatch size can change; such a training
    is run by :meth:`train`.

    Args:
        folder: where journal, checkpoints and commands lie; it is made if absent.
        minibatches: what :meth:`train` trains on.
        checkpoint_every: epochs between checkpoints, at least 1; the best epoch and each change have one in any case.
        checkpoint_seconds: seconds after which there is a checkpoint in the middle of an epoch.
        keep_bytes: what the checkpoints may take on the disk; see :mod:`tfcourse.babysitting.thinning`.
        patience: epochs without a better one after which training ends; None is never.
        epochs: epochs after which it ends; None is never.
        learning_rate_decay: d of α = α₀ / (1 + d · epoch), epoch counted from 0, of a rate that is constant in Keras.
        rules: when to raise an alarm.
        on_alarm: ``tell`` only, ``pause``, or ``revert`` to the best epoch and halve the learning rate. A loss that is
            not finite always pauses at least, since no further step can mend it.
        say: called with each line for the person who watches.
        interrupted: asked at each step whether to stop with a KeyboardInterrupt; the state is kept first.

    Raises:
        UserError: when training begins, if another process babysits the folder, or it holds another model's training.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        minibatches: Minibatches | None = None,
        checkpoint_every: int = 1,
        checkpoint_seconds: float = 600.0,
        keep_bytes: float = 2.0**30,
        patience: int | None = None,
        epochs: int | None = None,
        learning_rate_decay: float = 0.0,
        rules: AlarmRules | None = None,
        on_alarm: Literal["tell", "pause", "revert"] = "tell",
        say: Callable[[str], object] = print,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self.folder, self.minibatches = Path(folder), minibatches
        self.checkpoint_every, self.checkpoint_seconds = checkpoint_every, checkpoint_seconds
        self.keep_bytes = keep_bytes
        self.settings: dict[str, Any] = {"patience": patience, "epochs": epochs, "decay": learning_rate_decay}
        self.rules, self.on_alarm, self.say, self.interrupted = rules or AlarmRules(), on_alarm, say, interrupted
        self.finished = self.paused = self.stopping = False
        self._lock: Lock | None = None
        self._not_finite = self._disk_is_low = False
        self._gone_back_to: int | None = None

    # How a training begins and ends.

    def train(self, model: keras.Model, *, callbacks: Sequence[keras.callbacks.Callback] = (), **fit: Any) -> None:
        """Train ``model`` on the minibatches until it is stopped, each epoch a call of ``Model.fit``.

        Args:
            model: the compiled model.
            callbacks: further callbacks.
            **fit: further arguments of ``fit``, such as ``validation_data``.

        Raises:
            UserError: as for the class.
        """
        assert self.minibatches is not None
        try:
            if self._lock is None:
                self.open(model)
            while not self.finished:
                settings = {"steps_per_epoch": ENDLESS, "shuffle": False, "verbose": 0, **fit}
                model.fit(self.minibatches.dataset, callbacks=[self, *callbacks], **settings)
        finally:
            self.close()

    def open(self, model: keras.Model, changes: Mapping[str, Any] | None = None) -> None:
        """Take the folder and begin, or go on from its last checkpoint.

        Args:
            model: the compiled model.
            changes: live hyperparameters to change first.

        Raises:
            UserError: as for the class; also if it has ended by its ``epochs`` or ``patience`` and cannot go on.
        """
        self.set_model(model)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock(self.folder)
        inbox.make_folder(self.folder)
        most_epochs = None if self.minibatches is not None else (self.params or {}).get("epochs")
        model.optimizer.build(model.trainable_variables)
        if self.minibatches is not None:
            model.test_on_batch(*self.minibatches.one)  # Keras makes the metrics' variables only now
            model.reset_metrics()
        self.live = Live(model, self.minibatches, **self.settings, most_epochs=most_epochs)
        self.kept = Keeper(self.folder, model, self.live, self.minibatches, self.say, self.interrupted)
        self.answered = {event["command"] for event in self.kept.journal.events if "command" in event}
        self.heartbeat = Heartbeat(self.folder)
        if self.kept.path:
            last = self.kept.load_last()
            if why := self._why_to_end({**self.live.values(), **(changes or {})}):
                raise UserError(f"This training has ended: {why}. To go on, set that higher or off first.")
            self.kept.go_on(last)
        else:
            order = None if self.minibatches is None else self.minibatches.seed
            self.kept.note("start", checkpoint=True, values=self.live.values(), order_seed=order)
        if changes:
            self._set(None, dict(changes), "when it was started")
        self._beat(0, now=True)

    def close(self) -> None:
        """Say where it is and let the folder go; nothing happens when that has been done."""
        if self._lock is not None:
            if hasattr(self, "kept"):
                self._beat(0, now=True)
            self._lock.release()
            self._lock = None

    # What Keras calls.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the folder, once."""
        if self._lock is None:
            self.open(self.model)
            if self.kept.epoch:
                self.model._initial_epoch = self.kept.epoch  # as Keras's own BackupAndRestore does

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the epoch's learning rate; in an epoch that was begun before, its running metrics too."""
        self.kept.in_epoch = True
        if self.minibatches is not None:
            self.minibatches.begin_fit()
        self.live.set_rate(self.kept.epoch)
        self.kept.restore_metrics()

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do what was asked for since the last step; while paused, wait here."""
        waited = False
        while True:
            self._obey_all()
            if self.interrupted():
                self.kept.note("checkpoint", checkpoint=True, why="interrupted")
                raise KeyboardInterrupt
            if not self.paused:
                break
            waited = True
            self._beat(0)
            time.sleep(inbox.POLL_SECONDS)
        if waited:
            self.heartbeat.restart_clock()
        if self.minibatches is not None:
            self.minibatches.check_not_ahead()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the step; look whether the loss is finite, and whether a checkpoint is due."""
        self.kept.step += 1
        rows = 1
        if self.minibatches is not None:
            rows = self.minibatches.size_of_next
            self.minibatches.trained()
            self.model.stop_training = self.minibatches.epoch_is_over  # ends the call of fit, not the training
        loss = float((logs or {}).get("loss", 0.0))
        self._beat(rows, loss)
        if not math.isfinite(loss):
            self._alarm(Alarm(NOT_FINITE, f"the loss is {loss} at step {self.kept.step}"))
        elif time.monotonic() - self.kept.written > self.checkpoint_seconds:
            self.kept.note("checkpoint", checkpoint=True, why="time")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch, call for help if it looks bad, and end the training if it is time."""
        self.kept.in_epoch = False
        rate = self.live.rate_at(self.kept.epoch)
        if self.minibatches is not None:
            self.minibatches.begin_next_epoch()
        self.kept.epoch += 1
        due = self.stopping or self.kept.epoch % self.checkpoint_every == 0
        event = self.kept.note_epoch(finite_logs(logs or {}), checkpoint=due, learning_rate=rate)
        self.say(f"epoch {self.kept.epoch}: {numbers_words(event['logs'])}")
        self._gone_back_to = None
        for alarm in of_loss(self.kept.last_epochs(2), self.kept.best, self.rules):
            self._alarm(alarm)
        self.kept.make_room(self.keep_bytes)
        low = of_disk(self.folder, self.kept.checkpoints.largest, self.rules)
        if low is not None and not self._disk_is_low:
            self._alarm(low)
        self._disk_is_low = low is not None
        if why := self._why_to_end(self.live.values()):
            self.finished = self.model.stop_training = True
            self.kept.note("end", why=why)
            self.say(f"Ended after epoch {self.kept.epoch}: {why}.")

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Let the folder go when somebody else's ``fit`` ends."""
        if self.minibatches is None:
            if not self.finished:
                self.kept.note("end", why="fit has ended")
            self.close()

    def _why_to_end(self, limits: Mapping[str, Any]) -> str:
        """Return why the training ends here, by its ``epochs`` and ``patience``; empty if it does not."""
        epoch, best = self.kept.epoch, self.kept.best
        if self.stopping:
            return "it was stopped"
        if limits["epochs"] is not None and epoch >= limits["epochs"]:
            return f"{limits['epochs']} epochs were asked for"
        waited = 0 if best is None else epoch - int(best["epoch"])
        if limits["patience"] is not None and best is not None and waited >= limits["patience"]:
            return f"no better epoch than {best['epoch']} for {waited} epochs"
        return ""

    # What people ask for.

    def _obey_all(self) -> None:
        found, wrong = inbox.take(self.folder)
        for reason in wrong:
            self._refuse(f"the command {reason}")
        for command in found:
            if command.name not in self.answered:
                try:
                    getattr(self, f"_{command.kind}")(command.name, **command.fields)
                except (UserError, TypeError) as error:  # also of one that our command line did not write
                    self._refuse(str(error), command=command.name)
                self.answered.add(command.name)
            inbox.done(self.folder, command)

    def _refuse(self, why: str, **fields: Any) -> None:
        self.kept.note("refused", why=why, **fields)
        self.say(f"Refused: {why}")

    def _set(self, command: str | None, values: dict[str, Any], note: str = "", by: str = "person") -> None:
        epoch = self.kept.epoch
        self.live.check(values, epoch)
        before = self.live.present(epoch)
        self.live.apply(values, epoch)
        after = self.live.present(epoch)
        old, new = {name: before.get(name) for name in values}, {name: after[name] for name in values}
        told = {"old": old, "new": new, "values": values, "note": note, "by": by, **_named(command)}
        event = self.kept.note("change", checkpoint=True, **told)
        self.say(f"Step {self.kept.step}, epoch {epoch + 1}: {what_words(event)}{quoted(note)}.")

    def _revert(
        self, command: str | None, to: str, values: dict[str, Any] | None = None, note: str = "", by: str = "person"
    ) -> None:
        state = find_state(self.kept.path, to, self.kept.checkpoints.numbers, datetime.now().astimezone())
        if values:
            self.live.check(values, int(state["epoch"]))
        step, epoch = self.kept.step, self.kept.epoch
        told = {"from_step": step, "from_epoch": epoch, "note": note, "by": by, **_named(command)}
        self.kept.load(state)
        self._not_finite = False
        order = self.minibatches is not None
        self.kept.note("revert", **{"to": state["number"], "data_order": order, **told})
        self.say(f"Back to epoch {self.kept.epoch}, step {self.kept.step}, from step {step}{quoted(note)}.")
        if values:
            self._set(None, values, note, by)

    def _pause(self, command: str | None, note: str = "") -> None:
        if self.paused:
            raise UserError("The training is paused already.")
        self.paused = True
        self.kept.note("pause", note=note, **_named(command))
        self.say(f"Paused at step {self.kept.step}, epoch {self.kept.epoch + 1}{quoted(note)}.")

    def _resume(self, command: str | None, note: str = "") -> None:
        if not self.paused:
            raise UserError("The training is not paused.")
        self.paused = False
        self.kept.note("resume", note=note, **_named(command))
        self.say(f"Going on{quoted(note)}.")

    def _stop(self, command: str | None, note: str = "") -> None:
        self.stopping, self.paused = True, False
        self.kept.note("stop", note=note, **_named(command))
        self.say(f"Stopping at the end of epoch {self.kept.epoch + 1}{quoted(note)}.")

    def _alarm(self, alarm: Alarm) -> None:
        if alarm.what == NOT_FINITE:
            if self._not_finite:  # told already, and nothing has been mended since
                return
            self._not_finite = True
        self.kept.note("alarm", what=alarm.what, text=alarm.text)
        self.say(f"ALARM, {alarm.what}: {alarm.text}.")
        if alarm.what == DISK or (self.on_alarm == "revert" and self._back_and_slower(alarm.what)):
            return
        if (self.on_alarm != "tell" or alarm.what == NOT_FINITE) and not self.paused:
            self._pause(None, f"alarm: {alarm.what}")

    def _back_and_slower(self, what: str) -> bool:
        """Go back to the best epoch with half the present learning rate; say whether that was possible.

        If no epoch has ended since the last time, the best epoch's weights may be what is wrong: back to the start.
        """
        rate = self.live.present(self.kept.epoch).get("learning_rate")
        if rate is None or rate / 2 < LEAST_RATE:
            return False
        best = None if self.kept.best is None else self.kept.best["number"]
        to = "0" if best is None or best == self._gone_back_to else "best"
        self._gone_back_to = best
        self._revert(None, to, {"learning_rate": rate / 2}, f"alarm: {what}", "alarm")
        return True

    def _beat(self, rows: int, loss: float | None = None, *, now: bool = False) -> None:
        self.heartbeat.beat(rows, lambda: self._facts(loss), now=now)

    def _facts(self, loss: float | None) -> dict[str, Any]:
        return {
            "state": "ended" if self.finished else "paused" if self.paused else "training",
            "step": self.kept.step,
            "epoch": self.kept.epoch,
            "offset": self.kept.offset,
            "rows": None if self.minibatches is None else self.minibatches.rows,
            "loss": loss if loss is not None and math.isfinite(loss) else None,
            "live": self.live.present(self.kept.epoch),
        }


def _named(command: str | None) -> dict[str, Any]:
    return {} if command is None else {"command": command}
