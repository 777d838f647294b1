"""The wheel alone is enough to run, from an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the unpacked wheel, built from a copy of what the wheel is made of."""
    source, site = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in ("tfcourse", "legacy_tf1"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(site), str(source)], check=True, capture_output=True)
    (wheel,) = site.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_a_search_runs_from_the_wheel(site: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # which the tests set, and a user does not
    where = [sys.executable, "-c", "import tfcourse; print(tfcourse.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).parent == site / "tfcourse"
    command = [sys.executable, "-m", "tfcourse.train", "--trials", "1", "--epochs", "1", "--json", "--out", "run"]
    output = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(output.stdout)["trials"]["completed"] == 1
    assert "TensorFlow" not in output.stderr
    assert "absl" not in output.stderr
    predict = [sys.executable, "-m", "tfcourse.predict", "run", "--data", "digits"]
    lines = subprocess.run(predict, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    assert len(lines.splitlines()) == 1798


def test_the_wheel_has_its_types_and_its_licence(site: Path) -> None:
    assert (site / "tfcourse" / "py.typed").is_file()
    assert list(site.glob("tfcourse-*.dist-info/licenses/LICENSE"))
