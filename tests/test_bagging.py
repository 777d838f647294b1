"""Leaders bagged over folds through the command line: what they say out of fold, the saved model, resume, mistakes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from tfcourse import train
from tfcourse.data.folds import deal_into_folds
from tfcourse.data.prepare import DataOptions, Prepared, prepare
from tfcourse.models.builders import build_mlp
from tfcourse.models.spec import NetworkSpec, OptimizerSpec, network_from_values, optimizer_from_values
from tfcourse.predict import main as predict
from tfcourse.report.__main__ import main as report
from tfcourse.run.folder import RunFolder
from tfcourse.run.trials import TrialRecord, leaders, read_trials
from tfcourse.search.fit import Schedule, TrainingData, fit_network
from tfcourse.space import SearchSpace
from tfcourse.tuning import defaults
from tfcourse.tuning.bagging import seed_of
from tfcourse.tuning.contenders import RATE_WITH_BINS, contenders
from tfcourse.tuning.folds import LEAST_TRIALS, default_folds, folds_of
from tfcourse.tuning.weights import ROUNDS, greedy_weights

FOLDS, EPOCHS = 4, 3
BATCH_SIZE, ON_FOLDS = 34, 28
"""Of 72 rows 34 at a time leave a minibatch of 4, 28 one of 16."""


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(pets_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose leaders were trained on four folds, without dropout, whose masks are not Keras's."""
    out = tmp_path_factory.mktemp("bagging") / "run"
    space = out.parent / "space.toml"
    space.write_text('dropout = 0.0\noptimizer = ["sgd", "adam"]\n[learning_rate]\nlow = 0.001\nhigh = 0.03\n')
    given = ["--trials", str(LEAST_TRIALS), "--epochs", str(EPOCHS), "--folds", str(FOLDS), "--quiet"]
    given += ["--batch-size", str(BATCH_SIZE)]
    given += ["--space", str(space), "--data", str(pets_csv), "--target", "kind", "--out", str(out)]
    assert train.main(given) == 0
    return out


@pytest.fixture(scope="module")
def data(pets_csv: Path) -> dict[bool, Prepared]:
    """Return the data without and with bins."""
    return {
        False: prepare(DataOptions(str(pets_csv), target="kind")),
        True: prepare(DataOptions(str(pets_csv), target="kind", numbers="encoded")),
    }


def settings(run: Path) -> list[tuple[int | None, bool, dict[str, Any]]]:
    """Return trial, None for softmax regression, whether with bins, and hyperparameters of all that contends."""
    space = SearchSpace.from_json(read(run / "run.json")["space"])
    best = [(trial.number, trial.values) for trial in leaders(read_trials(run, space), "val_loss")[:3]]
    regression = read(run / "baseline" / "baseline.json")["hyperparameters"]
    return [
        *((number, False, values) for number, values in best),
        (None, False, regression),
        *((number, True, values) for number, values in best[:2]),
        (None, True, {**regression, "learning_rate": RATE_WITH_BINS}),
    ]


def rows_of(data: Prepared) -> tuple[np.ndarray, np.ndarray, Any]:
    x, y = np.concatenate([data.train.x, data.validation.x]), np.concatenate([data.train.y, data.validation.y])
    assert data.groups is not None
    return x, y, deal_into_folds(data.groups, y, FOLDS, 0)


def name_of(trial: int | None, bins: bool) -> str:
    return ("softmax regression" if trial is None else f"trial {trial}") + " with bins" * bins


def kept(run: Path, trial: int | None, bins: bool, fold: int) -> list[np.ndarray]:
    with np.load(run / "folds" / f"{name_of(trial, bins).replace(' ', '-')}-fold-{fold + 1}.npz") as arrays:
        return [arrays[name] for name in arrays.files]


def network_of(trial: int | None, values: dict[str, Any], inputs: int) -> NetworkSpec:
    return NetworkSpec(inputs, 2) if trial is None else network_from_values(values, inputs=inputs, classes=2)


