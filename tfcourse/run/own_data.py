"""The data that a run was made on, for whoever needs its rows again."""

from __future__ import annotations

from pathlib import Path

from tfcourse.data.features import Features
from tfcourse.data.options import DataOptions
from tfcourse.data.prepare import Prepared, prepare_again
from tfcourse.data.sources import fingerprint_of
from tfcourse.errors import UserError
from tfcourse.run.folder import RunFolder


def own_data(folder: RunFolder, features: Features) -> Prepared | None:
    """Return the data that a run was made on, split as they were; None where they are gone or have changed since."""
    options = folder.parse(lambda record: DataOptions.from_json(record["options"]))
    places = [place for place in (options.data, options.test_data) if place is not None]
    if any(Path(place).is_absolute() and not Path(place).exists() for place in places):
        return None
    try:
        if fingerprint_of(options.data, options.test_data) != folder.record["data"]["fingerprint"]:
            return None
        return prepare_again(options, features, folder.record["data"]["split"])
    except (UserError, OSError):
        return None
