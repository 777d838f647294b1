"""Show where the time of a cohort's training loop goes, by leaving parts of a step out.

    python scripts/benchmarks/loop_profile.py --task digits
    python scripts/benchmarks/loop_profile.py --task fashion

Members have equal widths, so nothing is padding, and every core trains one cohort. What is left when dropout, batch
norm's statistics and the optimizer are all left out is little but the matrix products: the most that the products
alone reach of the machine's peak.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from engine_tasks import peak
from rich.console import Console
from rich.table import Table

# Features, rows, minibatch, members of a cohort, epochs timed.
TASKS = {"digits": (64, 1216, 64, 16, 10), "fashion": (784, 12800, 128, 4, 2)}


def loop_gflops(task: str, width: int) -> float:
    """Return the operations a second of the matrix products inside the loop, one cohort on each core, in GFLOP/s."""
    from tfcourse.cohort import program
    from tfcourse.cohort.dataset import Examples, order_of_epoch
    from tfcourse.cohort.fit import _cores
    from tfcourse.cohort.member import member_of_spec
    from tfcourse.cohort.plan import plan_cohorts
    from tfcourse.cohort.running import RunningCohort, layout_of
    from tfcourse.models.spec import NetworkSpec, OptimizerSpec

    features, rows, batch_size, places, epochs = TASKS[task]
    rng = np.random.default_rng(0)
    training = Examples(rng.random((rows, features), dtype=np.float32), rng.integers(0, 10, rows))
    network = NetworkSpec(features, 10, (width, width, width), dropout=0.3)
    members = {index: member_of_spec(network, OptimizerSpec("adam"), index) for index in range(places)}
    [plan] = plan_cohorts(list(members.values()), [batch_size] * places, most=places)
    layout = layout_of(plan, list(members.values()), training, None)
    tensors, order = training.tensors(members[0].input_layers), order_of_epoch(0, 0, rows, batch_size, True)
    program._programs.clear()  # a part may have been left out of what was compiled before
    cohorts = [
        RunningCohort(layout, dict(members), [member.start() for member in members.values()], 0, True)
        for _ in range(_cores())
    ]
    for cohort in cohorts:
        cohort.advance(tensors, None, order)
    best = math.inf
    for _ in range(5):
        threads = [
            threading.Thread(target=lambda c=cohort: [c.advance(tensors, None, order) for _ in range(epochs)])
            for cohort in cohorts
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = min(best, time.perf_counter() - began)
    return 2 * layout.multiplications * epochs * len(cohorts) / best / 1e9


def left_out() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return, by what is left out, what replaces parts of ``tfcourse.cohort.program`` and costs next to nothing."""

    def no_statistics(a: Any, weights: Any, numbers: Any, batch: Any) -> Any:
        kept = {name: weights[name] for name in ("moving_mean", "moving_variance")} if batch is not None else {}
        return a * weights["gamma"] + weights["beta"], kept

    def plain_step(state: Any, gradients: Any, coefficients: Any) -> Any:
        pairs = zip(state["weights"], gradients, strict=True)
        return [{n: w[n] - 1e-9 * g[n] for n in w} for w, g in pairs], state["first"], state["second"]

    parts: dict[str, dict[str, Callable[..., Any]]] = {
        "dropout": {"drop": lambda a, numbers, key: a},
        "batch norm's statistics": {"normalize": no_statistics},
        "the optimizer": {"_updated": plain_step},
    }
    return {"nothing": {}, **parts, "all three": {name: new for part in parts.values() for name, new in part.items()}}


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(TASKS), default="digits")
    parser.add_argument("--width", type=int, default=80, help="units of each hidden layer (default: %(default)s)")
    options = parser.parse_args(argv)
    top, rates = peak(), {}
    for name, replaced in left_out().items():
        with contextlib.ExitStack() as stack:
            for part, new in replaced.items():
                stack.enter_context(mock.patch(f"tfcourse.cohort.program.{part}", new))
            rates[name] = loop_gflops(options.task, options.width)
        top = max(top, peak())
    table = Table("left out", "GFLOP/s", "of the peak", title=f"{options.task}, three layers of {options.width}")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.0f}", f"{rate / top:.0%}")
    table.caption = f"peak of 2048 x 2048 products: {top:.0f} GFLOP/s"
    Console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
