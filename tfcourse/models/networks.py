"""Networks of either kind, fully connected or convolutional: from a trial's values to a spec, and on to a model."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import keras

from tfcourse.models.builders import build_mlp
from tfcourse.models.convnet import ConvNetSpec, build_convnet, convnet_from_values
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values

AnySpec: TypeAlias = NetworkSpec | ConvNetSpec


def spec_from_values(
    values: Mapping[str, Any], *, inputs: int, classes: int, image: tuple[int, int, int] | None = None
) -> AnySpec:
    """Return the network that a trial's values describe.

    Args:
        values: its active hyperparameters.
        inputs: number of features.
        classes: number of classes.
        image: height, width and channels of the images that rows of features are, for a convolutional network; None for
            a fully connected one.

    >>> spec_from_values({"blocks": 1, "filters": 4}, inputs=64, classes=10, image=(8, 8, 1)).filters
    (4,)
    """
    if image is None:
        return network_from_values(values, inputs=inputs, classes=classes)
    return convnet_from_values(values, shape=image, classes=classes)


def build_network(spec: AnySpec, optimizer: OptimizerSpec | None = None, *, seed: int | None = None) -> keras.Model:
    """Return the compiled network of a spec of either kind; it gives logits.

    >>> build_network(ConvNetSpec((8, 8, 1), 10, (4,), flat=True)).input_shape
    (None, 64)
    """
    if isinstance(spec, ConvNetSpec):
        return build_convnet(spec, optimizer, seed=seed)
    return build_mlp(spec, optimizer, seed=seed)


def weights_in(spec: AnySpec) -> int:
    """Return how many weights a network has that are trained.

    >>> weights_in(NetworkSpec(64, 10)), weights_in(NetworkSpec(64, 10, (8,)))
    (650, 618)
    >>> weights_in(ConvNetSpec((8, 8, 1), 10, (4,))), 9 * 4 + 2 * 4 + 16 * 4 * 10 + 10
    (694, 694)
    """
    if isinstance(spec, NetworkSpec):
        units = (spec.inputs, *spec.units)
        hidden = sum(m * n + (2 if spec.batch_norm else 1) * n for m, n in itertools.pairwise(units))
        return hidden + (units[-1] + 1) * spec.classes
    channels = (spec.shape[2], *spec.filters)
    total = sum(spec.kernel**2 * m * n + 2 * n for m, n in itertools.pairwise(channels))
    last = math.prod(spec.shape_after_blocks) * channels[-1]
    if spec.units:
        total, last = total + last * spec.units + 2 * spec.units, spec.units
    return total + (last + 1) * spec.classes
