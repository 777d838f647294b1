"""A trial's file, ``trial.json`` in KerasTuner's project: read, and held to the types that it should have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError
from tfcourse.files.writing import read_json

NUMBER = (int, float)
KINDS = ("Boolean", "Choice", "Fixed", "Float", "Int")
STATUSES = ("RUNNING", "IDLE", "INVALID", "STOPPED", "COMPLETED", "FAILED")


def read_trial_file(path: Path) -> dict[str, Any]:
    """Return what a trial's file holds.

    Raises:
        UserError: if it is damaged, or holds something else than a trial of its folder's number.
    """
    state = read_json(path, nan=True)
    try:
        wrong = next(_wrong(state, path.parent.name.removeprefix("trial_")), None)
    except (KeyError, TypeError, AttributeError) as error:
        wrong = repr(error)
    if wrong:
        raise UserError(f"{str(path)!r} is damaged ({wrong}). Restore it from a copy, or remove it.")
    return dict(state)


def _wrong(state: Any, number: str) -> Iterator[str]:
    """Yield what is wrong, in a few words."""
    values = state["hyperparameters"]["values"]
    if state["trial_id"] != number or not number.isdigit():
        yield f"trial_id is {state['trial_id']!r:.80}, not {number!r}"
    if state["status"] not in STATUSES:
        yield f"status is {state['status']!r:.80}"
    if not isinstance(state["message"], (str, type(None))):
        yield "message is no text"
    for name, value in values.items():
        if not isinstance(value, (str, *NUMBER)):
            yield f"the hyperparameter {name!r:.80} is {value!r:.80}"
    for each in state["hyperparameters"]["space"]:
        if each["class_name"] not in KINDS or not isinstance(each["config"]["name"], str):
            yield f"the hyperparameter {each!r:.80} is of no kind"
    for name, curve in state["metrics"]["metrics"].items():
        for point in curve["observations"]:
            if not point["value"] or not all(map(_is_number, point["value"])) or not _is_whole(point["step"]):
                yield f"the curve {name!r:.80} holds {point!r:.80}"
    completed = state["status"] == "COMPLETED"
    if not (_is_number(state["score"]) or (state["score"] is None and not completed)):
        yield f"score is {state['score']!r:.80}"
    if not (_is_whole(state["best_step"]) or (state["best_step"] is None and not completed)):
        yield f"best_step is {state['best_step']!r:.80}"
    yield from _wrong_notes(state.get("tfcourse", {}))


def _wrong_notes(notes: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with what we note beside KerasTuner's fields."""
    known = {
        "round": _is_whole,
        "halved_at": _is_whole,
        "runs": _is_whole,
        "ended_at": _is_number,
        "diverged": _is_bool,
        "given": lambda value: value in ("own", "portfolio"),
    }
    for name, right in known.items():
        if notes.get(name) is not None and not right(notes[name]):
            yield f"{name} is {notes[name]!r:.80}"
    if not all(map(_is_number, notes.get("repeats") or ())):
        yield "repeats are no numbers"


def _is_number(value: Any) -> bool:
    return isinstance(value, NUMBER) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)
