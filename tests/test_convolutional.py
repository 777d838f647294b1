"""``python -m tfcourse.train --network conv``: the whole run on small images, and what does not go together with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate
from scipy.special import softmax

from tests.test_resume import check_same
from tfcourse import TunedClassifier, babysit, predict, retest, train
from tfcourse.export import __main__ as export
from tfcourse.models.model_file import load_model_file
from tfcourse.search import fit_tuner
from tfcourse.space.course import default_space
from tfcourse.space.images import fitted_to_image
from tfcourse.space.known import limits_of

ROWS = 120
SPACE = """
blocks = [1, 2]
filters = [2, 3]
dense_units = [0, 4]
shift = [0.0, 0.1]
flip = true
activation = "gelu"
batch_norm_momentum = 0.5
[learning_rate]
low = 0.01
high = 0.05
"""
SMALL = ["--network", "conv", "--trials", "2", "--epochs", "2", "--batch-size", "16", "--quiet"]


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return images of two channels, bytes, with an upright or a lying bar somewhere: a pixel says nothing of which."""
    random = np.random.default_rng(0)
    x, y = random.integers(0, 60, (ROWS, 7, 6, 2)), np.arange(ROWS) % 2
    for image, lying in zip(x, y, strict=True):
        row, column = random.integers(0, 4), random.integers(0, 3)
        image[slice(row, row + 1) if lying else slice(row, row + 4), slice(column, column + (4 if lying else 1)), 0] = (
            250
        )
    return x.astype("uint8"), np.array(["upright", "lying"])[y]


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    x, y = images()
    np.savez(folder / "bars.npz", x=x, y=y)
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")
    return folder


def arguments(bars: Path) -> list[str]:
    return ["--data", str(bars / "bars.npz"), "--space", str(bars / "space.toml"), *SMALL]


