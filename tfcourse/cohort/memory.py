"""How much memory members need and the machine has, and so how many members a cohort may have."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tfcourse.cohort.layers import Dense
from tfcourse.cohort.member import Member, in_program
from tfcourse.cohort.plan import padded_widths
from tfcourse.cohort.refusal import NotFusableError

MEMORY_SHARE = 0.5


def member_bytes(member: Member, batch_size: int) -> int:
    """Return about how many bytes a member takes while it trains.

    The weights, their two averages and their gradients, each old and new; and the activations of a minibatch (or of a
    chunk of the validation examples), forward and backward.
    """
    padded = padded_widths([member])
    inputs, weights = member.inputs, 0
    for (layer, _), units in zip(in_program(member, len(padded)), padded, strict=True):
        if isinstance(layer, Dense):
            weights += (inputs + 1) * units
        inputs = units
    weights = max(weights, member.parameters)
    return 4 * (8 * weights + 3 * max(batch_size, 512) * (member.inputs + sum(padded)))


def places_that_fit(members: Sequence[Member], batch_sizes: Sequence[int], memory: int, workers: int, most: int) -> int:
    """Return how many places a cohort may have when ``workers`` cohorts share ``memory`` bytes.

    Raises:
        NotFusableError: if not even one member fits.
    """
    largest = max(member_bytes(m, b) for m, b in zip(members, batch_sizes, strict=True))
    fitting = int(memory * MEMORY_SHARE) // largest
    if fitting < 1:
        raise NotFusableError(
            f"one member needs about {largest / 2**20:,.0f} MiB to train, but {memory / 2**20:,.0f} MiB are free and "
            f"half of them may be used. Use fewer units or a smaller batch size, or free memory."
        )
    return max(1, min(most, fitting // workers))


def available_memory() -> int:
    """Return the bytes of memory that are free for use, or 4 GiB where the system does not say."""
    free = [_free_memory(), _free_in_container()]
    return min((each for each in free if each is not None), default=4 * 2**30)


def _free_memory() -> int | None:
    try:
        with open("/proc/meminfo") as lines:
            free = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(free.split()[1]) * 1024
    except (OSError, StopIteration):
        if "SC_AVPHYS_PAGES" in getattr(os, "sysconf_names", {}):
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return None


def _free_in_container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return what a container's limit leaves free, its file cache counted as free; None where there is no limit."""
    try:
        limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
    except OSError:
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - int(used) + (int(cached[1]) if cached else 0))
