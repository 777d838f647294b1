"""The spellings in which the reading benchmark writes tables: each a function from a table to a file, or to nothing."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

NUMBER, DATE = re.compile(r"-?\d+(\.\d+)?"), re.compile(r"\d{4}-\d{2}-\d{2}")
MISSING = {"", "?", "NA", "NaN"}

Change = Callable[[pd.DataFrame, str], "pd.DataFrame | None"]


@dataclass(frozen=True)
class Spelling:
    """A way to write a table: what happens to its texts, and to the file."""

    name: str
    change: Change
    suffix: str = ".csv"
    sep: str = ","
    encoding: str = "utf-8"
    save: Callable[[pd.DataFrame, Path], None] | None = None

    def write(self, frame: pd.DataFrame, target: str, folder: Path) -> Path | None:
        """Write the table and return its path, None if it has nothing for this spelling."""
        changed = self.change(frame, target)
        if changed is None:
            return None
        path = folder / f"{re.sub('[^a-z0-9]+', '-', self.name.lower())}{self.suffix}"
        if self.save is not None:
            self.save(changed, path)
        else:
            changed.to_csv(path, index=False, sep=self.sep, encoding=self.encoding, errors="strict")
        return path


def columns_of(frame: pd.DataFrame, target: str, kind: re.Pattern[str]) -> list[str]:
    """Return the columns of which every present value is of a kind, and which are not categories of a few numbers."""
    found = []
    for name in frame.columns:
        present = frame[name][~frame[name].isin(MISSING)]
        if name != target and len(present) and present.str.fullmatch(kind).all() and present.nunique() > 10:
            found.append(name)
    return found


def with_numbers(write: Callable[[str], str]) -> Change:
    """Return a change that writes every number of columns of numbers otherwise."""

    def change(frame: pd.DataFrame, target: str) -> pd.DataFrame | None:
        names = columns_of(frame, target, NUMBER)
        for name in names:
            frame[name] = [text if text in MISSING else write(text) for text in frame[name]]
        return frame if names else None

    return change


def with_dates(write: Callable[[pd.Timestamp], str]) -> Change:
    """Return a change that writes every date otherwise."""

    def change(frame: pd.DataFrame, target: str) -> pd.DataFrame | None:
        names = columns_of(frame, target, DATE)
        for name in names:
            frame[name] = [text if text in MISSING else write(pd.Timestamp(text)) for text in frame[name]]
        return frame if names else None

    return change


def with_marker(marker: str) -> Change:
    """Return a change that marks missing numbers otherwise."""

    def change(frame: pd.DataFrame, target: str) -> pd.DataFrame | None:
        names = columns_of(frame, target, NUMBER)
        missing = frame[names].isin(MISSING)
        frame[names] = frame[names].mask(missing, marker)
        return frame if missing.to_numpy().any() else None

    return change


def grouped(text: str, thousands: str, mark: str) -> str:
    """Write a number with separators; its decimals stay as they are."""
    whole, _, decimals = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}".replace(",", thousands) + (mark + decimals if decimals else "")


def accounted(text: str) -> str:
    """Write a number as accountants do, a negative one in brackets."""
    return f"({grouped(text[1:], ',', '.')})" if text[0] == "-" else grouped(text, ",", ".")


def as_it_is(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Change nothing."""
    return frame


