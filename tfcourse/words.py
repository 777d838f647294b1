"""How losses are written for people, on the terminal and in the report alike."""

from __future__ import annotations

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
