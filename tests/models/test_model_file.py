"""Every model that an exporter writes is loaded, and a file that none of them wrote is refused in one sentence."""

from __future__ import annotations

import json
import stat
import struct
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import scaled
from tests.models.hostile_models import ARRAY, CONFIG, HOSTILE, OURS, Edit, setting
from tests.models.model_files import (
    Members,
    members_of,
    put_external,
    put_virtual,
    small_table,
    with_config,
    with_weights,
    write_members,
    write_small_model,
)
from tests.models.test_preprocessing import fitted, messy_table, raw_inputs
from tfcourse.data.features import ArrayFeatures, Features, TableFeatures
from tfcourse.data.numbers_as import numbers_as
from tfcourse.errors import UserError
from tfcourse.models.builders import build_mlp, build_softmax_regression
from tfcourse.models.convnet import ConvNetSpec, build_convnet
from tfcourse.models.ensemble import average, with_temperature
from tfcourse.models.model_config import CLASSES
from tfcourse.models.model_file import load_model_file
from tfcourse.models.preprocessing import export_model
from tfcourse.models.spec import NetworkSpec
from tfcourse.models.stacked import stacked, weighted_average
from tfcourse.run.exported import load_exported

EARLIER = frozenset(
    {"keras.layers.Flatten", "keras.layers.Normalization", "keras.src.ops.numpy.All", "keras.src.ops.numpy.LogicalAnd"}
)
"""Classes that no exporter writes any more, but which are in run folders of earlier versions."""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Members, TableFeatures]:
    """The members of the small model's file, and how it reads its table."""
    path = tmp_path_factory.mktemp("honest") / "model.keras"
    features = write_small_model(path)
    return members_of(path), features


def refusal(path: Path) -> str:
    """Return with which words a file is refused, without its name."""
    with pytest.raises(UserError) as caught:
        load_model_file(path)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{str(path)!r} ").removesuffix(" Restore it from a copy.")


