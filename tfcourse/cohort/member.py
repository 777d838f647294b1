"""A member: one trial as the engine sees it, and its training state between epochs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.layers import Activation, BatchNormalization, Dense, Dropout, Layer, variables
from tfcourse.cohort.optimizers import Optimizer
from tfcourse.cohort.refusal import refuse_other_floats
from tfcourse.models.initial_weights import initial_weights
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

Arrays = list[NDArray[np.float32]]


@dataclass
class State:
    """What changes in a member's training: its weights, in Keras's order, and the optimizer's two averages of each.

    The averages of a weight that is not trained (a moving mean) are unused.
    """

    weights: Arrays
    first: Arrays
    second: Arrays

    @classmethod
    def initial(cls, weights: Arrays) -> State:
        """Return the state before the first step of an optimizer."""
        return cls(weights, [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights])


@dataclass(frozen=True)
class InputLayers:
    """What happens to the features before the first trained layer, once for all epochs.

    Args:
        apply: from the raw features to (m, n) float32.
        key: equal for equal maps; members of one cohort share their features.
    """

    apply: Callable[[NDArray[Any]], NDArray[np.float32]]
    key: tuple[object, ...] = ()


def flat_float32(x: NDArray[Any]) -> NDArray[np.float32]:
    """Return the features as they are, as float32."""
    return np.ascontiguousarray(x, np.float32)


PLAIN = InputLayers(flat_float32)


@dataclass(frozen=True)
class OwnRows:
    """Rows of its own that a member trains and validates on, as in cross-validation.

    Args:
        train: positions of its training rows among the training examples, in the order that ``Model.fit`` would get.
        validation: positions of its validation rows among the validation examples.
        seed: of the order of its minibatches.
    """

    train: NDArray[np.integer[Any]]
    validation: NDArray[np.integer[Any]]
    seed: int

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of training and of validation rows, which members of one program share."""
        return len(self.train), len(self.validation)


@dataclass(frozen=True)
class Member:
    """One trial of a cohort.

    Args:
        layers: its network from the first trained layer to the logits.
        inputs: number of features that reach the first layer.
        optimizer: its optimizer.
        start: gives the state to train from, when a place is free.
        seed: of its dropout masks.
        sparse: whether the labels are class numbers (True) or rows of probabilities.
        accuracy: the name of its accuracy metric, None when it has none.
        input_layers: what is applied to the features first.
        pad_to: units to which its hidden layers are padded at least; with one number for all members, a member's
            program has the same shapes whoever trains with it, and its weights are the same bit for bit.
        depths: fewest and most hidden blocks of the networks whose program it shares, for the same reason; None leaves
            it to the plan.
        rows: rows of its own; None trains and validates on all examples.
        finish: takes the trained state and the number of steps taken (puts them into a Keras model).
    """

    layers: tuple[Layer, ...]
    inputs: int
    optimizer: Optimizer
    start: Callable[[], State]
    seed: int = 0
    sparse: bool = True
    accuracy: str | None = "accuracy"
    input_layers: InputLayers = PLAIN
    pad_to: int = 0
    depths: tuple[int, int] | None = None
    rows: OwnRows | None = field(default=None, compare=False)
    finish: Callable[[State, int], None] = field(default=lambda state, steps: None)

    @property
    def classes(self) -> int:
        """Number of classes of the head."""
        return next(layer.units for layer in reversed(self.layers) if isinstance(layer, Dense))

    @property
    def key(self) -> tuple[Any, ...]:
        """What members of one program share; only the widths may differ beyond it."""
        kinds = tuple(layer.kind for layer in self.layers)
        return (kinds, self.inputs, self.classes, self.sparse, self.input_layers.key)

    @functools.cached_property
    def depth(self) -> int:
        """Number of dense layers before the head."""
        return sum(isinstance(layer, Dense) for layer in self.layers) - 1

    @functools.cached_property
    def block_size(self) -> int:
        """Layers of a hidden block (a dense layer and what follows it) where all blocks are of one kind, otherwise 0.

        Networks of such blocks can share a program whatever their depth.
        """
        kinds, size = [layer.kind for layer in self.layers], (len(self.layers) - 1) // max(self.depth, 1)
        ends_begin = kinds[0].begins_block and kinds[-1].begins_block
        alike = self.depth > 0 and ends_begin and kinds[:-1] == kinds[:size] * self.depth
        return size if alike else 0

    @property
    def family(self) -> tuple[object, ...]:
        """What members share that may share a program: all of the key, but for the depth where blocks are alike.

        And what they are padded to, so that a program's widths are the same whoever trains with it.
        """
        kinds, *others = self.key
        return (kinds[: self.block_size] or kinds, *others, self.depths, self.pad_to, self.rows and self.rows.counts)

    @functools.cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of its weights, in the order of ``keras.Model.get_weights``."""
        return [v.shape for layer in variables(self.layers, self.inputs) for v in layer]

    @functools.cached_property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(map(math.prod, self.shapes))


def member_of_spec(
    network: NetworkSpec,
    optimizer: OptimizerSpec,
    seed: int,
    *,
    sparse: bool = True,
    pad_to: int = 0,
    depths: tuple[int, int] | None = None,
) -> Member:
    """Return the member whose training is that of ``build_mlp(network, optimizer, seed=seed)``.

    Raises:
        NotFusableError: if Keras is set to another type than float32.

    >>> member = member_of_spec(NetworkSpec(4, 3, (8,)), OptimizerSpec(), seed=0)
    >>> [type(kind).__name__.removesuffix("Kind") for kind in member.key[0]]
    ['Dense', 'BatchNormalization', 'Activation', 'Dropout', 'Dense']
    """
    refuse_other_floats()
    return Member(
        layers=layers_of_spec(network),
        inputs=network.inputs,
        optimizer=Optimizer.from_spec(optimizer),
        start=functools.partial(_initial, network, seed),  # unlike a lambda, it can be sent to another process
        seed=seed,
        sparse=sparse,
        pad_to=pad_to,
        depths=depths,
    )


def _initial(network: NetworkSpec, seed: int) -> State:
    return State.initial(initial_weights(network, seed=seed))


def in_program(member: Member, count: int) -> list[tuple[Layer, int | None]]:
    """Return, for each of a program's ``count`` layers, a layer of its kind and its position among the member's.

    A program may have more hidden blocks than the member: the member's are the first, and its head is the last. The
    position of a layer that it lacks is None.

    >>> member = member_of_spec(NetworkSpec(4, 3, (8,), batch_norm=False), OptimizerSpec(), seed=0)
    >>> [position for _, position in in_program(member, 7)]
    [0, 1, 2, None, None, None, 3]
    """
    own = len(member.layers)
    positions = [*range(own - 1), *[None] * (count - own), own - 1]
    block = member.layers[: member.block_size]
    return [
        (block[index % len(block)] if position is None else member.layers[position], position)
        for index, position in enumerate(positions)
    ]


def layers_of_spec(network: NetworkSpec) -> tuple[Layer, ...]:
    """Return the layers that ``build_mlp`` builds; a dropout at rate 0 stays, so that rates share a program."""
    layers: list[Layer] = []
    for units in network.units:
        block: Sequence[Layer] = (Activation(network.activation, units),)
        if network.batch_norm:
            normalization = BatchNormalization(network.batch_norm_momentum, network.batch_norm_epsilon)
            block = (normalization, *block) if network.normalize == "before" else (*block, normalization)
        layers += [Dense(units, not network.batch_norm, network.l2), *block, Dropout(network.dropout)]
    return (*layers, Dense(network.classes, True, network.l2))
