"""Run both programs of one framework in this process: ``python measure_one.py in_torch TASK.npz RESULT.npz``."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3]))  # the package, where it is not installed


def lines_of(function: Callable[..., Any]) -> int:
    """Return how many lines of code a function has, its head, docstring and blank lines apart."""
    tree = ast.parse(inspect.getsource(function)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    body = tree.body[1:]
    source = inspect.getsource(function).splitlines()[body[0].lineno - 1 :]
    return sum(bool(line.strip()) for line in source)


def main() -> None:
    """Write w, the final weights, the milliseconds a step and the lines of code to the result's file."""
    program = importlib.import_module(sys.argv[1])
    task = np.load(sys.argv[2])
    initial = [task[f"w{i}"] for i in range(5)]
    begun: list[float] = []

    def minibatches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for rows in task["rows"]:
            begun.append(time.perf_counter())
            yield task["x"][rows], task["y"][rows]

    w = program.minimize(int(task["steps"]))
    final = program.train(initial, minibatches(), float(task["rate"]), float(task["epsilon"]))
    half = len(begun) // 2  # the first half holds the compilation
    milliseconds = 1e3 * (time.perf_counter() - begun[half]) / (len(begun) - half)
    weights = {f"w{i}": value for i, value in enumerate(final)}
    lines = [lines_of(program.minimize), lines_of(program.train)]
    np.savez(sys.argv[3], minimum=w, milliseconds=milliseconds, lines=lines, **weights)


if __name__ == "__main__":
    main()
