"""To how many units the hidden layers of a trial are padded, so that few compiled programs serve a whole run."""

from __future__ import annotations

from tfcourse.models.spec import NetworkSpec

STEP = 16


def padding(network: NetworkSpec, least: int) -> int:
    """Return the units to which the hidden layers of ``network`` are padded: ``least``, or more if it is wider.

    A later round may hold wider layers than the space it came from; those go to the next multiple of 16.

    >>> padding(NetworkSpec(64, 10, (70, 100)), 100), padding(NetworkSpec(64, 10, (70, 101)), 100)
    (100, 112)
    """
    widest = max(network.units, default=0)
    return least if widest <= least else -(-widest // STEP) * STEP
