"""Load an exported model, or refuse its file: nothing of it is read by Keras before all of it was found to be ours.

Keras's own safe mode has had holes, and guards against code only. A model of ours is far less than Keras can load,
so its file can be held to far more: three plain members, known layers, and arrays that are as large as they say.
"""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError
from tfcourse.models.model_config import NotOursError, check_config
from tfcourse.models.model_weights import check_weights

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {"metadata.json": 2**12, CONFIG: 2**25, WEIGHTS: 2**30}
"""What a model's file holds, and how many bytes at most.

A column takes 1 to 25 KB of the configuration, a date most, so 32 MiB are enough for more than a thousand dates or ten
thousand other columns; 1 GiB holds 268 million weights,
say an average of eight networks with 100 units on images of 224 × 224 pixels in colour (120 million).
"""
DIRECTORY = struct.Struct("<4s4H2LH")
"""The end of a ZIP archive: mark, disks, members here and in all, bytes and place of their directory, a comment."""
MOST_DIRECTORY = 2**12


def load_model_file(path: Path) -> Any:
    """Return the Keras model in a ``.keras`` file that one of our exporters wrote.

    Raises:
        UserError: if it is damaged, or is another's; nothing of such a file is run, or written anywhere.
    """
    with _explained(path):
        _check(path)
    import keras

    with _explained(path), warnings.catch_warnings():
        # A column with a slash gives its input layer another name; Keras says so each time.
        warnings.filterwarnings("ignore", message="When providing `inputs` as a dict")
        return keras.saving.load_model(path, compile=False, safe_mode=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Make one sentence of whatever a file makes of its readers: its bytes may be anything."""
    try:
        yield
    except NotOursError as error:
        raise UserError(
            f"{str(path)!r} is refused, since tfcourse exports no such model: {error}. Restore it from a copy."
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # of zipfile, json, HDF5 and Keras
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(f"{str(path)!r} is damaged ({reason:.300}). Restore it from a copy.") from None


def _check(path: Path) -> None:
    """Raise unless a file is a model of ours."""
    members = _members(path)
    described = check_config(members[CONFIG])
    weights = members[WEIGHTS]
    held = check_weights(io.BytesIO(weights), len(weights), WEIGHTS)
    if held != described:
        raise ValueError(f"{CONFIG} describes {described:,} weights, {WEIGHTS} holds {held:,}")


def _members(path: Path) -> dict[str, bytes]:
    """Return the members of a file, whole: their checksums are right."""
    _check_directory(path)
    with zipfile.ZipFile(path) as archive:
        found = archive.infolist()
        if sorted(info.orig_filename for info in found) != sorted(MEMBERS):
            names = ", ".join(repr(info.orig_filename[:40]) for info in found)
            raise NotOursError(f"it holds {names} in place of {', '.join(map(repr, MEMBERS))}")
        for info in found:
            _check_member(info)
        return {info.filename: archive.read(info) for info in found}


def _check_directory(path: Path) -> None:
    """Check the size of an archive's directory, which zipfile would read whatever its size."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - DIRECTORY.size - 20))
        end = file.read()
    mark, _, _, _, count, length, _, comment = DIRECTORY.unpack(end[-DIRECTORY.size :].rjust(DIRECTORY.size, b"\0"))
    if mark != b"PK\5\6" or comment:
        raise ValueError("it is not a whole .keras file")
    if end[:4] == b"PK\6\7" or count > len(MEMBERS) + 1 or length > MOST_DIRECTORY:
        raise NotOursError("it holds more than three members")


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if info.flag_bits & 0x1:
        raise NotOursError(f"its {name} is encrypted")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise NotOursError(f"its {name} is a link")
    if info.compress_type != zipfile.ZIP_STORED:
        raise NotOursError(f"its {name} is compressed")
    if info.file_size > MEMBERS[name]:
        raise NotOursError(f"its {name} takes {info.file_size:,} bytes, more than {MEMBERS[name]:,}")
    if info.file_size != info.compress_size:
        raise ValueError(f"its {name} has two sizes")
