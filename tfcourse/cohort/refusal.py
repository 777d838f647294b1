"""What a cohort refuses: Keras objects that are not as their class makes them, but for settings that it follows.

What is allowed is listed, not what is forbidden, so that an argument which a later version of Keras adds is refused
when it is used, until somebody has seen to it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Collection, Mapping
from typing import Any

import keras

from tfcourse.errors import UserError

# Functions that Keras itself puts into its objects: it wraps the first two, and keeps the compiled loss as the third.
KERAS_OWN = frozenset({"build", "quantize", "loss"})


class NotFusableError(UserError):
    """A model, or data, that cannot be trained in a cohort, but perhaps by Keras; the message gives the reason.

    >>> import keras, numpy, tfcourse
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> try:
    ...     tfcourse.fit_together([model], numpy.ones((8, 4)), numpy.arange(8) % 2)
    ... except tfcourse.NotFusableError as error:
    ...     history = model.fit(numpy.ones((8, 4)), numpy.arange(8) % 2, verbose=0)
    ...     print(error)
    loss 'mse' cannot be trained in a cohort: only categorical cross-entropy can.
    """


def refuse_unless_plain(thing: Any, free: Collection[str], what: str) -> None:
    """Raise NotFusableError if an argument of the class, but for those in ``free``, is not at its default.

    Args:
        thing: the object.
        free: names of the arguments whose value does not matter, or is followed.
        what: the object's name in the message.

    >>> refuse_unless_plain(keras.layers.ReLU(6), ["name", "dtype"], "layer 'six'")
    Traceback (most recent call last):
    tfcourse.cohort.refusal.NotFusableError: layer 'six' cannot be trained in a cohort: its max_value is 6.
    """
    refuse_replaced_methods(thing, what)
    kind: Any = type(thing)
    for name, default in defaults_of(kind).items():
        if name not in free:
            refuse_unless_equal(_value(thing, name), default, name, what)


def refuse_unless_equal(value: object, allowed: object, name: str, what: str) -> None:
    """Raise NotFusableError if ``value``, which ``name`` has, is not the one that is allowed."""
    simple = isinstance(value, str | int | float | tuple | list | dict | None)
    if value is not allowed and not (simple and value == allowed):
        shown = repr(value) if simple else getattr(value, "__name__", type(value).__name__)
        raise NotFusableError(f"{what} cannot be trained in a cohort: its {name} is {shown}.")


def refuse_replaced_methods(thing: object, what: str) -> None:
    """Raise NotFusableError if a method was replaced in this one object."""
    for name in vars(thing).keys() - KERAS_OWN:
        if callable(getattr(type(thing), name, None)):
            raise NotFusableError(f"{what} cannot be trained in a cohort: its {name} was replaced.")


def refuse_other_floats() -> None:
    """Raise NotFusableError if Keras is set to compute in another type than float32."""
    for name, given in (("floatx", keras.config.floatx()), ("dtype_policy", keras.config.dtype_policy().name)):
        if given != "float32":
            raise NotFusableError(f"a cohort trains in float32, but keras.config.{name}() is {given}.")


@functools.cache
def defaults_of(kind: type) -> Mapping[str, object]:
    """Return the default of each argument of a class and its bases; ``inspect.Parameter.empty`` where there is none.

    >>> {name: defaults_of(keras.layers.Dropout)[name] for name in ("rate", "noise_shape", "trainable")}
    {'rate': <class 'inspect._empty'>, 'noise_shape': None, 'trainable': True}
    """
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base):
            _, *parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
            found |= {each.name: each.default for each in parameters if each.kind not in variadic}
    return found


def _value(thing: Any, name: str) -> object:
    """Return what an argument is now; a loss or a metric is called with the settings it keeps apart."""
    kept = getattr(thing, "_fn_kwargs", {})
    return kept[name] if name in kept else getattr(thing, name, "unknown to this version of tfcourse")
