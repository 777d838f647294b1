"""The formats of an export: what each needs, what its files are called, how it is written, and how it is asked."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfcourse.data.features import Features
from tfcourse.data.table_features import TableFeatures
from tfcourse.errors import UserError
from tfcourse.export.rows import Rows
from tfcourse.files.writing import write_json


@dataclass(frozen=True)
class Source:
    """What is exported.

    Args:
        model: the loaded exported model.
        features: how the run reads its data.
        classes: the classes' names.
        notes: what an export says of itself.
    """

    model: Any
    features: Features
    classes: list[str]
    notes: dict[str, Any]


@dataclass(frozen=True)
class Format:
    """One format.

    Args:
        name: what a run's export is called if nobody gives a name; its suffix is that of every name.
        runtime: through what it is asked.
        packages: what it needs beside TensorFlow, as distribution and module.
        companion: the suffix of the file beside it, or empty.
        write: from a path and what is exported.
        ask: from the path and rows to probabilities.
    """

    name: str
    runtime: str
    packages: dict[str, str]
    companion: str
    write: Callable[[Path, Source], None]
    ask: Callable[[Path, Rows], NDArray[np.float32]]

    @property
    def suffix(self) -> str:
        """How its file's name ends; a folder's may be any."""
        return Path(self.name).suffix

    def check_installed(self, given: str) -> None:
        """Refuse a format whose packages are not there.

        Raises:
            UserError: with what to install.
        """
        absent = [name for name, module in self.packages.items() if importlib.util.find_spec(module) is None]
        if absent:
            raise UserError(f'--to {given} needs {" and ".join(absent)}: pip install "tfcourse[{given}]".')

    @property
    def runtime_words(self) -> str:
        """The runtime with its version."""
        packages = list(self.packages) or ["tensorflow" if self.runtime == "TensorFlow" else "numpy"]
        return f"{self.runtime} {importlib.metadata.version(packages[-1])}"


def _write_onnx(path: Path, source: Source) -> None:
    from tfcourse.export.from_keras import graph_of
    from tfcourse.export.onnx_file import onnx_content

    path.write_bytes(onnx_content(graph_of(source.model), source.classes, source.notes))


def _ask_onnx(path: Path, rows: Rows) -> NDArray[np.float32]:
    from tfcourse.export.onnx_file import ask_onnx

    return ask_onnx(path, rows.columns)


def _write_numpy(path: Path, source: Source) -> None:
    from tfcourse.export import with_numpy
    from tfcourse.export.from_keras import graph_of
    from tfcourse.export.numpy_file import numpy_content

    path.write_bytes(numpy_content(graph_of(source.model), source.classes))
    code = Path(with_numpy.__file__).read_text(encoding="utf-8").replace("model.npz", path.name)
    path.with_suffix(".py").write_text(code, encoding="utf-8")


def _ask_numpy(path: Path, rows: Rows) -> NDArray[np.float32]:
    from tfcourse.export.with_numpy import load, probabilities

    return np.asarray(probabilities(load(path), rows.columns))


def _write_saved_model(path: Path, source: Source) -> None:
    from tfcourse.export.saved_model import write_saved_model

    write_saved_model(path, source.model, source.notes)


def _ask_saved_model(path: Path, rows: Rows) -> NDArray[np.float32]:
    from tfcourse.export.saved_model import ask_saved_model

    return ask_saved_model(path, rows.columns)


def _write_litert(path: Path, source: Source) -> None:
    from tfcourse.export.litert_file import write_litert
    from tfcourse.export.matrix_columns import EXPLAINED, matrix_columns
    from tfcourse.run.exported import network_of

    write_litert(path, network_of(source.model, source.features), source.features)
    notes: dict[str, Any] = {**source.notes}
    if isinstance(source.features, TableFeatures):
        notes |= {"kinds": EXPLAINED, "features": matrix_columns(source.features)}
    write_json(path.with_suffix(".json"), notes)


def _ask_litert(path: Path, rows: Rows) -> NDArray[np.float32]:
    from tfcourse.export.litert_file import ask_litert

    return ask_litert(path, rows.matrix if isinstance(rows.inputs, dict) else rows.inputs)


FORMATS = {
    "savedmodel": Format("saved_model", "TensorFlow", {}, "", _write_saved_model, _ask_saved_model),
    "onnx": Format(
        "model.onnx", "ONNX Runtime", {"onnx": "onnx", "onnxruntime": "onnxruntime"}, "", _write_onnx, _ask_onnx
    ),
    "litert": Format("model.tflite", "LiteRT", {"ai-edge-litert": "ai_edge_litert"}, ".json",
                     _write_litert, _ask_litert),
    "numpy": Format("model.npz", "NumPy", {}, ".py", _write_numpy, _ask_numpy),
}  # fmt: skip
"""By the word that asks for them."""
