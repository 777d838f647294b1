"""``python -m tfcourse.look``: what it shows, what it writes, and that a run reads the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import pets
from tfcourse.data.prepare import DataOptions, prepare, prepare_again, rows_in_split
from tfcourse.look import main
from tfcourse.train import main as train


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    frame = pets()
    frame["price"] = [f"{1000 + 37 * number:,} €" for number in range(len(frame))]
    frame.loc[7, "legs"] = 999999
    frame.to_csv("pets.csv", index=False)
    return frame


def test_what_is_odd_comes_first(table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pets.csv", "--target", "kind"]) == 0
    lines = capsys.readouterr().out.splitlines()
    order = [next(index for index, line in enumerate(lines) if f" {name} " in line) for name in ("name", "weight")]
    assert order[0] < order[1]  # left out, before a plain number
    text = "\n".join(lines)
    assert "number such as 1,234.5 €" in text
    assert "date, year-month-day" in text
    assert "Target kind: 2 classes: " in text
    assert "Split: 72 train, 24 validation, 24 test rows" in text


@pytest.mark.parametrize(
    ("flags", "parts", "told"),
    [
        ([], "72 train, 24 validation, 24 test", ""),
        (["--split", "time"], "72 train, 24 validation, 24 test", ""),
        (["--split", "time", "--time", "born"], "72 train, 24 validation, 24 test", ""),
        (["--group", "colour"], None, "rows with one 'colour' stay in one part of the split; it is not learned from"),
        (["--weight", "legs"], "72 train, 24 validation, 24 test", "rows count by 'legs' in the losses of training"),
        (["--test-data", "pets.csv"], "90 train, 30 validation, 120 test", "120 of 120 rows of --test-data stand in"),
        (["--seed", "3"], "72 train, 24 validation, 24 test", ""),
    ],
)
def test_the_parts_are_those_of_a_run_with_the_same_flags(
    flags: list[str], parts: str | None, told: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pets.csv", "--target", "kind", *flags]) == 0
    text = capsys.readouterr().out
    assert told in text
    given = {
        name.removeprefix("--").replace("-", "_"): value for name, value in zip(flags[::2], flags[1::2], strict=True)
    }
    given["seed"] = int(given.get("seed", 0))  # type: ignore[assignment]
    found = prepare(DataOptions("pets.csv", "kind", **given))  # type: ignore[arg-type]
    if parts is not None:
        assert f"Split: {parts} rows" in text
    of_cats = [
        int((part.y == found.classes.index("cat")).sum()) for part in (found.train, found.validation, found.test)
    ]
    assert f"cat {' + '.join(map(str, of_cats))}" in text


@pytest.mark.parametrize(
    "flags", [["--split", "time"], ["--group", "colour"], ["--seed", "3"], ["--test-data", "x.csv"]]
)
def test_a_split_needs_a_target(flags: list[str], table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pets.csv", *flags]) == 2
    assert f"{flags[0]} is of how rows are split; give the label column with --target." in capsys.readouterr().err


@pytest.mark.parametrize("without_label", [0, 1, 9])
def test_row_numbers_are_left_out_unless_they_are_kept(
    without_label: int, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    table = table.sort_values("kind").reset_index(drop=True)
    table.insert(0, "no", range(1, len(table) + 1))
    table.loc[table.index[5 : 5 + without_label], "kind"] = None
    table.to_csv("pets.csv", index=False)
    assert main(["pets.csv", "--target", "kind", "--write", "readings.toml"]) == 0  # which lists every column
    capsys.readouterr()
    reading = ["--reading", "readings.toml"]
    for flags, said, there in (
        ([], "left out, it numbers the rows from 1 to 120 (--keep-columns no keeps it)", False),
        (reading, "left out, it numbers the rows from 1 to 120 (--keep-columns no keeps it)", False),
        (["--keep-columns", "no"], "whole number", True),
        ([*reading, "--keep-columns", "no"], "whole number", True),
    ):
        assert main(["pets.csv", "--target", "kind", *flags]) == 0
        assert said in next(line for line in capsys.readouterr().out.splitlines() if " no " in line)
        keep = ("no",) * ("--keep-columns" in flags)
        options = DataOptions(
            "pets.csv", "kind", reading="readings.toml" if "--reading" in flags else None, keep_columns=keep
        )
        prepared = prepare(options)
        assert ("no" in prepared.features.names) == there  # type: ignore[union-attr]
        again = prepare_again(replace(options, keep_columns=()), prepared.features, rows_in_split(prepared))
        assert again.features.names == prepared.features.names  # type: ignore[union-attr]
        assert DataOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--keep-columns", "wight"], "--keep-columns: there is no column 'wight'. Did you mean 'weight'?"),
        (
            ["--keep-columns", "legs", "--drop", "legs"],
            "--keep-columns: 'legs' is named by --drop as well; leave it out of one of them.",
        ),
    ],
)
def test_columns_to_keep_are_there(
    flags: list[str], message: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--target", "kind"]):
        assert main(["pets.csv", *more, *flags]) == 2
        assert message in capsys.readouterr().err
    assert train(["--data", "pets.csv", "--target", "kind", *flags]) == 2
    assert message in capsys.readouterr().err


def test_what_a_run_would_refuse_is_shown_for_every_column(
    table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    table["weight"] = table["weight"].astype(str)
    table.loc[3, "weight"] = "heavy"
    table.loc[5, "born"] = "soon"
    table.to_csv("pets.csv", index=False)
    assert main(["pets.csv"]) == 2
    out = capsys.readouterr().out
    assert out.count("REFUSED") == 2
    assert "'heavy' in row 4" in " ".join(out.split())


def test_readings_are_written_corrected_and_taken(table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    table["day"] = [f"{1 + number % 12}/{1 + number // 12}/2024" for number in range(len(table))]
    table.to_csv("pets.csv", index=False)
    assert main(["pets.csv", "--drop", "day", "--write", "readings.toml"]) == 0
    given = Path("readings.toml").read_text(encoding="utf-8")
    assert "# whole number such as 1,234.5 €, 120 different" in given
    Path("readings.toml").write_text(given + '\n["day"]\nkind = "date"\norder = "mdy"\n', encoding="utf-8")
    assert main(["pets.csv"]) == 2  # nothing tells month from day
    assert main(["pets.csv", "--reading", "readings.toml"]) == 0
    capsys.readouterr()
    Path("day.toml").write_text('["day"]\nkind = "date"\norder = "mdy"\n')
    found = prepare(DataOptions("pets.csv", "kind", reading="day.toml"))
    number = next(column for column in found.features.numbers if column.name == "day")  # type: ignore[union-attr]
    months = pd.to_datetime(table["day"], format="%m/%d/%Y")
    assert abs(number.mean - (months - pd.Timestamp("1970-01-01")).dt.days.mean()) < 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["born"]\nkind = "day"', "column 'born' needs a table with kind = one of number, date, category."),
        (
            '["born"]\nkind = "date"',
            "column 'born' is a date and needs order = one of ymd, dmy, mdy, words, compact, seconds, milliseconds,"
            " clock, months, quarters, weeks.",
        ),
        (
            '["born"]\nkind = "number"\ndecimals = ","',
            "column 'born' has 'decimals'; allowed are kind, decimal, thousands, unit, order, forms, missing, kept,"
            " sentinels, levels. Did you mean 'decimal'?",
        ),
        (
            '["born"]\nkind = "number"\ndecimal = ","\nthousands = ","',
            "column 'born': decimal and thousands cannot both be ','.",
        ),
        (
            '["born"]\nkind = "date"\norder = "dmy"\nforms = ["d.m"]',
            "column 'born' has 'd.m' in forms; a form is written as dd.mm.yyyy, yyyy-mm-dd or words.",
        ),
        ('["born"]\nkind = "category"\nlevels = "no"', "column 'born' has levels = 'no'; it takes '' or 'shared'."),
        ('["born"]\nkind = "category"\nmissing = "?"', "column 'born' has missing = '?'; it takes a list of texts."),
    ],
)
def test_mistakes_in_corrections(
    text: str, message: str, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r.toml").write_text(text)
    assert main(["pets.csv", "--reading", "r.toml"]) == 2
    assert capsys.readouterr().err == f"error: --reading 'r.toml': {message}\n"


def test_a_page_has_a_histogram_a_column_and_no_markup_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"<script>": np.arange(30) ** 2, "k": list("abc") * 10}).to_csv("t.csv", index=False)
    assert main(["t.csv", "--html", "t.html"]) == 0
    page = Path("t.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert page.count("<svg") == 2
    assert page.count("<rect") == 24 + 3


def test_a_wide_table_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 300))).round(3)
    frame["same"] = 1
    frame.to_csv("t.csv", index=False)
    assert main(["t.csv"]) == 0
    out = capsys.readouterr().out
    assert "left out, it is 1 in every training row" in out
    assert "and 300 more; in all: 300 number, 1 left out" in out


def test_no_tensorflow_is_loaded(table: pd.DataFrame) -> None:
    code = (
        "import sys; from tfcourse.look import main;"
        " status = main(['pets.csv', '--target', 'kind', '--html', 'p.html']);"
        " assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules; sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
