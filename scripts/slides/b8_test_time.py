"""B8: batch norm at test time. ``python scripts/slides/b8_test_time.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide, plot_agreement
from material import digits
from matplotlib.figure import Figure
from probing import by_own_statistics

from tfcourse.equations import softmax
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="B8",
    title="Batch norm at test time",
    claim="At test time μ and σ² are exponentially weighted averages over the training minibatches: they stand for "
    "the whole set, and an example is predicted alike alone or among others.",
    criterion="Probabilities of one example alone and in the whole set differ by at most 1e-5; averages and whole-set "
    "statistics differ by less than 0.1 σ in the mean and 10 % in σ (medians over units), and give the same "
    "label to 99 % of the test set.",
)


def whole_set(model: keras.Model, x: np.ndarray) -> keras.Model:
    """Return a copy of ``model`` whose batch norms hold the statistics of all of x, layer after layer."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            z = keras.Model(copy.input, layer.input)(x, training=False).numpy()
            layer.moving_mean.assign(z.mean(axis=0))
            layer.moving_variance.assign(z.var(axis=0))
    return copy


def measure(settings: Settings) -> Outcome:
    """Train on digits; compare stored and whole-set statistics, and one example with many."""
    data = digits()
    epochs, units = settings.pick((20, (64, 64)), (2, (8, 8)))
    keras.utils.set_random_seed(settings.seed)
    model = build_mlp(NetworkSpec(64, 10, units), OptimizerSpec("adam", learning_rate=0.003), seed=settings.seed)
    model.fit(data.x, data.y, batch_size=64, epochs=epochs, verbose=0)
    exact = whole_set(model, data.x)

    together = model(data.x_test, training=False).numpy()
    alone = np.concatenate([model(x[None], training=False).numpy() for x in data.x_test[:100]])
    apart = float(np.abs(softmax.softmax(alone.T) - softmax.softmax(together[:100].T)).max())
    labels = together.argmax(axis=1)
    same = float(np.mean(exact(data.x_test, training=False).numpy().argmax(axis=1) == labels))
    accuracy = float(np.mean(labels == data.y_test))

    pairs = [
        (
            stored.moving_mean.numpy(),
            whole.moving_mean.numpy(),
            stored.moving_variance.numpy(),
            whole.moving_variance.numpy(),
        )
        for stored, whole in zip(model.layers, exact.layers, strict=True)
        if isinstance(stored, keras.layers.BatchNormalization)
    ]
    mean, whole_mean, variance, whole_variance = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    of_mean = float(np.median(np.abs(mean - whole_mean) / np.sqrt(whole_variance)))
    of_deviation = float(np.median(np.abs(np.sqrt(variance / whole_variance) - 1)))
    by_itself = np.concatenate([by_own_statistics(model, x[None]) for x in data.x_test[:100]])
    accuracy_by_itself = float(np.mean(by_itself.argmax(axis=1) == data.y_test[:100]))
    numbers = [
        Number("probabilities: alone against among 597, largest difference", apart, "≤ 1e-5", ".1e"),
        Number("μ: averages against the whole set, in σ", of_mean, "< 0.1", ".3f"),
        Number("σ: averages against the whole set", of_deviation, "< 10 %", ".1%"),
        Number("test examples with the same label by both", same, "≥ 99 %", ".1%"),
        Number("test accuracy by the averages", accuracy, "", ".1%"),
        Number("test accuracy by the μ and σ² of one example", accuracy_by_itself, "useless: z − μ = 0", ".1%"),
    ]
    holds = apart <= 1e-5 and of_mean < 0.1 and of_deviation < 0.1 and same >= 0.99

    def draw(figure: Figure) -> None:
        panels = (("μ", whole_mean, mean, BLUE), ("σ", np.sqrt(whole_variance), np.sqrt(variance), ORANGE))
        for axes, (name, x, y, colour) in zip(figure.subplots(1, 2), panels, strict=True):
            plot_agreement(axes, x, y, colour, title=f"{name} of each hidden unit")
            axes.set(xlabel="over the whole training set", ylabel="average stored in training")

    return Outcome(numbers, holds, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
