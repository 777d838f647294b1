"""A JSON file is held to its description: whatever stands in it, what is read is of the described types, or refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records import OLD
from tfcourse.data.columns import CategoryColumn, NumberColumn, TextColumn
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError
from tfcourse.files.shape import Count, Moment, Rule, ShapeError, Share, check_shape
from tfcourse.run import record
from tfcourse.run.folder import TRAINING, RunFolder
from tfcourse.space import Parameter, Round
from tfcourse.tuning.plan import Plan


def literals(hint: Any) -> set[Any]:
    """Return the values that the literals in a type hint allow, wherever they stand in it."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return set().union(*map(literals, get_args(hint)))


@pytest.mark.parametrize(
    ("ours", "described"),
    [
        (Reading, record.ReadingRecord), (NumberColumn, record.NumberColumnRecord),
        (TextColumn, record.TextColumnRecord), (CategoryColumn, record.CategoryColumnRecord),
        (Parameter, record.ParameterRecord), (Round, record.RoundRecord), (Plan, record.PlanRecord),
    ],
)  # fmt: skip
def test_what_the_code_can_write_the_description_admits(ours: type, described: type) -> None:
    written, admitted = get_type_hints(ours), get_type_hints(described)
    assert set(written) - {"space"} <= set(admitted)
    for name, hint in written.items():
        assert literals(hint) <= (literals(admitted.get(name)) or literals(hint)), name


class Inner(TypedDict):
    """A part."""

    count: Count
    share: NotRequired[Share]


class Outer(TypedDict):
    """A whole."""

    name: str | None
    parts: list[Inner]
    pair: tuple[float, float]
    by_name: NotRequired[dict[str, bool]]
    level: NotRequired[Literal["good", "bad"]]


GOOD: dict[str, Any] = {"name": "a", "parts": [{"count": 1, "share": 0.5, "more": []}], "pair": [1, 2.5]}
WRONG: list[tuple[Any, str]] = [
    ([], "it is a list, not an object"),
    ({}, "name is missing"),
    ({**GOOD, "name": 3}, "name is 3, not a text"),
    ({**GOOD, "parts": {}}, "parts is an object, not a list"),
    ({**GOOD, "parts": [{"count": 1}, {}]}, "parts.1.count is missing"),
    ({**GOOD, "parts": [{"count": True}]}, "parts.0.count is True, not a whole number"),
    ({**GOOD, "parts": [{"count": 1.0}]}, "parts.0.count is 1.0, not a whole number"),
    ({**GOOD, "parts": [{"count": -1}]}, "parts.0.count is -1, not a whole number from 0"),
    (
        {**GOOD, "parts": [{"count": 10**400}]},
        "parts.0.count is a number of more than 18 digits, not one of a usual size",
    ),
    ({**GOOD, "parts": [{"count": 0, "share": 1.5}]}, "parts.0.share is 1.5, not a number from 0 to 1"),
    ({**GOOD, "pair": [1]}, "pair is a list, not a list of 2"),
    ({**GOOD, "pair": [1, None]}, "pair.1 is null, not a number"),
    ({**GOOD, "pair": [1, math.inf]}, "pair.1 is inf, not a finite number"),
    ({**GOOD, "by_name": {"a": 1}}, "by_name.a is 1, not true or false"),
    ({**GOOD, "level": "worse"}, "level is 'worse', not 'good' or 'bad'"),
]


def test_what_fits_is_taken() -> None:
    check_shape(GOOD, Outer)
    check_shape({**GOOD, "name": None, "parts": []}, Outer)
    check_shape({"loss": math.nan}, dict[str, float], nan=True)
    check_shape([1, "a", True, None], list[int | str | bool | None])
    check_shape("2026-01-01T00:00:00+00:00", Moment)


@pytest.mark.parametrize(("value", "problem"), WRONG)
def test_what_does_not_is_refused_with_its_place(value: Any, problem: str) -> None:
    with pytest.raises(ShapeError) as caught:
        check_shape(value, Outer)
    assert str(caught.value) == problem


@pytest.mark.parametrize("text", ["", "noon", "2026-01-01T00:00:00", "2026-13-01T00:00:00+00:00"])
def test_a_moment_has_a_zone(text: str) -> None:
    with pytest.raises(ShapeError, match="not a time with its zone"):
        check_shape(text, Moment)


def test_of_a_union_the_alternative_that_fits_best_says_what_is_wrong() -> None:
    with pytest.raises(ShapeError, match=r"0\.count is 'x', not a whole number"):
        check_shape([{"count": "x"}], str | list[Inner])


SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
SOME = Annotated[str, Rule(len, "some text")]
NAMES = st.sampled_from(["count", "share", "a"])


@given(st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)))
def test_whatever_it_is_the_check_answers(value: Any) -> None:
    for description in (Inner, list[Inner], dict[str, float | None], tuple[int, str], SOME):
        try:
            check_shape(value, description)
        except ShapeError as error:
            assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
        else:
            assert isinstance(value, (dict, list, str))


FILES = [("table", "run.json"), ("table", "result.json"), ("training", "run.json"), ("training", "result.json")]
OTHERS: list[Any] = [None, True, -1, 1e999, 10**400, "a", "", [], {}, [None], {"a": 1}]


def places(value: Any, *place: Any) -> Any:
    """Yield where something stands in nested lists and dictionaries."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*place, key)
        yield from places(value[key], *place, key)


@pytest.mark.parametrize(("run", "name"), FILES)
def test_whatever_stands_in_a_record_it_is_read_or_refused_by_name(run: str, name: str, tmp_path: Path) -> None:
    whole = json.loads((OLD / run / name).read_text(encoding="utf-8"))
    for each in ("run.json", "result.json"):
        (tmp_path / each).write_bytes((OLD / run / each).read_bytes())
    taken = refused = 0
    for number, place in enumerate(places(whole)):
        state = json.loads(json.dumps(whole))
        holder = state
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = OTHERS[number % len(OTHERS)]
        (tmp_path / name).write_text(json.dumps(state).replace("Infinity", "1e999"), encoding="utf-8")
        try:
            RunFolder.open(tmp_path, "search", TRAINING).result()
            taken += 1
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
            refused += 1
    assert refused > 15
    assert taken > 2
