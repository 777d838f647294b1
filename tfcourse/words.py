"""How losses and lists are written for people, on the terminal and in the report alike."""

from __future__ import annotations

from collections.abc import Sequence

ROUNDING = 1e-12
"""A smaller difference of two losses is no difference: it comes from rounding."""


def loss_said(loss: float) -> str:
    """Return a loss, or a difference of two, with four places; with three digits where it is tiny or huge.

    >>> loss_said(0.030688), loss_said(0.0000231), loss_said(844041.035), loss_said(0.0)
    ('0.0307', '2.31e-05', '8.44e+05', '0')
    """
    if abs(loss) < ROUNDING:
        return "0"
    return f"{loss:.4f}" if 0.001 <= abs(loss) < 1000 else f"{loss:.3g}"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in words; :func:`first_of` names the first few.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def first_of(things: Sequence[object], most: int) -> str:
    """Return at most so many things as a list, and how many more there are.

    >>> first_of([3, 4, 9, 11], 3), first_of(["a"], 3)
    ('3, 4, 9 and 1 more', 'a')
    """
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(map(str, things[:most])) + more
