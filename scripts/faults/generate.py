"""Files that are whole but strange: tables, arrays and settings of every type, shape and spelling, drawn at random."""

from __future__ import annotations

import datetime
import decimal
import io
import random
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

NAMES = (
    "a",
    "b",
    "weight",
    "weight",
    "größe",
    "",
    " ",
    "a/b",
    "a.b",
    "label",
    "1",
    "x" * 300,
    "name\nof two lines",
    "犬",
    "'",
    "__",
)
NUMBERS = ("0", "1", "-1", "3.5", "1e3", "007", "-1e-320", "123456789012345678901", "", "?", "nan")
ODD_NUMBERS = ("inf", "1e308", "1,5", "(3)", "5 kg", "12%", "$4", "1 000", "0x1f", "１２", "+7", "1e", ".", "-")
DATES = (
    "2024-01-31",
    "2023-12-01 10:00",
    "31.12.2023",
    "12/31/2023",
    "2024-02-30",
    "2024-01-01T00:00:00.5+02:00",
    "1066-10-14",
    "",
)
TEXTS = ("u", "v", "w", "Ü", "U ", "NA", "None", "a,b", 'a"b', "line\nline", "\u202e", "é", "é", "", "true", "x" * 200)
LABELS = ("yes", "no", "maybe", "None", "1", "0", "1.0", "", "NaN")


def text_table(draw: random.Random, separator: str) -> bytes:
    """Return a CSV or TSV with columns of mixed kinds, some of them damaged in ways that people damage them."""
    separator = separator if draw.random() < 0.9 else draw.choice(",;\t|")
    rows, columns = draw.choices((0, 2, 12, 30, 60), (1, 1, 2, 8, 12))[0], draw.choice((1, 2, 3, 3, 5, 40))
    pools: list[tuple[str, ...]] = [_pool(draw) for _ in range(columns)]
    labels = draw.sample(LABELS, draw.choice((1, 2, 2, 3))) if draw.random() < 0.3 else ["yes", "no"]
    names = [draw.choice(NAMES) if draw.random() < 0.1 else f"c{number}" for number in range(columns)]
    lines = [separator.join(_quoted(name, separator) for name in [*names, "y"])]
    for _ in range(rows):
        fields = [draw.choice(pool) for pool in pools] + [draw.choice(labels)]
        if draw.random() < 0.001:
            fields = fields[: draw.randrange(len(fields) + 1)] + fields
        lines.append(separator.join(_quoted(field, separator) for field in fields))
    end = draw.choices(("\n", "\r\n", "\r"), (6, 3, 1))[0]
    text = end.join(lines) + draw.choice((end, "", end * 3))
    before = draw.choices(("", "\ufeff", "sep=;\n", "# a comment\n"), (20, 3, 1, 1))[0]
    return (before + text).encode()


def _pool(draw: random.Random) -> tuple[str, ...]:
    kind = draw.randrange(6)
    if kind == 0:
        return tuple(str(draw.randrange(10**6)) for _ in range(100))
    if kind == 1:
        return tuple(f"{draw.gauss(0, 10 ** draw.randrange(-3, 12)):.6g}" for _ in range(100))
    return (NUMBERS, (*NUMBERS, *NUMBERS, *NUMBERS, draw.choice(ODD_NUMBERS)), DATES, TEXTS)[kind - 2]


def _quoted(field: str, separator: str) -> str:
    plain = not any(character in field for character in (separator, '"', "\n", "\r"))
    return field if plain else '"' + field.replace('"', '""') + '"'


