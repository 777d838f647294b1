"""What every script here shares: arguments, the printed claim, numbers and verdict, the figure's style, the JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tfcourse.process.quiet import quiet_start

with quiet_start():  # TensorFlow's own messages would drown the numbers
    import tensorflow  # noqa: F401

T = TypeVar("T")

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#3b7dd8", "#e07b2c", "#2f9e6e", "#d1495b", "#8a63d2", "#8a8f98"
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE, GREY]),
}


def _theme(paper: str, ink: str, grid: str) -> dict[Any, Any]:
    inked = ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color", "axes.edgecolor")
    return {"figure.facecolor": paper, "axes.facecolor": paper, "grid.color": grid} | dict.fromkeys(inked, ink)


THEMES = {"": _theme("#ffffff", "#2a2f3a", "#e4e7ec"), ".dark": _theme("#14171c", "#d7dbe2", "#2b3038")}


@dataclass(frozen=True)
class Settings:
    """How a script is run: ``quick`` asks for settings small enough for a test."""

    quick: bool
    seed: int

    def pick(self, full: T, quick: T) -> T:
        """Return the full setting, or the small one when quick."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Number:
    """One measured number, what the course says of it, and how to write it."""

    what: str
    measured: float | str
    claimed: str = ""
    form: str = ".4g"

    @property
    def text(self) -> str:
        """The number as printed."""
        return self.measured if isinstance(self.measured, str) else format(self.measured, self.form)


@dataclass(frozen=True)
class Outcome:
    """What a script measured, whether its claim holds by its criterion, and how to draw it."""

    numbers: list[Number]
    holds: bool
    draw: Callable[[Figure], None]
    note: str = ""


def plot_agreement(axes: Axes, x: ArrayLike, y: ArrayLike, colour: str, **labels: str) -> None:
    """Plot y against x as points beside the diagonal on which they agree, with the axes' ``labels``."""
    x, y = np.ravel(x), np.ravel(y)
    axes.plot([x.min(), x.max()], [x.min(), x.max()], color="0.5", linewidth=1, zorder=0)
    axes.plot(x, y, "o", color=colour, markersize=3.5)
    axes.set(**labels)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Slide:
    """One row of the syllabus: what the course claims, and the criterion by which the numbers are judged."""

    row: str
    title: str
    claim: str
    criterion: str
    size: tuple[float, float] = (9.0, 3.6)

    def main(self, measure: Callable[[Settings], Outcome], argv: Sequence[str] | None = None) -> int:
        """Run ``measure``; print claim, numbers and verdict; save figure and JSON under ``--out``; return 0."""
        parser = argparse.ArgumentParser(description=f"{self.row}: {self.title}. {self.claim}")
        parser.add_argument("--out", type=Path, default=Path("runs/slides"), help="folder of the figure and the JSON")
        parser.add_argument("--quick", action="store_true", help="small settings, for a test; the verdict may differ")
        parser.add_argument("--seed", type=int, default=0, help="seed of all randomness (default: 0)")
        arguments = parser.parse_args(argv)
        try:
            arguments.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            parser.error(f"--out {arguments.out} cannot be made a folder ({error.strerror}); name another.")
        outcome = measure(Settings(arguments.quick, arguments.seed))
        stem = Path(sys.modules[measure.__module__].__file__ or self.row).stem
        for suffix, theme in THEMES.items():
            with matplotlib.rc_context(STYLE | theme):
                figure = Figure(figsize=self.size, layout="constrained")
                outcome.draw(figure)
                figure.savefig(arguments.out / f"{stem}{suffix}.png", dpi=60 if arguments.quick else 160)
        numbers = [asdict(number) | {"text": number.text} for number in outcome.numbers]
        record = asdict(self) | {"numbers": numbers, "holds": bool(outcome.holds), "note": outcome.note, "stem": stem}
        text = json.dumps(record, indent=1, ensure_ascii=False)
        (arguments.out / f"{stem}.json").write_text(text, encoding="utf-8")
        self._print(outcome, arguments.out / f"{stem}.png")
        return 0

    def _print(self, outcome: Outcome, figure: Path) -> None:
        print(f"{self.row}  {self.title}\nclaim      {self.claim}\ncriterion  {self.criterion}\n")
        what = max(len(number.what) for number in outcome.numbers)
        measured = max(len(number.text) for number in outcome.numbers)
        for number in outcome.numbers:
            said = f"   ({number.claimed})" if number.claimed else ""
            print(f"  {number.what:<{what}}  {number.text:>{measured}}{said}")
        note = f"note       {outcome.note}\n" if outcome.note else ""
        print(f"\n{note}figure     {figure}\n{'holds' if outcome.holds else 'does not hold'}")
