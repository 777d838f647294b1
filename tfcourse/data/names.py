"""What ``--data`` may name: a bundled or cached data set, or the path of a file of a known kind."""

from __future__ import annotations

import os
from pathlib import Path

from tfcourse.data import tablefile
from tfcourse.errors import UserError, did_you_mean

KERAS_DATASETS = ("mnist", "fashion_mnist", "cifar10")
NAMES = ("digits", *KERAS_DATASETS)
SUFFIXES = (*tablefile.SUFFIXES, ".npz")
KINDS = f"{tablefile.KINDS}, .npz"
"""How the names of files end that can be read, for messages."""


def is_arrays(path: Path) -> bool:
    """Say whether a file holds arrays rather than a table, by its name."""
    return path.suffix.lower() == ".npz"


def checked_path(data: str, flag: str) -> Path:
    """Return ``data`` as a path to an existing file of a known kind."""
    path = Path(data)
    if not path.exists():
        near = did_you_mean(data, NAMES)
        raise UserError(
            f"{flag}: there is no file {data!r}.{near} Give a path that ends in {KINDS}, or one of {', '.join(NAMES)}."
        )
    if path.is_dir():
        raise UserError(f"{flag}: {data!r} is a folder; give a file that ends in {KINDS}.")
    if not data.lower().endswith(SUFFIXES):
        raise UserError(f"{flag}: {data!r} is of no known kind; allowed are {KINDS}.")
    if not os.access(path, os.R_OK):
        raise UserError(f"{flag}: {data!r} may not be read; check its permissions.")
    return path


def stem(path: Path) -> str:
    """Return a file's name without its suffixes: ``new.csv.gz`` is ``new``."""
    return path.name.split(".")[0] or "data"