def arrays(draw: random.Random) -> bytes:
    """Return an NPZ file with arrays of many types and shapes; some claim to be larger than they are."""
    numbers = np.random.default_rng(draw.randrange(2**32))
    rows = draw.choices((0, 1, 5, 30, 60), (1, 1, 1, 8, 8))[0]
    shape = draw.choices(
        ((3,), (2, 2), (2, 2, 3), (40, 40), (), (1, 1, 1, 1), (0,), (0, 5, 5)), (8, 8, 8, 4, 1, 1, 1, 1)
    )[0]
    odd = draw.random() < 0.3
    types = ("c8", "M8[D]", "U3", "S2", "O", "g") if odd else ("u1", "f4", "f8", "f2", "i8", "u8", "?", ">f4")
    made = {"x": _array(numbers, (rows, *shape), draw.choice(types))}
    if draw.random() < 0.1 and made["x"].dtype.kind == "f" and made["x"].size:
        made["x"].flat[0] = draw.choice((np.nan, np.inf, -np.inf))
    if draw.random() < 0.95:
        labels = draw.choice((rows, rows, rows, rows, rows + 1, 0))
        kind = draw.choice(("U3", "i8", "u1", "f8", "?", "S2", "O", "M8[D]", "c8"))
        made["y"] = _array(numbers, draw.choice(((labels,), (labels,), (labels, 1), (labels, 2), ())), kind)
        if draw.random() < 0.6 and made["y"].dtype.kind in "iuf":
            made["y"] = np.asarray(np.abs(made["y"].astype(float)) % 3 // 1, dtype=made["y"].dtype)
    file = io.BytesIO()
    np.savez(file, **made)  # type: ignore[arg-type]
    return _claiming(file.getvalue(), draw) if draw.random() < 0.05 else file.getvalue()


def _array(numbers: np.random.Generator, shape: tuple[int, ...], kind: str) -> Any:
    values = np.asarray(numbers.integers(0, 3, shape))
    if kind == "M8[D]":
        return values.astype("i8").astype(kind)
    if np.dtype(kind).kind in "US":
        return np.asarray(np.array(["cat", "do", "e"])[values]).astype(kind)
    return np.asarray(values * 50).astype(kind)


def _claiming(content: bytes, draw: random.Random) -> bytes:
    """Return an NPZ file whose x says that it has very many rows."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            if name == "x.npy":
                header = {"descr": "<f8", "fortran_order": False, "shape": (10 ** draw.randrange(6, 13), 4)}
                claimed = io.BytesIO()
                np.lib.format.write_array_header_1_0(claimed, header)
                member = claimed.getvalue() + member[-64:]
            new.writestr(name, member)
    return file.getvalue()


def parquet(draw: random.Random) -> bytes:
    """Return a Parquet file with columns of every type that there is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = draw.choices((0, 1, 5, 30, 60), (1, 1, 1, 8, 8))[0]
    columns: list[tuple[str, Any]] = []
    for number in range(draw.choice((0, 1, 1, 2, 3))):
        type_, values = _typed(pa, draw)
        nulls = draw.choice((0.0, 0.0, 0.2, 1.0))
        column = [None if draw.random() < nulls else draw.choice(values) for _ in range(rows)]
        columns.append((draw.choice(NAMES) if draw.random() < 0.2 else f"c{number}", pa.array(column, type=type_)))
    kinds = (["yes", "no"], [1, 2], [True, False], [0.5, 1.0], [None, "a"], [b"x", b"y"])
    labels = draw.choices(kinds, (8, 5, 3, 1, 1, 1))[0]
    if draw.random() < 0.9:
        columns.append(("n", pa.array([number * number for number in range(rows)], pa.int64())))
    columns.append(("y", pa.array([draw.choice(labels) for _ in range(rows)])))
    file = io.BytesIO()
    table = pa.Table.from_arrays([column for _, column in columns], names=[name for name, _ in columns])
    pq.write_table(table, file)
    return file.getvalue()


def _typed(pa: Any, draw: random.Random) -> tuple[Any, list[Any]]:
    """Return a type of Arrow's and values that it takes."""
    day = datetime.date(2024, 1, 31)
    moment = datetime.datetime(2024, 1, 31, 10, 30)
    choices: list[tuple[Any, list[Any]]] = [
        (pa.int8(), [-128, 127, 0]), (pa.int64(), [2**63 - 1, 0, -5]), (pa.uint64(), [2**64 - 1, 1]),
        (pa.float16(), [np.float16(1.5), np.float16("nan")]), (pa.float32(), [1.5, -2.0]), (pa.float64(), [1e308,
        float("inf"), 0.0]),
        (pa.decimal128(10, 2), [decimal.Decimal("1.50"), decimal.Decimal("-3.25")]), (pa.bool_(), [True, False]),
        (pa.string(), ["a", "b", "2024-01-01"]), (pa.large_string(), ["1", "2"]), (pa.binary(), [b"a", b"\xff"]),
        (pa.date32(), [day, datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]), (pa.date64(), [day]),
        (pa.timestamp("ns"), [moment]), (pa.timestamp("us", tz="Europe/Berlin"), [moment, datetime.datetime(1, 1, 2)]),
        (pa.time64("us"), [datetime.time(10, 30)]), (pa.duration("s"), [datetime.timedelta(days=1)]), (pa.null(),
        [None]),
        (pa.dictionary(pa.int8(), pa.string()), ["u", "v"]), (pa.list_(pa.int64()), [[1], [], [1, 2]]),
        (pa.struct([("a", pa.int64())]), [{"a": 1}]), (pa.map_(pa.string(), pa.int64()), [[("a", 1)]]),
    ]  # fmt: skip
    return draw.choice(choices)


BETAS = ("0.9", "[0.9, 0.95]", "{low = 0.5, high = 0.999}", '{low = 0.8, high = 0.9, scale = "linear"}')
RATES = ("0.01", "[1e-3, 1e-2]", "{low = 1e-3, high = 0.5}", '{low = 0.001, high = 0.002, scale = "linear"}')
COUNTS = ("2", "[2, 4]", "{low = 4, high = 8}")
TOML: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("learning_rate", "learning_rate_decay", "dropout", "epsilon", "l2"), RATES),
    **dict.fromkeys(("momentum", "rho", "beta_1", "beta_2"), BETAS),
    **dict.fromkeys(("units", "batch_size", "layers"), COUNTS),
    "optimizer": ('"adam"', '"sgd"', '["adam", "sgd", "rmsprop"]'), "activation": ('"relu"', '["relu", "tanh"]'),
    "nesterov": ("true", "[true, false]"),
}  # fmt: skip
ODD_NAMES = ("units_1", "lerning_rate", "setting", '""', "a.b", "learning_rate.low")
ODD_VALUES = (
    "0", "-1", "1e308", "1e999", "nan", "inf", "-inf", "true", '""', "[]", '[1, "a"]', "[[1]]", "[nan]", "{}", "0x10",
    "{low = 1}", "{low = 2, high = 1}", '{low = 0.1, high = 0.9, scale = "log"}', "{low = 0, high = 0}", "1" * 5000,
    "{low = 1e-300, high = 1e300}", "9223372036854775807", "99999999999999999999999999", "2024-01-01", "10:00:00",
    "1_000", "{low = [], high = {}}", "{low = nan, high = 1}", "{low = 1, high = inf}", "{low = true, high = 2}",
    "{low = 1, high = 10, scale = 'integer'}", "[0.1, 0.1]", "{low = 5e-324, high = 1}", "[true, 1]",
    "{low = 0.999999999999999999, high = 1}",
)  # fmt: skip


