r"""The region of the leading trials on one parameter's scale: coarse to fine, and outward at an edge (slides A3).

All of it happens on the parameter's own scale, in p from 0 (low) to 1 (high):

1. *The boundary check comes first.* The leaders crowd an edge when at least half of them lie in the outer tenth (for
   whole numbers: at the outermost number) and so many would lie there by chance, :math:`X \sim B(n, share)`, with
   probability below 5 %. The range then moves outward there, by half the width of the region and at least a quarter
   of the range, as far as the parameter's limits allow.
2. *Elsewhere it narrows* to the leaders' values, from the lowest to the highest, and on both sides by the mean gap
   between them, because n draws do not reach the ends of the region they come from. It stays inside the range and
   keeps at least a fifth of its width.
3. *Choices* keep the values that occur among the leaders.

With fewer than three leaders that have the parameter, nothing is known and nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tfcourse.space.parameter import Parameter, Value

FEWEST_LEADERS = 3
OUTER, CHANCE = 0.1, 0.05
LEAST_STEP, LEAST_WIDTH = 0.25, 0.2


def zoomed(parameter: Parameter, values: Sequence[Value], limits: tuple[float, float]) -> tuple[Parameter, str]:
    """Return the parameter's region of the leading trials, and what changed in words; empty if nothing did.

    Args:
        parameter: the parameter.
        values: its values among the leaders.
        limits: lowest and highest value that makes sense.

    >>> rate = Parameter("learning_rate", "log", 1e-4, 1.0)
    >>> zoomed(rate, [0.001, 0.003, 0.002, 0.01], (0.0, 10.0))[1]
    'learning_rate: 0.0001 ... 1 narrows to 0.000464 ... 0.0215'
    >>> zoomed(rate, [0.7, 0.6, 0.9, 0.1], (0.0, 10.0))[1]
    'learning_rate: the leading trials crowd 1, so 0.0001 ... 1 moves to 0.0481 ... 10'
    """
    if len(values) < FEWEST_LEADERS or (parameter.scale == "choice" and len(parameter.values) == 1):
        return parameter, ""
    if parameter.scale == "choice":
        kept = tuple(value for value in parameter.values if value in values)
        words = f"{parameter.name}: {_listed(parameter.values)} narrows to {_listed(kept)}"
        return replace(parameter, values=kept), words if kept != parameter.values else ""
    p = sorted(parameter.to_unit(value) for value in values)
    crowded_low, crowded_high = crowds_edges(parameter, values)
    gap = (p[-1] - p[0]) / (len(p) - 1)
    start, end = max(0.0, p[0] - gap), min(1.0, p[-1] + gap)
    short = LEAST_WIDTH - (end - start)
    if short > 0:
        start, end = max(0.0, start - short / 2), min(1.0, end + short / 2)
        start, end = max(0.0, min(start, end - LEAST_WIDTH)), min(1.0, max(end, start + LEAST_WIDTH))
    step = max(LEAST_STEP, (end - start) / 2)
    low, high = _range(
        parameter, -step if crowded_low else start, 1 + step if crowded_high else end, limits
    )  # fmt: skip
    changed = replace(parameter, low=low, high=high)
    return changed, _in_words(parameter, changed, crowded_low, crowded_high)


def crowds_edges(parameter: Parameter, values: Sequence[Value]) -> tuple[bool, bool]:
    """Say whether ``values`` of leading trials crowd the low and the high end of a parameter's range.

    >>> crowds_edges(Parameter("dropout", "linear", 0.0, 0.5), [0.01, 0.02, 0.3, 0.0])
    (True, False)
    """
    from scipy.stats import binom

    share = OUTER
    if parameter.scale == "integer":
        share = max(OUTER, 1 / (parameter.high - parameter.low + 1))
    found = []
    for distance in ([parameter.to_unit(v) for v in values], [1 - parameter.to_unit(v) for v in values]):
        hits = sum(each <= share for each in distance)
        found.append(2 * hits >= len(values) and float(binom.sf(hits - 1, len(values), share)) < CHANCE)
    return found[0], found[1]


def _range(parameter: Parameter, start: float, end: float, limits: tuple[float, float]) -> tuple[float, float]:
    """Return the range from p = start to p = end, inside the limits and the old range's own ends."""
    lowest, highest = min(limits[0], parameter.low), max(limits[1], parameter.high)
    low = parameter.low if start == 0 else parameter.reached(start)
    high = parameter.high if end == 1 else parameter.reached(end)
    if parameter.scale == "one_minus_log":
        highest = min(highest, math.nextafter(1.0, 0.0))
    elif parameter.scale == "log":
        lowest = max(lowest, math.ulp(0.0))
    low, high = max(low, lowest), min(high, highest)
    if parameter.scale == "integer":
        low, high = max(math.ceil(low), lowest), min(math.floor(high), highest)
        if not low < high:  # one number alone: keep a neighbour
            low, high = (low - 1, low) if low > parameter.low else (low, low + 1)
    return low, high


def _in_words(old: Parameter, new: Parameter, crowded_low: bool, crowded_high: bool) -> str:
    before, after = _ranges(old, new)
    ends = ((old.low, crowded_low, new.low < old.low), (old.high, crowded_high, new.high > old.high))
    moved = " and ".join(f"{end:.3g}" for end, _, moves in ends if moves)
    stuck = " and ".join(f"{end:.3g}" for end, crowded, moves in ends if crowded and not moves)
    if moved:
        return f"{old.name}: the leading trials crowd {moved}, so {before} moves to {after}"
    narrows = f"{before} narrows to {after}" if before != after else ""
    if stuck:
        said = f"{old.name}: the leading trials crowd {stuck}, beyond which it does not go"
        return f"{said}; {narrows}" if narrows else said
    return f"{old.name}: {narrows}" if narrows else ""


def _ranges(old: Parameter, new: Parameter) -> tuple[str, str]:
    """Return both ranges with three digits, or with as many as it takes to tell them apart."""
    for digits in range(3, 17):
        before, after = (f"{each.low:.{digits}g} ... {each.high:.{digits}g}" for each in (old, new))
        if before != after:
            break
    return before, after


def _listed(values: Sequence[Value]) -> str:
    return ", ".join(map(str, values))
