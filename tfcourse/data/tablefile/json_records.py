"""JSON: an object a line (.jsonl, .ndjson), or a list of objects (.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tfcourse.data.tablefile.content import check_is_text
from tfcourse.data.tablefile.encoding import to_utf8
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.names import with_names
from tfcourse.data.tablefile.python_values import column_of
from tfcourse.errors import UserError


def read_json(data: bytes, name: str) -> FileTable:
    """Return the table of the objects in a JSON text, which stand in lines or in one list; absent values are null.

    Raises:
        UserError: naming the line or the object that is none, or a column of lists or objects.

    >>> read_json(b'{"x": 1, "y": "a"}\\n{"x": 2}\\n', "t.jsonl").table.to_pydict()
    {'x': [1, 2], 'y': ['a', None]}
    """
    check_is_text(data, name)
    text, notes = to_utf8(data, name)
    objects = _listed(text, name) if text.lstrip()[:1] == b"[" else _in_lines(text, name)
    columns: dict[str, list[Any]] = {}
    count = 0
    for place, entry in objects:
        if not isinstance(entry, dict):
            raise UserError(
                f"{name!r}: {place} holds no object but {_shown(entry)}; each must be an object of a value a column,"
                ' like {"x": 1, "y": "a"}.'
            )
        for key, value in entry.items():
            if key not in columns:
                columns[key] = [None] * count
            if isinstance(value, dict | list):
                raise UserError(
                    f"{name!r}: column {key!r} holds {_shown(value)} in {place}; only numbers, texts and booleans can"
                    " be read. Save the file without it, or with what it holds in columns of its own."
                )
            columns[key].append(value)
        count += 1
        for values in columns.values():
            if len(values) < count:
                values.append(None)
    if not count:
        raise UserError(f'{name!r} is empty; it needs an object a row, like {{"x": 1, "y": "a"}}.')
    if not columns:
        raise UserError(f"{name!r} holds no columns: its objects are empty.")
    keys = list(columns)
    made = [column_of(columns.pop(key)) for key in keys]
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    first_line = 1 if lines == count and text.lstrip()[:1] == b"{" else None
    return FileTable(with_names(made, keys, name, notes), notes, first_line)


def _listed(text: bytes, name: str) -> Iterator[tuple[str, Any]]:
    entries = _parsed(text, name, 1)
    for number, entry in enumerate(entries, 1):
        yield f"object {number}", entry


def _in_lines(text: bytes, name: str) -> Iterator[tuple[str, Any]]:
    start, line = 0, 1
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        if content := text[start:end].strip():
            yield f"line {line}", _parsed(content, name, line)
        start, line = end, line + 1


def _parsed(text: bytes, name: str, line: int) -> Any:
    def record(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        entry = dict(pairs)
        if len(entry) < len(pairs):
            raise UserError(f"{name!r}: an object from line {line} on has two values of one name: {_shown(entry)}.")
        return entry

    try:
        return json.loads(text, object_pairs_hook=record)
    except UserError:
        raise
    except json.JSONDecodeError as error:
        raise UserError(
            f"{name!r} is not JSON at line {line + error.lineno - 1}: {error.msg}. It must hold an object a line, or"
            " one list of objects."
        ) from None
    except (ValueError, RecursionError) as error:  # a number of too many digits, or lists within lists
        raise UserError(f"{name!r} cannot be read from line {line} on: {str(error).rstrip('.')}.") from None


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"
