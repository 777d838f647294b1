"""What a search shows on the terminal: how the data was read, progress, the best setting, the test's numbers."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from tfcourse.space.known import KNOWN, KNOWN_OF_IMAGES, base_name
from tfcourse.words import loss_said

MOST_CLASSES_SHOWN = 12
SECONDS_BETWEEN_LINES = 5.0
MARKS = {"good": "+", "note": "-", "warning": "!"}


def make_console(*, quiet: bool, stderr: bool) -> Console:
    """Return where a command writes to; nowhere if ``quiet``, standard error if standard output is for JSON."""
    # rich asks a stream that it is given for its encoding, and draws tables in ASCII where that has no lines.
    file = sys.stderr if stderr else sys.stdout
    return Console(file=file, quiet=quiet, highlight=False, soft_wrap=not sys.stdout.isatty())


class SearchProgress:
    """Progress of a search: a bar with the best so far and the time left on a terminal, plain lines elsewhere.

    Args:
        console: where to.
        total: trials in all, None if time alone ends the search.
        done: trials that ended in an earlier part of the search.
        deadline: moment of ``time.monotonic()`` at which the search ends whatever is done.
        also: gives what is said besides, such as of workers.
    """

    def __init__(
        self, console: Console, total: int | None, done: int, deadline: float, also: Callable[[], str] = str
    ) -> None:
        self.console, self.total, self.done, self.deadline, self.also = console, total, done, deadline, also
        self.started, self.first = time.monotonic(), done
        self.said, self.under_way, self.best = self.started, 0.0, ""
        self.bar: Progress | None = None
        self.task = TaskID(0)

    def __enter__(self) -> SearchProgress:
        if self.console.is_terminal and not self.console.quiet:
            self.bar = Progress(
                TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                TextColumn("{task.fields[left]}"), TextColumn("{task.fields[best]}"), console=self.console,
            )  # fmt: skip
            self.bar.start()
            self.task = self.bar.add_task(
                "", total=self.total, completed=self.done, left="softmax regression first", best=""
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def seconds_left(self) -> float:
        """Return the expected seconds to the end, by the pace so far and the deadline; infinite if not yet known.

        The pace is known when an eighth of the training is done: programs are compiled before they train.
        """
        now, done = time.monotonic(), self.done + self.under_way
        by_pace = math.inf
        if self.total is not None and done - self.first >= max(1, (self.total - self.first) / 8):
            by_pace = (now - self.started) / (done - self.first) * max(0.0, self.total - done)
        return max(0.0, min(by_pace, self.deadline - now))

    def trials_done(self, done: int, best: str) -> None:
        """Show that ``done`` trials have ended and what the best so far is, in words."""
        self.done, self.best = done, f"best {best}"
        if self.bar is not None:
            self._draw()
        elif time.monotonic() - self.said > SECONDS_BETWEEN_LINES or done == self.total:
            self.said = time.monotonic()
            parts = [f"trials {done}{f'/{self.total}' * bool(self.total)}", self._left(), self.best, self.also()]
            self.console.print(", ".join(filter(None, parts)))

    def trials_under_way(self, amount: float) -> None:
        """Show how much of the trials that train now is done, counted in trials: two half-done trials are 1.0."""
        self.under_way = amount
        if self.bar is not None:
            self._draw()

    def _draw(self) -> None:
        assert self.bar is not None
        best = "  ".join(filter(None, [self.best, self.also()]))
        self.bar.update(self.task, completed=self.done + self.under_way, left=self._left(), best=best)

    def _left(self) -> str:
        seconds = self.seconds_left()
        return f"{readable(seconds)} left" if math.isfinite(seconds) else "time left not yet known"


def readable(seconds: float) -> str:
    """Return a time as people say it.

    >>> readable(4.2), readable(95), readable(7300)
    ('4 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def show_data(
    console: Console, name: str, rows: Mapping[str, int], columns: Sequence[str], notes: Sequence[str]
) -> None:
    """Print how the data was read."""
    parts = ", ".join(f"{count} {part}" for part, count in rows.items())
    console.print(f"[bold]{escape(name)}[/bold]: {parts} rows")
    for line in [*notes, *columns]:
        console.print(f"  {escape(line)}")


def show_round(console: Console, notes: Sequence[str]) -> None:
    """Print how the next round's space came out of the leading trials."""
    console.print("Next round, in the region of the leading trials" + (":" if notes else ": the same space as before"))
    for note in notes:
        console.print(f"  {escape(note)}")


