"""``python -m tfcourse.export``: files that say what the run's model says, of tables and images, or one sentence."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tfcourse import train
from tfcourse.data.features import features_from_json
from tfcourse.export import __main__ as export
from tfcourse.export import formats, keras_layers
from tfcourse.export.checking import check_agrees
from tfcourse.export.matrix_columns import EXPLAINED, matrix_columns
from tfcourse.export.rows import made_up_rows
from tfcourse.models.model_file import load_model_file
from tfcourse.run.exported import model_inputs, probabilities_of

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")

ROWS = 150
RANDOM = np.random.default_rng(0)


def noisy(signal: Any) -> Any:
    return np.where(np.asarray(signal, float) + RANDOM.normal(size=ROWS) * 0.3 > 0, "yes", "no")


def strings() -> pd.DataFrame:
    """Categories, truth values and texts, many of them missing."""
    colour = RANDOM.choice(["red", "green", "?", ""], ROWS)
    note = [" ".join(RANDOM.choice(["Late", "it's", "paid.", "twice", "Über"], 6)) + f" {n}" for n in range(ROWS)]
    is_open = RANDOM.choice(["TRUE", "False", ""], ROWS)
    return pd.DataFrame({"colour": colour, "open": is_open, "note": note, "y": noisy((colour == "red") - 0.5)})


def dates() -> pd.DataFrame:
    """Dates in three spellings, missing ones, and seconds since 1970."""
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(RANDOM.integers(0, 1500, ROWS), unit="D")
    written = days.strftime("%d.%m.%Y").to_numpy().copy()
    written[::9] = ""
    moment = (days + pd.to_timedelta(RANDOM.integers(0, 86400, ROWS), unit="s")).strftime("%m/%d/%Y %I:%M %p")
    epoch = 1_500_000_000 + RANDOM.integers(0, 10**8, ROWS)
    y = noisy((days.strftime("%w").astype(int) < 3) - 0.5)
    return pd.DataFrame({"born": written, "moment": moment, "epoch": epoch, "size": RANDOM.normal(size=ROWS), "y": y})


def decimals() -> pd.DataFrame:
    """Decimal commas, thousands, units, accounting negatives, percent, a marker of missing values, large numbers."""
    price = RANDOM.gamma(2, 3000, ROWS).round(2)
    table = {
        "price": [f"{p:,.2f} €".translate(str.maketrans(",.", ".,")) if p < 9000 else "-" for p in price],
        "balance": [f"({p:,.2f})" if p > 5000 else f"{p:,.2f}" for p in price],
        "rate": [f"−{p}%" if p > 5000 else f"+{p}%" for p in price],
        "far from zero": RANDOM.normal(1e9, 10, ROWS),
        "income": [*RANDOM.integers(20000, 90000, ROWS - 2).tolist(), 999999999, 999999999],
    }
    return pd.DataFrame({**table, "y": noisy((price - 6000) / 3000)})


def numbers() -> pd.DataFrame:
    """Plain numbers, some missing, in columns of awkward names."""
    x = RANDOM.normal(size=(ROWS, 4)) * [1, 1e3, 1e-6, 1] + [0, 1e5, 0, 0]
    frame = pd.DataFrame(x, columns=["a/b", "A b", "label", "Größe"])
    frame.loc[::7, "label"] = None
    return frame.assign(y=noisy(x[:, 0]))


def mixed() -> pd.DataFrame:
    """A bit of everything and three classes, for several networks as one."""
    size, town = RANDOM.normal(size=ROWS), RANDOM.choice(["Ulm", "Bern", "Graz"], ROWS)
    y = np.where(size > 0.7, "big", np.where(town == "Ulm", "near", "far"))
    day = (pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS), unit="D")).strftime("%Y-%m-%d")
    return pd.DataFrame({"size": size, "town": town, "day": day, "wet": RANDOM.choice([True, False], ROWS), "y": y})


TABLES: dict[str, tuple[Callable[[], pd.DataFrame], list[str]]] = {
    "strings": (strings, ["--single"]),
    "dates": (dates, ["--single", "--numbers", "robust"]),
    "decimals": (decimals, ["--single", "--numbers", "encoded"]),
    "numbers": (numbers, ["--ensemble", "2"]),
    "mixed": (mixed, ["--folds", "2"]),
}
KINDS = [*TABLES, "images"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a run by the name of its data, trained when it is first asked for."""
    folder = tmp_path_factory.mktemp("exports")

    def run(kind: str) -> Path:
        out = folder / kind
        if out.exists():
            return out
        if kind == "images":
            x = RANDOM.integers(0, 256, (ROWS, 5, 4)).astype("uint8")
            np.savez(folder / "images.npz", x=x, y=noisy(x[:, 0, 0] / 128.0 - 1))
            given = ["--data", str(folder / "images.npz"), "--single"]
        else:
            make, options = TABLES[kind]
            make().to_csv(folder / f"{kind}.csv", index=False)
            given = ["--data", str(folder / f"{kind}.csv"), "--target", "y", *options]
        assert train.main([*given, "--trials", "2", "--epochs", "2", "--quiet", "--out", str(out)]) == 0
        return out

    return run


