"""A retest in plain words with numbers, the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tfcourse.retesting.recommendation import MOSTLY
from tfcourse.space.known import KNOWN, KNOWN_OF_IMAGES

MOST_COLUMNS = 8
ADVICE = {
    "keep": "keep the model",
    "retrain": "retrain with the same hyperparameters",
    "search again": "search again",
}


def advice(batch: Mapping[str, Any]) -> str:
    """Return the recommendation as a person would give it, and that the rows are the run's own where they are.

    >>> advice({"recommendation": {"action": "keep", "seen": 1.0}})
    "keep the model, as far as the run's own rows can tell"
    """
    told = ADVICE[batch["recommendation"]["action"]]
    return f"{told}, as far as the run's own rows can tell" if is_of_own_rows(batch) else told


def is_of_own_rows(batch: Mapping[str, Any]) -> bool:
    """Say whether most of the rows are those that the run was made on."""
    return bool(batch["recommendation"].get("seen", 0.0) > MOSTLY)


def hyperparameter_lines(batch: Mapping[str, Any]) -> list[str]:
    """Return what is known of the hyperparameters: the winner's rank, its regret, the orders' correlation."""
    winner, regret, cost = batch["winner"], batch["regret"], batch["cost"]
    low, high = winner["rank_interval"]
    lines = [
        f"The run's winner, {winner['setting']}, ranks {winner['rank']} of {winner['of']} settings on the new data"
        f" (95 % interval {low} to {high}); the best is {regret['best_setting']}.",
        f"Its regret, the {cost} it costs more than the best setting now, is {interval(regret)}; differences below"
        f" {regret['margin']:.4f} do not matter. The best setting is chosen on other rows and seeds than it is compared"
        f" on; without that precaution the regret would read {regret['against_the_luckiest']:+.4f}.",
    ]
    if regret["mean"] <= 0:
        lines.append("What looks best on some rows is no better than the winner on others.")
    else:
        lines.append(
            "A search like the run's leaves a regret as large by its own luck, on unchanged data, with probability"
            f" {regret['chance']:.2g}."
        )
    if regret["on_own_data"]:
        lines.append(
            f"The same settings were trained again on {regret['on_own_data']['rows']} rows of the run's own data: there"
            f" the winner's regret against those that are the best now is {interval(regret['on_own_data'])}."
        )
    correlation = batch["correlation"]
    if correlation is None:
        lines.append("Too few of the run's settings were trained to compare the old order with the new one.")
    else:
        lines.append(
            f"The old and the new order of the run's {correlation['settings']} leading settings: Spearman's ρ ="
            f" {interval(correlation['spearman'], '.2f')}, Kendall's τ = {interval(correlation['kendall'], '.2f')}."
        )
    diverged = [f"{s['name']} ({s['diverged']} times)" for s in batch["settings"] if s["diverged"]]
    if diverged:
        lines.append(f"Diverged: {', '.join(diverged)}; each time it counts as guessing by class frequencies.")
    return lines


def model_lines(batch: Mapping[str, Any]) -> list[str]:
    """Return what is known of the old model: its scores on the held-out rows against those of a retrained one."""
    model, rows = batch["old_model"], batch["rows"]
    return [
        f"On {rows['held out']} held-out rows the old model has a {batch['cost']} of {model['cost']:.4f} (accuracy"
        f" {model['accuracy']:.2%}); networks of the same hyperparameters, each trained on {rows['train']} other new"
        f" rows, have {model['cost_retrained']:.4f} ({model['accuracy_retrained']:.2%}).",
        f"The old model's excess is {interval(model['excess'])}; differences below {model['margin']:.4f} do not"
        " matter.",
    ]


def data_lines(batch: Mapping[str, Any]) -> list[str]:
    """Return how the data moved, in a few lines: classes, columns that moved, columns that mislead the old model."""
    lines, columns = [], batch["columns"]
    moved = [column for column in columns if column["moved"]]
    if moved:
        more = f"; and {len(moved) - MOST_COLUMNS} more" if len(moved) > MOST_COLUMNS else ""
        some = "; ".join(f"{column['name']}: {column_words(column)}" for column in moved[:MOST_COLUMNS])
        lines.append(f"{len(moved)} of {len(columns)} columns moved: {some}{more}.")
    else:
        lines.append(f"None of {len(columns)} columns moved by more than chance and a small size.")
    misleading = batch["misleading"]
    if misleading:
        some = ", ".join(f"{each['name']} (−{each['gain']:.3f})" for each in misleading[:MOST_COLUMNS])
        lines.append(
            "Columns without which the old model would do better, because they have changed or never were of use, by"
            f" what its {batch['cost']} would fall, one after the other: {some}."
        )
    classes = batch["classes"]
    if classes["distance"] is None:
        lines.append("The run did not keep its classes' shares, so that they cannot be compared.")
    elif classes["moved"]:
        lines.append(f"The classes' shares moved: {class_words(classes)}.")
    else:
        lines.append("The classes' shares did not move.")
    return lines


def column_words(column: Mapping[str, Any]) -> str:
    """Return how a column differs.

    >>> column = dict.fromkeys(("missing_before", "distance"), None) | {"unseen": 0.0, "examples": [], "missing": 0.0}
    >>> column_words({**column, "kind": "number", "mean_shift": 1.5, "deviation_ratio": 2.0})
    'mean +1.50 σ, deviation × 2'
    """
    words = []
    if column["mean_shift"] is not None:
        words += [f"mean {column['mean_shift']:+.2f} σ", f"deviation × {column['deviation_ratio']:.3g}"]
    if column["distance"] is not None:
        words.append(f"{column['distance']:.1%} of the rows changed category")
    if column["unseen"]:
        examples = ", ".join(map(repr, column["examples"]))
        words.append(f"{column['unseen']:.1%} with values not kept from training ({examples})")
    if column["missing"] or column["missing_before"]:
        before = "" if column["missing_before"] is None else f", {column['missing_before']:.1%} before"
        words.append(f"{column['missing']:.1%} missing{before}")
    return ", ".join(words) or "no difference"


def class_words(classes: Mapping[str, Any]) -> str:
    """Return the classes whose shares differ most, with both shares."""
    shares = {name: (share["training"] or 0.0, share["now"]) for name, share in classes["shares"].items()}
    largest = sorted(shares, key=lambda name: -abs(shares[name][1] - shares[name][0]))[:MOST_COLUMNS]
    return ", ".join(f"{name!r} {shares[name][0]:.1%} → {shares[name][1]:.1%}" for name in largest)


def interval(numbers: Mapping[str, float], form: str = ".4f") -> str:
    """Return a mean with its 95 % interval.

    >>> interval({"mean": 0.5, "low": 0.25, "high": 0.75}, ".2f")
    '+0.50 (95 % interval +0.25 to +0.75)'
    """
    return f"{numbers['mean']:+{form}} (95 % interval {numbers['low']:+{form}} to {numbers['high']:+{form}})"


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
    names = [name for name in {**KNOWN, **KNOWN_OF_IMAGES} if name in values]
    return ", ".join(
        f"{name} {values[name]:.4g}" if isinstance(values[name], float) else f"{name} {values[name]}" for name in names
    )
