"""Convolutional networks for images: convolution → pooling → batch normalization → activation under a softmax head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import keras

from tfcourse.errors import UserError
from tfcourse.models.builders import build_optimizer, layer_seed
from tfcourse.models.spec import OptimizerSpec
from tfcourse.space.names import ACTIVATIONS

POOL = 2
"""Each block halves height and width."""
LAST = "channels_last"
"""Where an image's channels are, whatever Keras's settings say."""


@dataclass(frozen=True)
class ConvNetSpec:
    """A convolutional classifier of images.

    Args:
        shape: height, width and channels of an image.
        classes: number of classes C, at least 2.
        filters: filters of the blocks, each of which halves height and width; at least one block.
        kernel: height and width of every kernel, at least 1.
        units: units of the hidden layer under the head; 0 for none.
        activation: one of :data:`~tfcourse.space.names.ACTIVATIONS`.
        batch_norm_momentum: β of the moving mean and variance, in [0, 1).
        dropout: rate of the dropout before the head, in [0, 1).
        shift: largest shift of a training image, as a share of its height and width, in [0, 1).
        flip: whether training images are mirrored left to right at random.
        scale: by which the numbers of an image are multiplied, such as 1/255 for bytes.
        flat: whether an image is a row of height · width · channels numbers, as in a feature matrix.

    Raises:
        UserError: if a value breaks its rule, or the image is too small for so many blocks.

    >>> ConvNetSpec((28, 28, 1), 10, (16, 32)).shape_after_blocks
    (7, 7)
    """

    shape: tuple[int, int, int]
    classes: int
    filters: tuple[int, ...] = (32, 64)
    kernel: int = 3
    units: int = 0
    activation: str = "relu"
    batch_norm_momentum: float = 0.9
    dropout: float = 0.0
    shift: float = 0.0
    flip: bool = False
    scale: float = 1.0
    flat: bool = False

    def __post_init__(self) -> None:
        rules = {
            "shape": (len(self.shape) == 3 and min(self.shape) >= 1, "(height, width, channels), each at least 1"),
            "classes": (self.classes >= 2, "at least 2"),
            "filters": (
                bool(self.filters) and min(self.filters, default=0) >= 1,
                "one number a block, each at least 1",
            ),
            "kernel": (self.kernel >= 1, "at least 1"),
            "units": (self.units >= 0, "at least 0"),
            "activation": (self.activation in ACTIVATIONS, f"one of {', '.join(ACTIVATIONS)}"),
            "batch_norm_momentum": (0 <= self.batch_norm_momentum < 1, "from 0 to below 1"),
            "dropout": (0 <= self.dropout < 1, "from 0 to below 1"),
            "shift": (0 <= self.shift < 1, "from 0 to below 1"),
            "scale": (0 < self.scale < math.inf, "above 0"),
        }
        for name, (holds, allowed) in rules.items():
            if not holds:
                raise UserError(f"{name} = {getattr(self, name)!r} was given; allowed is {allowed}.")
        if min(self.shape_after_blocks) < 1:
            raise UserError(
                f"filters = {self.filters} halves an image {len(self.filters)} times, more often than its"
                f" {self.shape[0]} x {self.shape[1]} pixels can be; give fewer blocks."
            )

    @property
    def shape_after_blocks(self) -> tuple[int, int]:
        """Height and width of what the last block gives."""
        shrunk = POOL ** len(self.filters)
        return self.shape[0] // shrunk, self.shape[1] // shrunk

    @property
    def inputs(self) -> int:
        """Numbers of an image."""
        return math.prod(self.shape)

    @property
    def at_rest(self) -> Self:
        """The network as it answers: images are neither shifted nor mirrored; its weights are the same."""
        return replace(self, shift=0.0, flip=False)


def build_convnet(spec: ConvNetSpec, optimizer: OptimizerSpec | None = None, *, seed: int | None = None) -> keras.Model:
    """Return the compiled network of ``spec``; it takes (m, height, width, channels) and gives (m, classes) logits.

    Each block is a convolution without bias → largest of 2 × 2 → batch normalization → activation: what grows with its
    input gives the same after pooling as before it, and has a quarter of the work. Images are shifted and mirrored in
    training alone. The head gives logits; :func:`tfcourse.with_softmax` puts the softmax on.

    Args:
        spec: the network.
        optimizer: its optimizer; Keras's way of Adam at 1e-3 when left out.
        seed: makes the initial weights, the dropout masks and the shifts reproducible.

    >>> model = build_convnet(ConvNetSpec((28, 28, 1), 10, (4,), shift=0.1, flip=True))
    >>> [layer.name for layer in model.layers][2:6]
    ['flip', 'convolution_1', 'pooling_1', 'batch_norm_1']
    >>> model.output_shape
    (None, 10)
    """
    inputs = a = keras.Input((spec.inputs,) if spec.flat else spec.shape, name="features" if spec.flat else "images")
    if spec.flat:
        a = keras.layers.Reshape(spec.shape, name="images")(a)
    if spec.scale != 1.0:
        a = keras.layers.Rescaling(spec.scale, name="scale")(a)
    if spec.shift:
        shift = (-spec.shift, spec.shift)
        a = keras.layers.RandomTranslation(
            shift, shift, fill_mode="nearest", seed=layer_seed(seed, 10_001), data_format=LAST, name="shift"
        )(a)
    if spec.flip:
        a = keras.layers.RandomFlip("horizontal", seed=layer_seed(seed, 10_002), data_format=LAST, name="flip")(a)
    for index, filters in enumerate(spec.filters, start=1):
        a = keras.layers.Conv2D(
            filters,
            spec.kernel,
            padding="same",
            use_bias=False,
            data_format=LAST,
            kernel_initializer=keras.initializers.GlorotUniform(layer_seed(seed, 2 * index)),
            name=f"convolution_{index}",
        )(a)
        a = keras.layers.MaxPooling2D(POOL, data_format=LAST, name=f"pooling_{index}")(a)
        a = keras.layers.BatchNormalization(momentum=spec.batch_norm_momentum, name=f"batch_norm_{index}")(a)
        a = keras.layers.Activation(spec.activation, name=f"activation_{index}")(a)
    a = keras.layers.Reshape((-1,), name="flat")(a)
    if spec.units:
        hidden = keras.initializers.GlorotUniform(layer_seed(seed, 10_003))
        a = keras.layers.Dense(spec.units, use_bias=False, kernel_initializer=hidden, name="dense")(a)
        a = keras.layers.BatchNormalization(momentum=spec.batch_norm_momentum, name="batch_norm")(a)
        a = keras.layers.Activation(spec.activation, name="activation")(a)
    if spec.dropout:
        a = keras.layers.Dropout(spec.dropout, seed=layer_seed(seed, 10_004), name="dropout")(a)
    head = keras.initializers.GlorotUniform(layer_seed(seed, 0))
    model = keras.Model(
        inputs, keras.layers.Dense(spec.classes, kernel_initializer=head, name="logits")(a), name="convnet"
    )
    model.compile(
        optimizer=build_optimizer(optimizer or OptimizerSpec()),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def convnet_from_values(values: Mapping[str, Any], *, shape: tuple[int, int, int], classes: int) -> ConvNetSpec:
    """Return the network that a trial's values describe; it takes rows of a feature matrix.

    Each block has twice the filters of the one before it.

    >>> convnet_from_values({"blocks": 2, "filters": 8, "shift": 0.1}, shape=(8, 8, 1), classes=10).filters
    (8, 16)
    """
    filters = tuple(int(values["filters"]) * 2**block for block in range(int(values["blocks"])))
    names = ("kernel", "activation", "batch_norm_momentum", "dropout", "shift", "flip")
    given = {name: values[name] for name in names if name in values}
    return ConvNetSpec(shape, classes, filters, units=int(values.get("dense_units", 0)), **given, flat=True)
