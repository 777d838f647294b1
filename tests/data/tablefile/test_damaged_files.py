"""Whatever happened to a file's bytes, it is read or refused in a sentence: never anything else."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.tablefile.test_encodings import PACKERS
from tests.examples import scaled
from tfcourse.data.tablefile import read_table
from tfcourse.errors import UserError

TEXT = 'n,t,"u"\n1,a,"x, ""y"""\n2,b,\n3,ü,z\n'
FRAME = pd.DataFrame(
    {"n": [1, 2, None], "t": ["a", "ü", None], "d": pd.to_datetime(["2024-02-29", None, "1970-01-01"])}
)


def in_memory(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


FILES = {
    "t.csv": TEXT.encode(),
    "u.csv": TEXT.encode("utf-16"),
    "l.tsv": TEXT.replace(",", "\t").encode("cp1252"),
    "s.txt": b"sep=;\n# c\nTitle;\nn;t\n1;2\n",
    "t.jsonl": b'{"n": 1, "t": "a"}\n{"n": 2.5, "t": null}\n',
    "t.json": b'[{"n": 1}, {"n": 2}]',
    **{f"{method}.csv.gz": pack(TEXT.encode()) for method, pack in PACKERS.items()},
    "t.parquet": in_memory(FRAME.to_parquet),
    "t.feather": in_memory(lambda file: pa.feather.write_feather(pa.Table.from_pandas(FRAME), file, compression="lz4")),
}
if importlib.util.find_spec("openpyxl"):
    FILES["t.xlsx"] = in_memory(lambda file: FRAME.to_excel(file, index=False))

PIECES = [b"", b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xff\xfe", b"\\", b";;", b"\t", b"#", b"9" * 400]
EDITS = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0, 1, 2, 50, 10**9]), st.sampled_from(PIECES)), max_size=4)


@given(st.sampled_from(sorted(FILES)), EDITS)
@settings(max_examples=scaled(250), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_read_or_refused(tmp_path: Path, name: str, edits: list[tuple[float, int, bytes]]) -> None:
    data = FILES[name]
    for place, length, piece in edits:
        start = int(place * len(data))
        data = data[:start] + piece + data[start + length :]
    (tmp_path / name).write_bytes(data)
    try:
        table = read_table(tmp_path / name).table
    except UserError:
        return
    table.validate(full=True)
    assert table.num_rows
    assert len(set(table.column_names)) == table.num_columns > 0
