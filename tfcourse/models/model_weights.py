"""What a weights file of Keras (HDF5) may hold: plain arrays whose bytes are in it; checked before any is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO

import h5py

from tfcourse.models.model_config import NotOursError

MOST_DEPTH = 32
"""Of groups in groups; an average of networks has 9."""


def check_weights(file: BinaryIO | Path, size: int, name: str) -> int:
    """Return how many numbers the arrays of a weights file hold, without reading one of them.

    Args:
        file: the file.
        size: its bytes.
        name: how messages call it.

    Raises:
        NotOursError: if it has a link, an array that lies elsewhere, is compressed or larger than the file, or
            anything but groups and arrays of numbers.
        Exception: of h5py's, if it is damaged.
    """
    with h5py.File(file, "r") as weights:
        check = _WeightsCheck(size, name)
        check.walk(weights, 0)
        return check.numbers


class _WeightsCheck:
    """One walk over a file.

    Attributes:
        numbers: how many numbers its arrays hold so far.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size, self.name, self.numbers = size, name, 0
        self._bytes = 0
        self._seen: set[int] = set()

    def walk(self, group: h5py.Group, depth: int) -> None:
        """Check a group and all that is in it; nothing is followed but hard links, and each of them once."""
        self._once(group)
        if depth > MOST_DEPTH:
            raise NotOursError(f"its {self.name} is nested more than {MOST_DEPTH} deep")
        for key in group:
            if not key or "/" in key or key in (".", ".."):
                raise NotOursError(f"its {self.name} has a member called {key!r:.80}")
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise NotOursError(f"its {self.name} has an {type(link).__name__} {key!r:.80}")
            member = group[key]
            if isinstance(member, h5py.Group):
                self.walk(member, depth + 1)
            elif isinstance(member, h5py.Dataset):
                self._once(member)
                self._array(member, key)
            else:
                raise NotOursError(f"its {self.name} has a {type(member).__name__} {key!r:.80}")

    def _once(self, member: h5py.Group | h5py.Dataset) -> None:
        address = h5py.h5o.get_info(member.id).addr
        if address in self._seen:
            raise NotOursError(f"its {self.name} has two links to one member")
        self._seen.add(address)

    def _array(self, array: h5py.Dataset, key: str) -> None:
        """Check how an array is stored, then of what it is, then how large: HDF5 may open other files for a shape."""
        where = f"its {self.name} has an array {key!r:.80} that"
        properties = array.id.get_create_plist()
        layout = properties.get_layout()
        if layout == h5py.h5d.VIRTUAL:
            raise NotOursError(f"{where} is a view of other files")
        if properties.get_external_count():
            raise NotOursError(f"{where} lies in another file")
        if layout != h5py.h5d.CONTIGUOUS or properties.get_nfilters():
            raise NotOursError(f"{where} is stored in chunks or compressed, as none of Keras's is")
        if array.dtype.kind not in "fiub" or array.dtype.subdtype:
            raise NotOursError(f"{where} holds no plain numbers")
        count = math.prod(array.shape)
        size, start = count * array.dtype.itemsize, array.id.get_offset()
        self._bytes += size
        if size and (start is None or start + size > self.size or self._bytes > self.size):
            raise NotOursError(f"{where} should take {size:,} bytes, more than there are")
        self.numbers += count