class Deployed:
    """A run's exports, each asked as somebody else would."""

    def __init__(self, run: Path) -> None:
        self.run = run
        record = json.loads((run / "run.json").read_text())
        self.features, self.classes = (
            features_from_json(record.get("model_features") or record["features"]),
            record["classes"],
        )
        self.model = load_model_file(run / "model.keras")

    def rows(self) -> tuple[dict[str, Any], Any]:
        """Return new rows: categories nobody has seen, missing values, other numbers; and their feature matrix."""
        rows = made_up_rows(self.features, 60, seed=7)
        inputs = model_inputs(rows, self.features)
        matrix = self.features.transform(rows)  # type: ignore[arg-type]
        return (inputs, matrix) if isinstance(inputs, dict) else ({"x": inputs}, inputs)

    def expected(self, columns: dict[str, Any]) -> Any:
        return probabilities_of(self.model, columns if isinstance(self.model.input, dict) else columns["x"])

    def onnx(self, columns: dict[str, Any]) -> Any:
        session = onnxruntime.InferenceSession(self.run / "model.onnx", providers=["CPUExecutionProvider"])
        shapes = {given.name: given.shape[1:] for given in session.get_inputs()}
        return session.run(None, {name: columns[name].reshape(-1, *shape) for name, shape in shapes.items()})

    def saved_model(self, columns: dict[str, Any]) -> Any:
        loaded = tf.saved_model.load(str(self.run / "saved_model"))
        notes = json.loads((self.run / "saved_model" / "assets.extra" / "tfcourse.json").read_text())
        assert notes["classes"] == self.classes
        given = {notes["names"][name]: tf.constant(values) for name, values in columns.items()}
        return loaded.signatures["serving_default"](**given)["probabilities"].numpy()

    def litert(self, matrix: Any) -> Any:
        runner = litert.Interpreter(str(self.run / "model.tflite")).get_signature_runner()
        (name,) = runner.get_input_details()
        return runner(**{name: matrix})["probabilities"]

    def numpy(self, columns: dict[str, Any]) -> Any:
        names: dict[str, Any] = {}
        exec((self.run / "model.py").read_text(), names)
        model = names["load"](self.run / "model.npz")
        assert model["classes"].tolist() == self.classes
        return names["probabilities"](model, {name: values.tolist() for name, values in columns.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_says_what_the_model_says(
    kind: str, runs: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs(kind)
    for to in formats.FORMATS:
        assert export.main([str(run), "--to", to]) == 0
        said = capsys.readouterr().out
        assert " 30 test rows and 200 made-up rows have the probabilities of model.keras, " in said
        assert "\nWritten: " in said
    deployed = Deployed(run)
    assert (kind == "mixed") == ("folds" in json.loads((run / "result.json").read_text())["model"])
    columns, matrix = deployed.rows()
    expected = deployed.expected(columns)
    assert expected.std(axis=0).max() > 1e-3
    labels, of_onnx = deployed.onnx(columns)
    assert labels.tolist() == [deployed.classes[place] for place in expected.argmax(axis=1)]
    for found in (of_onnx, deployed.saved_model(columns), deployed.litert(matrix), deployed.numpy(columns)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert not list(run.glob(".*"))  # nothing half-written


def test_the_numpy_file_loads_no_framework_and_no_pickle(runs: Callable[[str], Path]) -> None:
    run = runs("mixed")
    if not (run / "model.npz").exists():
        assert export.main([str(run), "--to", "numpy"]) == 0
    code = (
        "import sys, model; arrays = model.load('model.npz'); print(arrays['classes'].tolist());"
        "columns = {'size': [2.0, float('nan')], 'town': ['Ulm', ''], 'day': ['2024-02-03', ''],"
        " 'wet': ['True', 'no']};"
        "print(model.probabilities(arrays, columns).round(3).tolist());"
        "print([name for name in ('tensorflow', 'keras', 'onnx', 'tfcourse', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=run, capture_output=True, text=True, check=True)
    classes, found, heavy = done.stdout.splitlines()
    assert classes == "['big', 'far', 'near']"
    columns = {"size": [2.0, np.nan], "town": ["Ulm", ""], "day": ["2024-02-03", ""], "wet": ["True", "no"]}
    arrays = {name: np.array(values, float if name == "size" else object) for name, values in columns.items()}
    expected = Deployed(run).expected(arrays)
    np.testing.assert_allclose(json.loads(found), expected, atol=1e-3)
    assert heavy == "[]"
    assert len((run / "model.py").read_text().splitlines()) <= 60
    with np.load(run / "model.npz") as members:  # pickles are refused unless allowed
        assert {members[name].dtype.kind for name in members} <= set("fbiuU")


def test_the_numpy_file_refuses_numbers_where_texts_were_read(runs: Callable[[str], Path]) -> None:
    run = runs("decimals")
    if not (run / "model.npz").exists():
        assert export.main([str(run), "--to", "numpy"]) == 0
    deployed = Deployed(run)
    columns, _ = deployed.rows()
    texts = [name for name, values in columns.items() if values.dtype.kind in "OU"]
    assert "price" in texts
    for name in texts:
        for wrong in (102.61, None):
            with pytest.raises(TypeError, match=f"'{name}' takes texts as they stand in the file"):
                deployed.numpy({**columns, name: np.full(len(columns[name]), wrong)})


@pytest.mark.parametrize("kind", TABLES)
def test_a_program_that_reads_the_json_makes_the_matrix(kind: str, runs: Callable[[str], Path]) -> None:
    """What stands beside a LiteRT file is enough to make its input, in whatever language."""
    features = Deployed(runs(kind)).features
    table: Any = made_up_rows(features, 40, seed=3)
    places = matrix_columns(features)
    named = {name: [p for p in places if p["column"] == name] for name in features.names}
    rows = [[of_place(p, table[p["column"]][row], named[p["column"]]) for p in places] for row in range(40)]
    np.testing.assert_allclose(np.array(rows, np.float32), features.transform(table), rtol=1e-6, atol=1e-6)
    assert {place["kind"] for place in places} <= set(EXPLAINED)


def of_place(place: dict[str, Any], x: Any, of_column: list[dict[str, Any]]) -> float:
    """Return a place of the matrix as the words in the file say it."""
    kind, missing = place["kind"], x == "" if isinstance(x, str) else math.isnan(x)
    if kind in ("number", "bounded number"):
        z = 0.0 if missing else (x - place["center"]) / place["scale"]
        return z / math.sqrt(1 + (z / 3) ** 2) if kind == "bounded number" else z
    if kind in ("sine", "cosine"):
        turn = 0.0 if missing else 2 * math.pi * (x + place["start"]) / place["period"]
        return 0.0 if missing else {"sine": math.sin, "cosine": math.cos}[kind](turn)
    if kind == "bin":
        through = ((place["mean"] if missing else x) - place["from"]) / (place["to"] - place["from"])
        return min(max(through, 0.0), 1.0)
    if kind == "word":
        letters = "".join(c for c in x if c not in "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")
        return float(place["word"] in letters.lower().replace("Über".lower(), "Über").split())
    if kind == "frequency":
        return float(place["numbers"].get(x, place["default"]))
    known = {value for each in of_column for value in each.get("values", ())}
    return float(
        {"missing": missing, "one of": x in place.get("values", ()), "other": not missing and x not in known}[kind]
    )


def test_a_saved_model_takes_columns_of_either_shape(runs: Callable[[str], Path]) -> None:
    run = runs("numbers")
    if not (run / "saved_model").exists():
        assert export.main([str(run), "--to", "savedmodel"]) == 0
    signature = tf.saved_model.load(str(run / "saved_model")).signatures["serving_default"]
    given = {"a_b": [0.5, -1.0], "A_b_2": [1e5, 1e5], "label": [1.0, np.nan], "Gr__e": [0.0, 1.0]}
    flat = {name: tf.constant(values, tf.float64) for name, values in given.items()}
    upright = {name: values[:, None] for name, values in flat.items()}
    both = [signature(**columns)["probabilities"].numpy() for columns in (flat, upright)]
    assert both[0].shape == (2, 2)
    np.testing.assert_array_equal(*both)


MISTAKES = [
    ("gone --to onnx", "There is no run folder 'gone'; give the folder that a search wrote."),
    ("run --to onxx", "argument --to: 'onxx' was given; allowed are savedmodel, onnx, litert, numpy. See python -m"
     " tfcourse.export --help."),
    ("run", "the following arguments are required: --to. See python -m tfcourse.export --help."),
    ("run --to onnx --out m.tflite", "--out: 'm.tflite' was given; the name must end in .onnx."),
    ("run --to onnx --out no/m.onnx", "--out: there is no folder 'no' to write 'm.onnx' to."),
    ("run --to onnx --out there.onnx", "--out: 'there.onnx' is there already; remove it, or give another name."),
    ("run --to numpy --out there.npz", "--out: 'there.py' is there already; remove it, or give another name."),
    ("run --to savedmodel --out run", "--out: 'run' is there already; remove it, or give another name."),
    ("bare --to onnx", "'bare' is not a whole run folder: model.keras is not there."),
    ("begun --to onnx", "The search in 'begun' has not ended; go on with it: python -m tfcourse.train --resume begun"),
    ("changed --to onnx", "'changed/model.keras' is not the model that result.json and report.html tell of: it was"
     " replaced, or the run was ended before it had written them all. Restore it from a copy."),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(runs: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run, and runs that lack something."""
    folder = tmp_path_factory.mktemp("mistakes")
    for name in ("run", "bare", "begun", "changed"):
        shutil.copytree(runs("numbers"), folder / name, ignore=shutil.ignore_patterns("model.[!k]*", "saved_model"))
    (folder / "bare" / "model.keras").unlink()
    (folder / "begun" / "result.json").unlink()
    shutil.copy(runs("mixed") / "model.keras", folder / "changed" / "model.keras")
    for name in ("there.onnx", "there.py"):
        (folder / name).write_text("mine")
    return folder


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES, ids=[arguments for arguments, _ in MISTAKES])
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    arguments: str, sentence: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    assert export.main(arguments.split()) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"
    assert sorted(place.rglob("*")) == before


def test_packages_that_are_absent_are_one_sentence(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needs = {"onnx": "onnx", "onnxruntime": "no_such_module_a", "other": "no_such_module_b"}
    monkeypatch.setitem(formats.FORMATS, "onnx", replace(formats.FORMATS["onnx"], packages=needs))
    assert export.main([str(place / "run"), "--to", "onnx"]) == 2
    expected = 'error: --to onnx needs onnxruntime and other: pip install "tfcourse[onnx]".\n'
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("to", ["onnx", "numpy"])
def test_an_export_that_does_not_agree_is_not_left(
    to: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fault: a layer whose steps are those of another, as after a change of Keras."""
    before = sorted(place.rglob("*"))
    monkeypatch.setitem(
        keras_layers.LAYERS,
        "Softmax",
        lambda graph, layer, x, **_: graph.add("softmax", graph.add("multiply", x, 1.1), axis=1),
    )
    assert export.main([str(place / "run"), "--to", to]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: '{formats.FORMATS[to].name}' was not written: through ")
    assert "of 30 rows the probabilities differ by more than 1e-05, by 0.0" in said
    assert sorted(place.rglob("*")) == before


def test_what_is_not_a_number_on_one_side_alone_does_not_agree() -> None:
    expected = np.array([[0.25, 0.75], [np.nan, np.nan]], np.float32)
    assert check_agrees(expected + np.float32(1e-7), expected, Path("m"), "a") == pytest.approx(1e-7, rel=0.5)
    with pytest.raises(ValueError, match="In 1 of 2 rows the probabilities differ by more than 1e-05, by inf at most"):
        check_agrees(np.nan_to_num(expected), expected, Path("m"), "a")


def test_without_the_data_made_up_rows_are_compared_and_the_user_is_told(
    runs: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runs("numbers")
    data = run.parent / "numbers.csv"
    data.rename(run.parent / "elsewhere.csv")
    left = tmp_path / ".999999999.export"  # of an export that was killed
    left.mkdir()
    try:
        assert export.main([str(run), "--to", "numpy", "--out", str(tmp_path / "m.npz")]) == 0
    finally:
        (run.parent / "elsewhere.csv").rename(data)
    said = capsys.readouterr().out
    assert ", 200 made-up rows have the probabilities of model.keras, " in said
    assert "note: the run's data are gone or have changed since, so its test rows could not be compared.\n" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npz", "m.py"]
