"""A module imports only from lower floors or from its own package, and only what it says loads TensorFlow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    ("errors", "words", "equations"),
    ("process", "files"),
    ("space", "data"),
    ("models", "explain"),
    ("cohort",),
    ("executors",),
    ("search", "run"),
    ("tuner", "verdict"),
    ("report",),
    ("tuning",),
    ("babysitting", "retesting", "export"),
    ("train", "predict", "retest", "babysit", "look"),
    ("estimator",),
)
MOST_ROOMS, MOST_LINES = 26, 300
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted((ROOT / "tfcourse").rglob("*.py"))


def imported_by(path: Path) -> set[str]:
    """Return every module that a file names in an import, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def package_of(path: Path) -> str:
    """Return the first name below tfcourse: the package of a file, or the file's own name."""
    return path.relative_to(ROOT / "tfcourse").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    package = package_of(path)
    if package == "__init__":
        return
    for name in imported_by(path):
        if name.startswith("tfcourse.") and (other := name.split(".")[1]) != package and other in FLOOR:
            assert FLOOR[other] < FLOOR[package], f"{package} imports {name}"
        assert not name.startswith("legacy_tf1")


def test_every_room_has_a_floor_and_there_are_few() -> None:
    rooms = {package_of(path) for path in MODULES} - {"__init__"}
    assert rooms == set(FLOOR)
    assert len(rooms) <= MOST_ROOMS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_a_class_has_one_home() -> None:
    names = [name for path in MODULES for name in re.findall(r"^class (\w+)", path.read_text("utf-8"), re.M)]
    assert [name for name in sorted(set(names)) if names.count(name) > 1] == []


def test_only_the_scales_of_the_equations_are_used_in_production() -> None:
    users = {
        name
        for path in MODULES
        if package_of(path) not in ("equations", "__init__")
        for name in imported_by(path)
        if name.startswith("tfcourse.equations.")
    }
    assert users <= {"tfcourse.equations.scales"}


def test_only_what_must_imports_keras_tuner_or_tensorflow() -> None:
    for path in MODULES:
        roots = {name.split(".")[0] for name in imported_by(path)}
        if "tensorflow" in roots:
            assert package_of(path) in ("search", "tuner", "cohort", "executors", "babysitting", "export"), path
        if "keras_tuner" in roots:
            assert package_of(path) in ("search", "tuner", "models"), path
        assert not roots & {"pickle", "dill", "cloudpickle", "joblib"}, path


@pytest.mark.parametrize(
    ("call", "places"),
    [
        # files/arrays.py reads them without believing their headers; with_numpy.py goes out to stand alone
        (r"\b(np|numpy)\.load\(", {"export/with_numpy.py"}),
        (r"\bload_weights\(", set()),
        (r"\bsaving\.load_model\(|\bmodels\.load_model\(", {"models/model_file.py"}),
        (r"\bh5py\.File\(", {"models/model_weights.py"}),
        (r"\bread_array\(", {"files/arrays.py"}),
        (r"\bsave_weights\(|\bsave_model\(|\.save\((?!\)|now)", {"models/saving.py"}),  # HDF5 never writes on the disk
    ],
)
def test_files_are_read_and_made_in_one_place(call: str, places: set[str]) -> None:
    found = {str(path.relative_to(ROOT / "tfcourse")) for path in MODULES if re.search(call, path.read_text("utf-8"))}
    assert found == places


@pytest.mark.parametrize(
    "code",
    [
        "import tfcourse",
        "from tfcourse import train; train.main(['--help'])",
        "from tfcourse.export import __main__ as export; export.main(['--help'])",
    ],
)
def test_importing_and_help_load_no_tensorflow(code: str) -> None:
    check = "import sys; print('heavy:', sorted({'tensorflow', 'keras', 'keras_tuner', 'pandas'} & set(sys.modules)))"
    script = f"try:\n    {code}\nexcept SystemExit:\n    pass\n{check}"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert output.stdout.splitlines()[-1] == "heavy: []"


def test_every_public_name_is_there() -> None:
    import tfcourse

    for name in tfcourse.__all__:
        assert getattr(tfcourse, name) is not None
    with pytest.raises(AttributeError, match="module 'tfcourse' has no attribute 'nothing'"):
        _ = tfcourse.nothing
