"""B1: normalizing the inputs. ``python scripts/slides/b1_input_normalization.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import wine
from matplotlib.figure import Figure

from tfcourse.equations import input_normalization, softmax

SLIDE = Slide(
    row="B1",
    title="Normalize the inputs",
    claim="With x ← (x − μ) / σ gradient descent reaches the same cost in fewer epochs; the test set is normalized "
    "with the training set's μ and σ.",
    criterion="Each side at its best of the same 25 learning rates: normalized inputs reach cost 0.1 in at most half "
    "the epochs.",
)
RATES = np.geomspace(1e-8, 1e4, 25)
TARGET = 0.1


def descend(x: np.ndarray, y: np.ndarray, rate: float, epochs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run full-batch gradient descent of softmax regression on x (n, m), y (C, m); return the costs, W and b."""
    m = x.shape[1]
    W, b = np.zeros((len(y), len(x))), np.zeros((len(y), 1))
    costs = np.full(epochs + 1, np.inf)
    for epoch in range(epochs + 1):
        z = W @ x + b
        costs[epoch] = softmax.cost(z, y)
        if costs[epoch] <= TARGET / 10 or costs[epoch] > 1e3:
            break
        dz = softmax.gradient(z, y)
        W -= rate * dz @ x.T / m
        b -= rate * dz.mean(axis=1, keepdims=True)
    return costs, W, b


def measure(settings: Settings) -> Outcome:
    """Count the epochs to the target cost with and without normalization, over all learning rates."""
    data = wine()
    epochs = settings.pick(6_000, 300)
    y = softmax.one_hot(data.y, 3)
    raw, raw_test = data.x.T.astype(float), data.x_test.T.astype(float)
    mu, variance = input_normalization.statistics(raw)
    sides = {
        "as measured": (raw, raw_test),
        "normalized": tuple(input_normalization.normalize(x, mu, variance) for x in (raw, raw_test)),
    }
    best, needed, accuracy = {}, {}, {}
    for name, (x, x_test) in sides.items():
        runs = [descend(x, y, rate, epochs) for rate in RATES]
        reached = [int(np.argmax(costs <= TARGET)) if (costs <= TARGET).any() else epochs + 1 for costs, _, _ in runs]
        first = int(np.argmin(reached)) if min(reached) <= epochs else int(np.argmin([run[0][-1] for run in runs]))
        best[name], needed[name] = (float(RATES[first]), runs[first][0]), reached[first]
        _, W, b = runs[first]
        accuracy[name] = float(np.mean((W @ x_test + b).argmax(axis=0) == data.y_test))
    beyond = {name: f"more than {epochs}" if n > epochs else f"{n}" for name, n in needed.items()}
    numbers = [
        Number(
            "ranges of the 13 features, smallest and largest",
            f"{np.ptp(raw, axis=1).min():.2g} and {np.ptp(raw, axis=1).max():.4g}",
        ),
        *[Number(f"{name}: epochs to cost {TARGET}", beyond[name], f"best α {best[name][0]:.0e}") for name in sides],
        *[Number(f"{name}: test accuracy", accuracy[name], "", ".1%") for name in sides],
    ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, (rate, costs)), colour in zip(best.items(), (ORANGE, BLUE), strict=True):
            seen = costs[np.isfinite(costs)]
            axes.plot(np.arange(1, len(seen) + 1), seen, color=colour, label=f"{name}, its best α = {rate:.0e}")
        axes.axhline(TARGET, linestyle="--", color="0.5", linewidth=1.2, label=f"cost {TARGET}")
        axes.set(xscale="log", yscale="log", xlabel="epoch", ylabel="cost J on the training set")
        axes.set_title("Softmax regression on the wines by gradient descent")
        axes.legend()

    return Outcome(numbers, 2 * needed["normalized"] <= needed["as measured"], draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
