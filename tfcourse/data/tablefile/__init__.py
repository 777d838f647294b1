"""From a file to a table as it stands there: a ``pyarrow.Table`` of texts, or of the types that the file keeps."""

from tfcourse.data.tablefile.file_table import FileTable
from tfcourse.data.tablefile.read import KINDS, SUFFIXES, read_table, read_text

__all__ = ["KINDS", "SUFFIXES", "FileTable", "read_table", "read_text"]
