"""D1: choosing a framework. ``python scripts/slides/d1_frameworks.py``"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from frame import BLUE, GREEN, Number, Outcome, Settings, Slide
from frameworks.facts import FACTS
from frameworks.task import RUNS, by_numpy, run
from material import digits
from matplotlib.figure import Figure

from tfcourse.equations import batch_norm

SLIDE = Slide(
    row="D1",
    title="Choosing a framework",
    claim="Choose by ease of programming, running speed and openness that lasts. Several do: the same small "
    "programs run in each that lives, and the package's builders on every Keras backend.",
    criterion="Every living framework installed here brings (w − 5)² to within 1e-3 of w = 5 and ends a batch-norm "
    "softmax training on digits with all weights within 1e-3 of a NumPy loop's in float64.",
)


def measure(settings: Settings) -> Outcome:
    """Give every installed framework the same task; compare the weights, the time and the length of its program."""
    data, rng = digits(), np.random.default_rng(settings.seed)
    steps, units, rate = settings.pick((500, 64, 0.1), (500, 8, 0.1))
    rows = np.array([rng.choice(1200, 64, replace=False) for _ in range(settings.pick(200, 20))])
    shapes = ((64, units), (units,), (units,), (units, 10), (10,))
    values = (rng.normal(0, 0.1, shape) for shape in shapes)
    initial = [(1 + v if i == 1 else v).astype("float32") for i, v in enumerate(values)]
    expected = by_numpy(initial, data.x, data.y, rows, rate)
    task = {"x": data.x, "y": data.y, "rows": rows, "rate": rate, "steps": steps, "epsilon": batch_norm.EPSILON}
    with tempfile.TemporaryDirectory() as name:
        arrays: dict[str, Any] = {**task, **{f"w{i}": value for i, value in enumerate(initial)}}
        np.savez(Path(name) / "task.npz", **arrays)
        results = {framework: run(framework, Path(name)) for framework in RUNS}
    numbers, holds = [], True
    for framework, result in results.items():
        if isinstance(result, str):
            numbers.append(Number(framework, result))
            holds = holds and result == "not installed here"
            continue
        apart = max(float(np.abs(result[f"w{i}"] - value).max()) for i, value in enumerate(expected))
        holds = holds and abs(float(result["minimum"]) - 5) <= 1e-3 and apart <= 1e-3
        shown = f"w = {result['minimum']:.5f}  {result['milliseconds']:.2f} ms a step  differs by {apart:.0e}"
        numbers.append(Number(framework, shown, f"{result['lines'][0]} + {result['lines'][1]} lines"))
    for f in FACTS:
        followed = f"followed by {f.followed_by}; " if f.followed_by else ""
        numbers.append(Number(f.name, f.state, f"{followed}{f.licence}; {f.governed_by}"))
    ran = {framework: result for framework, result in results.items() if not isinstance(result, str)}

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        milliseconds = [float(result["milliseconds"]) for result in ran.values()]
        bars = left.barh(list(ran), milliseconds, color=BLUE)
        left.bar_label(bars, fmt="%.3g", padding=3)
        left.set(title="milliseconds a step, once compiled", xscale="log", xlim=(0.1, 5 * max(milliseconds)))
        left.invert_yaxis()
        bars = right.barh(list(ran), [int(result["lines"].sum()) for result in ran.values()], color=GREEN)
        right.bar_label(bars, padding=3)
        right.set(title="lines of code, both programs")
        right.margins(x=0.1)

    return Outcome(numbers, holds and bool(ran), draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
