"""Every model that can be exported, as steps, in NumPy alone and in ONNX: what Keras says of it, whatever the rows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.examples import scaled
from tests.models.test_preprocessing import fitted, messy_table, raw_inputs
from tfcourse.data.features import ArrayFeatures
from tfcourse.data.fit_table import fit_table
from tfcourse.data.numbers_as import WAYS, NumbersAs, numbers_as
from tfcourse.errors import UserError
from tfcourse.export import keras_layers, keras_operations
from tfcourse.export.from_keras import graph_of
from tfcourse.export.graph import Graph
from tfcourse.export.numpy_file import numpy_content
from tfcourse.export.with_numpy import load, probabilities
from tfcourse.models.builders import build_mlp
from tfcourse.models.convnet import ConvNetSpec, build_convnet
from tfcourse.models.ensemble import average, with_temperature
from tfcourse.models.model_config import CLASSES
from tfcourse.models.model_file import load_model_file
from tfcourse.models.preprocessing import export_model
from tfcourse.models.saving import model_content
from tfcourse.models.spec import NetworkSpec
from tfcourse.models.stacked import stacked, weighted_average
from tfcourse.run.exported import probabilities_of
from tfcourse.space.names import ACTIVATIONS

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


COLUMNS = ["a/b", "income", "PR.AXIS ratio?", "open", "price", "balance", "note", "us", "words", "epoch", "town"]
"""Of the table with every kind of column: fewer dates, which take Keras seconds each."""


class Exported:
    """A model of ours saved and loaded, and its files for ONNX Runtime and NumPy."""

    def __init__(self, folder: Path, features: Any, network: keras.Model, classes: int = 3) -> None:
        from tfcourse.export.onnx_file import onnx_content

        (folder / "model.keras").write_bytes(model_content(export_model(features, network)))
        self.model = load_model_file(folder / "model.keras")
        self.graph = graph_of(self.model)
        names = [f"class {number}" for number in range(classes)]
        (folder / "model.onnx").write_bytes(onnx_content(self.graph, names, {"classes": names}))
        onnx.checker.check_model(folder / "model.onnx")
        (folder / "model.npz").write_bytes(numpy_content(self.graph, names))
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        self.arrays = load(folder / "model.npz")

    def answers(self, columns: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return what Keras, ONNX Runtime and NumPy say of columns."""
        of_keras = probabilities_of(self.model, columns if isinstance(self.model.input, dict) else columns["x"])
        feed = {}
        for wanted in self.session.get_inputs():
            values = columns[wanted.name]
            dtype = {"tensor(string)": object, "tensor(double)": float, "tensor(float)": np.float32}[wanted.type]
            feed[wanted.name] = values.astype(dtype).reshape(len(values), *wanted.shape[1:])
        labels, of_onnx = self.session.run(None, feed)
        assert labels.tolist() == [f"class {place}" for place in of_onnx.argmax(axis=1)]
        return of_keras, of_onnx, probabilities(self.arrays, columns)

    def check(self, columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Hold the three to one another, and return what they say."""
        of_keras, of_onnx, of_numpy = self.answers(columns)
        np.testing.assert_allclose(of_onnx, of_keras, rtol=0, atol=1e-5)
        np.testing.assert_allclose(of_numpy, of_keras, rtol=0, atol=1e-5)
        return of_keras


def lively(network: keras.Model, seed: int = 0) -> keras.Model:
    """Return a network with weights as training might leave them, its statistics far from 0 and 1."""
    random = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.get_weights()[0].shape
            layer.set_weights([random.normal(1, 0.3, shape), *random.normal(0, 1, (2, *shape)),
                               random.gamma(2, 1, shape)])  # fmt: skip
    return network


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exported, pa.Table, Any]:
    """Return a bagged model of a table with every kind of column in many spellings."""
    raw = messy_table(0).select(COLUMNS)
    features = fitted(raw)
    spec = NetworkSpec(features.width, 3, (8, 4))
    weights = [lively(build_mlp(spec, seed=seed), seed).get_weights() for seed in (0, 1)]
    network = with_temperature(weighted_average([stacked(spec, weights)], [1.0]), 0.7)
    return Exported(tmp_path_factory.mktemp("messy"), features, network), raw, features


def test_every_layer_and_operation_that_a_model_may_hold_has_its_steps() -> None:
    prefixes = {"keras.layers.": keras_layers.LAYERS, "keras.src.ops.": keras_operations.OPERATIONS}
    for prefix, entries in prefixes.items():
        names = {name.split(".")[-1] for name in CLASSES if name.startswith(prefix)} - {"InputLayer"}
        assert names == set(entries)


def test_raw_columns_in_every_spelling(messy: tuple[Exported, pa.Table, Any]) -> None:
    exported, raw, features = messy
    of_keras = exported.check(raw_inputs(raw, features))
    assert of_keras.std(axis=0).min() > 0.02  # the columns matter


STRANGE = [
    "never seen", "", "?", "NaN", "nan", "None", "TRUE", " x", "ü", "\u2212", "日本", "a\nb", "\t", "1e5", "-", "--",
    "0", "99", "1.234,5", "(7)", "31.02.2026", "0000-00-00", "2026-13-01", "24:61", "it's it's", "RED-car", "Ünder red",
    "x" * 99, "12345678901234567890", "2026-12-31T23:59:60+99:99", "pm", "Feb 30, 2020 12 AM",
]  # fmt: skip
NUMBERS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 1e-300, 1e5, 20261231.0, 1.7e12, 2.0**53, 999999999.0]


@given(
    texts=st.lists(
        st.one_of(st.sampled_from(STRANGE), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))),
        max_size=25,
    ),
    numbers=st.lists(st.one_of(st.sampled_from(NUMBERS), st.floats()), max_size=10),
    seed=st.integers(0, 99),
)
@example(texts=STRANGE, numbers=NUMBERS, seed=0)
@settings(max_examples=scaled(20))
def test_new_rows_of_any_content(
    messy: tuple[Exported, pa.Table, Any], texts: list[str], numbers: list[float], seed: int
) -> None:
    """Unseen categories, missing values, impossible dates, infinities, characters of any language."""
    exported, raw, features = messy
    random = np.random.default_rng(seed)
    columns = {name: values.copy() for name, values in raw_inputs(raw, features).items()}
    for name, values in columns.items():
        new: list[Any] = texts if values.dtype == object else numbers
        if values.dtype != object:
            columns[name] = values = values.astype(float)
        for value in new:  # here and there, so that other columns still matter
            if random.random() < 0.3:
                values[random.integers(len(values))] = value
    exported.check(columns)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalize", ["before", "after"])
def test_batch_normalization_goes_into_the_kernels_of_any_network(
    activation: str, normalize: Any, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(1e5, 10, (300, 4)).astype("float32")
    features = ArrayFeatures.fit(x)
    spec = NetworkSpec(4, 3, (8, 6), activation, normalize=normalize, dropout=0.3)
    exported = Exported(tmp_path, features, lively(build_mlp(spec, seed=0)))
    strange = np.array([[np.nan] * 4, [np.inf, 1, 1, 1], [1, -np.inf, 1, 1]], "float32")
    exported.check({"x": np.concatenate([x, x + 20, strange])})
    operations = [step.operation for step in exported.graph.steps]
    assert operations.count("matmul") == 3
    constants = exported.graph.constants
    sizes = {name: array.size for name, array in constants.items() if array.ndim == 1}
    vectors = [step.operation for step in exported.graph.steps if any(sizes.get(n) in (6, 8) for n in step.operands)]
    assert vectors == ["add", "add"]  # the biases: nothing is left of the normalization


@pytest.mark.parametrize("kind", ["average", "stacks", "softmax regression"])
def test_several_networks_at_once_and_none(kind: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 4, 3)).astype("float32")
    features = ArrayFeatures.fit(images)
    specs = [NetworkSpec(60, 3, (8, 4)), NetworkSpec(60, 3, (6,), "tanh"), NetworkSpec(60, 3)]
    networks = [lively(build_mlp(spec, seed=seed), seed) for seed, spec in enumerate(specs)]
    network = networks[2]
    if kind == "average":
        network = with_temperature(average(networks), 1.3)
    elif kind == "stacks":
        pairs = zip(specs, networks, strict=True)
        network = weighted_average([stacked(spec, [net.get_weights()] * 2) for spec, net in pairs], [0.5, 0.3, 0.2])
    Exported(tmp_path, features, network).check({"x": images})


@pytest.mark.parametrize(("kernel", "units"), [(3, 0), (2, 5)])
def test_convolutions_are_products_of_patches(kernel: int, units: int, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 7, 5, 3)).astype("float32")
    spec = ConvNetSpec((7, 5, 3), 3, (4, 6), kernel, units, "elu", dropout=0.2, flat=True)
    network = with_temperature(lively(build_convnet(spec, seed=0)), 1.3)
    Exported(tmp_path, ArrayFeatures.fit(images), network).check({"x": images})


@pytest.mark.parametrize("way", WAYS)
def test_numbers_in_every_way_and_of_every_size(way: NumbersAs, tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), 800
    table = {
        "far from zero": random.normal(1e5, 10, rows),
        "heavy": random.standard_cauchy(rows) * 1e3,
        "missing": np.where(random.random(rows) < 0.3, np.nan, random.normal(size=rows)),
        "mostly zero": np.where(random.random(rows) < 0.9, 0.0, random.normal(size=rows)),
    }
    features = numbers_as(fit_table(table, np.arange(rows))[0], table, np.arange(rows), way)
    exported = Exported(tmp_path, features, lively(build_mlp(NetworkSpec(features.width, 3, (8,)), seed=0)))
    exported.check({name: np.concatenate([values, NUMBERS]) for name, values in table.items()})


def test_names_that_the_file_has_for_itself(tmp_path: Path) -> None:
    names = ["label", "probabilities", "_v3", "__x", "v3", "c0", "program", "classes", "x0", "a/b", " ", "numbers"]
    raw = pa.table({name: pa.array(np.random.default_rng(place).normal(size=90)) for place, name in enumerate(names)})
    features = fitted(raw)
    exported = Exported(tmp_path, features, build_mlp(NetworkSpec(features.width, 3, (4,)), seed=0))
    assert [given.name for given in exported.session.get_inputs()] == list(features.names)
    assert [given.name for given in exported.session.get_outputs()] == ["label_", "probabilities_"]
    exported.check(raw_inputs(raw, features))


def test_very_many_numbers_are_one_input(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    raw = pa.table({f"c{n}": random.normal(n, 1, 120) for n in range(201)} | {"k": ["a", "b"] * 60})
    features = fitted(raw)
    inputs = raw_inputs(raw, features)
    together = np.stack([inputs[name] for name in features.in_one_input], axis=1)
    exported = Exported(tmp_path, features, build_mlp(NetworkSpec(features.width, 3, (4,)), seed=0))
    exported.check({"numbers": together, "k": inputs["k"]})


def test_what_is_known_without_the_inputs_is_computed_and_what_is_not_needed_dropped() -> None:
    graph = Graph()
    x = graph.input("x", "float64", (1,))
    graph.add("sin", x)
    twice = [graph.add("add", x, graph.add("sqrt", np.array(4.0))) for _ in range(2)]
    graph.output = graph.add("multiply", *twice)
    pruned = graph.pruned()
    steps = [(step.operation, step.operands) for step in pruned.steps]
    assert steps == [("add", ("x0", "c0")), ("multiply", ("v1", "v1"))]
    assert pruned.constants == {"c0": 2.0}


FLOATS = np.array([-9.5, -7.0, -0.5, 0.0, 0.25, 3.0, 7.0, 15.0, np.nan, np.inf, -np.inf])
TRUTHS = ("logical_and", "logical_or", "logical_not")
ONE_OPERAND = {
    "floor", "sqrt", "exp", "sin", "cos", "tanh", "negative", "isnan", "erf", "sigmoid", "softplus", "logical_not",
}  # fmt: skip
TWO_OPERANDS = {
    "add", "subtract", "multiply", "divide", "mod", "maximum", "equal", "not_equal", "less", "less_equal", "greater",
    "greater_equal", "logical_and", "logical_or",
}  # fmt: skip


@pytest.mark.parametrize("operation", sorted(ONE_OPERAND | TWO_OPERANDS))
def test_each_elementwise_step_is_that_of_numpy(operation: str) -> None:
    """What a model of ours never meets, as a remainder below 0 that its sine does not show, is held to NumPy too."""
    from tfcourse.export.onnx_file import onnx_content

    graph = Graph()
    dtype = "float32" if operation in ("erf", "sigmoid", "softplus") else "float64"
    x = graph.input("x", dtype, ())
    given = [graph.add("greater", x, 0.0)] if operation in TRUTHS else [x]
    if operation not in ONE_OPERAND:
        given.append(graph.add("less", x, 5.0) if operation in TRUTHS else np.array(7.0))
    graph.output = graph.cast(graph.add("expand_dims", graph.add(operation, *given), axis=1), "float32")
    session = onnxruntime.InferenceSession(onnx_content(graph.pruned(), ["a"], {}), providers=["CPUExecutionProvider"])
    found = session.run(["probabilities"], {"x": FLOATS.astype(dtype)})[0]
    expected = probabilities(load(io.BytesIO(numpy_content(graph.pruned(), ["a"]))), {"x": FLOATS})
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_layers_of_earlier_versions(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    image = keras.Input((4, 3))
    a = keras.layers.Rescaling(1 / 255, offset=-0.5)(image)
    a = keras.layers.Normalization(mean=random.normal(size=3), variance=random.gamma(1, 1, 3))(a)
    a = keras.layers.Flatten()(a)
    a = keras.layers.Dense(5, "relu")(a)
    model = keras.Model(image, keras.layers.Softmax()(keras.layers.Dense(2)(a)))
    x = random.integers(0, 256, (20, 4, 3)).astype("float32")
    found = probabilities(load(io.BytesIO(numpy_content(graph_of(model), ["a", "b"]))), {"x": x})
    np.testing.assert_allclose(found, model.predict_on_batch(x), atol=1e-6)


def test_what_has_no_steps_is_named() -> None:
    image = keras.Input((4, 3))
    model = keras.Model(image, keras.layers.Softmax()(keras.layers.GlobalAveragePooling1D()(image)))
    with pytest.raises(UserError, match=r"The model holds GlobalAveragePooling1D, which .*; --to savedmodel can hold"):
        graph_of(model)
