"""A2: random, not grid. ``python scripts/slides/a2_grid_against_random.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure
from probing import final_losses

from tfcourse.equations import scales
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="A2",
    title="Random, not grid",
    claim="n² grid points try n values of each hyperparameter, n² random points n². So where one hardly matters "
    "(Adam's ε beside α), the best of random points is better.",
    criterion="On digits the best validation loss of 25 random points is below that of 5 × 5 grid points: the 95 % "
    "interval of the mean difference lies above 0. α explains over ten times the variance that ε does.",
    size=(9.0, 3.9),
)
NOTE = "Every repeat has new weights, and its grid a new random offset: where a fixed grid's lines fall is luck."


def points(side: int, rng: np.random.Generator) -> np.ndarray:
    """Return a grid of side × side points at a random offset, then as many random points: (2, side², 2) in [0, 1]."""
    lines = (np.arange(side)[:, None] + rng.random(2)) / side
    grid = np.stack(np.meshgrid(lines[:, 0], lines[:, 1]), axis=-1).reshape(-1, 2)
    return np.stack([grid, rng.random((side**2, 2))])


def losses(p: np.ndarray, epochs: int, *, jit_compile: bool) -> np.ndarray:
    """Train a network for each p (repeats, 2, n, 2); return the validation losses (repeats, 2, n)."""
    data, flat = digits(), p.reshape(-1, 2)
    rates = scales.log_from_unit(flat[:, 0], 1e-4, 1.0)
    epsilons = scales.log_from_unit(flat[:, 1], 1e-10, 1e-6)
    members = [
        (NetworkSpec(64, 10, (32,)), OptimizerSpec("adam", learning_rate=a, epsilon=e), i * len(p) // len(flat))
        for i, (a, e) in enumerate(zip(rates.tolist(), epsilons.tolist(), strict=True))
    ]
    return final_losses(members, data, epochs, jit_compile=jit_compile).reshape(p.shape[:3])


def measure(settings: Settings) -> Outcome:
    """Compare the best of a grid with the best of as many random points, many times."""
    rng = np.random.default_rng(settings.seed)
    repeats, epochs = settings.pick((60, 5), (3, 1))
    numbers, bests = [], {}
    for side in (3, 5):
        p = np.stack([points(side, rng) for _ in range(repeats)])
        loss = losses(p, epochs, jit_compile=not settings.quick)
        bests[side**2] = best = loss.min(axis=2)
        gain = best[:, 0] - best[:, 1]
        mean, half = float(gain.mean()), float(1.96 * gain.std(ddof=1) / np.sqrt(repeats))
        n, losses_of_both = side**2, f"{best[:, 0].mean():.4f}  {best[:, 1].mean():.4f}"
        numbers += [
            Number(f"best of {n}, grid and random, mean loss", losses_of_both),
            Number(f"best of {n}: gain of random, 95 %", f"{mean:.4f} ± {half:.4f}", "above 0" if n == 25 else ""),
            Number(f"best of {n}: random is better in", float(np.mean(gain > 0)), "", ".0%"),
        ]
    table = np.log(loss[:, 0].reshape(repeats, side, side))  # rows are ε, columns α
    of_alpha, of_epsilon = (float(table.mean(axis=axis).var(axis=1).mean()) for axis in (1, 2))
    numbers.append(Number("variance of log loss over α and ε", f"{of_alpha:.4f}  {of_epsilon:.4f}", "over 10 : 1"))

    def draw(figure: Figure) -> None:
        *planes, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.1])
        for axes, name, place, brightness in zip(planes, ("grid", "random"), p[0], -np.log(loss[0]), strict=True):
            alpha, epsilon = scales.log_from_unit(place[:, 0], 1e-4, 1), scales.log_from_unit(place[:, 1], 1e-10, 1e-6)
            axes.scatter(alpha, epsilon, c=brightness, cmap="viridis", s=30)
            axes.plot(alpha, np.full(len(alpha), 6e-11), "|", color=ORANGE if name == "grid" else BLUE, markersize=9)
            axes.set(xscale="log", yscale="log", xlabel="α (the brighter, the better)", ylabel="ε")
            axes.set_title(f"25 points: {len(np.unique(alpha))} values of α")
            axes.set(xlim=(7e-5, 1.4), ylim=(4e-11, 1.4e-6))
        for i, best in enumerate(bests.values()):
            for j, (name, colour) in enumerate((("grid", ORANGE), ("random", BLUE))):
                jitter = i + 0.4 * (j - 0.5) + np.linspace(-0.12, 0.12, repeats)
                right.plot(jitter, best[:, j], ".", color=colour, label=None if i else name, alpha=0.7)
                right.plot(i + 0.4 * (j - 0.5) + np.array([-0.15, 0.15]), [best[:, j].mean()] * 2, color=colour)
        right.set(xticks=[0, 1], xticklabels=[f"best of {n}" for n in bests], ylabel="validation loss", yscale="log")
        right.set_yticks([0.08, 0.1, 0.15, 0.2], ["0.08", "0.1", "0.15", "0.2"])
        right.minorticks_off()
        right.legend()

    return Outcome(numbers, mean - half > 0 and of_alpha > 10 * of_epsilon, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