def padded(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Put blanks around every text."""
    return frame.map(lambda text: f" {text}\u00a0")


def reversed_columns(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Write the columns in the other order."""
    return frame[frame.columns[::-1]]


def typed(frame: pd.DataFrame, target: str) -> pd.DataFrame:
    """Give columns of numbers and dates their types, as a program that writes Parquet does."""
    numbers, dates = (columns_of(frame, target, kind) for kind in (NUMBER, DATE))
    for name in numbers:
        frame[name] = pd.to_numeric(frame[name].where(~frame[name].isin(MISSING)))
    for name in dates:
        frame[name] = pd.to_datetime(frame[name].where(~frame[name].isin(MISSING)))
    return frame


def trailing(frame: pd.DataFrame, path: Path) -> None:
    """Write a separator behind every line."""
    text = frame.to_csv(index=False)
    path.write_text("".join(f"{line},\n" for line in text.splitlines()))


def commented(frame: pd.DataFrame, path: Path) -> None:
    """Write comments before the header."""
    path.write_text(f"# made by a program\n# in two lines\n{frame.to_csv(index=False)}")


def named_separator(frame: pd.DataFrame, path: Path) -> None:
    """Write the separator in the first line, as spreadsheets do."""
    path.write_text(f"sep=;\n{frame.to_csv(index=False, sep=';')}")


def windows(frame: pd.DataFrame, path: Path) -> None:
    """End lines as on Windows, with a byte order mark."""
    path.write_bytes(frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"))


MARKERS = ("#N/A", "N/A", "NULL", "-", ".", "#DIV/0!", "1.#QNAN")
SPELLINGS = (
    Spelling("semicolons", as_it_is, sep=";"),
    Spelling("tabs", as_it_is, suffix=".tsv", sep="\t"),
    Spelling("bars", as_it_is, sep="|"),
    Spelling("tabs in a csv", as_it_is, sep="\t"),
    Spelling("all quoted", as_it_is, save=lambda f, p: f.to_csv(p, index=False, quoting=1)),
    Spelling("gzip", as_it_is, suffix=".csv.gz", save=lambda f, p: f.to_csv(p, index=False)),
    Spelling("gzip named csv", as_it_is, save=lambda f, p: _bytes(p, gzip.compress(f.to_csv(index=False).encode()))),
    Spelling("bzip2", as_it_is, suffix=".csv.bz2", save=lambda f, p: f.to_csv(p, index=False)),
    Spelling("windows", as_it_is, save=windows),
    Spelling("utf-16", as_it_is, encoding="utf-16"),
    Spelling("sep line", as_it_is, save=named_separator),
    Spelling("comments", as_it_is, save=commented),
    Spelling("trailing separators", as_it_is, save=trailing),
    Spelling("blanks around", padded),
    Spelling("columns reversed", reversed_columns),
    Spelling("parquet", typed, suffix=".parquet", save=lambda f, p: f.to_parquet(p, index=False)),
    Spelling("parquet of texts", as_it_is, suffix=".parquet", save=lambda f, p: f.to_parquet(p, index=False)),
    Spelling("json lines", typed, suffix=".jsonl", save=lambda f, p: f.to_json(p, orient="records", lines=True)),
    *(Spelling(f"missing {marker}", with_marker(marker)) for marker in MARKERS),
    Spelling("thousands by commas", with_numbers(lambda t: grouped(t, ",", "."))),
    Spelling("decimal comma", with_numbers(lambda t: grouped(t, ".", ",")), sep=";"),
    Spelling("thousands by blanks", with_numbers(lambda t: grouped(t, "\u202f", ","))),
    Spelling("apostrophes", with_numbers(lambda t: grouped(t, "’", "."))),
    Spelling("percent", with_numbers(lambda t: f"{t}%")),
    Spelling("dollars", with_numbers(lambda t: f"-${t[1:]}" if t.startswith("-") else f"${t}")),
    Spelling("euros, decimal comma", with_numbers(lambda t: f"{t.replace('.', ',')} €"), sep=";"),
    Spelling("accounting", with_numbers(accounted)),
    Spelling("unicode minus", with_numbers(lambda t: t.replace("-", "−"))),
    Spelling("a unit", with_numbers(lambda t: f"{t} mg/dL")),
    Spelling("d.m.y", with_dates(lambda d: f"{d.day}.{d.month}.{d.year}")),
    Spelling("m/d/y", with_dates(lambda d: f"{d:%m/%d/%Y}")),
    Spelling("iso with zone", with_dates(lambda d: f"{d:%Y-%m-%dT%H:%M:%SZ}")),
    Spelling("iso with offset", with_dates(lambda d: f"{d:%Y-%m-%d} 01:00:00.000+01:00")),
    Spelling("month in words", with_dates(lambda d: f"{d:%d-%b-%Y}")),
)  # fmt: skip


def _bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)
