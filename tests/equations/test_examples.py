"""The examples in the docstrings run, and no file here needs more than NumPy."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest

from tfcourse import equations

FILES = sorted(Path(equations.__file__).parent.glob("[!_]*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples_run(path: Path) -> None:
    result = doctest.testmod(importlib.import_module(f"tfcourse.equations.{path.stem}"))
    assert result.failed == 0
    assert result.attempted >= 2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_numpy_is_imported(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {str(name).split(".")[0] for name in modules} <= {"__future__", "collections", "dataclasses", "numpy"}
