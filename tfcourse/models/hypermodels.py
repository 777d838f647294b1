"""KerasTuner hypermodels over the builders: a search space declared on ``hp``, and the network it describes.

KerasTuner has no one-minus-log scale (its ``reverse_log`` is another one), so β is declared as
``one_minus_<name>`` on a log scale, which any tuner draws right; :func:`values_from_hp` turns it back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import keras_tuner

from tfcourse.models.networks import AnySpec, build_network
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values, optimizer_from_values
from tfcourse.space import Parameter, SearchSpace
from tfcourse.space.course import default_space
from tfcourse.space.names import ONE_MINUS, values_from_hp


def declare(space: SearchSpace, hp: keras_tuner.HyperParameters) -> dict[str, Any]:
    """Declare every parameter of ``space`` on ``hp`` and return the active values under the space's own names.

    >>> hp = keras_tuner.HyperParameters()
    >>> values = declare(default_space(), hp)
    >>> values["optimizer"], round(values["momentum"], 3), "rho" in values
    ('sgd', 0.999, False)
    """
    for parameter in space:
        if parameter.parent:
            with hp.conditional_scope(parameter.parent, list(parameter.parent_values)):
                _declare(parameter, hp)
        else:
            _declare(parameter, hp)
    return values_from_hp(hp.values)


def _declare(parameter: Parameter, hp: keras_tuner.HyperParameters) -> None:
    name, low, high = parameter.name, parameter.low, parameter.high
    if parameter.scale == "choice" and len(parameter.values) == 1:
        hp.Fixed(name, parameter.values[0])
    elif parameter.scale == "choice":
        hp.Choice(name, list(parameter.values), ordered=not isinstance(parameter.values[0], str))
    elif parameter.scale == "integer":
        hp.Int(name, int(low), int(high))
    elif parameter.scale == "one_minus_log":
        hp.Float(ONE_MINUS + name, 1.0 - high, 1.0 - low, sampling="log")
    else:
        hp.Float(name, low, high, sampling=parameter.scale)


def hp_from_values(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trial's values as KerasTuner is told them; the inverse of :func:`values_from_hp`.

    >>> space = SearchSpace((Parameter("momentum", "one_minus_log", 0.9, 0.999),))
    >>> hp_from_values(space, {"momentum": 0.5})
    {'one_minus_momentum': 0.5}
    """
    turned = {parameter.name for parameter in space if parameter.scale == "one_minus_log"}
    return {
        ONE_MINUS + name if name in turned else name: 1.0 - value if name in turned else value
        for name, value in values.items()
    }


class SpecHyperModel(keras_tuner.HyperModel):
    """Networks of one kind over a search space: what is drawn is a spec, and the network is built from that.

    Args:
        name: what KerasTuner calls it.
        space: the search space.
        rows: training rows; with the batch size they give the minibatches per epoch of the learning-rate decay. None
            leaves the decay out.
        batch_size: minibatch size, unless the space holds a ``batch_size``.
        seed: makes the initial weights reproducible.
    """

    def __init__(self, name: str, space: SearchSpace, rows: int | None, batch_size: int, seed: int | None) -> None:
        super().__init__(name=name)
        self.space, self.rows, self.batch_size, self.seed = space, rows, batch_size, seed

    def network_of(self, values: Mapping[str, Any]) -> AnySpec:
        """Return the network of a setting."""
        raise NotImplementedError

    def specs(self, hp: keras_tuner.HyperParameters) -> tuple[Any, OptimizerSpec, int]:
        """Return the network, the optimizer and the batch size that ``hp`` describes, building nothing."""
        return self.specs_of(declare(self.space, hp))

    def specs_of(self, values: Mapping[str, Any]) -> tuple[Any, OptimizerSpec, int]:
        """Return the same of a setting: the active values under the space's own names."""
        batch_size = int(values.get("batch_size", self.batch_size))
        if self.rows is None:
            values = {name: value for name, value in values.items() if name != "learning_rate_decay"}
        steps_per_epoch = math.ceil((self.rows or batch_size) / batch_size)
        return self.network_of(values), optimizer_from_values(values, steps_per_epoch=steps_per_epoch), batch_size

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Return the compiled network that ``hp`` describes; it gives logits."""
        network, optimizer, _ = self.specs(hp)
        return build_network(network, optimizer, seed=self.seed)

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Train ``model`` with the batch size that ``hp`` describes."""
        if len(args) < 3 and kwargs.get("batch_size") is None:  # it is the third argument of Model.fit
            kwargs["batch_size"] = self.specs(hp)[2]
        return model.fit(*args, **kwargs)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare the whole space at once, so that the first trial is drawn from all of it."""
        declare(self.space, hp)


class MLPHyperModel(SpecHyperModel):
    """Batch-norm + softmax classifiers over a search space, for any KerasTuner tuner.

    Args:
        inputs: number of input features.
        classes: number of classes.
        rows: training rows; with the batch size they give the minibatches per epoch of the learning-rate decay.
        batch_size: minibatch size, unless the space holds a ``batch_size``.
        space: the search space; the course's when left out.
        seed: makes the initial weights reproducible.

    >>> hypermodel = MLPHyperModel(inputs=64, classes=10, rows=1000)
    >>> hypermodel.build(keras_tuner.HyperParameters()).output_shape
    (None, 10)
    """

    def __init__(
        self,
        inputs: int,
        classes: int,
        *,
        rows: int,
        batch_size: int = 32,
        space: SearchSpace | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__("mlp", space or default_space(), rows, batch_size, seed)
        self.inputs, self.classes = inputs, classes

    def network_of(self, values: Mapping[str, Any]) -> NetworkSpec:
        """Return the network of a setting."""
        return network_from_values(values, inputs=self.inputs, classes=self.classes)
