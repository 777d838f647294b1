"""An exported model that is small, and files made of it by hand that nobody should load."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pyarrow as pa

from tests.models.test_preprocessing import fitted
from tfcourse.data.features import TableFeatures
from tfcourse.models.builders import build_mlp
from tfcourse.models.preprocessing import export_model
from tfcourse.models.spec import NetworkSpec

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
FLOAT = "layers/functional_1/layers/dense/vars/0"
ROWS = 12
Members = dict[str, bytes]


def small_table() -> pa.Table:
    """Return numbers, two of them missing, categories and dates, in columns named as keys of Keras's configurations."""
    return pa.table(
        {
            "class_name": [*map(float, range(10)), None, None],
            "module": [f"2024-01-{day:02d}" for day in range(1, ROWS + 1)],
            "vocabulary": ["u", "v", "w"] * 4,
        }
    )


def write_small_model(path: Path) -> TableFeatures:
    """Write the exported model of :func:`small_table` for two classes, and return how it reads the table."""
    features = fitted(small_table(), ROWS)
    export_model(features, build_mlp(NetworkSpec(features.width, 2, (3,)), seed=0)).save(path)
    return features


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(path: Path, members: Members, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def with_config(members: Members, edit: Callable[[dict[str, Any]], Any]) -> Members:
    """Return the members with an edited configuration."""
    config = json.loads(members["config.json"])
    config = edit(config) or config
    return {**members, "config.json": json.dumps(config).encode()}


def with_weights(members: Members, edit: Callable[[h5py.File], Any]) -> Members:
    """Return the members with an edited weights file."""
    file = io.BytesIO(members["model.weights.h5"])
    with h5py.File(file, "r+") as weights:
        edit(weights)
    return {**members, "model.weights.h5": file.getvalue()}


def layer(config: dict[str, Any], class_name: str) -> dict[str, Any]:
    """Return the first layer of a class, wherever it is in the model."""
    for each in config["config"]["layers"]:
        if each["class_name"] == class_name:
            return each  # type: ignore[no-any-return]
        if each["class_name"] == "Functional":
            try:
                return layer(each, class_name)
            except LookupError:
                continue
    raise LookupError(class_name)


def replaced(config: dict[str, Any], kind: str, /, **by: Any) -> None:
    """Put other keys into the first layer of a class."""
    layer(config, kind).update(by)


def set_in(config: dict[str, Any], kind: str, /, **by: Any) -> None:
    """Put other settings into the configuration of the first layer of a class."""
    layer(config, kind)["config"].update(by)


def put_array(weights: h5py.File, **how: Any) -> None:
    """Put another array in the place of one of the model's."""
    del weights[FLOAT]
    weights.create_dataset(FLOAT, **how)


def put_external(weights: h5py.File, path: Path) -> None:
    put_array(weights, shape=(9, 3), dtype="float32", external=[(str(path), 0, h5py.h5f.UNLIMITED)])


def put_virtual(weights: h5py.File, path: Path) -> None:
    del weights[FLOAT]
    layout = h5py.VirtualLayout((9, 3), dtype="float32")
    layout[:] = h5py.VirtualSource(str(path), "secret", shape=(9, 3))
    weights.create_virtual_dataset(FLOAT, layout)


def put_link(weights: h5py.File, link: Any) -> None:
    del weights[FLOAT]
    weights[FLOAT] = link