@pytest.mark.parametrize(("edit", "words"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_file_that_no_exporter_wrote_is_refused(
    edit: Edit, words: str, honest: tuple[Members, TableFeatures], tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    write_members(tmp_path / "model.keras", edit(honest[0], marker))
    assert refusal(tmp_path / "model.keras") == words.removesuffix(".") + "."
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_a_secret_in_another_file_stays_there(honest: tuple[Members, TableFeatures], tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(200))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.zeros((9, 3), "float32")
    for name, put in (("raw", put_external), ("other.h5", put_virtual)):
        write_members(tmp_path / "model.keras", with_weights(honest[0], partial(put, path=tmp_path / name)))
        assert refusal(tmp_path / "model.keras").startswith(ARRAY)


def archive_of(members: Members, path: Path, **of_weights: Any) -> None:
    """Write an archive whose weights are a member with other facts."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            if name == "model.weights.h5":
                for key, value in of_weights.items():
                    setattr(info, key, value)
            archive.writestr(info, data)


def test_archives_that_are_not_plain(honest: tuple[Members, TableFeatures], tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    write_members(path, honest[0], zipfile.ZIP_DEFLATED)
    assert refusal(path) == f"{OURS} its metadata.json is compressed."
    archive_of(honest[0], path, external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert refusal(path) == f"{OURS} its model.weights.h5 is a link."
    archive_of(honest[0], path)
    directory = path.read_bytes().index(b"PK\x01\x02")
    locked = bytearray(path.read_bytes())
    locked[directory + 8] |= 1
    path.write_bytes(locked)
    assert refusal(path) == f"{OURS} its metadata.json is encrypted."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", honest[0]["metadata.json"])
        archive.writestr("config.json", honest[0]["config.json"])
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("config.json", honest[0]["config.json"])
    assert refusal(path).startswith(f"{OURS} it holds 'metadata.json', 'config.json', 'config.json' in place of")


def test_a_member_of_zeros_is_not_unpacked(honest: tuple[Members, TableFeatures], tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", honest[0]["metadata.json"], zipfile.ZIP_STORED)
        archive.writestr("config.json", honest[0]["config.json"], zipfile.ZIP_STORED)
        archive.writestr("model.weights.h5", bytes(2**24))
    assert refusal(path) == f"{OURS} its model.weights.h5 is compressed."


def test_sizes_that_only_the_directory_has(honest: tuple[Members, TableFeatures], tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    write_members(path, honest[0])
    whole = path.read_bytes()
    last = whole.rindex(b"PK\x01\x02")
    sizes = struct.pack("<LL", 2**31, 2**31)
    path.write_bytes(whole[: last + 20] + sizes + whole[last + 28 :])
    assert refusal(path) == f"{OURS} its model.weights.h5 takes 2,147,483,648 bytes, more than 1,073,741,824."
    path.write_bytes(whole[:-12] + struct.pack("<HLLH", 60000, 2**30, 0, 0)[-12:])
    assert refusal(path) == f"{OURS} it holds more than three members."
    path.write_bytes(whole[:-2] + b"\x05\x00notes")
    assert refusal(path) == "is damaged (it is not a whole .keras file)."


def test_the_small_model_is_loaded_whatever_its_columns_are_called(
    honest: tuple[Members, TableFeatures], tmp_path: Path
) -> None:
    write_members(tmp_path / "model.keras", honest[0])
    model = load_exported(tmp_path / "model.keras", honest[1], 2)
    assert model.predict(raw_inputs(small_table(), honest[1]), verbose=0).shape == (12, 2)


def test_the_model_of_another_run_is_told_from_a_run_s_own(
    honest: tuple[Members, TableFeatures], tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    write_members(path, honest[0])
    other = TableFeatures(honest[1].numbers, ())
    for features, classes in ((honest[1], 3), (other, 2), (ArrayFeatures.fit(np.eye(3)), 2)):
        with pytest.raises(UserError) as caught:
            load_exported(path, features, classes)
        assert (
            str(caught.value) == f"{str(path)!r} is the model of other data than the run is of. Restore it from a copy."
        )


def exports() -> dict[str, tuple[Features, keras.Model]]:
    """Return a model of each kind that the commands export, as features and classifier."""
    raw = messy_table(2)
    everything = fitted(raw)
    table = everything.decode(raw)
    robust, bins = (numbers_as(everything, table, np.arange(len(raw)), way) for way in ("robust", "encoded"))
    one = TableFeatures(everything.numbers[:1], ())
    images = ArrayFeatures.fit(np.random.default_rng(0).integers(0, 256, (20, 4, 3)).astype("uint8"))
    colours = ArrayFeatures.fit(np.random.default_rng(0).integers(0, 256, (20, 5, 4, 3)).astype("uint8"))
    convolutional = ConvNetSpec((5, 4, 3), 3, (4, 2), units=3, dropout=0.2, flat=True)
    spec = NetworkSpec(everything.width, 3, (8,), dropout=0.2, l2=1e-3)
    networks = [build_mlp(spec, seed=0), build_mlp(NetworkSpec(everything.width, 3, (4, 4), "tanh", False), seed=0)]
    deep = NetworkSpec(everything.width, 3, (4, 5))
    stacks = [stacked(each, [build_mlp(each, seed=seed).get_weights() for seed in (0, 1)]) for each in (spec, deep)]
    return {
        "bagged": (everything, with_temperature(weighted_average(stacks, [0.25, 0.75]), 1.5)),
        "calibrated average": (everything, with_temperature(average(networks), 1.5)),
        "robust numbers": (robust, build_softmax_regression(robust.width, 2)),
        "numbers with bins": (bins, build_softmax_regression(bins.width, 2)),
        "one column": (one, build_softmax_regression(one.width, 2)),
        "convolutional": (colours, build_convnet(convolutional, seed=0)),
        "images": (images, build_mlp(NetworkSpec(images.width, 3, (8,)), seed=0)),
    }


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict")
def test_every_kind_of_export_is_loaded(tmp_path: Path) -> None:
    found: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(name := value.get("class_name"), str):
                found.add(f"{value['module']}.{name}" if value.get("module") else name)
            value = list(value.values())
        if isinstance(value, list):
            for child in value:
                collect(child)

    for kind, (features, classifier) in exports().items():
        path = tmp_path / f"{kind}.keras"
        model = export_model(features, classifier)
        model.save(path)
        collect(json.loads(members_of(path)["config.json"]))
        new = found - CLASSES
        assert not new, (
            f"{new} is used by an exporter: add it to CLASSES in tfcourse/models/model_config.py, as it says"
        )
        loaded = load_exported(path, features, int(model.output_shape[1]))
        for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    unused = CLASSES - found - EARLIER
    assert not unused, f"no exporter uses {unused}: take it out of CLASSES, or put it into EARLIER"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (setting("Conv2D", strides=[0, 1]), "sets strides in keras.layers.Conv2D"),
        (setting("Conv2D", groups=True), "sets groups in keras.layers.Conv2D"),
        (setting("Conv2D", dilation_rate=[2**30, 1]), "sets dilation_rate in keras.layers.Conv2D"),
        (setting("Conv2D", data_format="channels_first"), "sets data_format in keras.layers.Conv2D"),
        (setting("Conv2D", use_bias=True), "sets use_bias in keras.layers.Conv2D"),
        (setting("Conv2D", kernel_size=3), "has a keras.layers.Conv2D of no size"),
        (setting("Conv2D", kernel_size=[3, -1]), "has a keras.layers.Conv2D of no size"),
        (setting("Conv2D", filters="9"), "has a keras.layers.Conv2D of no size"),
        (setting("MaxPooling2D", pool_size=[2**30, 2]), "sets pool_size in keras.layers.MaxPooling2D"),
        (setting("MaxPooling2D", strides=[1, 1]), "sets strides in keras.layers.MaxPooling2D"),
    ],
)
def test_layers_of_images_have_the_settings_that_ours_have(edit: Edit, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    export_model(*exports()["convolutional"]).save(path)
    write_members(path, edit(members_of(path), tmp_path))
    assert refusal(path) == f"{CONFIG} {words}."


def test_more_filters_than_there_are_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    export_model(*exports()["convolutional"]).save(path)
    write_members(path, setting("Conv2D", filters=2**20)(members_of(path), tmp_path))
    assert refusal(path) == "is damaged (config.json describes 28,311,678 weights, model.weights.h5 holds 234)."


def is_loaded_or_refused(path: Path) -> bool:
    """Say whether a file is loaded; fails if neither that nor a sentence comes of it."""
    try:
        return load_model_file(path) is not None
    except UserError as error:
        assert "\n" not in str(error)  # noqa: PT017  # both outcomes are right
        return False


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Members, Path]:
    """The bytes and the members of the smallest model's file, and where to write others of them."""
    path = tmp_path_factory.mktemp("tiny") / "model.keras"
    features = ArrayFeatures.fit(np.eye(3))
    export_model(features, build_softmax_regression(3, 2)).save(path)
    return path.read_bytes(), members_of(path), path


QUIETLY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(data=st.data())
@settings(QUIETLY, max_examples=scaled(60))
def test_a_file_with_other_bytes_is_refused_or_loaded(data: st.DataObject, tiny: tuple[bytes, Members, Path]) -> None:
    whole, _, path = tiny
    hurt = bytearray(whole)
    # Of the weights' arrays the checksum sees all; the directory and the heads have none of their own.
    for place in data.draw(st.lists(st.integers(-400, 400), min_size=1, max_size=3)):
        hurt[place] = data.draw(st.integers(0, 255))
    path.write_bytes(hurt[: data.draw(st.integers(0, len(hurt)))] if data.draw(st.booleans()) else hurt)
    is_loaded_or_refused(path)


@given(places=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=4))
@settings(QUIETLY, max_examples=scaled(40))
def test_weights_with_other_bytes_are_refused_or_loaded(
    places: list[tuple[int, int]], tiny: tuple[bytes, Members, Path]
) -> None:
    _, members, path = tiny
    weights = bytearray(members["model.weights.h5"])
    for place, byte in places:
        weights[place] = byte
    write_members(path, {**members, "model.weights.h5": bytes(weights)})
    is_loaded_or_refused(path)


VALUES = st.sampled_from(
    [None, True, 0, -1, 2**40, 1.5, "", "Lambda", "float16", [], [[]], {}, {"class_name": "Dense", "config": {}}]
)


@given(data=st.data())
@settings(QUIETLY, max_examples=scaled(50))
def test_a_file_with_another_configuration_is_refused_or_loaded(
    data: st.DataObject, tiny: tuple[bytes, Members, Path]
) -> None:
    _, members, path = tiny

    def edit(config: dict[str, Any]) -> None:
        value: Any = config
        while True:
            keys = list(value) if isinstance(value, dict) else list(range(len(value)))
            key = data.draw(st.sampled_from(keys))
            if not value[key] or not isinstance(value[key], (dict, list)) or data.draw(st.integers(0, 9)) == 0:
                break
            value = value[key]
        if data.draw(st.integers(0, 4)):
            value[key] = data.draw(VALUES)
        else:
            del value[key]

    write_members(path, with_config(members, edit))
    is_loaded_or_refused(path)
