"""Model files that none of our exporters wrote, each made by hand of an honest one, and the words that refuse it."""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.models.model_files import (
    FLOAT,
    Members,
    layer,
    put_array,
    put_external,
    put_link,
    put_virtual,
    replaced,
    set_in,
    with_config,
    with_weights,
)

OURS = "is refused, since tfcourse exports no such model:"
CONFIG = f"{OURS} its config.json"
WEIGHTS = f"{OURS} its model.weights.h5"
ARRAY = f"{WEIGHTS} has an array '0' that"

Edit = Callable[[Members, Path], Members]


def edited(edit: Callable[[dict[str, Any]], Any]) -> Edit:
    """Return what edits the configuration."""
    return lambda members, _: with_config(members, edit)


def setting(class_name: str, **by: Any) -> Edit:
    """Return what sets something in the first layer of a class."""
    return edited(lambda config: set_in(config, class_name, **by))


def stored(edit: Callable[[h5py.File, Path], Any]) -> Edit:
    """Return what edits the weights, given a file that is not to be read or made."""
    return lambda members, marker: with_weights(members, lambda weights: edit(weights, marker))


def instead(module: str | None, class_name: str, config: Any = None, registered_name: str | None = None) -> Edit:
    """Return what puts an object of another class in the place of a layer."""
    return edited(
        lambda whole: replaced(
            whole, "Softmax", module=module, class_name=class_name, config=config or {}, registered_name=registered_name
        )
    )


def calling(module: str, name: str) -> Edit:
    """Return what puts a function in the place of an activation."""
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return setting("Activation", activation=function)


def lambda_layer(members: Members, marker: Path) -> Members:
    """Put a Lambda there whose code makes the marker file."""
    code = compile(f"open({str(marker)!r}, 'w').close()", "", "exec")
    dumped = [base64.b64encode(marshal.dumps(code)).decode(), None, None]
    value = {"class_name": "__lambda__", "config": {"value": dumped}}
    return instead("keras.layers", "Lambda", {"name": "probabilities", "function": value})(members, marker)


def constant_call(members: Members, marker: Path) -> Members:
    """Have an operation computed while the model is loaded, on constants of which its result is far larger."""
    tall = {"class_name": "__numpy__", "config": {"value": [[1.0]], "dtype": "float64"}}
    node = {"args": [tall, tall], "kwargs": {}}
    return edited(lambda config: replaced(config, "Add", inbound_nodes=[node]))(members, marker)


def nested(config: dict[str, Any]) -> None:
    deep: list[Any] = []
    for _ in range(70):
        deep = [deep]
    set_in(config, "Dense", activation=deep)


