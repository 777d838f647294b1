"""What is written with figures but read without their order is told; names that figures only number are not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tfcourse import look
from tfcourse.data.reading.decide import Wishes, decide
from tfcourse.errors import UserError

ROWS = range(40)
QUANTITIES = {
    "blood pressure": [f"{100 + n}/{60 + n}" for n in ROWS],
    "with a tolerance": [f"{n - 9}.5 ± 0.{n}" for n in ROWS],
    "degrees": [f"{n}°{n}'{'NS'[n % 2]}" for n in ROWS],
    "signed durations": [f"{n - 9}h {n}m" for n in ROWS],
    "intervals": [f"[{n}, {n + 10})" for n in ROWS],
    "feet": [f"{n} ft {n % 12} in" for n in ROWS],
    "sizes": [f"{n} x {n + 1} cm" for n in ROWS],
}
NAMES = {
    "codes": [f"{'ABCDEF'[n % 6]}{n}-{n}" for n in ROWS],
    "one number": [f"SKU-{n}" for n in ROWS],
    "few": [f"{10 * n}-{10 * n + 9}" for n in range(10)] * 4,
    "words": ["red", "green", "blue", "7 of 9"] * 10,
}


@pytest.mark.parametrize("texts", QUANTITIES.values(), ids=QUANTITIES.keys())
def test_texts_that_differ_in_their_figures_alone_are_told(texts: list[str]) -> None:
    decided = decide("c", pa.chunked_array([texts]))
    assert decided.reading.kind == "category"
    assert decided.odd == [
        f"its texts differ in their figures alone, such as {texts[0]!r}, and are read without their order: if they tell"
        " how much, give each figure a column of its own"
    ]
    assert decide("c", pa.chunked_array([texts]), Wishes(categorical=("c",))).odd == []


@pytest.mark.parametrize("marker", ["NA", "?", "", "n.d."])
def test_a_missing_value_among_them_changes_nothing(marker: str) -> None:
    texts = [*QUANTITIES["blood pressure"], *["NA"] * 3, marker]
    decided = decide("c", pa.chunked_array([texts]), Wishes(missing=("n.d.",)))
    assert any(line.startswith("its texts differ in their figures alone, such as '100/60'") for line in decided.odd)


@pytest.mark.parametrize("texts", NAMES.values(), ids=NAMES.keys())
def test_names_are_not(texts: list[str]) -> None:
    decided = decide("c", pa.chunked_array([texts]))
    assert (decided.reading.kind, decided.odd) == ("category", [])


ADDRESSES = {
    "of a home": [f"192.168.{100 + n % 3}.{100 + n}" for n in ROWS],  # each could be a number of four groups of figures
    "of the world": [f"{n}.{7 * n % 256}.{31 * n % 256}.{n}" for n in ROWS],
    "with ports": [f"10.0.0.{n}:80{n:02}" for n in ROWS],
    "of networks": [f"10.{n}.0.0/16" for n in ROWS],
}


@pytest.mark.parametrize("texts", ADDRESSES.values(), ids=ADDRESSES.keys())
@pytest.mark.parametrize("others", [[], ["NA", ""], ["unknown"], ["17"]])
def test_addresses_of_the_internet_are_no_numbers(texts: list[str], others: list[str]) -> None:
    decided = decide("ip", pa.chunked_array([[*texts, *others]]))
    assert decided.reading.kind == "category"
    told = [line for line in decided.odd if line.startswith(f"addresses such as {texts[0]!r} are read as categories")]
    assert len(told) == (others in ([], ["NA", ""]))


@pytest.mark.parametrize("texts", [[f"{n % 3}.{n}.{n % 7}" for n in ROWS], [f"{n}.0.{n}.1.0" for n in ROWS]])
def test_versions_are_no_numbers_with_slips(texts: list[str]) -> None:
    assert decide("version", pa.chunked_array([texts])).reading.kind == "category"


def test_numbers_with_points_before_thousands_are_no_addresses() -> None:
    texts = [f"{1 + n}.{900 + n}.{100 + n}.{100 + n}" for n in ROWS]
    decided = decide("c", pa.chunked_array([[*texts, "1.234"]]))
    assert decided.reading.kind == "number"
    assert decided.values[0] == 1_900_100_100
    with pytest.raises(UserError, match=r"numbers such as 1.234,5 but for 1 of 41 values, such as '1.2.3'"):
        decide("c", pa.chunked_array([[*texts, "1.2.3"]]))


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["10115", "04782", "01067"], "04782"),
        ([None, " 007 ", "12"], "007"),
        (["0", "0.5", "0e3", "10"], None),
        (["-05", "12"], None),
        (["0999", "12"], None),
    ],
)
def test_numbers_that_begin_with_zeros_are_told(texts: list[str | None], first: str | None) -> None:
    decided = decide("a b", pa.chunked_array([texts]), Wishes(missing=("0999",)))
    assert decided.reading.kind == "number"
    begin = f"{first!r} and others begin with zeros" if "01067" in texts else f"{first!r} begins with a zero"
    line = f"{begin}, as codes do: --categorical 'a b' reads such values without an order"
    assert decided.odd == ([] if first is None else [line])


def test_a_person_sees_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{120 + n}/80,0{n % 7}123,{'ab'[n % 2]}" for n in ROWS)
    (tmp_path / "t.csv").write_text(f"pressure,zip,kind\n{rows}\n", encoding="utf-8")
    assert look.main([str(tmp_path / "t.csv"), "--target", "kind"]) == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "its texts differ in their figures alone, such as '120/80'" in said
    assert "'00123' and others begin with zeros, as codes do: --categorical zip" in said
