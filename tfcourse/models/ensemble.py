"""Several networks as one, and a temperature on the logits: Keras models again, from features to logits."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import ops


def average(networks: Sequence[keras.Model]) -> keras.Model:
    r"""Return the network whose probabilities are the mean of those of ``networks``; the weights are shared.

    It gives their logarithms, :math:`\log \frac1N \sum_i softmax(z_i)`, whose softmax they are, so that it stands
    wherever a network that gives logits does.

    >>> import numpy as np
    >>> from tfcourse.models.builders import build_softmax_regression
    >>> both = average([build_softmax_regression(4, 3), build_softmax_regression(4, 3)])
    >>> bool(np.allclose(np.exp(both.predict(np.ones((2, 4)), verbose=0)).sum(axis=1), 1.0))
    True
    """
    features = keras.Input(networks[0].input_shape[1:], name="features")
    members = []
    for number, network in enumerate(networks, start=1):
        copy = keras.Model(network.input, network.output, name=f"member_{number}")
        members.append(ops.expand_dims(ops.log_softmax(copy(features), axis=-1), axis=1))
    logits = ops.logsumexp(ops.concatenate(members, axis=1), axis=1) - math.log(len(networks))
    return keras.Model(features, logits, name="average")


def with_temperature(network: keras.Model, temperature: float) -> keras.Model:
    """Return ``network`` with its logits divided by a temperature; the weights are shared.

    >>> import numpy as np
    >>> from tfcourse.models.builders import build_softmax_regression
    >>> model, x = build_softmax_regression(4, 3), np.ones((2, 4))
    >>> bool(np.allclose(with_temperature(model, 2.0).predict(x, verbose=0), model.predict(x, verbose=0) / 2))
    True
    """
    logits = keras.layers.Rescaling(1.0 / temperature, name="temperature")(network.output)
    return keras.Model(network.input, logits, name=f"{network.name}_at_temperature")
