"""The optimizers of a model: its own, those that these wrap, and those that its attributes hold, as of a GAN."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from tfcourse.errors import UserError

OWN = "optimizer"
"""The name of the one that ``compile`` was given."""


def optimizers_of(model: keras.Model) -> dict[str, Any]:
    """Return every optimizer that the model or a layer of it holds, by the name of its attribute.

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> list(optimizers_of(model))
    ['optimizer']
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def look(name: str, value: Any, deep: bool = True) -> None:
        if isinstance(value, keras.optimizers.Optimizer):
            if id(value) not in seen:
                found[name] = value
                seen.update(map(id, [value, *leaves(value)]))
        elif deep and isinstance(value, Mapping):
            for key, each in value.items():
                look(f"{name}.{key}", each, deep=False)
        elif deep and isinstance(value, list | tuple):
            for number, each in enumerate(value):
                look(f"{name}.{number}", each, deep=False)

    look(OWN, getattr(model, OWN, None))
    for number, layer in enumerate([model, *layers_of(model)]):
        for name, value in vars(layer).items():
            look(f"{number}.{name}" if number else name, value)
    return found


def leaves(optimizer: Any) -> list[Any]:
    """Return the optimizers that do the steps: the wrapped one of a loss scaling, all of several, or itself."""
    if hasattr(optimizer, "inner_optimizer"):
        return leaves(optimizer.inner_optimizer)
    several = getattr(optimizer, "optimizers", None)
    return [leaf for each in several for leaf in leaves(each)] if isinstance(several, list) else [optimizer]


def only_one(optimizers: Iterable[Any]) -> Any | None:
    """Return the optimizer that trains a model that has these; None if several do, so that α is not one number.

    Keras gives a model whose training step has optimizers of its own another one, which it never builds.
    """
    everyone = list(optimizers)
    found = [leaf for each in [each for each in everyone if each.built] or everyone for leaf in leaves(each)]
    return found[0] if len(found) == 1 else None


def layers_of(model: keras.Model) -> Sequence[Any]:
    """Return the layers of a model and those in them."""
    return list(model._flatten_layers(include_self=False, recursive=True))


class Rate:
    """α of the one optimizer that trains, as α₀ / (1 + d · epoch).

    It belongs to whoever changed it last: callbacks such as ``ReduceLROnPlateau`` write it too, and α₀ follows them. It
    is written here only by a change, on the way to an earlier state, and epoch by epoch where d is not 0.

    Args:
        optimizer: gives the optimizer; None where several train.
        decay: d; it is 0 beside a schedule of Keras's.
    """

    def __init__(self, optimizer: Callable[[], Any | None], decay: float) -> None:
        self._optimizer = optimizer
        self.decay = 0.0 if self.scheduled else decay
        self._epoch = 0
        self._initial: float | None = None
        self._known: float | None = None

    @property
    def scheduled(self) -> bool:
        """Whether Keras has a schedule of its own."""
        optimizer = self._optimizer()
        return optimizer is not None and not isinstance(optimizer._learning_rate, keras.Variable | _Held)

    @property
    def now(self) -> float | None:
        """α of the next step, whoever decides it; None where several optimizers train."""
        optimizer = self._optimizer()
        return None if optimizer is None else float(np.asarray(optimizer.learning_rate))

    @property
    def initial(self) -> float | None:
        """α₀; None while Keras has a schedule of its own, or where several optimizers train."""
        now = None if self.scheduled else self.now
        if now is not None and now != self._known:
            self._initial, self._known = now * (1.0 + self.decay * self._epoch), now
        return None if now is None else self._initial

    def at(self, epoch: int) -> float | None:
        """Return α in epoch ``epoch``, counted from 0; None as for :attr:`initial`."""
        initial = self.initial
        return None if initial is None else initial / (1.0 + self.decay * epoch)

    def begin_epoch(self, epoch: int) -> None:
        """Decay to epoch ``epoch``, counted from 0; nothing is written where d is 0."""
        initial = self.initial
        self._epoch = epoch
        if initial is not None and self.decay:
            self.put(initial, self.decay, epoch)

    def put(self, initial: float | None, decay: float, epoch: int) -> None:
        """Put α₀ and d into force; where α₀ is None, give way to the schedule that was there before."""
        optimizer = self._optimizer()
        if optimizer is None:
            return
        there = optimizer._learning_rate
        if initial is None:
            if isinstance(there, _Held):
                optimizer.learning_rate, self.decay = there.instead_of, 0.0
            return
        self._initial, self.decay, self._epoch = initial, decay, epoch
        rate = initial / (1.0 + decay * epoch)
        if isinstance(there, keras.Variable):
            there.assign(rate)
        elif isinstance(there, _Held):
            there.rate.assign(rate)
        else:  # Keras lets a schedule be replaced by another schedule only
            optimizer.learning_rate = _Held(rate, there)
        self._known = self.now


@keras.saving.register_keras_serializable("tfcourse")
class _Held(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that stays at the rate that was set last, instead of the one that was there."""

    def __init__(self, rate: float, instead_of: Any = None) -> None:
        self.rate, self.instead_of = keras.Variable(rate, trainable=False, dtype="float32"), instead_of

    def __call__(self, step: Any) -> Any:
        return self.rate.value

    def get_config(self) -> dict[str, Any]:
        return {"rate": float(np.asarray(self.rate))}


def check(model: keras.Model, orders_data: bool) -> None:
    """Refuse what cannot be babysat.

    Args:
        model: the compiled model.
        orders_data: whether the babysitter hands out the minibatches.

    Raises:
        UserError: if the backend is not TensorFlow, the model is not built, or steps cannot be told from each other.
    """
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"Babysitter was given a model of the {keras.backend.backend()} backend; it works on TensorFlow's only."
            " Set KERAS_BACKEND=tensorflow before Keras is imported."
        )
    unbuilt = [layer.name for layer in layers_of(model) if not layer.built]
    if unbuilt:
        raise UserError(
            f"The model {model.name!r} has layers without weights before its first step ({', '.join(unbuilt)}), so its"
            " beginning cannot be kept. Call it on a batch before fit; take out layers that it does not use."
        )
    if orders_data and model.steps_per_execution != 1:
        raise UserError(
            f"The model was compiled with steps_per_execution = {model.steps_per_execution}; where the babysitter hands"
            " out the minibatches it must be 1. Compile it without."
        )
