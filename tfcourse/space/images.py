"""How a space of convolutional networks fits images: each block halves them."""

from __future__ import annotations

import math

from tfcourse.errors import UserError
from tfcourse.space.course import whole_values
from tfcourse.space.parameter import Parameter
from tfcourse.space.search_space import SearchSpace


def fitted_to_image(space: SearchSpace, shape: tuple[int, ...], *, given: bool = False) -> SearchSpace:
    """Return a space without numbers of blocks that halve an image more often than its pixels can be.

    Args:
        space: of convolutional networks.
        shape: height, width and channels of an image.
        given: whether its blocks were asked for, so that they are refused and not left out.

    Raises:
        UserError: if they were, or the image cannot even be halved once.

    >>> from tfcourse.space.course import default_space
    >>> fitted_to_image(default_space("conv"), (6, 6, 1))["blocks"].values
    (1, 2)
    """
    most, blocks = most_blocks(shape), whole_values(space["blocks"])
    size = f"an image of {shape[0]} x {shape[1]} pixels"
    if most < 1:
        raise UserError(f"--network conv halves images, but {size} cannot be halved; use --network mlp.")
    if max(blocks) <= most:
        return space
    if given:
        raise UserError(
            f"--space: blocks = {max(blocks)} halves {size} more often than it can be; give at most {most}."
        )
    fewer = Parameter("blocks", "choice", values=tuple(number for number in blocks if number <= most))
    return SearchSpace(tuple(fewer if parameter.name == "blocks" else parameter for parameter in space))


def most_blocks(shape: tuple[int, ...]) -> int:
    """Return how often an image of a shape can be halved.

    >>> most_blocks((28, 28, 1)), most_blocks((1, 9, 3))
    (4, 0)
    """
    return int(math.log2(min(shape[:2])))
