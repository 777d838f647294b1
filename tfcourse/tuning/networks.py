"""Which networks a run searches, fully connected or convolutional, and what does not go together with the latter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfcourse.data.features import ArrayFeatures, Features
from tfcourse.errors import UserError
from tfcourse.space.names import CONV, MLP

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
            " round: np.moveaxis(x, 1, -1)."
        )
    return (shape[0], shape[1], shape[2] if len(shape) == 3 else 1)
