"""Dates in another form than those beside them or those of training: told, or refused where the order is not."""

from __future__ import annotations

import datetime
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from tfcourse.data.reading.date_forms import new_forms
from tfcourse.data.reading.decide import decide
from tfcourse.data.reading.decode import decode
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=9 * n) for n in range(40)]
SURE, UNSURE = datetime.date(2023, 5, 24), datetime.date(2023, 5, 4)
STYLES = {
    "dd.mm.yyyy": "%d.%m.%Y", "dd/mm/yyyy": "%d/%m/%Y", "dd-mm-yyyy": "%d-%m-%Y", "mm/dd/yyyy": "%m/%d/%Y",
    "mm-dd-yyyy": "%m-%d-%Y", "yyyy-mm-dd": "%Y-%m-%d", "yyyy/mm/dd": "%Y/%m/%d", "dd.mm.yy": "%d.%m.%y",
    "words": "%d %b %Y",
}  # fmt: skip


def column(texts: list[Any]) -> Any:
    return pa.chunked_array([texts])


def trained(form: str) -> Reading:
    return decide("c", column([f"{day:{STYLES[form]}}" for day in DAYS])).reading


@pytest.mark.parametrize("form", STYLES)
def test_training_keeps_the_forms_that_it_had(form: str) -> None:
    assert trained(form).forms == (form,)
    two = [f"{day:{STYLES[form]}}" for day in DAYS] + [f"{day:%Y-%m-%d}" for day in DAYS]
    assert decide("c", column(two)).reading.forms == tuple(dict.fromkeys((form, "yyyy-mm-dd")))


def is_last(form: str) -> bool:
    return form[0] in "dm"


@pytest.mark.parametrize(("form", "new"), [(f, n) for f, n in product(STYLES, STYLES) if f != n and n != "words"])
@pytest.mark.parametrize("day", [SURE, UNSURE])
def test_new_rows_in_another_form_are_never_read_as_another_day_in_silence(
    form: str, new: str, day: datetime.date
) -> None:
    reading, texts = trained(form), column([f"{day:{STYLES[new]}}"])
    try:
        days, told = decode(texts, reading), new_forms(texts, reading)
    except UserError as error:
        message = str(error)
    else:
        message = ""
    if message:
        assert f"holds '{day:{STYLES[new]}}' in row 1, but" in message
        assert is_last(new)
        return
    swapped = is_last(form) and is_last(new) and form[2] == new[2] and form[:2] != new[:2]
    if not swapped:  # mm/dd for dd/mm with the same mark: nothing in the text tells, if the day is below 13
        assert days.tolist() == [(day - datetime.date(1970, 1, 1)).days]
        assert len(told) == 1
        assert f"'{day:{STYLES[new]}}' in row 1 is read as {day:%Y-%m-%d}" in told[0]
        assert f"in training they were {form}:" in told[0]


def test_the_case_that_was_read_in_silence() -> None:
    reading = trained("dd.mm.yyyy")
    with pytest.raises(UserError) as caught:
        decode(column(["24.12.2023", "05/04/2023"]), reading)
    assert str(caught.value) == (
        "Column 'c' holds '05/04/2023' in row 2, but the dates of training were written as dd.mm.yyyy, and nothing"
        " tells whether the day or the month comes first here. Write it as those, or as 2026-12-31."
    )
    by_hand = Reading("c", "date", order="dmy")  # a person said the order, of whatever form
    assert decode(column(["05/04/2023"]), by_hand).tolist() == [19452.0]
    assert new_forms(column(["05/04/2023"]), by_hand) == []


@pytest.mark.parametrize("mark", ["/", "-"])
def test_in_training_too_every_form_must_tell_its_own_order(mark: str) -> None:
    points = [f"{day:%d.%m.%Y}" for day in DAYS]
    unsure = [f"{n:02d}{mark}{1 + n % 5:02d}{mark}2023" for n in range(2, 12)]
    with pytest.raises(UserError) as caught:
        decide("c", column(points + unsure))
    assert str(caught.value) == (
        f"Column 'c' holds dates such as '02{mark}03{mark}2023' in row 41, and no row that is written so tells"
        " whether the day or the month comes first. Write them as 2026-12-31; or say with --reading FILE.toml, by its"
        ' lines ["c"] kind = "date" order = "dmy" (or "mdy"), which it is; or leave the column out with --drop c.'
    )
    sure = decide("c", column([*points, *unsure, f"24{mark}05{mark}2023"]))
    assert sure.reading.order == "dmy"
    assert sure.reading.forms == ("dd.mm.yyyy", f"dd{mark}mm{mark}yyyy")


@pytest.mark.parametrize(
    ("reading", "values", "held"),
    [
        (Reading("c", "date", order="ymd"), [20230504], "20230504 in row 1"),  # not seconds since 1970
        (Reading("c", "date", order="dmy"), [45050.5], "45050.5 in row 1"),  # a spreadsheet's day number
        (Reading("c", "date", order="compact"), [20230504, 20231504], "20231504 in row 2"),
        (Reading("c", "date", order="compact"), ["20230504", "20231504"], "20231504 in row 2"),
        (Reading("c", "date", order="compact"), [2023], "2023 in row 1"),
    ],
)
def test_numbers_that_are_no_such_date_are_refused_whatever_their_type(
    reading: Reading, values: list[Any], held: str
) -> None:
    with pytest.raises(UserError, match=f"Column 'c' holds {held}, but the model was trained on dates such as"):
        decode(column(values), reading)


@pytest.mark.parametrize("mark", ["/", "-"])
def test_new_dates_with_points_are_told_by_them_as_in_training(mark: str) -> None:
    figures = [f"{day}{mark}4{mark}2024" for day in range(1, 29)]
    reading = decide("c", column(figures)).reading
    assert reading.order == decide("c", column([*figures, "3.4.2024"])).reading.order == "dmy"
    assert decode(column(["3.4.2024"]), reading).tolist() == [19816.0]  # 3 April
    assert len(new_forms(column(["3.4.2024"]), reading)) == 1
    american = decide("c", column([f"4{mark}{day}{mark}2024" for day in range(1, 29)])).reading
    assert american.order == "mdy"
    with pytest.raises(UserError, match="nothing tells whether"):
        decode(column(["3.4.2024"]), american)


def test_dates_out_of_every_range_are_told_in_new_rows_as_in_training() -> None:
    assert new_forms(column(["2024-01-01", "0000-00-00", "9999-12-31"]), trained("yyyy-mm-dd")) == [
        "c: 2 dates out of every range are read as missing, such as '0000-00-00' in row 2"
    ]
