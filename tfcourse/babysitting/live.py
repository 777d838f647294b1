"""The hyperparameters that can be changed while a model trains: what each may be, and how Keras is told.

Keras bakes momentum, β, weight decay and dropout into the compiled step; after a change it is compiled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.babysitting.changes import Changes, check_values
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.errors import UserError, did_you_mean

OF_OPTIMIZER = ("momentum", "rho", "beta_1", "beta_2", "weight_decay")


class Live:
    """The live hyperparameters of one training.

    Args:
        model: the compiled model.
        minibatches: what it trains on, where their size can be changed.
        patience: epochs without a better one after which training ends; None is never.
        epochs: epochs after which it ends; None is never.
        decay: d of α = α₀ / (1 + d · epoch), epoch counted from 0.
        most_epochs: what ``epochs`` may be at most, where somebody else's ``fit`` has a last epoch.

    Attributes:
        initial_rate: α₀; None while Keras has a schedule of its own.
    """

    def __init__(
        self,
        model: keras.Model,
        minibatches: Minibatches | None = None,
        *,
        patience: int | None = None,
        epochs: int | None = None,
        decay: float = 0.0,
        most_epochs: int | None = None,
    ) -> None:
        self.model, self.minibatches, self.most_epochs = model, minibatches, most_epochs
        self.patience, self.epochs = patience, epochs
        self.dropouts = [layer for layer in _layers(model) if hasattr(layer, "rate") and hasattr(layer, "noise_shape")]
        optimizer = model.optimizer
        self.scheduled = not isinstance(optimizer._learning_rate, keras.Variable)
        self._held: _Held | None = None
        self.initial_rate = None if self.scheduled else float(np.asarray(optimizer.learning_rate))
        self.decay = None if self.scheduled else decay

    def values(self) -> Changes:
        """Return every live hyperparameter of this training with its present value."""
        found: Changes = {}
        if self.initial_rate is not None and self.decay is not None:
            found |= {"learning_rate": self.initial_rate, "learning_rate_decay": self.decay}
        for name in OF_OPTIMIZER:
            if name == "weight_decay" or hasattr(self.model.optimizer, name):
                found[name] = float(getattr(self.model.optimizer, name) or 0.0)
        if self.dropouts:
            found["dropout"] = float(self.dropouts[0].rate)
        if self.minibatches is not None:
            found["batch_size"] = self.minibatches.batch_size
        return {**found, "patience": self.patience, "epochs": self.epochs}

    def present(self, epoch: int) -> Changes:
        """Return the values with α as it is in epoch ``epoch``, counted from 0, or at this step of Keras's schedule."""
        rate = float(np.asarray(self.model.optimizer.learning_rate)) if self.scheduled else self.rate_at(epoch)
        return {"learning_rate": rate, **{name: v for name, v in self.values().items() if name != "learning_rate"}}

    def rate_at(self, epoch: int) -> float | None:
        """Return α in epoch ``epoch``, counted from 0; None while Keras has a schedule of its own."""
        if self.initial_rate is None or self.decay is None:
            return None
        return self.initial_rate / (1.0 + self.decay * epoch)

    def check(self, changes: Mapping[str, Any], epoch: int) -> None:
        """Refuse changes of which any is out of range, or plays no part in this training; nothing has changed then.

        Args:
            changes: new values by name.
            epoch: epochs that have ended.
        """
        check_values(changes)
        values = self.values()
        allowed = [*values, *(["learning_rate"] if self.scheduled else [])]
        for name, value in changes.items():
            if name not in allowed:
                raise UserError(
                    f"{name} plays no part in this training.{did_you_mean(name, allowed)}"
                    f" What can be changed: {', '.join(allowed)}."
                )
            if name == "batch_size" and self.minibatches is not None and value > self.minibatches.rows:
                raise UserError(f"batch_size: {value} was given, but there are {self.minibatches.rows} training rows.")
            if name == "dropout" and value and any(not hasattr(layer, "seed_generator") for layer in self.dropouts):
                raise UserError("dropout: a layer was built with a rate of 0 and can drop nothing; build it with more.")
            if name == "epochs" and value is not None:
                if value < epoch:
                    raise UserError(f"epochs: {value} was given, but {epoch} epochs have ended; give at least {epoch}.")
                if self.most_epochs is not None and value > self.most_epochs:
                    raise UserError(f"epochs: {value} was given, but fit was called with {self.most_epochs}.")

    def apply(self, changes: Mapping[str, Any], epoch: int) -> None:
        """Put checked changes into force; α is what was asked for now, and decays on from there.

        Args:
            changes: new values by name, as :meth:`check` admits them.
            epoch: epochs that have ended.
        """
        decay = changes.get("learning_rate_decay", self.decay)
        if "learning_rate" in changes or "learning_rate_decay" in changes:
            now = changes.get("learning_rate", self.rate_at(epoch))
            self.decay = decay or 0.0
            self.initial_rate = float(now) * (1.0 + self.decay * epoch)
        self._put(changes, epoch)

    def restore(self, values: Mapping[str, Any], epoch: int) -> None:
        """Put values into force that :meth:`values` gave in an earlier state."""
        self.initial_rate, self.decay = values.get("learning_rate"), values.get("learning_rate_decay")
        self._put(values, epoch)

    def _put(self, values: Mapping[str, Any], epoch: int) -> None:
        optimizer = self.model.optimizer
        before = self._compiled_in()
        for name in OF_OPTIMIZER:
            if name in values and float(values[name]) != float(getattr(optimizer, name) or 0.0):
                setattr(optimizer, name, float(values[name]) or (None if name == "weight_decay" else 0.0))
        if getattr(optimizer, "momentum", 0.0) and getattr(optimizer, "momentums", None) == []:
            # Gradient descent that began without momentum has no place for it.
            optimizer.momentums = optimizer.add_optimizer_variables(self.model.trainable_variables, "momentum")
        if getattr(optimizer, "momentum", None) == 0.0:  # what is remembered must not come back with a later momentum
            for memory in getattr(optimizer, "momentums", []):
                memory.assign(memory * 0.0)
        if "dropout" in values:
            for layer in self.dropouts:
                layer.rate = float(values["dropout"])
        if "batch_size" in values and self.minibatches is not None:
            self.minibatches.batch_size = int(values["batch_size"])
        self.patience = values.get("patience", self.patience)
        self.epochs = values.get("epochs", self.epochs)
        if self.scheduled and self.initial_rate is not None:
            # Keras lets a schedule be replaced by another schedule only.
            self._schedule, self._held = optimizer._learning_rate, _Held(self.initial_rate)
            optimizer.learning_rate, self.scheduled = self._held, False
        elif self.initial_rate is None and self._held is not None:
            optimizer.learning_rate, self._held, self.scheduled = self._schedule, None, True
        self.set_rate(epoch)
        if self._compiled_in() != before:
            self.model.make_train_function(force=True)

    def set_rate(self, epoch: int) -> None:
        """Tell the optimizer α of epoch ``epoch``, counted from 0."""
        rate = self.rate_at(epoch)
        if rate is not None:
            (self.model.optimizer.learning_rate if self._held is None else self._held.rate).assign(rate)

    def _compiled_in(self) -> tuple[Any, ...]:
        optimizer = self.model.optimizer
        of_optimizer = [getattr(optimizer, name, None) for name in OF_OPTIMIZER]
        return (*of_optimizer, *(layer.rate for layer in self.dropouts), self.scheduled)


class _Held(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that stays at the rate that was set last."""

    def __init__(self, rate: float) -> None:
        self.rate = keras.Variable(rate, trainable=False, dtype="float32")

    def __call__(self, step: Any) -> Any:
        return self.rate.value

    def get_config(self) -> dict[str, Any]:
        return {"rate": float(np.asarray(self.rate))}


def _layers(model: keras.Model) -> Sequence[Any]:
    return list(model._flatten_layers(include_self=False, recursive=True))
