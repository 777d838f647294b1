"""The hyperparameters that can be changed while a model trains: what each may be, and how Keras is told.

Keras bakes momentum, β, weight decay and dropout into the compiled step; after a change it is compiled again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from tfcourse.babysitting.changes import Changes, check_values
from tfcourse.babysitting.minibatches import Minibatches
from tfcourse.babysitting.optimizers import Rate, layers_of, only_one, optimizers_of
from tfcourse.errors import UserError, did_you_mean

OF_OPTIMIZER = ("momentum", "rho", "beta_1", "beta_2", "weight_decay")
MEMORIES = ("momentums", "_momentums")
"""Where Keras's SGD and RMSprop remember steps, if they began with a momentum."""


class Live:
    """The live hyperparameters of one training, read where they are: others may change them too.

    Those of the optimizer are live where one optimizer trains the model. ``dropout`` is one rate, or a list where
    layers have different ones; setting it gives all dropout layers the same rate, going back gives each its own again.

    Args:
        model: the compiled model.
        minibatches: what it trains on, where their size can be changed.
        patience: epochs without a better one after which training ends; None is never.
        epochs: epochs after which it ends; None is never.
        decay: d of α = α₀ / (1 + d · epoch), epoch counted from 0.
        most_epochs: what ``epochs`` may be at most, where somebody else's ``fit`` has a last epoch.
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
        self.dropouts = [
            layer for layer in layers_of(model) if hasattr(layer, "rate") and hasattr(layer, "noise_shape")
        ]
        self._optimizers = optimizers_of(model)
        self.rate = Rate(lambda: self.optimizer, decay)

    @property
    def optimizer(self) -> Any | None:
        """The optimizer that trains the model; None where several do."""
        return only_one(self._optimizers.values())

    def values(self) -> Changes:
        """Return every live hyperparameter of this training with its present value."""
        found: Changes = {}
        optimizer = self.optimizer
        if (initial := self.rate.initial) is not None:
            found |= {"learning_rate": initial, "learning_rate_decay": self.rate.decay}
        for name in OF_OPTIMIZER:
            if hasattr(optimizer, name):
                found[name] = float(getattr(optimizer, name) or 0.0)
        if self.dropouts:
            rates = [float(layer.rate) for layer in self.dropouts]
            found["dropout"] = rates[0] if len(set(rates)) == 1 else rates
        if self.minibatches is not None:
            found["batch_size"] = self.minibatches.batch_size
        return {**found, "patience": self.patience, "epochs": self.epochs}

    def present(self, epoch: int) -> Changes:
        """Return the values with α as it is in epoch ``epoch``, counted from 0, or at this step of Keras's schedule."""
        rate = self.rate.now if self.rate.scheduled else self.rate.at(epoch)
        others = {name: value for name, value in self.values().items() if name != "learning_rate"}
        return others if rate is None else {"learning_rate": rate, **others}

    def check(self, changes: Mapping[str, Any], epoch: int) -> None:
        """Refuse changes of which any is out of range, or plays no part in this training; nothing has changed then.

        Args:
            changes: new values by name.
            epoch: epochs that have ended.
        """
        check_values(changes)
        values = self.values()
        allowed = [*values, *(["learning_rate"] if self.rate.scheduled else [])]
        for name, value in changes.items():
            if name not in allowed:
                raise UserError(
                    f"{name} plays no part in this training.{self._of_which(name) or did_you_mean(name, allowed)}"
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

    def _of_which(self, name: str) -> str:
        """Return why a hyperparameter of an optimizer cannot be told where several train."""
        if self.optimizer is not None or name not in ("learning_rate", "learning_rate_decay", *OF_OPTIMIZER):
            return ""
        return f" The model has several optimizers ({', '.join(self._optimizers)}), and it is not said of which."

    def apply(self, changes: Mapping[str, Any], epoch: int) -> None:
        """Put checked changes into force; α is what was asked for now, and decays on from there.

        Args:
            changes: new values by name, as :meth:`check` admits them.
            epoch: epochs that have ended.
        """
        before = self._compiled_in()
        if "learning_rate" in changes or "learning_rate_decay" in changes:
            decay = float(changes.get("learning_rate_decay", self.rate.decay))
            now = float(changes.get("learning_rate", self.rate.at(epoch)))
            self.rate.put(now * (1.0 + decay * epoch), decay, epoch)
        self._put(changes)
        self._compile_again_after(before)

    def restore(self, values: Mapping[str, Any], epoch: int) -> None:
        """Put values into force that :meth:`values` gave in an earlier state."""
        before = self._compiled_in()
        self.rate.put(values.get("learning_rate"), values.get("learning_rate_decay", 0.0), epoch)
        self._put(values)
        self._compile_again_after(before)

    def _put(self, values: Mapping[str, Any]) -> None:
        optimizer = self.optimizer
        for name in OF_OPTIMIZER:
            if name in values and hasattr(optimizer, name):
                before, after = float(getattr(optimizer, name) or 0.0), float(values[name])
                if after != before:
                    setattr(optimizer, name, after or (None if name == "weight_decay" else 0.0))
                    if name == "momentum":
                        _make_room_for_momentum(optimizer)
        if "dropout" in values:
            rates = values["dropout"]
            each = rates if isinstance(rates, list) else [rates] * len(self.dropouts)
            for layer, rate in zip(self.dropouts, each, strict=False):
                layer.rate = float(rate)
        if "batch_size" in values and self.minibatches is not None:
            self.minibatches.batch_size = int(values["batch_size"])
        self.patience = values.get("patience", self.patience)
        self.epochs = values.get("epochs", self.epochs)

    def _compiled_in(self) -> tuple[Any, ...]:
        optimizer = self.optimizer
        of_optimizer = [getattr(optimizer, name, None) for name in OF_OPTIMIZER]
        return (*of_optimizer, *(layer.rate for layer in self.dropouts), id(getattr(optimizer, "_learning_rate", None)))

    def _compile_again_after(self, before: tuple[Any, ...]) -> None:
        if self._compiled_in() != before:
            self.model.make_train_function(force=True)


def _make_room_for_momentum(optimizer: Any) -> None:
    """Give an optimizer that began without momentum a place for it; what it remembers must not come back later."""
    for name in MEMORIES:
        if optimizer.momentum and optimizer.built and getattr(optimizer, name, None) == []:
            setattr(optimizer, name, optimizer.add_optimizer_variables(optimizer._trainable_variables, "momentum"))
        if not optimizer.momentum:
            for memory in getattr(optimizer, name, None) or []:
                if memory is not None:
                    memory.assign(memory * 0.0)
