"""How many examples a test draws: as it says, a quarter of them with ``--quick``, ten times as many with ``--deep``."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100
"""What hypothesis draws where a test does not say; the profiles of tests/conftest.py have more or fewer."""


def scaled(count: int) -> int:
    """Return how many examples stand for ``count`` in the profile that is loaded."""
    return max(1, count * settings.default.max_examples // USUAL)
