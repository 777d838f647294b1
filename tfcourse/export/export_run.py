"""From a run folder to an export beside it, checked before it has its name."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tfcourse
from tfcourse.data.features import Features, TableFeatures
from tfcourse.errors import UserError
from tfcourse.export.checking import check_agrees
from tfcourse.export.formats import FORMATS, Format, Source
from tfcourse.export.rows import rows_to_compare
from tfcourse.files.writing import is_alive, to_disk
from tfcourse.run.exported import features_of, load_exported, probabilities_of
from tfcourse.run.folder import RunFolder


def export_run(folder: RunFolder, to: str, out: Path | None, say: Callable[[str], object]) -> list[Path]:
    """Write a run's model in another format and return the files; none is left unless it says what the model says.

    Args:
        folder: of a finished run.
        to: one of :data:`~tfcourse.export.formats.FORMATS`.
        out: where to; beside the model if None.
        say: takes a line for the user.

    Raises:
        UserError: if something is missing, is there already, or does not agree with the model.
    """
    kind = FORMATS[to]
    kind.check_installed(to)
    targets = _targets(folder, kind, out)
    folder.result()  # it has ended
    if problem := folder.on_another_model():
        raise UserError(problem)
    features = features_of(folder)
    classes = list(folder.record["classes"])
    model = load_exported(folder.model_path, features, len(classes))
    rows = rows_to_compare(folder, features)
    with _staged(targets[0]) as staging:
        staged = staging / targets[0].name
        kind.write(staged, Source(model, features, classes, _notes(folder, features, classes)))
        off = [
            check_agrees(kind.ask(staged, each), probabilities_of(model, each.inputs), targets[0], kind.runtime_words)
            for each in rows
        ]
        for target in reversed(targets):
            _publish(staging / target.name, target)
    words = " and ".join(each.words for each in rows)
    same = f"within {max(off):.1g}" if max(off) else "to the last bit"
    say(f"Through {kind.runtime_words}, {words} have the probabilities of model.keras, {same}.")
    if len(rows) == 1:
        say("note: the run's data are gone or have changed since, so its test rows could not be compared.")
    return targets


def _targets(folder: RunFolder, kind: Format, out: Path | None) -> list[Path]:
    """Return the files or the folder to write, the first being the model."""
    path = folder.path / kind.name if out is None else out
    if kind.suffix and path.suffix != kind.suffix:
        raise UserError(f"--out: {str(path)!r} was given; the name must end in {kind.suffix}.")
    if not path.parent.is_dir():
        raise UserError(f"--out: there is no folder {str(path.parent)!r} to write {path.name!r} to.")
    targets = [path, *([path.with_suffix(kind.companion)] if kind.companion else [])]
    for target in targets:
        if os.path.lexists(target):
            raise UserError(f"--out: {str(target)!r} is there already; remove it, or give another name.")
    return targets


def _notes(folder: RunFolder, features: Features, classes: list[str]) -> dict[str, Any]:
    """Return what an export says of itself."""
    columns: Any = {"x": list(getattr(features, "shape", ()))}
    if isinstance(features, TableFeatures):
        columns = {column.name: features.reading(column).words for column in features.columns}
    return {
        "made_by": f"tfcourse {tfcourse.__version__}",
        "run": folder.path.resolve().name,
        "data": folder.record["data"]["name"],
        "target": folder.record["options"]["target"] or "",
        "classes": classes,
        "columns": columns,
    }


@contextlib.contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Give a folder beside a target to write in; it goes again, and so do those that killed exports left."""
    for left in target.parent.glob(".[0-9]*.export"):
        writer = left.name.split(".")[1]
        if writer.isdecimal() and not is_alive(int(writer)):
            shutil.rmtree(left, ignore_errors=True)
    staging = target.parent / f".{os.getpid()}.export"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staged: Path, target: Path) -> None:
    """Give what was written its name, once all of it is on the disk."""
    for path in (staged, *staged.rglob("*")):
        to_disk(path)
    os.rename(staged, target)
    to_disk(target.parent)
