"""The optimizers of a model: its own, those that these wrap, and those that its attributes hold, as of a GAN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras

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
