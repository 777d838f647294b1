"""B6: why batch norm works. ``python scripts/slides/b6_covariate_shift.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import coloured, digits
from matplotlib.figure import Figure
from probing import by_own_statistics, moved

from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="B6",
    title="Why it works: covariate shift",
    claim="Batch norm keeps mean and variance of a layer's input fixed, while the weights before it change and when "
    "the images change (black cats, then coloured cats), so the layer need not relearn.",
    criterion="Mean and deviation of the third hidden layer's input move at most half as much with batch norm, over "
    "training and from white-on-black to grey-on-grey digits; and accuracy on the latter, by their own "
    "minibatch's μ and σ², is higher by more than two standard errors.",
    size=(9.0, 3.9),
)
NOTE = (
    "The averages stored in training are the old images': with them batch norm does not help on the new kind of image."
)


def measure(settings: Settings) -> Outcome:
    """Train with and without batch norm; follow layer 3's input; then show the other kind of image."""
    data = digits()
    epochs, seeds, units = settings.pick((12, 4, (64, 64, 64)), (1, 2, (8, 8, 8)))
    new_kind = coloured(data.x_test, np.random.default_rng(settings.seed))
    spread: dict[str, list[list[float]]] = {}
    result: dict[str, np.ndarray] = {}
    for name, batch_norm in (("with batch norm", True), ("without", False)):
        runs = []
        for seed in range(settings.seed, settings.seed + seeds):
            network = NetworkSpec(64, 10, units, batch_norm=batch_norm)
            model = build_mlp(network, OptimizerSpec("sgd", learning_rate=0.05, momentum=0.9), seed=seed)
            keras.utils.set_random_seed(seed)  # the shuffling of the minibatches
            inner = keras.Model(model.input, model.get_layer("dense_3").input)
            inputs = [by_own_statistics(inner, data.x)]
            for _ in range(epochs):
                model.fit(data.x, data.y, batch_size=64, verbose=0)
                inputs.append(by_own_statistics(inner, data.x))
            shift = moved(by_own_statistics(inner, new_kind), by_own_statistics(inner, data.x_test))
            stored = [model(x, training=False).numpy() for x in (data.x_test, new_kind)]
            logits = [*stored, by_own_statistics(model, new_kind)]
            accuracy = [np.mean(z.argmax(axis=1) == data.y_test) for z in logits]
            runs.append([moved(inputs[-1], inputs[0]), shift, *accuracy])
        result[name] = np.array(runs)
        spread[name] = [[float(a.mean()), float(a.std(axis=0).mean())] for a in inputs]
    means = {name: runs.mean(axis=0) for name, runs in result.items()}
    bn, plain = means.values()
    error = float(np.sqrt(sum(runs[:, 4].var(ddof=1) / seeds for runs in result.values())))
    what = ("layer 3's input moved in training, in σ", "layer 3's input moved by the new images, in σ")
    numbers = [Number(f"{w}: {n}", means[n][i], "", ".2f") for i, w in enumerate(what) for n in means]
    kinds = ("same images", "new images, stored averages", "new images, their own μ and σ²")
    numbers += [Number(f"accuracy on {k}: {n}", means[n][i + 2], "", ".1%") for i, k in enumerate(kinds) for n in means]
    gain = float(bn[4] - plain[4])
    numbers.append(Number("gain on the new images, and its standard error", f"{gain:.1%} ± {error:.1%}"))
    holds = bn[0] <= plain[0] / 2 and bn[1] <= plain[1] / 2 and gain > 2 * error

    def draw(figure: Figure) -> None:
        grid = figure.add_gridspec(2, 3, width_ratios=[0.55, 1.3, 1.4])
        for row, (title, x) in enumerate((("train", data.x_test), ("new kind", new_kind))):
            axes = figure.add_subplot(grid[row, 0])
            axes.imshow(np.hstack([*x[:2].reshape(2, 8, 8)]), cmap="gray", vmin=0, vmax=1)
            axes.set(title=title, xticks=[], yticks=[])
            axes.grid(False)
        middle, right = figure.add_subplot(grid[:, 1]), figure.add_subplot(grid[:, 2])
        for i, (name, colour) in enumerate(zip(means, (BLUE, ORANGE), strict=True)):
            lines = np.array(spread[name])
            middle.plot(lines[:, 0], color=colour, label=f"mean, {name}")
            middle.plot(lines[:, 1], "--", color=colour, label=f"deviation, {name}")
            bars = right.bar(np.arange(3) + 0.4 * (i - 0.5), means[name][2:], 0.38, color=colour, label=name)
            right.bar_label(bars, [f"{v:.0%}" for v in means[name][2:]], padding=1)
        middle.set(xlabel="epoch", title="input of hidden layer 3")
        middle.legend()
        ticks = ["same\nimages", "new images,\nstored averages", "new images,\nown μ and σ²"]
        right.set(title="accuracy", xticks=range(3), xticklabels=ticks, ylim=(0, 1.25), yticks=[0, 0.5, 1])
        right.legend(ncols=2, loc="upper center")

    return Outcome(numbers, bool(holds), draw, NOTE if bn[3] <= plain[3] else "")


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
