"""The run folder: one search, one folder.

.. code-block:: text

    RUN/run.json       how it was started: command, options, data fingerprint, split, space, versions, status
    RUN/result.json    what came of it
    RUN/model.keras    the best network, from raw columns or images to probabilities
    RUN/search/        a KerasTuner project: every trial with its learning curves and its best epoch's weights
    RUN/baseline/      the same of softmax regression
    RUN/folds/         the weights of the leaders on each fold, if they were bagged
    RUN/lock           held by the process that trains in it
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import tfcourse
from tfcourse.errors import UserError
from tfcourse.files.shape import check_record, read_record
from tfcourse.files.writing import RESTORE, damaged, make_folder, write_json
from tfcourse.process.start_keras import KerasError
from tfcourse.run.lock import is_held
from tfcourse.run.record import KindRecord, SearchRun, TrainingRun
from tfcourse.run.results import SearchResult, TrainingResult, read_result

FORMAT = 1
PACKAGES = ("tfcourse", "tensorflow", "keras", "keras-tuner", "numpy")
SEARCH, TRAINING = "search", "babysat training"
_RECORDS = {SEARCH: SearchRun, TRAINING: TrainingRun}
_RESULTS = {SEARCH: SearchResult, TRAINING: TrainingResult}
T = TypeVar("T")


class RunStatus(StrEnum):
    """How far a run has come, as its ``run.json`` says it."""

    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"


class RunFolder:
    """A run folder on disk; its ``run.json`` is kept in :attr:`record`.

    Args:
        path: the folder.
        record: what ``run.json`` holds.

    Attributes:
        made: the folders that were made for it, the inner first.
    """

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path, self.record = path, record
        self.made: list[Path] = []

    @classmethod
    def create(cls, path: Path, record: dict[str, Any]) -> RunFolder:
        """Make the folder and write ``run.json``; call :func:`check_new` first.

        Raises:
            UserError: if the folder cannot be made.
            OSError: if it cannot be written to.
        """
        try:
            made = make_folder(path)
        except OSError as error:
            raise UserError(
                f"The run folder {str(path)!r} cannot be made: {error.strerror}. Give another folder with --out."
            ) from None
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        folder = cls(path, {"format": FORMAT, "started": started, "versions": versions(), **record})
        folder.made = made
        folder.save()
        return folder

    @classmethod
    def open(cls, path: Path, *kinds: str) -> RunFolder:
        """Read a run folder.

        Args:
            path: the folder.
            *kinds: of what it may be: ``search`` (default) or ``babysat training``.

        Raises:
            UserError: if it is no run folder, of another kind, or damaged.
        """
        if not path.is_dir():
            raise UserError(f"There is no run folder {str(path)!r}; give the folder that a search wrote.")
        check_not_of_own_model(path)
        kinds = kinds or (SEARCH,)
        record = read_record(path / "run.json", KindRecord)
        kind = record.get("kind", SEARCH)
        if kind not in kinds:
            raise UserError(f"{str(path)!r} holds a {kind}; this needs the folder of a {' or a '.join(kinds)}.")
        if record["format"] != FORMAT:
            raise UserError(f"{str(path)!r} was written by another version of tfcourse, which must also read it.")
        check_record(record, path / "run.json", _RECORDS[kind])
        if record.get("status") == RunStatus.RUNNING and is_held(path) is False:
            record["status"] = RunStatus.INTERRUPTED  # its process was ended before it could say so
        return cls(path, record)

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """Remove what was just created, if the block finds that Keras cannot be used at all."""
        try:
            yield
        except KerasError:
            for file in self.path.iterdir():
                file.unlink()
            for folder in self.made:
                folder.rmdir()
            raise

    def parse(self, read: Callable[[dict[str, Any]], T]) -> T:
        """Return what ``read`` makes of the record.

        Raises:
            UserError: if it cannot, because the record is damaged.
        """
        try:
            return read(self.record)
        except (KeyError, TypeError, ValueError, AttributeError, UserError) as error:
            raise damaged(self.path / "run.json", error) from None

    def check_classes(self, classes: Sequence[str]) -> None:
        """Refuse a record whose classes are not those of its data.

        Raises:
            UserError: if they are not.
        """
        if self.record["classes"] != list(classes):
            raise damaged(self.path / "run.json", "its classes are not those of its data")

    def save(self) -> None:
        """Write ``run.json``."""
        write_json(self.path / "run.json", self.record)

    def update(self, **fields: Any) -> None:
        """Change fields of the record once it is written; where that fails it stays as it was."""
        write_json(self.path / "run.json", {**self.record, **fields})
        self.record.update(fields)

    def complete(self, **fields: Any) -> None:
        """Say in the record that the run has ended, and which file its result tells of; call it last."""
        self.update(status=RunStatus.COMPLETED, model_sha256=_digest(self.model_path), **fields)

    def on_another_model(self) -> str:
        """Return what to say where the model's file is not the one that the result tells of; empty where it is.

        So it is after a run was gone on with, and killed between the writing of the two.
        """
        of_result = self.record.get("model_sha256")
        if of_result is None or not self.model_path.exists() or _digest(self.model_path) == of_result:
            return ""
        again = f"babysit start --out {self.path}" if self.kind == TRAINING else f"train --resume {self.path}"
        mend = (
            "Restore it from a copy."
            if self.record["status"] == RunStatus.COMPLETED
            else (f"Go on with the run, and they are of one model again: python -m tfcourse.{again}")
        )
        return (
            f"{str(self.model_path)!r} is not the model that result.json and report.html tell of: it was replaced, or"
            f" the run was ended before it had written them all. {mend}"
        )

    @property
    def kind(self) -> str:
        """What was run: :data:`SEARCH` or :data:`TRAINING`."""
        return str(self.record.get("kind", SEARCH))

    @property
    def model_path(self) -> Path:
        """Where the exported model lies."""
        return self.path / "model.keras"

    @property
    def result_path(self) -> Path:
        """Where the result lies."""
        return self.path / "result.json"

    def result(self) -> dict[str, Any]:
        """Return what came of the run.

        Raises:
            UserError: if it has not ended yet.
        """
        if not self.result_path.exists() and self.kind == TRAINING:
            raise UserError(
                f"The training in {str(self.path)!r} has left no model yet; it does when it is stopped:"
                f" python -m tfcourse.babysit stop {self.path}"
            )
        if not self.result_path.exists():
            raise UserError(
                f"The search in {str(self.path)!r} has not ended; go on with it:"
                f" python -m tfcourse.train --resume {self.path}"
            )
        return read_result(self.result_path, _RESULTS[self.kind], self.record["classes"], self._advice)

    @property
    def _advice(self) -> str:
        """What to do about a damaged result."""
        if self.kind == TRAINING:
            return RESTORE
        return (
            "The search beside it is not; make the result again:"
            f" python -m tfcourse.train --resume {shlex.quote(str(self.path))}"
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_not_of_own_model(path: Path) -> None:
    """Refuse the folder of a ``Babysitter`` that was given to somebody's own ``fit``.

    Raises:
        UserError: if it is one.
    """
    if not (path / "run.json").exists() and (path / "journal.jsonl").exists():
        raise UserError(
            f"{str(path)!r} holds the training of a model of your own, begun with callbacks=[Babysitter(...)]: only"
            " your program knows how it is built and where its data are. Run that program again to go on with it."
        )


def check_out(out: Path, *read: str | None) -> None:
    """Refuse to write over a file that is read, or over one that a run needs.

    Args:
        out: the file to write.
        *read: the files that are read.

    Raises:
        UserError: if it would.
    """
    path = out.resolve()
    if any(each is not None and Path(each).resolve() == path for each in read):
        raise UserError(f"--out: {str(out)!r} is the file to read as well; give another to write to.")
    kept = any((folder / "run.json").exists() for folder in path.parents[:3])
    if path.exists() and kept and path.suffix not in (".csv", ".tsv", ".html"):
        raise UserError(f"--out: {str(out)!r} belongs to a run, which would be lost; give another file.")


def check_new(path: Path) -> None:
    """Refuse a folder that holds something already, or a file of that name.

    What a start that was killed before it had begun left behind goes, so that the same command can be given again.
    """
    if path.exists() and not path.is_dir():
        raise UserError(f"--out: {str(path)!r} is a file; give a folder.")
    for half_written in path.glob(".[0-9]*.run.json"):
        half_written.unlink(missing_ok=True)
    if path.is_dir() and any(path.iterdir()):
        hint = f" To go on with the search in it: --resume {path}." if (path / "run.json").exists() else ""
        if (path / "journal.jsonl").exists():
            hint = f" To go on with the training in it: python -m tfcourse.babysit start --out {path}"
        raise UserError(f"--out: {str(path)!r} is not empty; give a new folder.{hint}")


def default_path(name: str) -> Path:
    """Return a new folder below ``runs/``, named by the data and the time."""
    base = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:  # run from a checkout
            found[package] = tfcourse.__version__ if package == "tfcourse" else "unknown"
    return found
