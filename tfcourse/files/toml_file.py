"""Read the settings in a TOML file, also as Windows editors save it, with a byte order mark."""

from __future__ import annotations

import codecs
import tomllib
from pathlib import Path
from typing import Any

from tfcourse.errors import UserError


def read_toml(path: Path | str, flag: str) -> dict[str, Any]:
    """Return the entries of the TOML file that was given with ``flag``.

    Raises:
        UserError: if there is no such file, or it cannot be read, is not UTF-8 or not TOML.
    """
    given = f"{flag}: {str(path)!r}"
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{flag}: there is no file {str(path)!r}.") from None
    except OSError as error:
        raise UserError(f"{given} cannot be read: {error.strerror}.") from None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise UserError(f"{given} is UTF-16, but TOML is always UTF-8; save it as UTF-8.")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"{given} is not UTF-8 (byte {error.start}); save it as UTF-8.") from None
    except ValueError as error:  # also of a whole number with thousands of digits, which Python does not read
        raise UserError(f"{given} is not TOML: {str(error).split(';')[0]}.") from None
    except RecursionError:
        raise UserError(f"{given} is not TOML that can be read: its brackets are nested too deep.") from None
