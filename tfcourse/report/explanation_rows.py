"""What a model goes by, as rows for charts and a table: columns, partial dependence, the surest mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.report import words
from tfcourse.report.axes import axis_over

COLUMNS_SHOWN, CLASSES_DRAWN, LONGEST = 20, 4, 24


def column_rows(explanation: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the columns that matter most, with the log-loss that shuffling each adds and its interval.

    >>> column_rows({"importance": [{"column": "a", "log_loss": 0.2, "interval": [0.1, 0.3], "accuracy": 0.05}]})
    [{'label': 'a', 'mean': 0.2, 'low': 0.1, 'high': 0.3, 'accuracy': 0.05}]
    """
    return [
        {
            "label": shortened(each["column"]),
            "mean": each["log_loss"],
            "low": each["interval"][0],
            "high": each["interval"][1],
            "accuracy": each["accuracy"],
        }
        for each in (explanation or {}).get("importance", [])[:COLUMNS_SHOWN]
    ]


def dependence_rows(explanation: Mapping[str, Any] | None, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return, for each leading column, its values and the average probability of the classes that it moves most.

    Of two classes only the second is drawn: the other is what is left.
    """
    rows = []
    for each in (explanation or {}).get("dependence", []):
        lines = list(zip(*each["probabilities"], strict=True))
        moved = sorted(range(len(lines)), key=lambda place: min(lines[place]) - max(lines[place]))
        drawn = [1] if len(classes) == 2 else sorted(moved[:CLASSES_DRAWN])
        numbers = each["kind"] == "number"
        axis = axis_over("linear", each["values"]) if numbers else None
        rows.append(
            {
                "label": each["column"],
                "kind": each["kind"],
                "values": each["values"] if numbers else [shortened(value or "missing") for value in each["values"]],
                "axis": axis and {"low": axis.low, "high": axis.high, "ticks": [list(tick) for tick in axis.ticks]},
                "lines": [{"name": shortened(classes[place]), "values": list(lines[place])} for place in drawn],
            }
        )
    return rows


def mistake_table(explanation: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the rows of which the model is surest and wrong, in words; None without any."""
    mistakes = (explanation or {}).get("surest_mistakes", [])
    if not mistakes:
        return None
    columns = list(mistakes[0]["values"])
    cells = [[_said(mistake["values"].get(name)) for name in columns] for mistake in mistakes]
    return {"columns": columns, "rows": list(zip(mistakes, cells, strict=True))}


def columns_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what the columns' bars show, for those who cannot see them."""
    told = ", ".join(f"{row['label']} {words.number(row['mean'])}" for row in rows)
    return f"Log-loss added when a column is shuffled: {told}."


def dependence_text(row: Mapping[str, Any]) -> str:
    """Return what a figure of partial dependence shows, for those who cannot see it."""
    values = row["values"]
    told = "; ".join(
        f"{line['name']} from {words.percent(line['values'][0])} at {_said(values[0])} to"
        f" {words.percent(line['values'][-1])} at {_said(values[-1])}"
        for line in row["lines"]
    )
    return f"Average probability by {row['label']}: {told}."


def shortened(text: str) -> str:
    """Return a text that fits beside a figure.

    >>> shortened("a text that is much longer than there is room for")
    'a text that is much lon…'
    """
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _said(value: Any) -> str:
    if value is None:
        return "missing"
    return words.number(value) if isinstance(value, int | float) else shortened(str(value))
