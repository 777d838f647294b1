"""How long one row takes from each export of a run, beside Keras's ``predict`` and a call of the model.

    python scripts/benchmarks/exports.py RUN
    python scripts/benchmarks/exports.py RUN --rows 1 1000

Each export is made anew in a folder of its own, asked a few times to warm up, then timed: the median of many calls.
Rows are made up from the run's statistics. What is asked is ready in memory; of LiteRT, which takes the feature matrix,
the columns' way to it is not in the time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tfcourse.export import with_numpy
from tfcourse.export.export_run import export_run
from tfcourse.export.formats import FORMATS
from tfcourse.export.onnx_file import shaped
from tfcourse.export.rows import Rows, made_up_rows, rows_of
from tfcourse.export.saved_model import SIGNATURE, serving_names
from tfcourse.run.exported import features_of, load_exported
from tfcourse.run.folder import SEARCH, TRAINING, RunFolder

SECONDS, WARM_UP = 2.0, 5


def main() -> None:
    """Print a table: one line a way, one column a number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a finished run")
    parser.add_argument("--rows", type=int, nargs="+", default=[1], help="rows in a call (default 1)")
    options = parser.parse_args()
    folder = RunFolder.open(options.run, SEARCH, TRAINING)
    features = features_of(folder)
    model = load_exported(folder.model_path, features, len(folder.record["classes"]))
    with tempfile.TemporaryDirectory() as place:
        files = {to: Path(place) / each.name for to, each in FORMATS.items()}
        for to, path in files.items():
            export_run(folder, to, path, print)
        ways = {"Keras predict": _predict(model), "Keras model(...)": _call(model), **_exports(files)}
        print(f"\n{'ms a call':<24}" + "".join(f"{count:>8} rows" for count in options.rows))
        for name, way in ways.items():
            times = []
            for count in options.rows:
                made_up = made_up_rows(features, count, seed=1)
                times.append(_median(way(rows_of(made_up, features))))
            print(f"{name:<24}" + "".join(f"{1000 * each:>13.3f}" for each in times))


Way = Callable[[Rows], Callable[[], Any]]


def _median(call: Callable[[], Any]) -> float:
    """Return the seconds of the median call."""
    for _ in range(WARM_UP):
        call()
    times, end = [], time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _predict(model: Any) -> Way:
    return lambda rows: lambda: model.predict(rows.inputs, verbose=0)


def _call(model: Any) -> Way:
    import tensorflow as tf

    def way(rows: Rows) -> Callable[[], Any]:
        columns = {name: tf.constant(values.reshape(len(values), -1)) for name, values in rows.columns.items()}
        given = columns if isinstance(rows.inputs, dict) else tf.constant(rows.inputs)
        return lambda: model(given, training=False)

    return way


def _exports(files: dict[str, Path]) -> dict[str, Way]:
    """Return the ways to ask the exports, each loaded once."""
    import onnxruntime
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    def of_onnx(threads: int) -> Way:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(files["onnx"], options, providers=["CPUExecutionProvider"])

        def way(rows: Rows) -> Callable[[], Any]:
            feed = {each.name: shaped(rows.columns[each.name], each) for each in session.get_inputs()}
            return lambda: session.run(None, feed)

        return way

    signature = tf.saved_model.load(str(files["savedmodel"])).signatures[SIGNATURE]

    def of_saved_model(rows: Rows) -> Callable[[], Any]:
        names = serving_names(rows.columns)
        given = {names[name]: tf.constant(values) for name, values in rows.columns.items()}
        return lambda: signature(**given)

    runner = Interpreter(str(files["litert"])).get_signature_runner()
    (taken,) = runner.get_input_details()

    def of_litert(rows: Rows) -> Callable[[], Any]:
        x = rows.matrix if isinstance(rows.inputs, dict) else np.asarray(rows.inputs)
        return lambda: runner(**{taken: x})

    arrays = with_numpy.load(files["numpy"])
    return {
        "SavedModel": of_saved_model,
        "ONNX Runtime, 1 thread": of_onnx(1),
        "ONNX Runtime": of_onnx(0),
        "LiteRT (network)": of_litert,
        "NumPy alone": lambda rows: lambda: with_numpy.probabilities(arrays, rows.columns),
    }


if __name__ == "__main__":
    main()
