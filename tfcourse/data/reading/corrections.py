"""Readings in a TOML file: what ``tfcourse.look --write`` gives, corrected by hand, and ``--reading`` takes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from tfcourse.data.reading.reading import ORDERS, Reading
from tfcourse.errors import UserError, did_you_mean
from tfcourse.files.toml_file import read_toml

FORM = re.compile(r"words|(dd|mm)([-/.])(dd|mm)\2(yy|yyyy)|(yy|yyyy)([-/.])mm\6dd")
KINDS = ("number", "date", "category")
ALLOWED = tuple(field.name for field in fields(Reading) if field.name not in ("name", "pattern"))


def read_corrections(path: Path | str) -> dict[str, Reading]:
    """Return the readings in a TOML file, by column: a table each, with ``kind`` and how its values are written.

    Raises:
        UserError: if it cannot be read, or naming the column, what was given and what is allowed.
    """
    given = read_toml(path, "--reading")
    return {name: _reading(name, entry, path) for name, entry in given.items()}


def written(readings: Mapping[str, Reading], lines: Mapping[str, str]) -> str:
    """Return readings as TOML, each under the line on it as a comment.

    >>> print(written({"born": Reading("born", "date", order="dmy")}, {"born": "date, day.month.year"}), end="")
    # date, day.month.year
    ["born"]
    kind = "date"
    order = "dmy"
    """
    parts = []
    for name, reading in readings.items():
        entries = {key: value for key, value in reading.to_json().items() if key not in ("name", "pattern")}
        body = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in entries.items())
        comment = " ".join(lines.get(name, "").split())
        parts.append(f"# {comment}\n[{json.dumps(name, ensure_ascii=False)}]\n{body}")
    return "\n".join(parts)


def _reading(name: str, entry: Any, path: Path | str) -> Reading:
    where = f"--reading {str(path)!r}: column {name!r}"
    if not isinstance(entry, dict) or entry.get("kind") not in KINDS:
        raise UserError(f"{where} needs a table with kind = one of {', '.join(KINDS)}.")
    for key, value in entry.items():
        if key not in ALLOWED:
            near = did_you_mean(key, ALLOWED)
            raise UserError(f"{where} has {key!r}; allowed are {', '.join(ALLOWED)}.{near}")
        many = key in ("missing", "kept", "forms", "sentinels")
        inner = (int, float) if key == "sentinels" else str
        fits = isinstance(value, list) and all(isinstance(v, inner) for v in value) if many else isinstance(value, str)
        if not fits:
            kinds = "a list of numbers" if key == "sentinels" else "a list of texts" if many else "a text"
            raise UserError(f"{where} has {key} = {value!r}; it takes {kinds}.")
    if entry["kind"] == "date" and (not entry.get("order") or entry["order"] not in ORDERS):
        raise UserError(f"{where} is a date and needs order = one of {', '.join(order for order in ORDERS if order)}.")
    if wrong := [form for form in entry.get("forms", ()) if not FORM.fullmatch(form)]:
        raise UserError(f"{where} has {wrong[0]!r} in forms; a form is written as dd.mm.yyyy, yyyy-mm-dd or words.")
    if entry.get("levels", "") not in ("", "shared"):
        raise UserError(f"{where} has levels = {entry['levels']!r}; it takes '' or 'shared'.")
    if entry.get("decimal", ".") not in (".", ",") or entry.get("thousands", "") not in ("", ",", ".", " ", "'"):
        raise UserError(f"{where}: decimal is '.' or ',', and thousands one of '', ',', '.', ' ' and \"'\".")
    if entry.get("decimal", ".") == entry.get("thousands", ""):
        raise UserError(f"{where}: decimal and thousands cannot both be {entry.get('thousands')!r}.")
    return Reading.from_json({"name": name, **entry})
