"""What a babysitter can watch; anything else is refused before training begins."""

from __future__ import annotations

import keras

from tfcourse.babysitting.optimizers import layers_of
from tfcourse.errors import UserError


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
