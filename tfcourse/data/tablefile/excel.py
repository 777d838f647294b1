"""Excel workbooks (.xlsx): the first sheet."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

from tfcourse.data.tablefile.compression import ALWAYS_ALLOWED, RATIO
from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.header import find_header
from tfcourse.data.tablefile.names import with_names
from tfcourse.data.tablefile.python_values import as_seen, column_of
from tfcourse.data.tablefile.white_space import trim
from tfcourse.errors import UserError

_HEAD = 500


def read_excel(path: Path) -> FileTable:
    """Return the table on the first sheet of a workbook; formulas count by the values that were saved with them.

    Raises:
        UserError: if openpyxl is not installed, the file is no workbook, or its first sheet holds no table.
    """
    name = str(path)
    sheet, notes = _first_sheet(path)
    rows = [[_value(value) for value in row] for row in sheet]
    numbers = [number for number, row in enumerate(rows, 1) if any(value is not None for value in row)]
    if not numbers:
        raise UserError(f"{name!r} is empty: its first sheet holds nothing; a table needs a header row and rows.")
    rows = [rows[number - 1] for number in numbers]
    head = [["" if value is None else as_seen(value) for value in row] for row in rows[:_HEAD]]
    header = find_header(head, numbers, len(rows[0]), name, line="row")
    if len(rows) == header.index + 1:
        raise UserError(f"{name!r} holds a header row but no rows.")
    columns = [column_of(values) for values in zip(*rows[header.index + 1 :], strict=True)]
    notes += header.notes
    table = with_names(columns, head[header.index], name, notes)
    first, last = numbers[header.index + 1], numbers[-1]
    return FileTable(table, notes, first if last - first + 1 == table.num_rows else None)


def _first_sheet(path: Path) -> tuple[list[list[Any]], list[str]]:
    import pandas as pd

    name = str(path)
    try:
        _check_size(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that are not read
            with pd.ExcelFile(path, engine="openpyxl") as workbook:
                sheets = [str(title) for title in workbook.sheet_names]
                frame = workbook.parse(0, header=None, dtype=object, keep_default_na=False, na_values=[])
    except ImportError:
        raise UserError(
            f"{name!r} is an Excel workbook; to read it, install openpyxl: pip install 'tfcourse[excel]'."
        ) from None
    except UserError:
        raise
    except Exception as error:  # openpyxl raises what its parts happen to: KeyError, TypeError, XML errors
        raise UserError(f"{name!r} cannot be read as an Excel workbook: {error}. Save it as CSV (UTF-8).") from None
    more = f"its first sheet, {sheets[0]!r}, is read; not {', '.join(map(repr, sheets[1:]))}"
    return frame.to_numpy(dtype=object).tolist(), [more] * (len(sheets) > 1)


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > max(ALWAYS_ALLOWED, RATIO * path.stat().st_size):
        raise UserError(f"{str(path)!r} unpacks to {size:,} bytes; no table does that. Save it as CSV (UTF-8).")


def _value(value: Any) -> Any:
    """Return a cell's value as a plain Python object, None if it is empty or an error like ``#N/A``."""
    import pandas as pd

    if isinstance(value, str):
        return trim(value) or None
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
