"""One tiny training with one thing changed at a time: as ``Model.fit`` trains it, or refused by the thing's name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.cohort.conftest import assert_same_weights
from tfcourse.cohort import NotFusableError, fit_together

# Keras's silent differences are as large as the change itself; rounding is a thousand times smaller.
TOLERANCE = 1e-3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(13, 4)).astype(np.float32)
Y = np.arange(13) % 3
FIT: dict[str, Any] = {"batch_size": 6, "epochs": 2, "shuffle": False}  # minibatches of 6, 6 and 1

Build = Callable[[], keras.Model]


def model_of(*middle: layers.Layer, last: Sequence[layers.Layer] | None = None, **compiled: Any) -> keras.Model:
    """Return a compiled chain from 4 features over ``middle`` to 3 classes; ``compiled`` is given to compile."""
    head = [layers.Dense(3, activation="softmax", name="head")] if last is None else last
    return again(keras.Sequential([keras.Input((4,)), *middle, *head]), **compiled)


def again(model: keras.Model, **compiled: Any) -> keras.Model:
    """Return the model, compiled; Keras runs it eagerly, because that takes less time than tracing so short a fit."""
    default = {"optimizer": keras.optimizers.SGD(0.5), "loss": "sparse_categorical_crossentropy", "run_eagerly": True}
    model.compile(**{**default, **compiled})
    return model


def assert_alike(*builds: Build, x: Any = X, y: Any = Y, theirs: dict[str, Any] | None = None, **fit: Any) -> None:
    """Assert that each model that ``builds`` give ends as its own ``Model.fit`` leaves it, curves and all.

    Args:
        builds: each called twice, for us and for Keras; trained in one call of ``fit_together``.
        x: features.
        y: labels.
        theirs: what ``Model.fit`` is given in place of ``fit``, where the two name it differently.
        fit: arguments, beside those of FIT.
    """
    ours, references = [build() for build in builds], [build() for build in builds]
    for our, reference in zip(ours, references, strict=True):
        reference.set_weights(our.get_weights())
    before = [our.get_weights() for our in ours]
    histories = fit_together(ours, x, y, jit_compile=False, **{**FIT, **fit})
    for our, reference, history, start in zip(ours, references, histories, before, strict=True):
        expected = reference.fit(x, y, verbose=0, **{**FIT, **(fit if theirs is None else theirs)}).history
        assert list(history.history) == list(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(history.history[name], values, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)
        assert_same_weights(our.get_weights(), reference.get_weights(), tolerance=TOLERANCE)
        moved = max(float(np.abs(a - b).max()) for a, b in zip(start, our.get_weights(), strict=True))
        assert moved > 10 * TOLERANCE, "the training must move something, or nothing is compared"


def assert_refused(build: Build, names: str, x: Any = X, y: Any = Y, **fit: Any) -> None:
    """Assert that the model is refused, by a message that names each of the words in ``names``."""
    with pytest.raises(NotFusableError) as caught:
        fit_together([build()], x, y, jit_compile=False, **{**FIT, **fit})
    for name in names.split():
        assert name in str(caught.value), str(caught.value)


def arguments_of(*callables: Callable[..., Any]) -> set[str]:
    """Return the names of all arguments of functions, and of classes and their bases."""
    found: set[str] = set()
    for given in callables:
        functions: Iterable[Any] = [given]
        if inspect.isclass(given):
            functions = [vars(base)["__init__"] for base in given.__mro__ if "__init__" in vars(base)]
        for function in functions:
            parameters = inspect.signature(function).parameters.values()
            found |= {each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}
    return found - {"self"}


def settable(thing: object) -> set[str]:
    """Return the public attributes of an object that can be set, those that are functions left out."""
    properties = {name for name, each in inspect.getmembers(type(thing), inspect.isdatadescriptor) if _has_setter(each)}
    values = {name for name in vars(thing) if not callable(getattr(type(thing), name, None))}
    return {name for name in properties | values if not name.startswith("_")}


def _has_setter(attribute: object) -> bool:
    return isinstance(attribute, property) and attribute.fset is not None
