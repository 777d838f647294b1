"""The code blocks of the READMEs run, in order, in an empty folder; the folders' go on from the first one's example."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tomllib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tfcourse import look, predict, train
from tfcourse.export import __main__ as export
from tfcourse.report import __main__ as report
from tfcourse.space.course import default_space
from tfcourse.space.first_settings import read_first_settings
from tfcourse.space.space_file import space_from_toml

ROOT = Path(__file__).parents[1]
MOST_LINES = 200
COMMANDS = {
    "tfcourse.export": export.main,
    "tfcourse.look": look.main,
    "tfcourse.predict": predict.main,
    "tfcourse.report": report.main,
    "tfcourse.train": train.main,
}
OTHERS = sorted(
    path.relative_to(ROOT) for part in ("tfcourse", "scripts") for path in ROOT.glob(f"{part}/**/README.md")
)


def run_line(line: str) -> None:
    """Run one command line of a README; the set-up scripts themselves are what runs these tests."""
    words = shlex.split(line, comments=True)
    if words[:1] == ["bash"]:
        assert (ROOT / words[1]).is_file()
    elif words:
        assert words[:2] == ["python", "-m"]
        assert COMMANDS[words[2]](words[3:]) == 0


def run_blocks(readme: Path) -> set[str]:
    """Run the code blocks of a README in the current folder and return their languages."""
    names: dict[str, object] = {}
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", readme.read_text(encoding="utf-8"), re.M | re.S)
    for language, code in blocks:
        if language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # KerasTuner's own
                exec(compile(code, str(readme), "exec"), names)
        elif language == "bash":
            for line in code.splitlines():
                run_line(line)
        elif language == "toml":
            if code.startswith("[[setting]]"):
                Path("mine.toml").write_text(code)
                assert read_first_settings(Path("mine.toml"), default_space())
            else:
                space_from_toml(tomllib.loads(code))
        else:
            assert language == "text"
    return {language for language, _ in blocks}


@contextmanager
def inside(folder: Path) -> Iterator[Path]:
    """Have a folder be the current one for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield folder
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the blocks of the README ran."""
    with inside(tmp_path_factory.mktemp("readme")) as folder:
        assert run_blocks(ROOT / "README.md") >= {"python", "bash", "text"}
    return folder


def test_the_blocks_of_the_readme_run(example: Path) -> None:
    labels = (example / "predictions.csv").read_text()
    assert labels.startswith("label,probability_0,probability_1,probability_2\n")
    assert (example / "wine-run" / "model.keras").is_file()


@pytest.mark.parametrize("readme", OTHERS, ids=str)
def test_the_blocks_of_a_folders_readme_run(readme: Path, example: Path, tmp_path: Path) -> None:
    shutil.copytree(example, tmp_path / "example")
    with inside(tmp_path / "example"):
        run_blocks(ROOT / readme)


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for readme in [ROOT / "README.md", *(ROOT / other for other in OTHERS)]:
        for link in re.findall(r"\]\(([^)#]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / link).exists(), f"{readme}: {link}"
