"""What the two programs share: their arguments, the checks, the report and the plot. No TensorFlow here."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
Train = Callable[[Sequence[float], float, int], list[float]]


def build_parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return a parser of ``--coefficients``, ``--learning-rate``, ``--steps`` and ``--plot``."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument(
        "--coefficients",
        nargs=3,
        type=float,
        default=[1.0, -10.0, 25.0],
        metavar=("A", "B", "C"),
        help="the coefficients of the cost, fed at every step; A > 0 (default: 1 -10 25)",
    )
    parser.add_argument(
        "--learning-rate", type=float, default=0.01, help="α, above 0; from 1/A on it diverges (default: 0.01)"
    )
    parser.add_argument("--steps", type=int, default=1000, help="steps after the first one (default: 1000)")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="save the way of w down the cost to FILE (.png, .svg)"
    )
    return parser


def run(parser: argparse.ArgumentParser, train: Train, argv: Sequence[str] | None = None) -> int:
    """Check the arguments, train, print w on its way and draw the plot; return 0, or 2 for a mistake.

    Nobody has to read what is printed: to a closed pipe nothing more is said.
    """
    _show_what_can_be_shown()
    status = 0
    try:
        status = _run(parser, train, argv)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(nowhere, number)
    return status


def _show_what_can_be_shown() -> None:
    """Let a terminal show the characters that it lacks as numbers, and no file be taken for a closed output."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _run(parser: argparse.ArgumentParser, train: Train, argv: Sequence[str] | None) -> int:
    # A leading space keeps argparse from taking a number such as -1e3 for an option.
    arguments = sys.argv[1:] if argv is None else argv
    options = parser.parse_args(
        [f" {word}" if word.startswith("-") and _is_number(word) else word for word in arguments]
    )
    coefficients, learning_rate = options.coefficients, options.learning_rate
    mistake = find_mistake(coefficients, learning_rate, options.steps) or _plot_mistake(options.plot)
    if mistake:
        print(f"{parser.prog}: error: {mistake}", file=sys.stderr)
        return 2
    with quiet_start():
        import tensorflow  # noqa: F401
    trajectory = train(coefficients, learning_rate, 1 + options.steps)
    a, b, _ = coefficients
    best = -b / (2 * a) + 0.0  # + 0.0: never print -0
    print(f"before training        w = {shown(trajectory[0])}")
    print(f"after one step         w = {shown(trajectory[1])}")
    print(f"after {f'{options.steps} more':<17}w = {shown(trajectory[-1])}")
    print(f"exact minimizer        w = {best:.9g}   gap {abs(trajectory[-1] - best):.3g}")
    if options.plot:
        from legacy_tf1 import plot

        try:
            plot.save(coefficients, trajectory, options.plot)
        except OSError as error:
            print(f"{parser.prog}: error: --plot {options.plot}: {error}", file=sys.stderr)
            return 2
        print(f"plot                   {options.plot}")
    return 0


def find_mistake(coefficients: Sequence[float], learning_rate: float, steps: int) -> str | None:
    r"""Return what is wrong with the arguments, or None.

    The step is :math:`w \leftarrow w - \alpha (2 a w + b)`, so the distance to the minimum is multiplied by
    :math:`1 - 2 a \alpha` each time: it shrinks if and only if :math:`0 < \alpha < 1/a`.

    >>> find_mistake([1, -10, 25], learning_rate=0.01, steps=1000)
    >>> find_mistake([1, -10, 25], learning_rate=1.5, steps=1000)
    '--learning-rate 1.5 diverges: each step multiplies the distance to the minimum by -2; it must be below 1/A = 1.'
    """
    a, b, c = coefficients
    if not all(abs(value) <= LARGEST_FLOAT32 for value in (a, b, c)):
        return f"--coefficients must be finite float32 numbers, but {a:g} {b:g} {c:g} was given."
    if a <= 0:
        return f"the quadratic has no minimum: the first coefficient must be above 0, but {a:g} was given."
    if abs(b / a) > LARGEST_FLOAT32:
        return f"the minimum, at w = {-b / (2 * a):g}, is out of float32's range."
    if not 0 < learning_rate <= LARGEST_FLOAT32:
        return f"--learning-rate must be a finite number above 0, but {learning_rate:g} was given."
    if a * learning_rate >= 1:
        factor = 1 - 2 * a * learning_rate
        return (
            f"--learning-rate {learning_rate:g} diverges: each step multiplies the distance to the minimum by "
            f"{factor:g}; it must be below 1/A = {1 / a:g}."
        )
    if steps < 0:
        return f"--steps must be 0 or more, but {steps} was given."
    return None


def shown(w: float) -> str:
    """Return w as the one-element array the course prints, to 7 decimals: about what float32 holds.

    >>> shown(0.0), shown(0.099999994), shown(4.999988555908203)
    ('[0.]', '[0.1]', '[4.9999886]')
    """
    return np.array2string(np.array([w], dtype=np.float32), precision=7)


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep the notes on processor and devices that TensorFlow writes while it is loaded off the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.stderr is not None:
        sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _plot_mistake(file: Path | None) -> str | None:
    if file is None:
        return None
    if file.is_dir():
        return f"--plot {file}: that is a folder; name a file, such as {file / 'w.png'}."
    if not file.absolute().parent.is_dir():
        return f"--plot {file}: its folder does not exist; make it first, or name a file in one that does."
    from matplotlib.figure import Figure

    formats = Figure().canvas.get_supported_filetypes()
    if file.suffix[1:].lower() not in formats:
        return (
            f"--plot {file}: its suffix gives the picture's format, which must be one of {', '.join(sorted(formats))}."
        )
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
