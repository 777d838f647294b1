"""What a JSON file of ours holds, described by type hints, and the one check of a file against its description.

A description is a type: ``int``, ``float``, ``str``, ``bool``, ``None``, ``Any``, a ``Literal``, ``list[T]``,
``tuple[T, U]`` (a list of so many), ``dict[str, T]``, a union, ``Annotated[T, Rule(...)]``, or a ``TypedDict``,
whose further keys may hold anything; a field that older files lack is ``NotRequired``. Numbers are finite and of a size
that arithmetic can take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from tfcourse.files.writing import RESTORE, damaged, read_json

LARGEST = 2**63
WORDS = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "null", list: "a list",
    dict: "an object",
}  # fmt: skip


class ShapeError(ValueError):
    """A value is not as it is described."""


@dataclass(frozen=True)
class Rule:
    """What a value of an ``Annotated`` type must be besides: a test, and what it should be in words."""

    admits: Callable[[Any], object]
    words: str


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


Count = Annotated[int, Rule(lambda value: value >= 0, "a whole number from 0")]
OneOrMore = Annotated[int, Rule(lambda value: value >= 1, "a whole number from 1")]
Amount = Annotated[float, Rule(lambda value: value >= 0, "a number from 0")]
Positive = Annotated[float, Rule(lambda value: value > 0, "a number above 0")]
Share = Annotated[float, Rule(lambda value: 0 <= value <= 1, "a number from 0 to 1")]
Number = Annotated[str, Rule(lambda text: text.isdecimal() and text.isascii() and len(text) < 10, "a number as a text")]
Moment = Annotated[str, Rule(_is_moment, "a time with its zone")]


def check_shape(value: Any, description: Any, *, nan: bool = False) -> None:
    """Hold a value that came from a JSON file to its description.

    Args:
        value: the value.
        description: what it should be.
        nan: whether numbers may be NaN or infinite.

    Raises:
        ShapeError: if it is another, with the place, what is there, and what should be.

    >>> check_shape({"a": [1, "x"]}, dict[str, list[int]])
    Traceback (most recent call last):
    tfcourse.files.shape.ShapeError: a.1 is 'x', not a whole number
    """
    if wrong := next(_wrong(value, description, "", nan), None):
        place, found, wanted = wrong
        what = "missing" if found is ... else f"{_said(found)}, not {wanted}"
        raise ShapeError(f"{place.lstrip('.') or 'it'} is {what}")


def check_record(found: Any, path: Path, description: Any, advice: str = RESTORE, *, nan: bool = False) -> None:
    """Hold what the file ``path`` of a run folder holds to its description.

    Raises:
        UserError: if it is something else; it ends with ``advice`` on what to do.
    """
    try:
        check_shape(found, description, nan=nan)
    except ShapeError as error:
        raise damaged(path, error, advice) from None


def read_record(path: Path, description: Any, advice: str = RESTORE, *, nan: bool = False) -> Any:
    """Return what a JSON file of a run folder holds.

    Args:
        path: the file.
        description: what it should hold.
        advice: what to do if it does not.
        nan: whether numbers may be NaN or infinite.

    Raises:
        UserError: if it is not there, or holds something else.
    """
    found = read_json(path, advice, nan=nan)
    check_record(found, path, description, advice, nan=nan)
    return found


def _wrong(value: Any, description: Any, place: str, nan: bool) -> Iterator[tuple[str, Any, str]]:
    """Yield places, the values there, and what should be there instead."""
    origin, arguments = get_origin(description), get_args(description)
    if description is Any:
        return
    if origin is Annotated:
        yield from _wrong(value, arguments[0], place, nan)
        if not arguments[1].admits(value):
            yield place, value, arguments[1].words
    elif origin in (Union, UnionType):
        found = [next(_wrong(value, each, place, nan), None) for each in arguments]
        if wrong := [each for each in found if each is not None and None not in found]:
            yield max(wrong, key=lambda each: each[0].count("."))  # of what fits best, something deep inside is wrong
    elif origin is Literal:
        if value not in arguments or isinstance(value, bool) != isinstance(arguments[0], bool):
            yield place, value, " or ".join(map(repr, arguments))
    elif is_typeddict(description):
        yield from _wrong_fields(value, description, place, nan)
    elif origin is dict:
        yield from _wrong_kind(value, dict, place, nan)
        for name, each in value.items():
            yield from _wrong(each, arguments[1], f"{place}.{name}", nan)
    elif origin in (list, tuple):
        yield from _wrong_kind(value, list, place, nan)
        if origin is tuple and len(value) != len(arguments):
            yield place, value, f"a list of {len(arguments)}"
        for index, each in enumerate(value):
            yield from _wrong(each, arguments[index if origin is tuple else 0], f"{place}.{index}", nan)
    else:
        yield from _wrong_kind(value, NoneType if description is None else description, place, nan)


def _wrong_fields(value: Any, description: Any, place: str, nan: bool) -> Iterator[tuple[str, Any, str]]:
    """Do so for the fields of an object."""
    yield from _wrong_kind(value, dict, place, nan)
    for name, each in _hints(description).items():
        optional = get_origin(each) is NotRequired
        if name in value:
            yield from _wrong(value[name], get_args(each)[0] if optional else each, f"{place}.{name}", nan)
        elif not optional:
            yield f"{place}.{name}", ..., ""


@cache
def _hints(description: Any) -> dict[str, Any]:
    return get_type_hints(description, include_extras=True)


def _wrong_kind(value: Any, kind: Any, place: str, nan: bool) -> Iterator[tuple[str, Any, str]]:
    """Do so for a value that is no composition of others."""
    if kind not in (int, float):
        if not isinstance(value, kind):
            yield place, value, WORDS[kind]
    elif isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else int):
        yield place, value, WORDS[kind]
    elif isinstance(value, int) and abs(value) >= LARGEST:
        yield place, value, "one of a usual size"
    elif not (nan or math.isfinite(value)):
        yield place, value, "a finite number"


def _said(value: Any) -> str:
    """Return a value in a few words."""
    if isinstance(value, (list, dict)):
        return WORDS[type(value)]
    if isinstance(value, int) and abs(value) >= LARGEST:  # of too many digits for Python to write, perhaps
        return "a number of more than 18 digits"
    return WORDS[NoneType] if value is None else f"{value!r:.60}"
