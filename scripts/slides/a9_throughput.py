"""A9: many models in parallel. ``python scripts/slides/a9_throughput.py``"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure

from tfcourse.cohort.fit import fit_together
from tfcourse.data.minibatches import minibatch_order
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="A9",
    title="Caviar: many models in parallel",
    claim="Train many models side by side and take the best: as one program they take far less time than one after "
    "the other.",
    criterion="64 networks trained together take less than a tenth of Model.fit's time each, compile time counted on "
    "both sides; one network trained both ways ends within 1e-3 of its largest weight.",
)
SIZES = (1, 8, 64)  # each a program of its own, so that each is compiled


def members(count: int, units: int, rng: np.random.Generator) -> list[tuple[NetworkSpec, OptimizerSpec]]:
    """Return networks of three hidden layers with learning rates drawn on the log scale."""
    rates = 10 ** rng.uniform(-3.5, -2.0, count)
    return [(NetworkSpec(64, 10, (units,) * 3), OptimizerSpec("adam", learning_rate=float(rate))) for rate in rates]


def measure(settings: Settings) -> Outcome:
    """Time one Model.fit, then cohorts of growing size; compare the weights of one network trained both ways."""
    data, rng = digits(), np.random.default_rng(settings.seed)
    epochs, units, sizes = settings.pick((20, 75, SIZES), (1, 8, (2,)))
    valid = (data.x_test, data.y_test)
    spec, optimizer = members(1, units, rng)[0]

    start = time.perf_counter()
    model = build_mlp(spec, optimizer, seed=settings.seed)
    model.fit(data.x, data.y, validation_data=valid, batch_size=64, epochs=epochs, verbose=0)
    one_by_one = time.perf_counter() - start

    model = build_mlp(spec, optimizer, seed=settings.seed)
    for epoch in range(2):
        order = minibatch_order(settings.seed, epoch, len(data.x))
        model.fit(data.x[order], data.y[order], batch_size=64, shuffle=False, verbose=0)
    fit: dict[str, Any] = {"batch_size": 64, "jit_compile": not settings.quick}
    history = fit_together([(spec, optimizer)], data.x, data.y, epochs=2, seed=settings.seed, **fit)[0]
    largest = max(float(np.abs(w).max()) for w in model.get_weights())
    pairs = zip(model.get_weights(), history.weights, strict=True)
    apart = max(float(np.abs(a - b).max()) for a, b in pairs) / largest

    seconds = []
    for size in sizes:
        together = members(size, units, rng)
        start = time.perf_counter()
        fit_together(together, data.x, data.y, validation_data=valid, epochs=epochs, **fit)
        seconds.append((time.perf_counter() - start) / size)
    numbers = [Number("Model.fit, one after the other: s a network", one_by_one, "", ".2f")]
    numbers += [
        Number(f"{size} together: s a network; times as fast", f"{s:.3f}  {one_by_one / s:.0f} ×")
        for size, s in zip(sizes, seconds, strict=True)
    ]
    numbers.append(Number("same network both ways: largest difference", apart, "≤ 1e-3 of the largest weight", ".1e"))
    at_most = seconds[-1]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(one_by_one, color=ORANGE, label="Model.fit, one after the other")
        axes.plot(sizes, seconds, "o-", color=BLUE, label="trained together, compile time included")
        for size, s in zip(sizes, seconds, strict=True):
            axes.annotate(f"{one_by_one / s:.0f} ×", (size, s), xytext=(0, 8), textcoords="offset points", ha="center")
        axes.set(xscale="log", yscale="log", xlabel="networks trained together", ylabel="seconds a network")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_title(f"Digits, three hidden layers of {units}, {epochs} epochs")
        axes.legend()

    return Outcome(numbers, at_most < one_by_one / 10 and apart <= 1e-3, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
