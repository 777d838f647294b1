"""Keras models whose layers are added and which are compiled, and not built until somebody looks at them.

``Sequential.add`` builds the whole model anew at every layer, and each build makes TensorFlow variables: four fifths of
the time that a hypermodel's ``build`` takes. What it returns can mostly be read from its layers' settings alone
(:mod:`tfcourse.cohort.from_unbuilt`). So inside :func:`not_built` a Sequential model only takes note of ``add`` and
``compile``. Whatever else is asked of it, or of the weights of a layer, builds it first, by Keras's own code.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

WEIGHTS = (
    "variables", "weights", "trainable_variables", "trainable_weights", "non_trainable_variables",
    "non_trainable_weights",
)  # fmt: skip
"""Properties of a layer that are empty until it is built, where others raise an error."""
_COMPILED = "_tfcourse_compiled"


class _Waiting(keras.Sequential):
    """A Sequential model that has been added to and perhaps compiled; anything else that is asked of it builds it."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("add", "compile"):
            return object.__getattribute__(self, f"_{name}_only")
        if name not in ("__class__", "__dict__"):
            build(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        build(self)
        setattr(self, name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        build(self)
        return self(*args, **kwargs)

    def _add_only(self, *args: Any, **kwargs: Any) -> None:
        if _COMPILED in object.__getattribute__(self, "__dict__"):
            build(self)
            self.add(*args, **kwargs)
            return
        let_go(self)
        self.add(*args, **kwargs)

    def _compile_only(self, *args: Any, **kwargs: Any) -> None:
        let_go(self)
        self.compile(*args, **kwargs)
        self.__dict__[_COMPILED] = (args, kwargs)
        _wait(self)


def let_go(model: Any) -> None:
    """Make a waiting model a plain one that is not built."""
    object.__setattr__(model, "__class__", keras.Sequential)


def is_waiting(model: Any) -> bool:
    """Say whether a model waits to be built."""
    return type(model) is _Waiting


def build(model: Any) -> None:
    """Build a model that waited, and compile it again if it was compiled, as if it had never waited."""
    let_go(model)
    compiled = model.__dict__.pop(_COMPILED, None)
    _REBUILD(model)
    if compiled is not None:
        model.compile(*compiled[0], **compiled[1])


_REBUILD = keras.Sequential._maybe_rebuild


def _wait(model: Any) -> None:
    object.__setattr__(model, "__class__", _Waiting)


@contextlib.contextmanager
def not_built() -> Iterator[list[Any]]:
    """Let Sequential models wait that are made inside; give a list of them.

    Those that wait still when the block has ended are for the caller to build or to read. Not for several threads.
    """
    found: list[Any] = []

    def wait(model: Any) -> None:
        if type(model) is not keras.Sequential or not isinstance(model._layers[0], keras.layers.InputLayer):
            _REBUILD(model)
            return
        model.built, model._functional = False, None
        if not any(model is each for each in found):
            found.append(model)
        _wait(model)

    def looked_at(getter: Callable[[Any], Any]) -> property:
        def look(layer: Any) -> Any:
            for model in [each for each in found if is_waiting(each)]:
                build(model)
            return getter(layer)

        return property(look)

    plain = {name: vars(keras.layers.Layer)[name] for name in WEIGHTS}
    keras.Sequential._maybe_rebuild = wait
    for name, each in plain.items():
        setattr(keras.layers.Layer, name, looked_at(each.fget))
    try:
        yield found
    finally:
        keras.Sequential._maybe_rebuild = _REBUILD
        for name, each in plain.items():
            setattr(keras.layers.Layer, name, each)


def made_by(make: Callable[[], Any]) -> Any:
    """Return the model that ``make`` returns, not built if it is a Sequential one that nobody has looked at.

    Where ``make`` fails on a model that is not built, it is called again as Keras would have it, with the states of
    Python's, NumPy's and Keras's random numbers put back, so that it draws what it would have drawn.

    Raises:
        Exception: what ``make`` raises.

    >>> model = made_by(lambda: keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]))
    >>> is_waiting(model), len(model.weights), is_waiting(model)
    (True, 2, False)
    """
    states = random.getstate(), np.random.get_state()
    generator = keras.src.backend.common.global_state.get_global_attribute("global_seed_generator")
    drawn = None if generator is None else generator.state.numpy()
    try:
        with not_built() as found:
            model = make()
    except Exception:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if generator is not None:
            generator.state.assign(drawn)
        return make()
    for each in found:
        if is_waiting(each) and each is not model:
            build(each)
    return model
