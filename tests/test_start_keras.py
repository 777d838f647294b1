"""Keras as somebody has set it: a command does not mind, a call from a program refuses what would change its result."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tfcourse.cohort import NotFusableError, fit_together
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.predict import main as predict
from tfcourse.process.start_keras import KerasError, start_keras
from tfcourse.train import main as train

ROOT = Path(__file__).parents[1]
FLOATX = "keras.config.set_floatx('float32')."
OTHER = [
    ("floatx", "float64", "Keras's floatx is 'float64', but must be 'float32': call " + FLOATX),
    ("floatx", "float16", "Keras's floatx is 'float16', but must be 'float32': call " + FLOATX),
    (
        "dtype_policy",
        "mixed_float16",
        "Keras's dtype policy is 'mixed_float16'; call keras.config.set_dtype_policy('float32').",
    ),
    ("max_epochs", 1, "Keras's max_epochs is 1, but must be None: call keras.config.set_max_epochs(None)."),
    (
        "image_data_format",
        "channels_first",
        "Keras's image_data_format is 'channels_first', but must be 'channels_last': call"
        " keras.config.set_image_data_format('channels_last').",
    ),
    ("epsilon", 1e-3, "Keras's epsilon is 0.001, but must be 1e-07: call keras.config.set_epsilon(1e-07)."),
]
OF_A_COHORT = ("floatx", "dtype_policy", "max_epochs")


def train_a_cohort() -> Any:
    x = np.zeros((8, 2), "float32")
    return fit_together([(NetworkSpec(2, 2), OptimizerSpec())], x, np.arange(8) % 2, epochs=1)


@pytest.fixture(params=OTHER, ids=[f"{name}={value}" for name, value, _ in OTHER])
def other(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Set Keras otherwise, and give the setting's name and the sentence about it."""
    name, value, sentence = request.param
    set_to = getattr(keras.config, f"set_{name}")
    before = getattr(keras.config, name)()
    set_to(value)
    yield name, sentence
    set_to(before)


def test_a_command_in_a_program_of_ones_own_refuses_it(
    other: tuple[str, str], pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KerasError) as caught:
        start_keras()
    assert str(caught.value) == other[1]
    out = tmp_path / "run"
    assert train(["--data", str(pets_csv), "--target", "kind", "--out", str(out), "--quiet"]) == 2
    assert capsys.readouterr() == ("", f"error: {other[1]}\n")
    assert not out.exists()


def test_a_part_of_keras_tuners_parallel_search_is_refused_before_a_file_is_made(
    pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    out = tmp_path / "runs" / "one"
    assert train(["--data", str(pets_csv), "--target", "kind", "--out", str(out), "--quiet"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: KERASTUNER_ORACLE_IP is set, which makes a process part of KerasTuner's own parallel search; this"
        " search has one process. Unset it.\n",
    )
    assert not list(tmp_path.rglob("*"))


def test_a_cohort_refuses_what_changes_it(other: tuple[str, str]) -> None:
    name, sentence = other
    if name not in OF_A_COHORT:
        assert train_a_cohort()[0].history["loss"] == pytest.approx([np.log(2)], abs=1e-3)
        return
    with pytest.raises(NotFusableError) as caught:
        train_a_cohort()
    assert str(caught.value) == f"a cohort trains as Keras does by default. {sentence}"


def test_predict_refuses_it_too(pets_run: Path, pets_csv: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras.config.set_image_data_format("channels_first")
    try:
        assert predict([str(pets_run), "--data", str(pets_csv)]) == 2
    finally:
        keras.config.set_image_data_format("channels_last")
    assert capsys.readouterr().err == f"error: {OTHER[4][2]}\n"


def test_settings_that_keras_cannot_read_leave_nothing_behind(pets_csv: Path, tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"floatx": "float8"}', encoding="utf-8")
    file = tmp_path / "keras.json"
    ended = subprocess.run(
        [sys.executable, "-m", "tfcourse.train", "--data", str(pets_csv), "--target", "kind", "--quiet"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**os.environ, "KERAS_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"error: Keras cannot read its settings in {str(file)!r} (Invalid `floatx` configuration. Expected one of"
        " {'float16', 'float32', 'float64'}. Received: floatx=float8). Mend that file or remove it.\n"
    )
    assert list(tmp_path.rglob("*")) == [file]


@pytest.mark.skipif(find_spec("jax") is None, reason="needs JAX, for another backend")
def test_a_cohort_on_another_backend_is_refused() -> None:
    program = (
        "import keras, numpy as np\n"
        "from tfcourse import NetworkSpec, OptimizerSpec, UserError, fit_together\n"
        "try: fit_together([(NetworkSpec(2, 2), OptimizerSpec())], np.zeros((8, 2), 'float32'), np.arange(8) % 2)\n"
        "except UserError as error: print(error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert ended.stdout == (
        "a cohort trains as Keras does by default. Keras's backend is jax; set KERAS_BACKEND=tensorflow before Keras"
        " is imported.\n"
    )