def show_result(console: Console, result: Mapping[str, Any], classes: Sequence[str]) -> None:
    """Print the best setting, how it compares with the baseline, and the test's numbers."""
    best, baseline, trials = result["best"], result["baseline"], result["trials"]
    setting = Table(title=f"Best setting: trial {best['trial_id']}, epoch {best['epoch']}", title_justify="left")
    setting.add_column("hyperparameter")
    setting.add_column("value", justify="right")
    for name in sorted(best["hyperparameters"], key=importance_order):
        setting.add_row(name, format_value(best["hyperparameters"][name]))
    console.print(setting)

    model = result.get("model", {})
    numbers = Table(title="How good it is", title_justify="left", caption_justify="left")
    if "folds" in model:
        numbers.caption = (
            "Validation is out of fold for the saved model, and on one split for the others: not to compare"
        )
    columns, names = (
        [measures_in_words({**best, "test": result["test"]}), measures_in_words(baseline)],
        ["best network"],
    )
    averaged = "folds" in model or len(model.get("trials", ())) > 1
    if averaged or model.get("temperature") is not None:  # the best network is not what is saved
        columns = [measures_in_words({**model, "test": result["test"]}), measures_in_words(best), columns[1]]
        names = ["saved model", *names]
    for column in ("", *names, "softmax regression"):
        numbers.add_column(column, justify="right" if column else "left")
    for name in columns[0]:
        numbers.add_row(name, *(column[name] for column in columns))
    console.print(numbers)
    if len(classes) <= MOST_CLASSES_SHOWN:
        console.print(confusion_table(result["test"]["confusion"], classes))
    show_verdict(console, result.get("verdict", {}))
    counts = [f"{trials['completed']} completed"]
    counts += [f"{trials[kind]} {kind}" for kind in ("diverged", "failed") if trials[kind]]
    console.print(f"Trials: {', '.join(counts)}; {readable(result['seconds']['total'])} in all.")


def show_verdict(console: Console, verdict: Mapping[str, Any]) -> None:
    """Print the verdict's sentences, each after the mark of its level: + good, - to know, ! read with care."""
    sentences = verdict.get("sentences", [])
    if sentences:
        console.print("[bold]Verdict[/bold]")
    for sentence in sentences:
        line = escape(f"{MARKS[sentence['level']]} {sentence['text']}")
        # Where lines are not wrapped, padding would cut them.
        console.print(f"  {line}" if console.soft_wrap else Padding(line, (0, 0, 0, 2)))


def measures_in_words(scores: Mapping[str, Any]) -> dict[str, str]:
    """Return the validation and test numbers of one network as texts, by the names of the table's rows."""
    validation, test = scores["validation"], scores["test"]
    low, high = test["accuracy_interval"]
    return {
        "validation loss": loss_said(validation["loss"]),
        "validation accuracy": f"{validation['accuracy']:.2%}",
        "test accuracy": f"{test['accuracy']:.2%}",
        "its 95 % interval": f"{low:.2%} to {high:.2%}",
        "test log-loss": loss_said(test["log_loss"]),
        "test macro-F1": f"{test['macro_f1']:.4f}",
    }


def confusion_table(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Table:
    """Return the confusion matrix of the test split as a table: rows are true, columns predicted."""
    table = Table(title="Confusion on the test split (rows: true, columns: predicted)", title_justify="left")
    table.add_column("")
    for name in classes:
        table.add_column(escape(name), justify="right")
    for number, (name, row) in enumerate(zip(classes, confusion, strict=True)):
        cells = [f"[bold]{count}[/bold]" if number == column else str(count or "·") for column, count in enumerate(row)]
        table.add_row(escape(name), *cells)
    return table


def importance_order(name: str) -> tuple[int, str]:
    """Return a key that sorts hyperparameters in the order in which the course ranks them (slides A1)."""
    base = base_name(name)
    names = list(KNOWN if base in KNOWN else KNOWN_OF_IMAGES)
    return (names.index(base) if base in names else len(names), name)


def format_value(value: Any) -> str:
    """Return a hyperparameter's value as people write it."""
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else escape(str(value))


def escape(text: str) -> str:
    """Return text from the user's file with rich's markup switched off."""
    from rich.markup import escape as escape_markup

    return escape_markup(text)
