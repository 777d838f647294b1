"""Which networks a run searches, fully connected or convolutional, and what does not go together with the latter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfcourse.data.features import ArrayFeatures, Features
from tfcourse.errors import UserError
from tfcourse.space import SearchSpace
from tfcourse.space.course import whole_values
from tfcourse.space.images import fitted_to_image
from tfcourse.space.names import CONV, MLP
from tfcourse.words import listed

MOST_CHANNELS_FIRST = 4
"""Grey, grey with opacity, colours, colours with opacity."""


def check_goes_together(given: Mapping[str, Any]) -> None:
    """Refuse options that have no meaning for convolutional networks, before anything is read.

    Args:
        given: the options that were given, by name.

    Raises:
        UserError: with the flag that is to be left out.

    >>> check_goes_together({"network": "conv", "workers": 2})
    Traceback (most recent call last):
    tfcourse.errors.UserError: --workers 2 was given with --network conv, whose trials are trained in this process, \
one after the other; leave it out.
    """
    if given.get("network", MLP) != CONV:
        return
    one_by_one = "whose trials are trained in this process, one after the other; leave it out"
    reasons = {
        "--engine cohort": (given.get("engine") == "cohort", "whose trials are trained by Model.fit; leave it out"),
        f"--workers {given.get('workers')}": (given.get("workers") is not None, one_by_one),
        f"--ray {given.get('ray')}": (given.get("ray") is not None, one_by_one),
        "--halving": (given.get("halving") is True, "which trains one trial at a time; leave it out"),
        f"--folds {given.get('folds')}": (
            (given.get("folds") or 1) > 1,
            "whose leaders are not trained on folds; leave it out, or give --ensemble N for an average of several",
        ),
    }
    for flag, (refused, why) in reasons.items():
        if refused:
            raise UserError(f"{flag} was given with --network conv, {why}.")


def fitted_to_data(
    space: SearchSpace, features: Features, network: str, *, named: bool
) -> tuple[SearchSpace, list[str]]:
    """Return a space as it fits the data, and a note where fewer blocks fit an image than there are by default.

    Args:
        space: the space.
        features: the map of the data.
        network: the kind of network.
        named: whether its blocks were asked for, so that those for which an image has no room are refused.

    Raises:
        UserError: if they are refused, or the data are none for such networks.

    >>> from tfcourse.space.course import default_space
    >>> fitted_to_data(default_space("conv"), ArrayFeatures((6, 6), (0.0,), (1.0,)), "conv", named=False)[1]
    ['blocks: 1 and 2 instead of 1 to 3, since an image of 6 x 6 pixels cannot be halved more often']
    """
    image = image_shape(features, network)
    if image is None:
        return space, []
    fitted = fitted_to_image(space, image, given=named)
    blocks = [whole_values(each["blocks"]) for each in (fitted, space)]
    if blocks[0] == blocks[1]:
        return fitted, []
    left = listed([str(number) for number in blocks[0]])
    return fitted, [
        f"blocks: {left} instead of {min(blocks[1])} to {max(blocks[1])}, since an image of {image[0]} x {image[1]}"
        " pixels cannot be halved more often"
    ]


def image_shape(features: Features, network: str) -> tuple[int, int, int] | None:
    """Return height, width and channels of the images that convolutional networks take; None for other networks.

    Raises:
        UserError: if the data are no images, or have their channels first.

    >>> image_shape(ArrayFeatures((8, 8), (0.0,), (1.0,)), "conv")
    (8, 8, 1)
    """
    if network != CONV:
        return None
    advice = "use --network mlp, or give an .npz file whose x has shape (rows, height, width[, channels])"
    if not isinstance(features, ArrayFeatures):
        raise UserError(f"--network conv is for images, but the data are a table; {advice}.")
    shape = features.shape
    if len(shape) not in (2, 3):
        examples = f"are rows of {shape[0]} numbers" if len(shape) == 1 else f"have shape {shape}"
        raise UserError(f"--network conv is for images, but the examples {examples}; {advice}.")
    if len(shape) == 3 and shape[0] <= MOST_CHANNELS_FIRST < min(shape[1:]):
        raise UserError(
            f"--network conv takes images with their channels last, but the examples have shape {shape}; turn them"
            f" round: np.moveaxis(x, 1, -1). If they are {shape[0]} pixels high and have {shape[2]} channels, give them"
            f" {MOST_CHANNELS_FIRST + 1} rows of pixels: np.pad(x, ((0, 0), (0, {MOST_CHANNELS_FIRST + 1 - shape[0]}),"
            " (0, 0), (0, 0)))."
        )
    return (shape[0], shape[1], shape[2] if len(shape) == 3 else 1)
