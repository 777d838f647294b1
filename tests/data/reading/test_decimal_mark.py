"""1.234 beside 900 is a thousand and more or one and a bit: as other columns tell, and refused by name if none does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tfcourse.data.looking import look_at
from tfcourse.data.reading.corrections import read_corrections
from tfcourse.data.reading.decide import Decided, Wishes, decide
from tfcourse.data.reading.decimal_mark import DecimalMark
from tfcourse.data.sources import load
from tfcourse.errors import UserError

FEW_POINTS = ["900", "2.174", "114", "3.411"]
MANY_POINTS = [f"1.{number}" for number in range(100, 130)]
COMMAS = ["900", "2,174", "114", "3,411"]
NO_WORD = [["red", "blue"], ["1", "2000"], ["1.2.2003", "13.4.2004"], ["1.5.3", "1.5.4"], ["1.5", "soon"], ["?", "-"]]
SAY_COMMA = [["1,5", "2"], ["0,125", "0,5"], ["1.234,5", "2"], ["12,5 %", "-"], ["7,25 €", "8 €"], ["1 234,567", "2"]]
SAY_POINT = [["1.5", "2"], ["0.125", "0.5"], ["1,234.5", "2"], ["$7.25", "$8"], ["1234.567", "2"], ["1 234.567", "2"]]


def beside(texts: list[str], others: list[str]) -> Decided:
    """Decide on a column of a table that has another one."""
    rows = max(len(texts), len(others)) * 4
    table = pa.table({"n": (texts * rows)[:rows], "other": (others * rows)[:rows]})
    return decide("n", table.column("n"), Wishes(), DecimalMark(table))


@pytest.mark.parametrize("others", SAY_COMMA)
def test_decimal_commas_elsewhere_make_points_thousands_and_commas_decimals(others: list[str]) -> None:
    np.testing.assert_array_equal(beside(FEW_POINTS, others).values[:4], [900, 2174, 114, 3411])
    np.testing.assert_array_equal(beside(["2.174", "3.411"], others).values[:2], [2174, 3411])
    np.testing.assert_array_equal(beside(["900 €", "2.174 €"], others).values[:2], [900, 2174])
    np.testing.assert_array_equal(beside(COMMAS, others).values[:4], [900, 2.174, 114, 3.411])


@pytest.mark.parametrize("others", SAY_POINT)
def test_decimal_points_elsewhere_make_points_decimals_and_commas_thousands(others: list[str]) -> None:
    decided = beside(FEW_POINTS, others)
    np.testing.assert_array_equal(decided.values[:4], [900, 2.174, 114, 3.411])
    assert decided.odd == []
    np.testing.assert_array_equal(beside([*MANY_POINTS, "1"], others).values[29:31], [1.129, 1])
    np.testing.assert_array_equal(beside(COMMAS, others).values[:4], [900, 2174, 114, 3411])


@pytest.mark.parametrize("others", NO_WORD)
def test_what_nothing_tells_is_refused_by_name(others: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        beside(FEW_POINTS, others)
    assert str(caught.value) == (
        "Column 'n' holds '2.174' in row 2, which may be 2.174 or 2174, and no other column tells which mark stands"
        ' before decimals. Say so with --reading FILE.toml: its lines ["n"] kind = "number" mean 2.174, and'
        ' decimal = "," thousands = "." below them 2174; or leave the column out with --drop n.'
    )
    assert beside([*MANY_POINTS, "900"], others).values.max() == 1129
    assert beside(COMMAS, others).odd == [
        "'2,174' is read with thousands; look --write, decimal = ',' and thousands = '' say otherwise"
    ]
    alone = beside(["2.174", "3.411"], others)  # all of them a thousand times larger would be the same when scaled
    assert alone.values.max() == 3.411
    assert alone.odd == [
        "'2.174' is read with decimals; if it stands for 2174, look --write and thousands = '.' say so"
    ]


@pytest.mark.parametrize("negative", ["(1)", "-1", "−1", "1-", "+1"])
@pytest.mark.parametrize("others", NO_WORD)
def test_however_negative_numbers_are_written_a_lone_point_is_refused(negative: str, others: list[str]) -> None:
    with pytest.raises(UserError, match=r"Column 'n' holds '2\.174' in row 2, which may be 2\.174 or 2174"):
        beside(["900", "2.174", negative, "0"], others)


def test_columns_that_contradict_each_other_tell_nothing() -> None:
    table = pa.table({"n": FEW_POINTS, "a": ["1,5"] * 4, "b": ["1.5"] * 4})
    with pytest.raises(UserError, match=r"Column 'n' holds '2\.174'"):
        decide("n", table.column("n"), Wishes(), DecimalMark(table))


def test_a_file_is_read_and_looked_at_alike_and_takes_a_correction(tmp_path: Path) -> None:
    rows = 12
    for other, expected in (("1,5", 3411.0), ("1.5", 900.0), ("1", None)):
        path = tmp_path / "t.csv"
        lines = [f"{(FEW_POINTS * rows)[row]};{other};{'ab'[row % 2]}" for row in range(rows)]
        path.write_text("\n".join(["n;other;y", *lines]))
        looked = look_at(path)[0][0]
        if expected is not None:
            assert load(str(path), target="y").x["n"].max() == expected  # type: ignore[call-overload, union-attr]
            assert looked.values is not None
            assert looked.values.max() == expected
            continue
        assert looked.refused
        with pytest.raises(UserError, match=r"Column 'n' holds '2\.174'"):
            load(str(path), target="y")
        for more, value in (("", 900.0), ('decimal = ","\nthousands = "."\n', 3411.0)):
            toml = tmp_path / "r.toml"
            toml.write_text(f'["n"]\nkind = "number"\n{more}')
            found = load(str(path), target="y", wishes=Wishes(readings=read_corrections(toml)))
            assert found.x["n"].max() == value  # type: ignore[call-overload, union-attr]