HOSTILE: list[tuple[str, Edit, str]] = [
    # Code.
    ("Lambda", lambda_layer, f"{CONFIG} asks for keras.layers.Lambda"),
    (
        "TFSMLayer",
        instead("keras.layers", "TFSMLayer", {"filepath": "somewhere"}),
        f"{CONFIG} asks for keras.layers.TFSMLayer",
    ),
    (
        "TorchModuleWrapper",
        instead("keras.layers", "TorchModuleWrapper"),
        f"{CONFIG} asks for keras.layers.TorchModuleWrapper",
    ),
    ("JaxLayer", instead("keras.layers", "JaxLayer"), f"{CONFIG} asks for keras.layers.JaxLayer"),
    ("another module", instead("os", "system"), f"{CONFIG} asks for os.system"),
    ("no module", instead(None, "Dense"), f"{CONFIG} asks for Dense"),
    (
        "private module",
        instead("keras.src.layers.core.lambda_layer", "Lambda"),
        f"{CONFIG} asks for keras.src.layers.core.lambda_layer.Lambda",
    ),
    (
        "registered name",
        instead("keras.layers", "Softmax", {"name": "probabilities"}, "theirs>Softmax"),
        f"{CONFIG} asks for theirs>Softmax in place of keras.layers.Softmax",
    ),
    ("a lambda by itself", calling("builtins", "lambda"), f"{CONFIG} asks for builtins.function"),
    (
        "function",
        calling("keras.config", "enable_unsafe_deserialization"),
        f"{CONFIG} asks for keras.config.function",
    ),
    ("typespec", instead(None, "__typespec__", {"a": 1}), f"{CONFIG} asks for __typespec__"),
    ("lambda value", setting("Activation", activation={"class_name": "__lambda__", "config": {"value": "x"}}),
     f"{CONFIG} asks for __lambda__"),
    ("optimizer",
     setting("Dense", kernel_regularizer={"module": "keras.optimizers", "class_name": "Adam", "config": {}}),
     f"{CONFIG} asks for keras.optimizers.Adam"),
    ("compile", edited(lambda config: config["config"]["layers"][-1].update(compile_config={"loss": "mse"})),
     f"{CONFIG} would compile the model"),
    ("legacy layer", edited(lambda config: layer(config, "Softmax").pop("module") and None),
     f"{CONFIG} asks for Softmax"),
    ("layer without a class", edited(lambda config: replaced(config, "Softmax", class_name=5)),
     f"{CONFIG} has a layer without a class"),
    ("function as model", edited(lambda _: {"module": "os", "class_name": "system", "config": {}}),
     f"{CONFIG} describes os.system, not a functional model"),
    ("list as model", edited(lambda _: [1]), f"{CONFIG} describes list, not a functional model"),
    ("no settings", edited(lambda config: replaced(config, "Softmax", config="x")),
     f"{CONFIG} has a keras.layers.Softmax without a configuration"),
    # Files that it would read.
    ("vocabulary", setting("StringLookup", vocabulary="/etc/passwd"),
     f"{CONFIG} has a vocabulary that is not a list of texts but the path /etc/passwd"),
    ("vocabulary of a text layer", setting("TextVectorization", vocabulary="/etc/passwd"),
     f"{CONFIG} has a vocabulary that is not a list of texts but the path /etc/passwd"),
    ("no vocabulary", setting("StringLookup", vocabulary=None),
     f"{CONFIG} has a vocabulary that is not a list of texts but something else"),
    ("numbers as vocabulary", setting("StringLookup", vocabulary=[1, 2]),
     f"{CONFIG} has a vocabulary that is not a list of texts but something else"),
    ("external link", stored(lambda w, f: put_link(w, h5py.ExternalLink(str(f), "secret"))),
     f"{WEIGHTS} has an ExternalLink '0'"),
    ("soft link", stored(lambda w, f: put_link(w, h5py.SoftLink("/vars"))), f"{WEIGHTS} has an SoftLink '0'"),
    ("hard link to the root", stored(lambda w, f: put_link(w, w["/"])), f"{WEIGHTS} has two links to one member"),
    ("external array", stored(put_external), f"{ARRAY} lies in another file"),
    ("virtual array", stored(put_virtual), f"{ARRAY} is a view of other files"),
    # Sizes.
    ("shape bomb", stored(lambda w, f: put_array(w, shape=(2**20, 2**20), dtype="float32")),
     f"{ARRAY} should take 4,398,046,511,104 bytes, more than there are"),
    ("shape bomb in chunks", stored(lambda w, f: put_array(w, shape=(2**20, 2**20), dtype="float32", chunks=True)),
     f"{ARRAY} is stored in chunks or compressed, as none of Keras's is"),
    ("compressed array", stored(lambda w, f: put_array(w, data=np.zeros((8, 3), "float32"), compression="gzip")),
     f"{ARRAY} is stored in chunks or compressed, as none of Keras's is"),
    ("texts as weights", stored(lambda w, f: put_array(w, data=[["a"] * 3] * 8, dtype=h5py.string_dtype())),
     f"{ARRAY} holds no plain numbers"),
    ("records as weights", stored(lambda w, f: put_array(w, data=np.zeros(3, "f4,f4"))),
     f"{ARRAY} holds no plain numbers"),
    ("references as weights", stored(lambda w, f: put_array(w, data=[w.ref], dtype=h5py.ref_dtype)),
     f"{ARRAY} holds no plain numbers"),
    ("a type as weights", stored(lambda w, f: put_link(w, np.dtype("f4"))), f"{WEIGHTS} has a Datatype '0'"),
    ("groups in groups", stored(lambda w, f: w.create_group("/".join("a" * 40))),
     f"{WEIGHTS} is nested more than 32 deep"),
    ("wide layer", setting("Dense", units=10**9),
     "is damaged (config.json describes 8,000,000,305 weights, model.weights.h5 holds 329)."),
    ("texts as size", setting("Dense", units="12"), f"{CONFIG} has a keras.layers.Dense of no size"),
    ("negative size", setting("Embedding", input_dim=-1, output_dim=-10**9),
     f"{CONFIG} has a keras.layers.Embedding of no size"),
    ("unbuilt layer", edited(lambda config: layer(config, "Dense").pop("build_config") and None),
     f"{CONFIG} has a keras.layers.Dense without the shape of its input"),
    ("many placeholders", setting("StringLookup", num_oov_indices=10**10),
     f"{CONFIG} sets num_oov_indices in keras.layers.StringLookup"),
    ("many letters", setting("TextVectorization", ngrams=10**10),
     f"{CONFIG} sets ngrams in keras.layers.TextVectorization"),
    ("a layer in a layer", setting("Dense", kernel_initializer={
        "module": "keras.layers", "class_name": "Dense", "config": {"units": 10**9},
        "build_config": {"input_shape": [None, 9]}, "shared_object_id": 5}),
     "is damaged (config.json describes 10,000,000,329 weights, model.weights.h5 holds 329)."),
    ("statistics over all axes", edited(lambda config: replaced(
        config, "Softmax", class_name="Normalization", config={"axis": [1, 2], "mean": [0.0], "variance": [1.0]},
        build_config={"input_shape": [None, 10**10, 1]})),
     f"{CONFIG} has a keras.layers.Normalization whose statistics do not fit its input"),
    ("further variables", setting("Dense", lora_rank=10**9), f"{CONFIG} sets lora_rank in keras.layers.Dense"),
    ("wide constant", edited(lambda config: replaced(
        config, "Softmax", class_name="__numpy__", module=None, config={"value": "a", "dtype": "U500000000"})),
     f"{CONFIG} asks for numbers of type U500000000"),
    ("constants alone", constant_call, f"{CONFIG} calls keras.src.ops.numpy.Add on no tensor of the model"),
    ("nesting", edited(nested), f"{CONFIG} is nested more than 64 deep"),
    ("deep nesting", lambda members, _: {**members, "config.json": b"[" * 10**6},
     f"{CONFIG} is nested more than 64 deep"),
    # Members.
    ("an asset", lambda members, _: {**members, "assets/layers/string_lookup/vocabulary.txt": b"a"},
     f"{OURS} it holds 'metadata.json', 'config.json', 'model.weights.h5', 'assets/layers/string_lookup/vocabulary.t'"
     " in place of 'metadata.json', 'config.json', 'model.weights.h5'"),
    ("a path outside", lambda members, marker: {**members, f"../{marker.name}": b"a"},
     f"{OURS} it holds 'metadata.json', 'config.json', 'model.weights.h5', '../marker'"
     " in place of 'metadata.json', 'config.json', 'model.weights.h5'"),
    ("arrays as weights", lambda members, _: {
        ("model.weights.npz" if name == "model.weights.h5" else name): data for name, data in members.items()},
     f"{OURS} it holds 'metadata.json', 'config.json', 'model.weights.npz'"
     " in place of 'metadata.json', 'config.json', 'model.weights.h5'"),
    ("a long description", lambda members, _: {**members, "metadata.json": b" " * 5000},
     f"{OURS} its metadata.json takes 5,000 bytes, more than 4,096"),
    # Damage.
    ("no JSON", lambda members, _: {**members, "config.json": b"{"},
     "is damaged (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))."),
    ("no text", lambda members, _: {**members, "config.json": b"\xff\xfe\xff"},
     "is damaged ('utf-16-le' codec can't decode byte 0xff in position 2: truncated data)."),
    ("no HDF5", lambda members, _: {**members, "model.weights.h5": b"no HDF5"},
     "is damaged (Unable to synchronously open file (file signature not found))."),
    ("lost weights", stored(lambda w, f: w.pop(FLOAT, None) and None),
     "is damaged (config.json describes 329 weights, model.weights.h5 holds 305)."),
]  # fmt: skip