@pytest.fixture(scope="module")
def run(bars: Path) -> Path:
    assert train.main([*arguments(bars), "--out", str(bars / "run")]) == 0
    return bars / "run"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def by_hand(model: Any, x: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return what a saved network says, by its definition."""
    from scipy.stats import norm

    layers = {layer.name: layer for layer in model.layers[-1]._flatten_layers()}

    def normalized(name: str, z: np.ndarray) -> np.ndarray:
        gamma, beta, center, variance = (np.asarray(each, float) for each in layers[name].get_weights())
        z = gamma * (z - center) / np.sqrt(variance + 1e-3) + beta
        return np.asarray(z * norm.cdf(z))

    a = (x.astype(float) - mean) / deviation
    for block in range(1, 1 + sum(name.startswith("convolution") for name in layers)):
        (kernel,) = layers[f"convolution_{block}"].get_weights()
        z = np.zeros((*a.shape[:3], kernel.shape[-1]))
        for place in np.ndindex(len(a), kernel.shape[2], kernel.shape[3]):
            row, channel, filter_ = place
            z[row, :, :, filter_] += correlate(a[row, :, :, channel], kernel[:, :, channel, filter_], mode="same")
        high, wide = z.shape[1] // 2, z.shape[2] // 2
        pooled = z[:, : 2 * high, : 2 * wide].reshape(len(a), high, 2, wide, 2, -1).max(axis=(2, 4))
        a = normalized(f"batch_norm_{block}", pooled)
    a = a.reshape(len(a), -1)
    if "dense" in layers:
        a = normalized("batch_norm", a @ layers["dense"].get_weights()[0])
    kernel, bias = layers["logits"].get_weights()
    return np.asarray(softmax(a @ kernel + bias, axis=1))


def test_the_saved_model_is_a_plain_one_that_says_what_its_definition_says(run: Path, bars: Path) -> None:
    record, result = read(run / "run.json"), read(run / "result.json")
    assert record["plan"]["network"] == "conv"
    assert record["plan"]["engine"] == "keras"
    model = load_model_file(run / "model.keras")
    assert model.input_shape == (None, 7, 6, 2)
    x, _ = images()
    features = record["features"]
    expected = by_hand(model, x, features["mean"][0], features["deviation"][0])
    np.testing.assert_allclose(np.asarray(model(x.astype("float32"))), expected, atol=1e-5)
    out = bars / "predictions.csv"
    assert predict.main([str(run), "--data", str(bars / "bars.npz"), "--out", str(out)]) == 0
    written = np.genfromtxt(out, delimiter=",", names=True, dtype=None, encoding="utf-8")
    columns = [written[name] for name in written.dtype.names if written[name].dtype.kind == "f"]
    np.testing.assert_allclose(columns[-1], expected[:, 1], atol=1e-4)
    assert result["trials"]["completed"] == 2
    assert result["best"]["hyperparameters"]["flip"] is True


def test_the_verdict_is_on_fresh_seeds_and_softmax_regression_beside(run: Path) -> None:
    result, repeats = read(run / "result.json"), read(run / "repeats.json")["scores"]
    assert {name: len(scores) for name, scores in repeats.items()} == {
        "trial 0": 5, "trial 1": 5, "softmax regression": 5,
    }  # fmt: skip
    assert len({score for scores in repeats.values() for score in scores.values()}) == 15
    weights = {each["name"]: each["parameters"] for each in result["verdict"]["numbers"]["winner"]["candidates"]}
    model = load_model_file(run / "model.keras")
    trained = sum(int(np.prod(each.shape)) for each in model.trainable_weights)
    assert weights[f"trial {int(result['best']['trial_id'])}"] == trained
    assert weights["softmax regression"] == 84 * 2 + 2
    assert result["test"]["n"] == 24
    assert all((run / name).exists() for name in ("report.html", "model-card.md", "trials.csv"))


@pytest.mark.parametrize("to", ["onnx", "numpy", "litert", "savedmodel"])
def test_it_is_exported(to: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if to in ("onnx", "litert"):
        pytest.importorskip({"onnx": "onnxruntime", "litert": "ai_edge_litert"}[to])
    assert export.main([str(run), "--to", to]) == 0
    assert "24 test rows and 200 made-up rows have the probabilities of model.keras" in capsys.readouterr().out


def test_it_goes_on_where_it_was_stopped(run: Path, bars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = bars / "stopped"
    keep = fit_tuner.FitTuner.keep

    def interrupted(tuner: Any, trial: Any, trainings: Any) -> None:
        keep(tuner, trial, trainings)
        raise KeyboardInterrupt

    monkeypatch.setattr(fit_tuner.FitTuner, "keep", interrupted)
    assert train.main([*arguments(bars), "--out", str(stopped)]) == 130
    monkeypatch.undo()
    assert train.main(["--resume", str(stopped), "--network", "conv", "--quiet"]) == 0
    check_same(run, stopped)


def test_an_average_of_several_networks(run: Path, bars: Path) -> None:
    averaged = bars / "averaged"
    shutil.copytree(run, averaged)
    assert train.main(["--resume", str(averaged), "--ensemble", "2", "--calibrate", "--quiet"]) == 0
    assert len(read(averaged / "result.json")["model"]["trials"]) == 2
    probabilities = np.asarray(load_model_file(averaged / "model.keras")(images()[0].astype("float32")))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_retest_trains_the_same_networks(run: Path, bars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tfcourse.retesting.retest.FRESH_SETTINGS", 1)
    out = bars / "retest"
    status = retest.main(
        [str(run), "--data", str(bars / "bars.npz"), "--top", "1", "--repeats", "3", "--out", str(out), "--quiet"]
    )
    assert status in (0, 3, 4)
    settings = read(out / "retest.json")["batches"][0]["settings"]
    assert {"blocks", "filters"} <= set(settings[0]["hyperparameters"])
    assert all(np.isfinite(each["mean_cost"]) for each in settings)


def test_the_classifier_takes_it() -> None:
    x, y = images()
    space = {"blocks": 1, "filters": 2, "dense_units": 0, "shift": 0.0}
    classifier = TunedClassifier(network="conv", trials=1, epochs=1, space=space, random_state=0).fit(x, y)
    assert classifier.best_params_["filters"] == 2
    assert classifier.predict_proba(x).shape == (ROWS, 2)
    assert classifier.get_params()["network"] == "conv"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--engine", "cohort"],
            "--engine cohort was given with --network conv, whose trials are trained by Model.fit",
        ),
        (
            ["--workers", "2"],
            "--workers 2 was given with --network conv, whose trials are trained in this process, one",
        ),
        (
            ["--ray", "local"],
            "--ray local was given with --network conv, whose trials are trained in this process, one",
        ),
        (["--halving"], "--halving was given with --network conv, which trains one trial at a time; leave it out."),
        (["--folds", "3"], "--folds 3 was given with --network conv, whose leaders are not trained on folds; leave it"),
        (["--numbers", "encoded"], "--numbers encoded is for tables; arrays are standardized."),
        (["--network", "rnn"], "--network: 'rnn' was given; allowed are mlp, conv."),
    ],
)
def test_what_does_not_go_together(
    flags: list[str], message: str, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main([*arguments(bars), "--out", str(tmp_path / "run"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("layers = 2", "--space: 'layers' is for --network mlp, not for --network conv. Allowed are learning_rate,"),
        ("filter = 2", "--space: 'filter' is not a hyperparameter. Did you mean 'filters'? Allowed are learning_rate,"),
        (
            "[blocks]\nlow = 1\nhigh = 3",  # the default, but asked for
            "--space: blocks = 3 halves an image of 7 x 6 pixels more often than it can be; give at most 2.",
        ),
        (
            "blocks = 3",
            "--space: blocks = 3 halves an image of 7 x 6 pixels more often than it can be; give at most 2.",
        ),
        ("shift = 1.0", "--space: shift = 1.0 was given; allowed are numbers from 0 below 1."),
        ("momentum = 0.9\noptimizer = 'adam'", "--space: momentum plays no part with optimizer = 'adam'"),
    ],
)
def test_spaces_that_cannot_be(
    space: str, message: str, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.toml").write_text(space, encoding="utf-8")
    command = ["--data", str(bars / "bars.npz"), *SMALL, "--out", str(tmp_path / "run")]
    assert train.main([*command, "--space", str(tmp_path / "space.toml")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5,), "--network conv is for images, but the examples are rows of 5 numbers; use --network mlp, or give an"),
        ((2, 3, 3, 3), "--network conv is for images, but the examples have shape (2, 3, 3, 3); use --network mlp"),
        ((3, 8, 8), "with their channels last, but the examples have shape (3, 8, 8); turn them round: np.moveaxis"),
        (
            (4, 5, 9),
            "np.moveaxis(x, 1, -1). If they are 4 pixels high and have 9 channels, give them 5 rows of pixels:"
            " np.pad(x, ((0, 0), (0, 1), (0, 0), (0, 0))).",
        ),
        ((1, 9), "--network conv halves images, but an image of 1 x 9 pixels cannot be halved; use --network mlp."),
    ],
)
def test_examples_that_are_no_images(
    shape: tuple[int, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(40, *shape))
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(40) % 2)
    assert train.main(["--data", str(tmp_path / "a.npz"), *SMALL, "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def test_settings_of_one_s_own_are_of_these_networks(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text("[[setting]]\nlayers = 2", encoding="utf-8")
    command = ["--data", str(bars / "bars.npz"), *SMALL, "--out", str(tmp_path / "run")]
    assert train.main([*command, "--first", str(tmp_path / "mine.toml")]) == 2
    assert "--first: setting 1: 'layers' is not searched." in capsys.readouterr().err


def test_a_later_round_does_not_halve_more_often_than_an_image_can_be() -> None:
    space = fitted_to_image(default_space("conv"), (7, 6, 2))
    leaders = [{"blocks": 2, "filters": 32, "learning_rate": 0.09}] * 4
    zoomed, _ = space.zoomed(leaders, limits_of(space))
    assert zoomed["blocks"].values == (2,)
    assert zoomed["filters"].values == (32,)
    assert zoomed["learning_rate"].high > 0.1
    assert "blocks" not in limits_of(default_space("conv"))


def test_a_table_is_no_image(pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--data", str(pets_csv), "--target", "kind", *SMALL, "--out", str(tmp_path / "run")]) == 2
    assert "--network conv is for images, but the data are a table; use --network mlp, or" in capsys.readouterr().err


def test_what_a_resume_or_another_command_refuses(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, message in (
        (["--workers", "2"], "--workers 2 was given with --network conv"),
        (["--folds", "3"], "--folds 3 was given with --network conv"),
        (["--network", "mlp"], "--resume: --network mlp was given, but the search was started with --network conv"),
    ):
        assert train.main(["--resume", str(run), *flags]) == 2
        assert message in capsys.readouterr().err
    assert babysit.main(["start", "--from", str(run), "--out", str(run / "watched")]) == 2
    assert "searched convolutional networks; only fully connected ones are babysat" in capsys.readouterr().err
