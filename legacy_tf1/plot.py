"""The picture of ``--plot``: the way of w down the cost, and w at each step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure


def save(coefficients: Sequence[float], trajectory: Sequence[float], file: Path) -> None:
    """Save the picture; the suffix of ``file`` gives the format.

    Raises:
        OSError: if ``file`` cannot be written.
    """
    a, b, c = coefficients
    w = np.asarray(trajectory, dtype=np.float64)
    best = -b / (2 * a)
    span = max(float(np.abs(w - best).max()), 1e-6) * 1.15
    grid = np.linspace(best - span, best + span, 400)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    down, along = figure.subplots(1, 2)
    down.plot(grid, (a * grid + b) * grid + c, color="0.6", label=f"J(w) = {a:g}w² {b:+g}w {c:+g}")
    down.plot(w, (a * w + b) * w + c, "o", color="tab:blue", markersize=3, label="gradient descent")
    down.plot(
        [best], [(a * best + b) * best + c], "*", color="tab:orange", markersize=12, label=f"minimum, w = {best:g}"
    )
    down.set(xlabel="w", ylabel="cost J(w)")
    down.legend()
    along.axhline(best, color="tab:orange", linewidth=1)
    along.plot(w, color="tab:blue")
    along.set(xlabel="step", ylabel="w")
    figure.savefig(file, dpi=150)