FITTING = {
    "learning_rate": ("0.001", "1e-2"), "units": ("50", "64"), "layers": ("2", "4"), "dropout": ("0.0", "0.5"),
    "optimizer": ('"adam"', '"sgd"'), "beta_1": ("0.95",),
}  # fmt: skip
"""Values of single hyperparameters that the default space holds."""


def _lines(draw: random.Random, sensible: dict[str, tuple[str, ...]]) -> list[str]:
    """Return lines that give hyperparameters a value, most of them a sensible one."""
    lines = []
    for name in draw.sample(list(sensible), draw.choice((1, 1, 2, 3, 5))):
        values = ODD_VALUES if draw.random() < 0.12 else sensible[name]
        lines.append(f"{draw.choice(ODD_NAMES) if draw.random() < 0.03 else name} = {draw.choice(values)}")
    return lines


def space(draw: random.Random) -> bytes:
    """Return a TOML file of a space."""
    return "\n".join(_lines(draw, TOML)).encode()


def first(draw: random.Random) -> bytes:
    """Return a TOML file of settings to try first."""
    settings = [["[[setting]]", *_lines(draw, FITTING)] for _ in range(draw.choice((1, 2, 3)))]
    return "\n".join(line for setting in settings for line in setting).encode()


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "csv": lambda draw: text_table(draw, ","), "tsv": lambda draw: text_table(draw, "\t"),
    "npz": arrays, "parquet": parquet, "space": space, "first": first,
}  # fmt: skip
