"""Programs on disk: a later process reads them and computes the same, bit for bit, whatever lies there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cohort.kept_program import train
from tfcourse.cohort import kept, program
from tfcourse.files.cache import CacheFolder

ROOT = Path(__file__).parents[2]


def processes(count: int, cache: Path | str, **variables: str) -> list[tuple[str, str]]:
    """Let so many processes train at once; return of each whether its program came from disk, and its digest."""
    environment = os.environ | {"TFCOURSE_CACHE": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"} | variables
    words = [sys.executable, "-m", "tests.cohort.kept_program"]
    started = [
        subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    found = []
    for process in started:
        out, err = process.communicate()
        assert process.returncode == 0, err
        assert "cpu_aot_loader" not in err
        assert "text-format" not in err
        from_disk, digest = out.split()
        found.append((from_disk, digest))
    return found


@pytest.fixture(scope="module")
def without() -> str:
    """Return the digest of the networks where nothing is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFCOURSE_CACHE", "off")
        patch.setattr(program, "_programs", {})
        from_disk, digest = train()
    assert from_disk == [False]
    return digest


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, without: str) -> Path:
    """Return a folder that two processes filled at the same time; both computed what is computed without it."""
    path = tmp_path_factory.mktemp("cache")
    assert processes(2, path) == [("[False]", without)] * 2
    assert len(list((path / "tfcourse-programs").iterdir())) == 1
    return path


def test_a_later_process_reads_the_program_and_says_nothing(cache: Path, without: str) -> None:
    assert processes(1, cache, TF_CPP_MIN_LOG_LEVEL="0") == [("[True]", without)]


def test_what_tensorflow_refuses_is_compiled_and_kept_anew(cache: Path, without: str) -> None:
    folder = CacheFolder(cache / "tfcourse-programs")
    (name,) = os.listdir(folder.path)
    content = folder.read(name)
    assert content is not None
    head = content.partition(b"\n")[0]
    executable = len(head) + 1 + json.loads(head)["graph"]
    for cut in (executable, executable + 5000):  # no executable, and half of one
        folder.write(name, content[:cut])
        assert processes(1, cache) == [("[False]", without)]
        assert folder.read(name) is None
    folder.write(name, content)
    os.truncate(folder.path / name, len(content))
    assert processes(1, cache) == [("[False]", without)]
    assert folder.read(name) is not None


def test_a_key_tells_apart_all_that_the_machine_code_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {kept._key("about", (None,)), kept._key("other", (None,))}
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_max_isa=AVX")
    keys.add(kept._key("about", (None,)))
    monkeypatch.setattr(kept, "_of_the_process", lambda: ("another processor",))
    keys.add(kept._key("about", (None,)))
    assert len(keys) == 4


def test_the_processor_is_known_by_what_does_not_change() -> None:
    lines = kept._processor().splitlines()
    assert any(line.startswith(("flags", "Features")) for line in lines)
    assert not any("MHz" in line or "bogomips" in line for line in lines)
