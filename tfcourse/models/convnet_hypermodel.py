"""Convolutional networks over a search space, for any KerasTuner tuner."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import keras
import keras_tuner

from tfcourse.models.convnet import ConvNetSpec, build_convnet, convnet_from_values
from tfcourse.models.hypermodels import declare
from tfcourse.models.spec import OptimizerSpec, optimizer_from_values
from tfcourse.space import SearchSpace
from tfcourse.space.course import default_space
from tfcourse.space.images import fitted_to_image
from tfcourse.space.names import CONV


class ConvNetHyperModel(keras_tuner.HyperModel):
    """Convolutional networks over a search space, on the course's scales, for any KerasTuner tuner.

    Args:
        shape: height, width and channels of an image.
        classes: number of classes.
        rows: training rows; with the batch size they give the minibatches per epoch of the learning-rate decay. None
            leaves the decay out.
        batch_size: minibatch size, unless the space holds a ``batch_size``.
        space: the search space; that of :func:`~tfcourse.space.course.default_space` for ``"conv"`` when left out.
        scale: by which the numbers of an image are multiplied.
        flip: whether mirrored images are images too, unless the space holds a ``flip``.
        flat: whether an image is a row of numbers, as in a feature matrix.
        seed: makes the initial weights reproducible.

    >>> ConvNetHyperModel((28, 28, 1), 10).build(keras_tuner.HyperParameters()).output_shape
    (None, 10)
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int,
        *,
        rows: int | None = None,
        batch_size: int = 32,
        space: SearchSpace | None = None,
        scale: float = 1.0,
        flip: bool = False,
        flat: bool = False,
        seed: int | None = None,
    ) -> None:
        super().__init__(name="convnet")
        self.shape, self.classes, self.rows, self.batch_size = shape, classes, rows, batch_size
        self.scale, self.flip, self.flat, self.seed = scale, flip, flat, seed
        self.space = fitted_to_image(default_space(CONV), shape) if space is None else space

    def specs(self, hp: keras_tuner.HyperParameters) -> tuple[ConvNetSpec, OptimizerSpec, int]:
        """Return the network, the optimizer and the batch size that ``hp`` describes, building nothing."""
        values = {"flip": self.flip, **declare(self.space, hp)}
        batch_size = int(values.get("batch_size", self.batch_size))
        network = replace(
            convnet_from_values(values, shape=self.shape, classes=self.classes), scale=self.scale, flat=self.flat
        )
        if self.rows is None:
            values.pop("learning_rate_decay", None)
        steps_per_epoch = math.ceil((self.rows or batch_size) / batch_size)
        return network, optimizer_from_values(values, steps_per_epoch=steps_per_epoch), batch_size

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Return the compiled network that ``hp`` describes; it gives logits."""
        network, optimizer, _ = self.specs(hp)
        return build_convnet(network, optimizer, seed=self.seed)

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Train ``model`` with the batch size that ``hp`` describes."""
        if len(args) < 3 and kwargs.get("batch_size") is None:  # it is the third argument of Model.fit
            kwargs["batch_size"] = self.specs(hp)[2]
        return model.fit(*args, **kwargs)

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare the whole space at once, so that the first trial is drawn from all of it."""
        declare(self.space, hp)
