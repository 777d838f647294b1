"""Show where the time of a cohort's training loop goes, by leaving parts of a step out.

    python scripts/benchmarks/loop_profile.py --task digits
    python scripts/benchmarks/loop_profile.py --task fashion
    python scripts/benchmarks/loop_profile.py --task digits --operations

Members have equal widths, so nothing is padding, and every core trains one cohort. What is left when dropout, batch
norm's statistics and the optimizer are all left out is little but the matrix products: the most that the products
alone reach of the machine's peak.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import re
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from engine_tasks import Stopwatch, peak
from rich.console import Console
from rich.table import Table

# Features, rows, minibatch, members of a cohort, epochs timed.
TASKS = {"digits": (64, 1216, 64, 16, 10), "fashion": (784, 12800, 128, 4, 2)}


class Loop:
    """The compiled training loop of cohorts of equal members, one cohort on each core."""

    def __init__(self, task: str, width: int) -> None:
        from tfcourse.cohort import program
        from tfcourse.cohort.dataset import Examples, order_of_epoch
        from tfcourse.cohort.fit import _cores
        from tfcourse.cohort.member import member_of_spec
        from tfcourse.cohort.plan import plan_cohorts
        from tfcourse.cohort.running import RunningCohort, layout_of
        from tfcourse.models.spec import NetworkSpec, OptimizerSpec

        features, rows, batch_size, places, self.epochs = TASKS[task]
        rng = np.random.default_rng(0)
        training = Examples(rng.random((rows, features), dtype=np.float32), rng.integers(0, 10, rows))
        network = NetworkSpec(features, 10, (width, width, width), dropout=0.3)
        members = {index: member_of_spec(network, OptimizerSpec("adam"), index) for index in range(places)}
        [plan] = plan_cohorts(list(members.values()), [batch_size] * places, most=places)
        self.layout = layout_of(plan, list(members.values()), training, None)
        self._tensors = training.tensors(members[0].input_layers)
        self._order = order_of_epoch(0, 0, rows, batch_size, True)
        program._programs.clear()  # a part may have been left out of what was compiled before
        self.cohorts = [
            RunningCohort(self.layout, dict(members), [member.start() for member in members.values()], 0, True)
            for _ in range(_cores())
        ]
        for cohort in self.cohorts:
            self.train(cohort, 1)

    def train(self, cohort: Any, epochs: int) -> None:
        """Train ``epochs`` epochs of a cohort."""
        for _ in range(epochs):
            cohort.advance(self._tensors, None, self._order)

    def rates(self) -> dict[str, float]:
        """Return the operations a second of the products, in GFLOP/s by the time that passes and by that worked."""
        best = {"seconds": math.inf, "processor_seconds": math.inf}
        for _ in range(5):
            threads = [threading.Thread(target=self.train, args=(each, self.epochs)) for each in self.cohorts]
            watch = Stopwatch()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            best = {name: min(best[name], seconds) for name, seconds in watch.read().items()}
        done = 2 * self.layout.multiplications * self.epochs * len(self.cohorts) / 1e9
        return {"gflops": done / best["seconds"], "gflops_of_a_core": done / best["processor_seconds"]}

    def operations(self) -> dict[str, float]:
        """Return the microseconds of a step that each kind of operation of the program takes, by XLA's name for it.

        TensorFlow's profiler times each operation of each step; the lower quartile is what it takes undisturbed.
        """
        import tensorflow as tf
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3, python_tracer_level=0)
        with tempfile.TemporaryDirectory() as folder:
            with tf.profiler.experimental.Profile(folder, options):
                self.train(self.cohorts[0], 8)
            [path] = Path(folder).rglob("*.xplane.pb")
            space = xplane_pb2.XSpace.FromString(path.read_bytes())
        times: dict[str, list[float]] = defaultdict(list)
        for plane in space.planes:
            for event in (event for line in plane.lines for event in line.events):
                times[plane.event_metadata[event.metadata_id].name].append(event.duration_ps / 1e6)
        kinds: dict[str, float] = defaultdict(float)
        for name, each in times.items():
            if len(each) >= 4 * self.layout.steps and "::" not in name and "Execut" not in name:
                kinds[re.sub(r"(_\d+)*(\.\d+)*$", "", name)] += sorted(each)[len(each) // 4]
        return dict(sorted(kinds.items(), key=lambda item: -item[1]))


def left_out() -> dict[str, dict[str, Callable[..., Any]]]:
    """Return, by what is left out, what replaces parts of ``tfcourse.cohort.program`` and costs next to nothing."""

    def no_statistics(a: Any, weights: Any, numbers: Any, batch: Any) -> Any:
        kept = {name: weights[name] for name in ("moving_mean", "moving_variance")} if batch is not None else {}
        return a * weights["gamma"] + weights["beta"], kept

    def plain_step(program: Any, state: Any, gradients: Any, coefficients: Any, depth: Any) -> Any:
        weights = {name: weight - 1e-9 * gradients[name] for name, weight in state["weights"].items()}
        return weights, state["first"], state["second"]

    parts: dict[str, dict[str, Callable[..., Any]]] = {
        "dropout": {"drop": lambda a, numbers, key: a},
        "batch norm's statistics": {"normalize": no_statistics},
        "the optimizer": {"Program._updated": plain_step},
    }
    return {"nothing": {}, **parts, "all three": {name: new for part in parts.values() for name, new in part.items()}}


def print_operations(task: str, width: int) -> None:
    """Print what each kind of operation takes of a step, on one thread, so that nothing else is counted."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    loop = Loop(task, width)
    kinds = loop.operations()
    whole = sum(kinds.values())
    table = Table("operation", "us a step", "of the step", title=f"{task}, three layers of {width}, one thread")
    for name, microseconds in kinds.items():
        if microseconds >= 0.01 * whole:
            table.add_row(name, f"{microseconds:.0f}", f"{microseconds / whole:.0%}")
    operations = 2 * loop.layout.multiplications / loop.layout.steps / 1e3
    products = sum(microseconds for name, microseconds in kinds.items() if name.startswith("MatMul"))
    table.caption = (
        f"a step: {whole:.0f} us, {operations / whole:.0f} GFLOP/s; in the products {operations / products:.0f}; "
        f"peak of a core {peak()['gflops_of_a_core']:.0f}"
    )
    Console().print(table)


def main(argv: list[str] | None = None) -> int:
    """Measure and print a table."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(TASKS), default="digits")
    parser.add_argument("--width", type=int, default=80, help="units of each hidden layer (default: %(default)s)")
    parser.add_argument("--operations", action="store_true", help="time the operations of the compiled program instead")
    options = parser.parse_args(argv)
    if options.operations:
        print_operations(options.task, options.width)
        return 0
    top, rates = peak(), {}
    for name, replaced in left_out().items():
        with contextlib.ExitStack() as stack:
            for part, new in replaced.items():
                stack.enter_context(mock.patch(f"tfcourse.cohort.program.{part}", new))
            rates[name] = Loop(options.task, options.width).rates()
        top = {key: max(most, now) for (key, most), now in zip(top.items(), peak().values(), strict=True)}
    title = f"{options.task}, three layers of {options.width}"
    table = Table("left out", "GFLOP/s", "of the peak", "of the peak by processor time", title=title)
    for name, rate in rates.items():
        shares = [f"{rate[key] / top[key]:.0%}" for key in rate]
        table.add_row(name, f"{rate['gflops']:.0f}", *shares)
    table.caption = f"peak of 2048 x 2048 products: {top['gflops']:.0f} GFLOP/s"
    Console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
