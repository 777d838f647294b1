"""A table and a run of it that several tests look at."""

from __future__ import annotations

import os
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

# No deadline: a busy machine is no failure. The same examples each time, so that a change is judged by what it changed;
# `--deep` draws others, and many; `--quick` few.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("same"), max_examples=25)
settings.register_profile("deep", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pets(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """Return a small table with every kind of column, two classes that its columns tell apart, and missing values."""
    random = np.random.default_rng(seed)
    weight = random.gamma(4, 2, rows).round(2)
    colour = random.choice(["black", "white", "ginger"], rows)
    kind = np.where(weight + 2 * (colour == "black") + random.normal(size=rows) > 8.5, "dog", "cat")
    frame = pd.DataFrame(
        {
            "name": [f"pet {number}" for number in range(rows)],
            "weight": weight,
            "colour": colour,
            "legs": 4,
            "born": pd.date_range("2015-01-01", periods=rows, freq="9D").strftime("%Y-%m-%d"),
            "kind": kind,
        }
    )
    frame.loc[::10, "weight"] = None
    frame.loc[5::20, "colour"] = "?"
    return frame


@pytest.fixture(scope="session")
def pets_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the table as a CSV file."""
    path = tmp_path_factory.mktemp("pets") / "pets.csv"
    pets().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def pets_run(pets_csv: Path) -> Path:
    """Return the folder of a finished run on the table."""
    from tfcourse import train

    out = pets_csv.parent / "run"
    arguments = ["--data", str(pets_csv), "--target", "kind", "--trials", "3", "--epochs", "4", "--out", str(out)]
    assert train.main([*arguments, "--quiet", "--slices", "colour", "weight", "born"]) == 0
    return out


@pytest.fixture(scope="module")
def no_op_determinism_after_these_tests() -> Iterator[None]:
    """Switch off again what a babysat training switches on in TensorFlow for its whole process."""
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()


LONG = (
    "test_resume", "estimator/test_scikit_learn_checks", "estimator/test_tuned_classifier", "models/test_preprocessing",
    "babysitting/test_anyones_fit", "test_babysit", "slides/test_slides",
    "search/test_cohort_tuner", "cohort/test_equality", "search/test_cohort_callbacks", "cohort/test_steps",
    "test_train", "search/test_rounds", "babysitting/test_babysitter", "faults", "test_readme", "test_bagging",
    "test_retest", "search/test_cohort_promises", "test_finishing", "test_circumstances", "test_mistakes_with_retest",
    "babysitting/test_beside", "babysitting/test_finishing", "babysitting/test_live", "babysitting/test_replay",
    "babysitting/test_words", "cohort/test_dropout", "cohort/test_every_compile_argument",
    "cohort/test_every_model_attribute", "cohort/test_from_keras", "cohort/test_stopping", "legacy_tf1/test_minimize",
    "models/test_hypermodels", "models/test_model_file", "report/test_browser", "report/test_command",
    "report/test_page", "search/test_cohort_fit_tuner", "search/test_cohort_workers", "search/test_fit",
    "test_real_data", "test_wheel", "test_start_keras", "report/test_summaries", "run/test_exported",
    "cohort/test_interrupt", "cohort/test_kept", "cohort/test_own_rows", "cohort/test_every_fit_argument",
    "models/test_stacked", "export/test_export", "export/test_graph_of_models", "executors/test_processes",
    "executors/test_ray", "executors/test_dispatch", "test_workers", "test_weights", "test_notebook",
    "export/test_bins", "explain/test_shapley", "search/test_full_disk", "models/test_saving", "models/test_convnet",
    "test_convolutional",
)  # fmt: skip
"""What trains for long, the longest first: left out by ``--quick``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests be run in short or in depth."""
    parser.addoption(
        "--quick", action="store_true", help="leave out the files that take long; hypothesis draws few examples"
    )
    parser.addoption("--deep", action="store_true", help="hypothesis draws new examples, and many")


def pytest_configure(config: pytest.Config) -> None:
    """Draw many examples, or few, where that was asked for; keep compiled programs in a folder of these tests' own."""
    if not hasattr(config, "workerinput") and os.environ.get("TFCOURSE_CACHE") != "off":
        # New each time, unless somebody keeps one; shared by xdist's processes and the commands that they start.
        kept = os.environ.get("TFCOURSE_TEST_CACHE")
        os.environ["TFCOURSE_CACHE"] = cache = kept or tempfile.mkdtemp(prefix="tfcourse-tests-")
        if not kept:
            config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
    for name in ("quick", "deep"):
        if config.getoption(f"--{name}"):
            settings.load_profile(name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have the longest tests come first, so that where several processes test none of them waits for another's last."""
    long = tuple(f"tests/{name}" for name in LONG)
    if config.getoption("--quick"):
        items[:] = [item for item in items if not item.nodeid.startswith(long)]
    # xdist keeps to this order with --no-loadscope-reorder; by itself it begins with the files of the most tests.
    items.sort(key=lambda item: next((i for i, each in enumerate(long) if item.nodeid.startswith(each)), len(long)))
