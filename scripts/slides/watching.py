"""A training that somebody watches, or nobody: a day is an epoch, and what is done goes through the babysitter."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
from material import digits

from tfcourse.babysitting.babysitter import Babysitter
from tfcourse.babysitting.commands import send
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

Day = tuple[float, float, bool]


class Person(keras.callbacks.Callback):
    """Somebody who looks at the loss every evening and acts through the babysitter, as another terminal would."""

    def __init__(self, folder: Path, alpha: float, days: int, lowest: float, *, watches: bool) -> None:
        super().__init__()
        self.folder, self.alpha, self.days, self.lowest, self.watches = folder, alpha, days, lowest, watches
        self.good = 0  # days that led to the present model
        self.journal: list[Day] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Judge the day, and say what to do in the morning."""
        loss = (logs or {})["val_loss"]
        wrong = self.watches and not loss <= 1.1 * self.lowest  # not a number is wrong as well
        self.journal.append((self.alpha, loss, wrong))
        if wrong:
            self.alpha /= 3
            send(self.folder, "revert", to=str(self.good), values={"learning_rate": self.alpha})
        elif self.watches:
            self.good, self.lowest, self.alpha = self.good + 1, loss, self.alpha * 1.5
            send(self.folder, "set", values={"learning_rate": self.alpha})
        send(self.folder, "resume")  # a loss that is not a number pauses a training; any other needs no such word
        if len(self.journal) >= self.days - 1:
            send(self.folder, "stop")  # at the end of the day that begins


def train(alpha: float, days: int, units: int, seed: int, *, watched: bool) -> list[Day]:
    """Train a day, one epoch, at a time; return the journal: α, validation loss at night, whether it was taken back."""
    data = digits()
    valid = data.x_test, data.y_test
    keras.utils.set_random_seed(seed)
    model = build_mlp(NetworkSpec(64, 10, (units, units)), OptimizerSpec("sgd", alpha, momentum=0.9), seed=seed)
    lowest = float(model.evaluate(*valid, verbose=0)[0])  # the first evening is judged as well
    with TemporaryDirectory() as folder:
        person = Person(Path(folder), alpha, days, lowest, watches=watched)
        babysitter = Babysitter(folder, minibatches=Minibatches(data.x, data.y, 64, seed), say=lambda line: None)
        babysitter.train(model, callbacks=[person], validation_data=valid)
    return person.journal[:days]
