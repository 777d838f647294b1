"""What a retest refuses of a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.records import OLD
from tfcourse.errors import UserError
from tfcourse.retesting.old_run import open_old_run
from tfcourse.run.folder import RunFolder


def test_a_model_that_was_not_measured_is_not_compared(tmp_path: Path) -> None:
    run = shutil.copytree(OLD / "table", tmp_path / "run")
    assert open_old_run(RunFolder.open(run), 2).trials > 1
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record |= {"status": "interrupted", "model_sha256": "0" * 64}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(UserError, match=rf"is not the model that .* python -m tfcourse\.train --resume {run}$"):
        open_old_run(RunFolder.open(run), 2)