def predicted(run: Path, trial: int | None, bins: bool, values: dict[str, Any], fold: int, x: np.ndarray) -> np.ndarray:
    """Return what Keras makes of a network that was kept."""
    model = build_mlp(network_of(trial, values, x.shape[1]))
    model.set_weights(kept(run, trial, bins, fold))
    return np.asarray(softmax(model.predict(x, verbose=0).astype(float), axis=1))


@pytest.mark.parametrize("place", [0, 3, 4, 6])
def test_each_network_is_that_of_model_fit_on_the_rows_of_the_other_folds(
    run: Path, data: dict[bool, Prepared], place: int
) -> None:
    trial, bins, values = settings(run)[place]
    x, y, folds = rows_of(data[bins])
    assert x.shape[1] == data[False].features.width + bins * 4  # of 16 and more of the 67 weights each
    for fold, (train_rows, own) in enumerate(folds):
        assert (values["batch_size"], len(train_rows)) == (BATCH_SIZE, 72)
        optimizer = OptimizerSpec("adam", values["learning_rate"])
        if trial is not None:
            optimizer = optimizer_from_values(values, steps_per_epoch=-(-len(train_rows) // ON_FOLDS))
        alone = fit_network(
            network_of(trial, values, x.shape[1]), optimizer,
            TrainingData(x[train_rows], y[train_rows], x[own], y[own]),
            Schedule(EPOCHS, 3, order_seed=seed_of(0, fold)), batch_size=ON_FOLDS,
            seed=seed_of(0, fold, defaults.MOST_TRIALS if trial is None else trial),
        )  # fmt: skip
        for ours, theirs in zip(kept(run, trial, bins, fold), alone.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_estimate_out_of_fold_is_that_of_keras_and_scikit_learn(run: Path, data: dict[bool, Prepared]) -> None:
    _, y, folds = rows_of(data[False])
    result = read(run / "result.json")
    numbers, model = result["out_of_fold"], result["model"]
    inside = folds.fold >= 0
    each = []
    for trial, bins, values in settings(run):
        x = rows_of(data[bins])[0]
        probabilities = np.zeros((len(y), 2))
        for fold in range(FOLDS):
            own = folds.fold == fold
            probabilities[own] = predicted(run, trial, bins, values, fold, x[own])
        each.append(probabilities[inside])
    y = y[inside]
    names = [(setting["name"], setting["trial"], setting["bins"]) for setting in numbers["settings"]]
    assert names == [(name_of(trial, bins), trial, bins) for trial, bins, _ in settings(run)]
    for setting, probabilities in zip(numbers["settings"], each, strict=True):
        assert setting["log_loss"] == pytest.approx(log_loss(y, probabilities), rel=1e-5)
    weights = [setting["weight"] for setting in numbers["settings"]]
    plain = np.tensordot(weights, each, 1)
    assert numbers["plain_log_loss"] == pytest.approx(log_loss(y, plain), rel=1e-5)
    assert numbers["best_log_loss"] == pytest.approx(
        min(log_loss(y, probabilities) for probabilities in each), rel=1e-5
    )
    tempered = softmax(np.log(plain) / model["temperature"], axis=1)
    assert numbers["log_loss"] == pytest.approx(log_loss(y, tempered), rel=1e-5)
    assert log_loss(y, tempered) <= log_loss(y, plain)
    assert (numbers["n"], numbers["folds"]) == (len(y), FOLDS)
    n, p, z = len(y), (plain.argmax(axis=1) == y).mean(), 1.959964
    assert numbers["accuracy"] == pytest.approx(p)
    middle, half = (p + z * z / 2 / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)  # Wilson 1927
    assert numbers["accuracy_interval"] == pytest.approx(
        [(middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)], rel=1e-4
    )
    losses = -np.log(tempered[np.arange(n), y])
    margin = 1.96 * losses.std(ddof=1) / np.sqrt(n)
    assert numbers["log_loss_interval"] == pytest.approx([losses.mean() - margin, losses.mean() + margin], rel=1e-4)
    of_trials = {trial: 0.0 for (trial, *_), w in zip(settings(run), weights, strict=True) if w and trial is not None}
    for (trial, *_), weight in zip(settings(run), weights, strict=True):
        if trial in of_trials:
            of_trials[trial] += weight
    assert model["trials"] == list(of_trials)
    assert model["weights"] == pytest.approx(list(of_trials.values()))


def test_the_saved_model_is_the_weighted_average_of_its_networks_at_the_temperature(
    run: Path, data: dict[bool, Prepared]
) -> None:
    result = read(run / "result.json")
    weights = [each["weight"] for each in result["out_of_fold"]["settings"]]
    averages = [
        weight * np.mean([predicted(run, *setting, fold, data[setting[1]].test.x) for fold in range(FOLDS)], axis=0)
        for setting, weight in zip(settings(run), weights, strict=True)
        if weight
    ]
    expected = softmax(np.log(sum(averages)) / result["model"]["temperature"], axis=1)
    assert result["test"]["log_loss"] == pytest.approx(log_loss(data[False].test.y, expected), rel=1e-4)
    assert result["test"]["accuracy"] == pytest.approx((expected.argmax(axis=1) == data[False].test.y).mean())
    topics = {sentence["topic"]: sentence["text"] for sentence in result["verdict"]["sentences"]}
    assert f"trained on {FOLDS} folds" in topics["model"]
    assert "out of fold" in topics["calibration"]
    assert "used once, at the end" in topics["test"]


def test_a_run_killed_while_bagging_goes_on_to_the_same_result(run: Path, tmp_path: Path) -> None:
    killed = tmp_path / "run"
    shutil.copytree(run, killed)
    for name in ("result.json", "model.keras"):
        (killed / name).unlink()
    record = read(killed / "run.json")
    del record["test_looks"]
    (killed / "run.json").write_text(json.dumps({**record, "status": "running"}))
    files = sorted((killed / "folds").glob("*.npz"))
    assert len(files) == 7 * FOLDS
    for path in files[::3]:
        path.unlink()
    (killed / "folds" / ".99.trial-1-fold-1.npz").write_bytes(b"half")
    there = {path: path.stat().st_mtime_ns for path in files if path.exists()}
    assert train.main(["--resume", str(killed), "--quiet"]) == 0
    assert {path: path.stat().st_mtime_ns for path in there} == there, "what was there is not trained again"
    for path in sorted((run / "folds").iterdir()):
        assert (killed / "folds" / path.name).read_bytes() == path.read_bytes()
    results = [{**read(folder / "result.json"), "seconds": None} for folder in (run, killed)]
    assert results[0] == results[1]
    assert not list(killed.rglob(".*"))


def test_another_model_is_saved_from_the_same_search(run: Path, pets_csv: Path, tmp_path: Path) -> None:
    single = tmp_path / "single"
    shutil.copytree(run, single)
    assert train.main(["--resume", str(single), "--single", "--quiet"]) == 0
    result = read(single / "result.json")
    assert "out_of_fold" not in result
    assert result["model"]["trials"] == [int(result["best"]["trial_id"])]
    assert result["model"]["temperature"] is None
    assert result["test"] == {**result["best"]["test"], "log_loss": pytest.approx(result["best"]["test"]["log_loss"])}
    assert train.main(["--resume", str(single), "--folds", str(FOLDS), "--quiet"]) == 0
    again, first = read(single / "result.json"), read(run / "result.json")
    assert (again["test"], again["out_of_fold"]) == (first["test"], first["out_of_fold"])
    assert predict([str(single), "--data", str(pets_csv), "--out", str(tmp_path / "labels.csv")]) == 0


def test_one_network_is_saved_also_where_an_ensemble_was(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    assert train.main(["--resume", str(tmp_path / "run"), "--ensemble", "3", "--quiet"]) == 0
    assert len(read(tmp_path / "run" / "result.json")["model"]["trials"]) == 3
    assert train.main(["--resume", str(tmp_path / "run"), "--single", "--quiet"]) == 0
    result = read(tmp_path / "run" / "result.json")
    assert result["model"]["trials"] == [int(result["best"]["trial_id"])]


def test_another_model_of_a_search_that_time_ended_draws_no_further_trial(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    record = read(tmp_path / "run" / "run.json")
    record |= {"budget": 3600.0, "plan": {**record["plan"], "trials": 100_000}}  # as --budget alone leaves it
    (tmp_path / "run" / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert train.main(["--resume", str(tmp_path / "run"), "--single", "--quiet"]) == 0
    assert read(tmp_path / "run" / "result.json")["trials"] == read(run / "result.json")["trials"]
    again = read(tmp_path / "run" / "run.json")
    assert (again["plan"]["trials"], again["budget"], again["searched"]) == (100_000, 3600.0, True)


@pytest.mark.parametrize("differ", ["features", "least_of_last"])
def test_networks_of_other_bins_or_minibatches_are_trained_again(run: Path, tmp_path: Path, differ: str) -> None:
    shutil.copytree(run, tmp_path / "run")
    note = tmp_path / "run" / "folds" / "folds.json"
    assert differ in read(note)
    note.write_text(json.dumps({**read(note), differ: "those of another version"}), encoding="utf-8")
    kept = {path: path.stat().st_mtime_ns for path in note.parent.glob("*.npz")}
    assert train.main(["--resume", str(tmp_path / "run"), "--no-calibrate", "--quiet"]) == 0
    assert all(path.stat().st_mtime_ns > then for path, then in kept.items())
    assert note.read_bytes() == (run / "folds" / "folds.json").read_bytes()
    for path in (run / "folds").glob("*.npz"):
        assert (note.parent / path.name).read_bytes() == path.read_bytes()


def test_a_damaged_note_on_the_folds_is_made_anew(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "folds" / "folds.json").write_text("{", encoding="utf-8")
    assert train.main(["--resume", str(tmp_path / "run"), "--no-calibrate", "--quiet"]) == 0
    assert read(tmp_path / "run" / "result.json")["model"]["temperature"] is None
    assert (tmp_path / "run" / "folds" / "folds.json").read_bytes() == (run / "folds" / "folds.json").read_bytes()


def test_a_run_of_an_earlier_version_stays_with_the_network_of_its_best_trial(run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(run, old, ignore=shutil.ignore_patterns("folds", "result.json", "model.keras"))
    record = read(old / "run.json")
    (old / "run.json").write_text(json.dumps({**record, "model": {}, "status": "running"}))
    assert train.main(["--resume", str(old), "--quiet"]) == 0
    assert read(old / "result.json")["model"]["trials"] == [settings(old)[0][0]]
    assert not (old / "folds").exists()


def test_greedy_weights_are_those_of_trying_every_addition() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 200)
    each = [softmax(random.normal(size=(200, 3)) + skill * np.eye(3)[y], axis=1) for skill in (1.0, 1.2, 0.2, 0.8)]
    best: list[tuple[float, list[int]]] = []
    chosen: list[int] = []
    for _ in range(ROUNDS):
        tried = [(log_loss(y, np.mean([each[i] for i in [*chosen, new]], axis=0)), new) for new in range(4)]
        loss, new = min(tried)
        chosen = [*chosen, new]
        best.append((loss, chosen))
    loss, members = min(best, key=lambda pair: (pair[0], len(pair[1])))
    weights = greedy_weights(each, y)
    assert weights == pytest.approx([members.count(place) / len(members) for place in range(4)])
    assert log_loss(y, np.tensordot(weights, each, 1)) == pytest.approx(loss)


def test_greedy_weights_of_two_are_the_best_of_all_shares() -> None:
    random = np.random.default_rng(1)
    y = random.integers(0, 2, 300)
    each = [softmax(random.normal(size=(300, 2)) + skill * np.eye(2)[y], axis=1) for skill in (1.0, 1.3)]
    shares = {i / n for n in range(1, ROUNDS + 1) for i in range(n + 1)}
    lowest = min(log_loss(y, share * each[0] + (1 - share) * each[1]) for share in shares)
    assert log_loss(y, np.tensordot(greedy_weights(each, y), each, 1)) == pytest.approx(lowest, abs=2e-4)
    assert greedy_weights([each[0], each[0]], y) == [1.0, 0.0]


@pytest.mark.parametrize(
    ("given", "bins", "expected"),
    [
        # Trials 5, 9, 1, 7, 3, 8 from the best; which of them are of the portfolio, and then what contends.
        ({}, False, "5 9 1 7 3 r"),
        ({3: "portfolio"}, False, "5 9 1 7 3 r"),  # it is a leader anyhow
        ({8: "portfolio"}, False, "5 9 1 7 3 8 r"),
        ({8: "portfolio", 3: "portfolio", 1: "own"}, True, "5 9 1 3 r 5b 9b rb"),  # the portfolio's first
        ({8: "portfolio", 9: "portfolio"}, True, "5 9 1 8 r 5b 9b rb"),
        ({9: "portfolio"}, True, "5 9 1 r 5b 9b rb"),
        ({8: "own"}, True, "5 9 1 r 5b 9b rb"),
    ],
)
def test_the_first_of_the_portfolio_contends_whatever_its_rank(
    run: Path, given: dict[int, str], bins: bool, expected: str
) -> None:
    trials = [
        TrialRecord(number, "completed", {"layers": number, "batch_size": 16}, score=1.0, given=given.get(number, ""))
        for number in (5, 9, 1, 7, 3, 8)
    ]
    found = contenders(RunFolder.open(run), trials, bins=bins)
    names = [f"{'r' if each.trial is None else each.trial}{'b' * each.bins}" for each in found]
    assert " ".join(names) == expected


def test_how_many_folds_is_by_the_data_and_few_trials_are_not_bagged(data: dict[bool, Prepared]) -> None:
    assert [default_folds(rows) for rows in (10, 4999, 5000, 50_000, 50_001, 200_000, 200_001)] == [8, 8, 5, 5, 3, 3, 1]
    assert folds_of(None, data[False], LEAST_TRIALS) == (8, "")
    folds, why = folds_of(None, data[False], LEAST_TRIALS - 1)
    assert (folds, why) == (
        1,
        f"The leaders are not bagged: fewer than {LEAST_TRIALS} trials completed; --folds 8 does it.",
    )
    assert folds_of(3, data[False], 1) == (3, "")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--folds", "0"], "--folds"),
        (["--folds", "many"], "--folds"),
        (["--folds", "4", "--single"], "not allowed with"),
        (["--folds", "4", "--ensemble", "3"], "--ensemble 3 averages networks as the search left them, --folds 4"),
        (["--single", "--ensemble", "3"], "--single saves one network, --ensemble 3 the average of several"),
        (["--folds", "8", "--split", "time"], "--folds 8 was given with --split time"),
        (["--folds", "95"], "--folds 95 was given, but class 'dog' has only 40 different rows"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(
    flags: list[str], words: str, pets_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train.main(["--data", str(pets_csv), "--target", "kind", "--out", str(out), *flags]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert not out.exists()


@pytest.mark.parametrize("shape", [(5,), (3, 3)], ids=["rows of numbers", "images"])
def test_arrays_are_bagged_too_and_what_is_left_can_be_read_by_every_command(
    shape: tuple[int, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(60, *shape))
    np.savez(tmp_path / "data.npz", x=x, y=(x.reshape(60, -1)[:, 0] > 0).astype(int))
    out, given = tmp_path / "run", ["--data", str(tmp_path / "data.npz"), "--trials", "1", "--epochs", "1"]
    assert train.main([*given, "--folds", "2", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "could not be written" not in said.out + said.err
    assert "least_of_last" not in read(out / "folds" / "folds.json")  # 24 rows are 16 and 8, as in earlier versions
    assert (out / "report.html").stat().st_size > 100_000
    assert train.main(["--resume", str(out), "--quiet"]) == 0
    assert predict([str(out), "--data", str(tmp_path / "data.npz"), "--out", str(tmp_path / "labels.csv")]) == 0
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 61
    assert report([str(out)]) == 0
