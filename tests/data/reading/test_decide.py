"""What a column is, is what a sensible person would decide from its values; what cannot be told is refused by name."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.data.reading.decide import Decided, Wishes, decide
from tfcourse.data.reading.decode import days_of_numbers, decode
from tfcourse.data.reading.markers import ALWAYS, MAYBE
from tfcourse.data.reading.reading import Reading
from tfcourse.errors import UserError

ROWS = 40
PLAIN = [f"{value / 4}" for value in range(ROWS)]
MARKERS = ["#N/A", "N/A", "n/a", "NULL", "-", "--", ".", "?", "#DIV/0!", "1.#QNAN", "NaN", "None", "<NA>", "", "NA"]


def column(values: list[Any], rows: int = ROWS) -> Any:
    """A column that repeats ``values``."""
    return pa.chunked_array([pa.array((values * rows)[:rows])])


def read(values: list[Any], **wishes: tuple[str, ...]) -> Decided:
    return decide("c", column(values), Wishes(**wishes))


def refusal(values: list[Any], **wishes: tuple[str, ...]) -> str:
    with pytest.raises(UserError) as caught:
        read(values, **wishes)
    return str(caught.value)


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("style", ["plain", "percent", "date"])
def test_a_marker_among_other_kinds_is_a_missing_value(marker: str, style: str) -> None:
    texts = {
        "plain": PLAIN,
        "percent": [f"{text}%" for text in PLAIN],
        "date": [f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}" for day in range(ROWS)],
    }[style]
    clean = read(texts)
    with_marker = read([marker if index % 5 == 0 else text for index, text in enumerate(texts)])
    assert with_marker.reading.kind == clean.reading.kind
    assert np.isnan(with_marker.values[::5]).all()
    keep = np.arange(ROWS) % 5 != 0
    np.testing.assert_array_equal(with_marker.values[keep], clean.values[keep])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["None", "Mild", "Severe"], ["None", "Mild", "Severe"]),
        (["NA", "EU", "US"], ["NA", "EU", "US"]),
        (["NA", "Biscoe", "Dream"], ["", "Biscoe", "Dream"]),
        (["?", "a", "b"], ["", "a", "b"]),
        (["#N/A", "a", "n/a"], ["", "a", ""]),
        (["-", "+", "+"], ["-", "+", "+"]),
        (["TRUE", "False", "true"], ["True", "False", "True"]),
        (["true", "None", "?"], ["True", "", ""]),
        (["1.0", "2", "low"], ["1", "2", "low"]),
        ([" é", "e\u0301 ", "b"], ["é", "é", "b"]),
    ],
)
def test_categories_have_one_spelling_each_and_keep_what_is_a_value(values: list[str], expected: list[str]) -> None:
    decided = read(values)
    assert decided.reading.kind == "category"
    assert decided.values[:3].tolist() == expected


def test_what_could_be_missing_and_is_not_is_told() -> None:
    assert read(["None", "Mild", "Severe"]).odd == [
        "'None' is a value of its own, in 14 rows; --missing None would read it as missing"
    ]
    assert read(["None", "Mild", "Severe"], missing=("None",)).values[:2].tolist() == ["", "Mild"]
    assert read(["?", "a", "b"], not_missing=("?",)).values[:2].tolist() == ["?", "a"]


NUMBERS = [0.5, 12.0, 999.25, 1234.5, 25_000.0, 1_234_567.75, -8.0, -1234.5] * 3


@pytest.mark.parametrize(
    ("write", "reading"),
    [
        (lambda v: f"{v}", Reading("c", "number")),
        (lambda v: f"{v:+}", Reading("c", "number")),
        (lambda v: f"{v}".replace("-", "−"), Reading("c", "number")),
        (lambda v: f"{v:.3e}" if v == 12 else f"{v}", Reading("c", "number")),
        (lambda v: f"{v:,.2f}", Reading("c", "number", ".", ",")),
        (lambda v: f"({-v:,.2f})" if v < 0 else f"{v:,.2f}", Reading("c", "number", ".", ",")),
        (lambda v: f"{-v:,.2f}-" if v < 0 else f"{v:,.2f}", Reading("c", "number", ".", ",")),
        (lambda v: f"{v:,.2f}".replace(",", " "), Reading("c", "number", ".", " ")),
        (lambda v: f"{v:,.2f}".replace(",", "\u202f").replace(".", ","), Reading("c", "number", ",", " ")),
        (lambda v: f"{v:,.2f}".replace(",", "\u00a0").replace(".", ","), Reading("c", "number", ",", " ")),
        (lambda v: f"{v:,.2f}".replace(",", "'"), Reading("c", "number", ".", "'")),
        (lambda v: f"{v:,.2f}".replace(",", "’"), Reading("c", "number", ".", "'")),
        (lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")), Reading("c", "number", ",", ".")),
        (lambda v: f"{v:.2f}".replace(".", ","), Reading("c", "number", ",")),
        (lambda v: f"{v}%", Reading("c", "number", unit="%")),
        (lambda v: f"{v} %", Reading("c", "number", unit="%")),
        (lambda v: f"${v:,.2f}" if v >= 0 else f"-${-v:,.2f}", Reading("c", "number", ".", ",", "$")),
        (lambda v: f"${v:,.2f}" if v >= 0 else f"(${-v:,.2f})", Reading("c", "number", ".", ",", "$")),
        (lambda v: f"{v:.2f} €".replace(".", ","), Reading("c", "number", ",", "", "€")),
        (lambda v: f"EUR {v}", Reading("c", "number", unit="EUR")),
        (lambda v: f"{v} mg/dL", Reading("c", "number", unit="mg/dL")),
        (lambda v: f"{v}°C", Reading("c", "number", unit="°C")),
    ],
)
def test_numbers_as_people_write_them(write: Any, reading: Reading) -> None:
    decided = decide("c", pa.chunked_array([[write(value) for value in NUMBERS]]))
    assert decided.reading == reading
    np.testing.assert_array_equal(decided.values, NUMBERS)


@given(st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), min_size=12, max_size=30, unique=True))
def test_one_spelling_of_a_column_is_as_good_as_another(values: list[decimal.Decimal]) -> None:
    expected = [float(value) for value in values]
    for separator, mark in (("", "."), (",", "."), (".", ","), (" ", ","), ("'", "."), ("", ",")):
        texts = [f"{value:,.2f}".translate(str.maketrans({",": separator, ".": mark})) for value in values]
        decided = decide("c", pa.chunked_array([texts]))
        assert decided.reading.kind == "number"
        present = ~np.isnan(decided.values)  # a far value is read as missing, in each spelling alike
        np.testing.assert_array_equal(decided.values[present], np.array(expected)[present])


def test_points_before_thousands_are_told_from_decimals() -> None:
    thousands = [f"1.{number}" for number in range(100, 130)]
    assert read([*thousands, "900"]).odd == [
        "its points stand before thousands, since always three figures follow them: 1.234 is read as 1234"
    ]
    assert read([*thousands, "900"]).values.max() == 1129.0
    assert read([*thousands, "0.9"]).values.max() == 1.129
    assert read([*thousands, "1000"], not_missing=("1000",)).values.max() == 1000.0
    assert read(["1,234", "900", *[f"{n},5" for n in range(20)]]).reading.decimal == ","


@pytest.mark.parametrize(
    ("values", "wrong", "row", "words"),
    [
        ([*PLAIN[:39], "1.75 cm"], "1.75 cm", 40, "numbers but for 1 of 40"),
        ([*[f"{n} cm" for n in range(39)], "12 mm"], "12 mm", 40, "numbers such as 1234.5 cm but for 1 of 40"),
        ([*[f"{n}%" for n in range(30)], *["0.5"] * 10], "0.5", 31, "numbers such as 1234.5 % but for 10 of 40"),
        ([*PLAIN[:20], *["pending"] * 20], "pending", 21, "numbers but for 20 of 40"),
        ([*[f"{n},5" for n in range(30)], *[f"{n}.5" for n in range(10)]], "0.5", 31, "numbers such as 1234,5 but for"),
        ([*[f"2024-01-{n:02d}" for n in range(1, 32)], "soon"], "soon", 32, "dates but for 1 of 32"),
        ([*[f"2024-01-{n:02d}" for n in range(1, 32)], "2024-02-30"], "2024-02-30", 32, "dates but for 1 of 32"),
    ],
)
def test_slips_are_refused_with_the_row(values: list[str], wrong: str, row: int, words: str) -> None:
    with pytest.raises(UserError) as caught:
        decide("c", pa.chunked_array([values]))
    message = str(caught.value)
    assert words in message
    assert f"such as {wrong!r} in row {row}." in message


def test_the_whole_sentence_on_slips() -> None:
    values = [*PLAIN[:39], "1.75 cm"]
    assert refusal(values) == (
        "Column 'c' is numbers but for 1 of 40 values, such as '1.75 cm' in row 40. Put them right, leave them empty,"
        " read the column as categories with --categorical c, or leave it out with --drop c."
    )
    values[-1] = "not measured"
    assert refusal(values) == (
        "Column 'c' is numbers but for 1 of 40 values, such as 'not measured' in row 40. Put them right, leave them"
        " empty, say that 'not measured' is missing with --missing 'not measured', read the column as categories with"
        " --categorical c, or leave it out with --drop c."
    )
    assert np.isnan(read(values, missing=("not measured",)).values).sum() == 1
    assert read(values, categorical=("c",)).reading.kind == "category"


@pytest.mark.parametrize("pattern", ["{}-{}", "A{}", "{}:00", "{}/7", "{} of 9"])
def test_texts_with_digits_are_texts(pattern: str) -> None:
    assert read([pattern.format(n, n + 5) for n in range(ROWS)]).reading.kind == "category"


MOMENTS = [
    datetime.datetime(2020, 1, 1, 5, 30) + index * datetime.timedelta(days=9, hours=7, seconds=1)
    for index in range(ROWS)
]
DAYS = [(moment - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1) for moment in MOMENTS]


@pytest.mark.parametrize(
    ("pattern", "order"),
    [
        ("%Y-%m-%d %H:%M:%S", "ymd"),
        ("%Y-%m-%dT%H:%M:%S", "ymd"),
        ("%Y-%m-%dT%H:%M:%SZ", "ymd"),
        ("%Y-%m-%d %H:%M:%S.%f", "ymd"),
        ("%Y-%m-%dT%H:%M:%S,%fZ", "ymd"),
        ("%Y-%m-%d %H:%M:%S+00:00", "ymd"),
        ("%Y/%m/%d %H:%M:%S", "ymd"),
        ("%d.%m.%Y %H:%M:%S", "dmy"),
        ("%d/%m/%Y %H:%M:%S", "dmy"),
        ("%d-%m-%Y %H:%M:%S", "dmy"),
        ("%-d.%-m.%Y %H:%M:%S", "dmy"),
        ("%m/%d/%Y %H:%M:%S", "mdy"),
        ("%-m/%-d/%Y %-I:%M:%S %p", "mdy"),
        ("%d.%m.%y %H:%M:%S", "dmy"),
        ("%d %b %Y %H:%M:%S", "words"),
        ("%-d %B %Y %H:%M:%S", "words"),
        ("%d-%b-%Y %H:%M:%S", "words"),
        ("%d%b%Y %H:%M:%S", "words"),
        ("%d/%b/%y %H:%M:%S", "words"),
        ("%-d. %b. %Y, %-I:%M:%S %p", "words"),
        ("%a, %d %b %Y %H:%M:%S GMT", "words"),
        ("%B %-d, %Y %H:%M:%S", "words"),
        ("%A, %B %-d, %Y, %-I:%M:%S %p", "words"),
        ("%b %dth %Y %H:%M:%S", "words"),
        ("%Y-%b-%d %H:%M:%S", "words"),
    ],
)
def test_dates_as_people_and_programs_write_them(pattern: str, order: str) -> None:
    decided = decide("c", pa.chunked_array([[moment.strftime(pattern) for moment in MOMENTS]]))
    assert (decided.reading.kind, decided.reading.order) == ("date", order)
    np.testing.assert_allclose(decided.values, DAYS, rtol=0, atol=1e-10)


def test_offsets_are_taken_off_as_pandas_does() -> None:
    texts = [
        f"2024-03-{1 + index % 28:02d}T{index % 24:02d}:05:09.{index:03d}{'+-'[index % 2]}0{index % 9}:30"
        for index in range(ROWS)
    ]
    expected = (
        pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True).astype("datetime64[us, UTC]").astype("int64")
        / 86400e6
    )
    np.testing.assert_allclose(decide("c", pa.chunked_array([texts])).values, expected, rtol=0, atol=1e-10)
    without_colon = [text[:-3] + text[-2:] for text in texts]
    np.testing.assert_allclose(decide("c", pa.chunked_array([without_colon])).values, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("ns", "Europe/Berlin"), pa.timestamp("s")]
)
def test_the_same_moments_are_the_same_numbers_from_texts_and_from_types(kind: pa.DataType) -> None:
    moments = pa.array(MOMENTS, pa.timestamp("us", "UTC" if kind.tz else None)).cast(kind)
    texts = [f"{moment:%Y-%m-%dT%H:%M:%S}Z" for moment in MOMENTS]
    typed = decide("c", pa.chunked_array([moments])).values
    np.testing.assert_array_equal(typed, decide("c", pa.chunked_array([texts])).values)
    seconds = decide("c", pa.chunked_array([[round(day * 86400) for day in DAYS]]))
    assert seconds.reading.order == "seconds"
    np.testing.assert_array_equal(typed, seconds.values)


@pytest.mark.parametrize(
    "zero", ["0000-00-00", "0000-00-00 00:00:00", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59"]
)
def test_dates_out_of_every_range_are_missing_and_told(zero: str) -> None:
    decided = decide("c", pa.chunked_array([[zero, *[f"{moment:%Y-%m-%d}" for moment in MOMENTS]]]))
    assert decided.reading.kind == "date"
    assert np.flatnonzero(np.isnan(decided.values)).tolist() == [0]
    assert decided.odd == [f"1 date out of every range is read as missing, such as {zero!r} in row 1"]


def test_dates_that_nothing_decides_are_refused() -> None:
    assert refusal([f"{1 + n % 12}/{1 + n // 4}/2024" for n in range(ROWS)]) == (
        "Column 'c' holds dates such as '2/1/2024' in row 2, and no row tells whether the day or the month comes first."
        ' Write them as 2026-12-31; or say with --reading FILE.toml, by its lines ["c"] kind = "date" order = "dmy" (or'
        ' "mdy"), which it is; or leave the column out with --drop c.'
    )
    assert refusal([f"{1 + n % 28} {['Mar', 'Mai'][n % 2]} {2000 + n}" for n in range(ROWS)]) == (
        "Column 'c' holds dates with the month in words, such as '2 Mai 2001' in row 2, which is not read. Write"
        " them as 2026-12-31 or 31 Dec 2026, read them as categories with --categorical c, or leave the column out"
        " with --drop c."
    )


def test_months_in_words_are_read_in_any_case_and_as_nothing_else() -> None:
    assert read(["3 MAR 2021", "4 march 2021", "Sept 5, 2021"]).values[:3].tolist() == [18689, 18690, 18875]
    assert read(["3 Martha 2021", "May 5", "12 June"]).reading.kind == "category"
    assert read(["30 Feb 2021", "Mar 2021", "12 June 2021"]).reading.kind == "category"


@pytest.mark.parametrize("write", ["{0:02d}-{1}-{2:02d}", "{0}.3.{2:02d}"])
def test_years_of_two_figures_are_told_and_refused_where_the_century_is_not(write: str) -> None:
    def texts(first: int, last: int) -> list[str]:
        return [write.format(13 + n % 10, "Mar", year % 100) for n, year in enumerate(range(first, last))]

    decided = decide("c", pa.chunked_array([texts(1980, 2020)]))
    moments = [datetime.datetime(year, 3, 13 + n % 10) for n, year in enumerate(range(1980, 2020))]
    assert decided.values.tolist() == [(moment - datetime.datetime(1970, 1, 1)).days for moment in moments]
    told = f"years of two figures are read as 1969 to 2068: {texts(1980, 1981)[0]!r} is 1980-03-13"
    assert decided.odd == [told]
    assert refusal(texts(1940, 1999)) == (
        f"Column 'c' holds dates such as {texts(1940, 1941)[0]!r} in row 1, and nothing tells the century of its years"
        ' of two figures. Write four figures; or say with --reading FILE.toml, by its lines ["c"] kind = "date" order'
        f' = "{decided.reading.order}", that 69 to 99 are of the 20th and 00 to 68 of the 21st century; or leave the'
        " column out with --drop c."
    )


def test_numbers_that_are_moments_and_numbers_that_are_not() -> None:
    compact = [int(f"{moment:%Y%m%d}") for moment in MOMENTS]
    assert read(compact).reading.order == "compact"
    assert read([str(number) for number in compact]).values[0] == np.floor(DAYS[0])
    assert read([round(day * 86400e3) for day in DAYS]).reading.order == "milliseconds"
    assert read([868_000_000 + n for n in range(31)]).reading.kind == "number"
    assert read([20_245_000 + n for n in range(31)]).reading.kind == "number"


@pytest.mark.parametrize("far", [999999999.0, -3.4028235e38, 1e12])
def test_a_far_value_is_told_and_is_missing(far: float) -> None:
    values = [*[float(20_000 + 37 * n) for n in range(ROWS)], far]
    decided = decide("income", pa.chunked_array([values]))
    assert np.flatnonzero(np.isnan(decided.values)).tolist() == [ROWS]
    assert decided.odd == [
        f"{far:.10g} in row 41 is far from all other values and is read as missing (--not-missing {far:.10g} keeps it)"
    ]
    kept = decide("income", pa.chunked_array([values]), Wishes(not_missing=(f"{far:.10g}",)))
    assert (np.isnan(kept.values).sum(), kept.odd) == (0, [])


@given(st.floats(0.5, 2.5), st.integers(0, 1000))
def test_heavy_tails_are_no_far_values(shape: float, seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(0, shape, 300)
    assert decide("c", pa.chunked_array([values])).odd == []


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([2**53 + 1, 2**53 + 2, None]), ["9007199254740993", "9007199254740994", ""]),
        (pa.array([1.0, 2.5, None]), ["1", "2.5", ""]),
        (pa.array([True, False, None]), ["True", "False", ""]),
        (pa.array([decimal.Decimal("1.50"), decimal.Decimal("2.00"), None]), ["1.50", "2", ""]),
        (pa.array(["a ", "b", None]).dictionary_encode(), ["a", "b", ""]),
        (pa.array([datetime.date(2024, 1, 31), None, None]), ["2024-01-31", "", ""]),
    ],
)
def test_types_become_categories_as_their_texts_would(array: pa.Array, expected: list[str]) -> None:
    decided = decide("c", pa.chunked_array([array]), Wishes(categorical=("c",)))
    assert decided.values.tolist() == expected
    if pa.types.is_dictionary(array.type):
        return
    texts = pa.array([text.replace("1.50", "1.50") for text in expected])
    assert decide("c", pa.chunked_array([texts]), Wishes(categorical=("c",))).values.tolist() == expected


def test_an_empty_column_is_refused() -> None:
    for values in (["", "?", "NA"], ["#N/A"]):
        assert refusal(values) == "Column 'c' is empty in all 40 rows; leave it out with --drop c."
    assert read(["", "-"], not_missing=("-",)).values[:2].tolist() == ["", "-"]


@pytest.mark.parametrize("infinite", ["inf", "-Infinity", "1.#INF"])
def test_infinite_numbers_are_refused(infinite: str) -> None:
    assert refusal([*PLAIN[:3], infinite, *PLAIN[4:9], infinite, *PLAIN[10:]]) == (
        "Column 'c' holds infinite numbers in 2 rows, the first in row 4. Put a finite number there, or leave the"
        " value empty."
    )
    assert refusal([1.0, np.inf]).startswith("Column 'c' holds infinite numbers in 20 rows, the first in row 2.")


WORDS = st.sampled_from(
    [*sorted(ALWAYS | MAYBE), "1", "2.5", "1,234", "12 cm", "5%", "2024-01-31", "1/2/2024", "True", "x", "€3", "(4)"]
)


@given(st.lists(WORDS | st.text(max_size=8), min_size=1, max_size=30))
def test_whatever_stands_in_a_column_it_is_read_the_same_again_or_refused(values: list[str]) -> None:
    raw = pa.chunked_array([values])
    try:
        decided = decide("c", raw)
    except UserError:
        return
    again = decode(raw, Reading.from_json(decided.reading.to_json()))
    np.testing.assert_array_equal(again, decided.values)


SAID = {"compact": ["99999999", "-1", "0", "20300101"], "seconds": ["-1", "0"], "milliseconds": ["-1", "0"]}
"""What may stand for no date, by the order of the others."""


@pytest.mark.parametrize(("order", "text"), [(order, text) for order, texts in SAID.items() for text in texts])
@pytest.mark.parametrize("kind", [int, float, str, "with texts"])
def test_numbers_said_to_be_missing_among_dates_are_missing_in_training_and_later(
    order: str, text: str, kind: Any
) -> None:
    days = pd.date_range("2020-01-31", periods=ROWS - 1)
    since_1970 = (days - pd.Timestamp(0)).days.to_numpy().astype(float)
    factor = {"seconds": 86400, "milliseconds": 86400000}.get(order)
    numbers = [int(f"{d:%Y%m%d}") if factor is None else int(n) * factor for d, n in zip(days, since_1970, strict=True)]
    values = [str(each) if isinstance(kind, str) else kind(each) for each in [int(text), *numbers]]
    if kind == "with texts":
        values[-1] = "n/a"
        since_1970[-1] = np.nan
    decided = read(values, missing=(text,))
    assert (decided.reading.kind, decided.reading.order) == ("date", order)
    np.testing.assert_array_equal(decided.values, [np.nan, *since_1970])
    np.testing.assert_array_equal(decode(column(values), decided.reading), decided.values)
    assert Reading.from_json(decided.reading.to_json()) == decided.reading
    new = pa.chunked_array([pa.array([float(text)])])  # as a number, whatever the column of training was
    assert np.isnan(decode(new, decided.reading)).all()
    day = days_of_numbers(np.array([float(text)]), decided.reading)  # as in the exported model, by sentinels alone
    assert np.isnan(day) or day in decided.reading.sentinels


def test_an_earlier_run_whose_reading_does_not_tell_what_was_missing_goes_on() -> None:
    earlier = Reading("c", "date", order="compact")
    values = decode(column([20200131, 99999999, -1, 0], 4), earlier)
    np.testing.assert_array_equal(values, [18292.0, np.nan, np.nan, np.nan])
