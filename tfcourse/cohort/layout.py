"""All that is compiled into a cohort's program, and which program that is there already can train a cohort as well."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tfcourse.cohort.kinds import Kind
from tfcourse.cohort.plan import COMPILING

# TensorFlow keeps a program as long as the process lives, some 40 MB each, and compiling one takes seconds. So a larger
# one that is there already is taken as long as it multiplies at most this much more, or costs less than compiling.
REUSE = 1.25


@dataclass(frozen=True)
class Layout:
    """All that is compiled into a program.

    Args:
        kinds: what the members share of each layer.
        least_depth: hidden blocks that every member has; later ones are passed by in a cohort that lacks them.
        widths: units after each layer, of the widest member; the head's are at least ``classes``.
        classes: number of classes.
        inputs: number of features.
        places: number of members k.
        rows: number of training examples.
        batch_size: examples of a minibatch; the last may have fewer.
        validation_rows: number of validation examples, 0 for none.
        sparse: whether labels are class numbers or rows of probabilities.
        penalized: whether any member has an L2 penalty.
        dropping: whether any member has dropout.
        side_by_side: whether the first layer is one product with all members' kernels side by side.
        squares: whether any optimizer keeps an average of the gradient's squares.
        own_rows: whether each member has rows of its own among the examples; ``rows`` and ``validation_rows`` are their
            numbers.
    """

    kinds: tuple[Kind, ...]
    least_depth: int
    widths: tuple[int, ...]
    classes: int
    inputs: int
    places: int
    rows: int
    batch_size: int
    validation_rows: int
    sparse: bool
    penalized: bool
    dropping: bool
    side_by_side: bool
    squares: bool = True
    own_rows: bool = False

    @property
    def steps(self) -> int:
        """Minibatches of an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def blocks(self) -> list[range]:
        """The layers of each block, a dense one and what belongs to it; the last is the head."""
        starts = [index for index, kind in enumerate(self.kinds) if index == 0 or kind.begins_block]
        return [range(start, stop) for start, stop in itertools.pairwise([*starts, len(self.kinds)])]

    def optional(self, block: int) -> bool:
        """Say whether a cohort may lack a block."""
        return self.least_depth <= block < len(self.blocks) - 1

    @property
    def multiplications(self) -> int:
        """Multiplications of an epoch's matrix products, of all places together, without the validation."""
        total, inputs = 0, self.inputs
        for index, (kind, units) in enumerate(zip(self.kinds, self.widths, strict=True)):
            if kind.begins_block:
                # Forward, gradient of the kernel, and (but for the first layer) gradient of its input.
                total += (2 if index == 0 else 3) * inputs * units
            inputs = units
        return total * self.places * self.steps * self.batch_size


def cheapest_of(there: Sequence[Layout], layout: Layout, *, fixed: bool, epochs: int) -> Layout:
    """Return the layout to train in instead of ``layout``: one that is ``there``, holds it and costs little more.

    Args:
        there: the layouts that are compiled.
        layout: what the members need at least.
        fixed: whether the widths must stay as they are.
        epochs: how often it will run, over all cohorts.
    """

    def holds(other: Layout) -> bool:
        if dataclasses.replace(other, widths=layout.widths, places=layout.places) != layout:
            return False
        wide = all(theirs >= ours for theirs, ours in zip(other.widths, layout.widths, strict=True))
        return wide and other.places >= layout.places and (not fixed or other.widths == layout.widths)

    best = min(filter(holds, there), key=lambda other: other.multiplications, default=layout)
    more = best.multiplications - layout.multiplications
    cheap = more <= (REUSE - 1) * layout.multiplications or 2 * more * epochs <= COMPILING
    return best if cheap else layout
