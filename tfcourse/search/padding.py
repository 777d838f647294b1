"""To which shapes the networks of a run are padded, so that few compiled programs serve all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.cohort.plan import sharing_pays
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.space import SearchSpace
from tfcourse.space.course import depths, most_units, widths

STEP = 1.25


@dataclass(frozen=True)
class Padding:
    """The shapes of a run's programs, so that a trial's result is the same to the last bit whoever trains with it.

    Args:
        units: units to which hidden layers are padded at least.
        depths: the fewest and the most hidden layers of a program that networks of several depths share; None where
            each depth has its own.
        widths: those that a choice gives to all layers of a network, each with a program of its own and no padding.
    """

    units: int
    depths: tuple[int, int] | None = None
    widths: tuple[int, ...] = ()

    @classmethod
    def of_space(cls, space: SearchSpace, *, inputs: int, examples: int) -> Padding:
        """Return the padding for all networks of ``space``, with ``examples`` training rows times epochs each.

        >>> from tfcourse.space.course import default_space
        >>> Padding.of_space(default_space(), inputs=64, examples=1000 * 20)
        Padding(units=100, depths=(2, 4), widths=())
        >>> Padding.of_space(default_space(), inputs=784, examples=50_000 * 20)
        Padding(units=100, depths=None, widths=())
        """
        if "layers" not in space.names:  # only softmax regression is beside convolutional networks
            return cls(1)
        found, units = depths(space), most_units(space)
        return cls(units, found if sharing_pays(found, inputs, units, examples) else None, widths(space))

    @classmethod
    def of_networks(cls, networks: Sequence[NetworkSpec], *, examples: int) -> Padding:
        """Return the padding for the given networks."""
        units = max(max(network.units, default=0) for network in networks)
        found = min(len(n.units) for n in networks), max(len(n.units) for n in networks)
        return cls(units, found if sharing_pays(found, networks[0].inputs, units, examples) else None)

    def member(self, network: NetworkSpec, optimizer: OptimizerSpec, seed: int) -> Member:
        """Return the member that trains ``network``, padded.

        A later round may hold wider or deeper networks than the space it came from: for wider ones the units grow by a
        quarter, as often as it takes; deeper ones go into a program of their own.

        >>> [Padding(100).member(NetworkSpec(64, 10, (70, n)), OptimizerSpec(), 0).pad_to for n in (100, 101, 126)]
        [100, 125, 157]
        >>> chosen = Padding(256, widths=(64, 256))
        >>> [chosen.member(NetworkSpec(64, 10, (n, n)), OptimizerSpec(), 0).pad_to for n in (64, 100)]
        [64, 256]
        """
        widest, deep = max(network.units, default=0), len(network.units)
        units = widest if widest in self.widths else max(self.units, 1)
        while units < widest:
            units = math.ceil(units * STEP)
        shared = self.depths if self.depths and self.depths[0] <= deep <= self.depths[1] else None
        return member_of_spec(network, optimizer, seed, pad_to=units, depths=shared)
