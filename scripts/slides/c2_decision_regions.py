"""C2: what softmax regression can separate. ``python scripts/slides/c2_decision_regions.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import Number, Outcome, Settings, Slide
from material import digits
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="C2",
    title="Softmax regression",
    claim="Without hidden layers the boundary between any two classes is a line; deeper networks draw curved ones.",
    criterion="For C = 3, 4, 5, 6: the middle of two points of one region never leaves it without hidden layers (lines "
    "cut the plane into convex regions), and does with hidden layers, which fit the training set at least as "
    "well.",
    size=(9.0, 4.9),
)
NOTE = "The first C digits in their first two principal components; not all can be told apart there."
COLOURS = ("#3b7dd8", "#e07b2c", "#2f9e6e", "#d1495b", "#8a63d2", "#c9a227")


def plane(x: np.ndarray) -> np.ndarray:
    """Return x (m, n) in its first two principal components, each of variance 1: shape (m, 2)."""
    centred = x - x.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    return (scores / scores.std(axis=0)).astype("float32")


def share_left(model: keras.Model, points: np.ndarray) -> float:
    """Return the share of pairs of points of one region whose middle lies in another region."""
    labels = model(points).numpy().argmax(axis=1)
    first, second = points[::2], points[1::2]
    alike = labels[::2] == labels[1::2]
    middles = model((first + second)[alike] / 2).numpy().argmax(axis=1)
    return float(np.mean(middles != labels[::2][alike]))


def measure(settings: Settings) -> Outcome:
    """Train on the first C digits in the plane, with and without hidden layers; test the regions for convexity."""
    data = digits()
    classes = settings.pick((3, 4, 5, 6), (3, 4))
    epochs, pairs = settings.pick((40, 40_000), (2, 2_000))
    points = np.random.default_rng(settings.seed).uniform(-2.6, 2.6, (2 * pairs, 2)).astype("float32")
    numbers, panels, holds = [], [], True
    for C in classes:
        x, y = plane(data.x[data.y < C]), data.y[data.y < C]
        fits, left = [], []
        for units in ((), (32, 32)):
            model = build_mlp(NetworkSpec(2, C, units), OptimizerSpec("adam", learning_rate=0.02), seed=settings.seed)
            keras.utils.set_random_seed(settings.seed)
            model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
            fits.append(float(np.mean(model(x, training=False).numpy().argmax(axis=1) == y)))
            left.append(share_left(model, points))
            panels.append((C, units, model, x, y))
        holds = holds and left[0] == 0.0 and left[1] > 0.0 and fits[1] >= fits[0]
        numbers += [
            Number(
                f"C = {C}: middles outside, without and with hidden layers",
                f"{left[0]:.2%}  {left[1]:.2%}",
                "0, above 0",
            ),
            Number(f"C = {C}: training accuracy, without and with", f"{fits[0]:.1%}  {fits[1]:.1%}"),
        ]

    def draw(figure: Figure) -> None:
        axis = np.linspace(-2.6, 2.6, 250, dtype="float32")
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        all_axes = figure.subplots(2, len(classes), sharex=True, sharey=True).T.ravel()
        for axes, (C, units, model, x, y) in zip(all_axes, panels, strict=True):
            regions = model(grid).numpy().argmax(axis=1).reshape(250, 250)
            colours = ListedColormap(COLOURS[:C])
            axes.pcolormesh(
                axis, axis, regions, cmap=colours, vmin=-0.5, vmax=C - 0.5, alpha=0.35, rasterized=True, linewidth=0
            )
            axes.scatter(*x.T, c=y, cmap=colours, vmin=-0.5, vmax=C - 0.5, s=4)
            axes.set(title=f"C = {C}, {'two hidden layers' if units else 'no hidden layer'}")
            axes.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xticks=[], yticks=[], aspect="equal")
            axes.grid(False)

    return Outcome(numbers, holds, draw, NOTE)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
