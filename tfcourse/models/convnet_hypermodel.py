"""Convolutional networks over a search space, for any KerasTuner tuner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tfcourse.models.convnet import ConvNetSpec, convnet_from_values
from tfcourse.models.hypermodels import SpecHyperModel
from tfcourse.space import SearchSpace
from tfcourse.space.course import default_space
from tfcourse.space.images import fitted_to_image
from tfcourse.space.names import CONV


class ConvNetHyperModel(SpecHyperModel):
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

    >>> import keras_tuner
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
        space = fitted_to_image(default_space(CONV), shape) if space is None else space
        super().__init__("convnet", space, rows, batch_size, seed)
        self.shape, self.classes, self.scale, self.flip, self.flat = shape, classes, scale, flip, flat

    def network_of(self, values: Mapping[str, Any]) -> ConvNetSpec:
        """Return the network of a setting."""
        network = convnet_from_values({"flip": self.flip, **values}, shape=self.shape, classes=self.classes)
        return replace(network, scale=self.scale, flat=self.flat)
