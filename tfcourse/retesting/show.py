"""What a retest shows on the terminal: progress, then its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tfcourse.retesting.words import advice, data_lines, hyperparameter_lines, model_lines
from tfcourse.space.course import KNOWN

MOST_SETTINGS = 6
SHOWN = ("learning_rate", "layers", "optimizer", "dropout")


class RetestProgress:
    """A bar on a terminal, a line a repeat elsewhere.

    Args:
        console: where to.
        repeats: in all.
    """

    def __init__(self, console: Console, repeats: int) -> None:
        self.console, self.repeats, self.done = console, repeats, 0
        columns = (TextColumn("repeats"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=console, disable=console.quiet or not console.is_terminal)
        self.task = self.bar.add_task("", total=repeats)

    def __enter__(self) -> RetestProgress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def repeat_done(self, _: int) -> None:
        """Show that one more repeat has been trained."""
        self.done += 1
        self.bar.update(self.task, completed=self.done)
        if not self.console.is_terminal:
            self.console.print(f"repeat {self.done}/{self.repeats} trained")

    def own_repeat_done(self, done: int) -> None:
        """Show that one more repeat has been trained on the run's own data."""
        self.bar.update(self.task, completed=self.repeats + done, total=2 * self.repeats)
        if not self.console.is_terminal:
            self.console.print(f"repeat {done}/{self.repeats} trained on the run's own data")


def show_batch(console: Console, batch: Mapping[str, Any]) -> None:
    """Print what came of a retest."""
    console.print(f"[bold]Recommendation: {advice(batch)}[/bold]")
    for line in batch["recommendation"]["reasons"]:
        console.print(f"  {line}", markup=False)
    for title, lines in (
        ("Hyperparameters", hyperparameter_lines(batch)),
        ("Old model", model_lines(batch)),
        ("Data", data_lines(batch)),
    ):
        console.print(f"[bold]{title}[/bold]")
        for line in lines:
            console.print(f"  {line}", markup=False)
    console.print(settings_table(batch))


def settings_table(batch: Mapping[str, Any]) -> Table:
    """Return the best settings now, and the run's winner."""
    ordered = sorted(batch["settings"], key=lambda setting: setting["rank"])
    chosen = ordered[:MOST_SETTINGS]
    chosen += [setting for setting in ordered[MOST_SETTINGS:] if setting["name"] == batch["winner"]["setting"]]
    table = Table(title=f"The best settings on {batch['label']}", title_justify="left")
    for heading in ("rank", "setting", batch["cost"], "in the run"):
        table.add_column(heading, justify="left" if heading == "setting" else "right")
    table.add_column("hyperparameters")
    for setting in chosen:
        score = setting["old_score"]
        old = "not tried" if score is None else f"{score:.4f}"
        name = f"{setting['name']} (winner)" if setting["name"] == batch["winner"]["setting"] else setting["name"]
        values = setting_words({n: v for n, v in setting["hyperparameters"].items() if n in SHOWN})
        table.add_row(str(setting["rank"]), name, f"{setting['mean_cost']:.4f}", old, values)
    return table


def setting_words(values: Mapping[str, Any]) -> str:
    """Return the most important hyperparameters of a setting on one line.

    >>> setting_words({"layers": 2, "learning_rate": 0.00123456, "optimizer": "adam", "units_1": 50})
    'learning_rate 0.001235, layers 2, optimizer adam'
    """
    names = [name for name in KNOWN if name in values]
    return ", ".join(
        f"{name} {values[name]:.4g}" if isinstance(values[name], float) else f"{name} {values[name]}" for name in names
    )
