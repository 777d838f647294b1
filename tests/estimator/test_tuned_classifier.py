"""The classifier in people's own code: the same run as the command's, and scikit-learn's tools around it."""

from __future__ import annotations

import copy
import csv
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfcourse import TunedClassifier, UserError
from tfcourse.predict import main as predict
from tfcourse.report.__main__ import main as report
from tfcourse.train import main as train

SMALL: dict[str, Any] = {"trials": 2, "epochs": 3, "folds": 1, "random_state": 0}
SURE = {"learning_rate": 0.03, "optimizer": "adam", "dropout": 0.0}


def people(rows: int = 90) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table with numbers, texts, dates, booleans and missing values, and labels that hang on two of them."""
    random = np.random.default_rng(0)
    age = random.normal(40, 12, rows).round(1)
    city = random.choice(["Ely", "Bath", "York"], rows)
    frame = pd.DataFrame(
        {
            "age": np.where(random.random(rows) < 0.1, np.nan, age),
            "city": pd.Series(city).mask(random.random(rows) < 0.1),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, rows), unit="D"),
            "member": random.random(rows) < 0.5,
        }
    )
    return frame, pd.Series(np.where((age > 40) ^ (city == "Ely"), "buys", "looks"), name="label")


@pytest.fixture(scope="module")
def fitted() -> TunedClassifier:
    x, y = people()
    return TunedClassifier(**SMALL).fit(x, y)


@pytest.fixture(scope="module")
def saved(fitted: TunedClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted.save(tmp_path_factory.mktemp("saved") / "run")


def test_a_fit_is_the_commands_run(fitted: TunedClassifier, tmp_path: Path) -> None:
    x, y = people()
    x.assign(y=y).to_parquet(tmp_path / "data.parquet", index=False)
    arguments = ["--target", "y", "--trials", "2", "--epochs", "3", "--folds", "1", "--seed", "0", "--quiet"]
    assert train(["--data", str(tmp_path / "data.parquet"), *arguments, "--out", str(tmp_path / "run")]) == 0
    ours, theirs = dict(fitted.result_), json.loads((tmp_path / "run" / "result.json").read_text())
    del ours["seconds"], theirs["seconds"]
    assert ours == theirs
    assert fitted.best_params_ == theirs["best"]["hyperparameters"]
    assert fitted.best_score_ == theirs["best"]["validation"]["loss"]
    assert fitted.verdict_ == [sentence["text"] for sentence in theirs["verdict"]["sentences"]]


def test_probabilities_are_the_predict_commands(fitted: TunedClassifier, saved: Path, tmp_path: Path) -> None:
    x, _ = people()
    x.to_parquet(tmp_path / "new.parquet", index=False)
    assert predict([str(saved), "--data", str(tmp_path / "new.parquet"), "--out", str(tmp_path / "p.csv")]) == 0
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert fitted.predict(x).tolist() == [row["label"] for row in rows]
    told = [[float(row[f"probability_{name}"]) for name in fitted.classes_] for row in rows]
    np.testing.assert_allclose(fitted.predict_proba(x), told, atol=2e-7)


def test_one_row_is_answered_as_among_many(fitted: TunedClassifier) -> None:
    x, _ = people()
    together = fitted.predict_proba(x)
    alone = np.concatenate([fitted.predict_proba(x[row : row + 1]) for row in range(5)])
    np.testing.assert_array_equal(alone, together[:5])


@pytest.mark.parametrize(
    ("copied", "keeps_rows"),
    [
        pytest.param(lambda fitted, saved: TunedClassifier.load(saved), True, id="load"),
        pytest.param(lambda fitted, saved: pickle.loads(pickle.dumps(fitted)), False, id="pickle"),
        pytest.param(lambda fitted, saved: copy.deepcopy(fitted), False, id="deepcopy"),
    ],
)
def test_copies_say_the_same(
    fitted: TunedClassifier, saved: Path, copied: Callable[[TunedClassifier, Path], TunedClassifier], keeps_rows: bool
) -> None:
    other, (x, _) = copied(fitted, saved), people()
    np.testing.assert_array_equal(other.predict_proba(x), fitted.predict_proba(x))
    assert other.classes_.tolist() == ["buys", "looks"]
    assert other.get_params() == fitted.get_params()
    assert other.feature_names_in_.tolist() == list(x)
    assert other.n_features_in_ == 4
    assert other.result_ == fitted.result_
    pd.testing.assert_frame_equal(other.trials_, fitted.trials_)
    assert (other._run.path / "data.parquet").exists() == keeps_rows
    assert "<html" in other.report().path.read_text()
    with pytest.raises(ValueError, match="feature names"):
        other.predict(x.rename(columns={"age": "years"}))


def test_a_saved_folder_is_one_for_the_commands(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report([str(saved)]) == 0
    assert train(["--resume", str(saved), "--quiet", "--trials", "3"]) == 0
    assert len(TunedClassifier.load(saved).trials_) == 3


def test_the_folder_of_the_command_is_one_for_the_classifier(tmp_path: Path) -> None:
    x, y = people()
    x.assign(y=y).to_csv(tmp_path / "data.csv", index=False)
    arguments = ["--target", "y", "--trials", "1", "--epochs", "1", "--folds", "1", "--quiet"]
    assert train(["--data", str(tmp_path / "data.csv"), *arguments, "--out", str(tmp_path / "run")]) == 0
    loaded = TunedClassifier.load(tmp_path / "run")
    assert loaded.classes_.tolist() == ["buys", "looks"]
    assert loaded.predict(x).shape == (90,)


def test_temporary_folders_go_with_their_classifier() -> None:
    x, y = people(30)
    classifier = TunedClassifier(**{**SMALL, "trials": 1, "epochs": 1}).fit(x, y)
    first = classifier._run.path
    assert first.exists()
    classifier.fit(x, y)
    assert not first.parent.exists()
    second = classifier._run.path
    del classifier
    assert not second.parent.exists()


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9"], ["10", "9"]),
        ([3, -1], [-1, 3]),
        ([2.5, 1.5], None),
        ([1.0, 0.0], [0.0, 1.0]),
        ([True, False], [False, True]),
        (["ja", "Nein"], ["Nein", "ja"]),
        (["yes ", "1.0"], ["1.0", "yes "]),
    ],
)
def test_labels_keep_their_type(labels: list[Any], classes: list[Any] | None) -> None:
    x = np.repeat([[0.0, 1.0], [5.0, 2.0]], 10, axis=0) + np.random.default_rng(0).normal(size=(20, 2))
    y = np.repeat(labels, 10)
    classifier = TunedClassifier(**{**SMALL, "trials": 1, "epochs": 20, "space": SURE})
    if classes is None:
        with pytest.raises(ValueError, match="Unknown label type: continuous"):
            classifier.fit(x, y)
        return
    classifier.fit(x, y)
    assert classifier.classes_.tolist() == classes
    assert classifier.classes_.dtype == y.dtype
    assert (classifier.predict(x) == y).mean() > 0.9
    probabilities = classifier.predict_proba(x)
    assert (classifier.classes_[probabilities.argmax(axis=1)] == y).mean() > 0.9


def test_arrays_sparse_matrices_and_frames_of_the_same_numbers_are_one_table() -> None:
    x = np.random.default_rng(0).poisson(0.7, (60, 3)).astype(float)
    y = (x[:, 0] > x[:, 1]).astype(int)
    expected = TunedClassifier(**SMALL).fit(x, y).predict_proba(x)
    frame = pd.DataFrame(x, columns=["x0", "x1", "x2"])
    for other in (x.tolist(), sparse.csr_matrix(x), frame, frame.astype("Sparse[float]"), pa.Table.from_pandas(frame)):
        np.testing.assert_array_equal(TunedClassifier(**SMALL).fit(other, y).predict_proba(other), expected)


def test_images_and_wide_arrays_are_examples_of_numbers_that_are_alike() -> None:
    random = np.random.default_rng(0)
    y = np.arange(40) % 2
    for shape in ((40, 6, 6), (40, 300)):
        x = random.normal(size=shape) + y.reshape(-1, *[1] * (len(shape) - 1))
        classifier = TunedClassifier(**{**SMALL, "epochs": 8, "space": SURE}).fit(x, y)
        assert classifier._run.folder.record["features"]["shape"] == list(shape[1:])
        assert classifier.score(x, y) > 0.9
        with pytest.raises(UserError, match="these rows are none"):
            classifier._run.probabilities(pa.table({"x": [1.0]}))


@pytest.mark.parametrize("made", [np.asarray, list, pd.Series])
def test_rows_that_do_not_count_are_not_learned(made: Callable[[Any], Any]) -> None:
    x, y = people()
    weights = (y == "buys").to_numpy(float)
    given = weights.copy()
    classifier = TunedClassifier(**{**SMALL, "epochs": 20, "space": SURE}).fit(x, y, sample_weight=made(weights))
    assert (classifier.predict(x) == "buys").mean() > 0.9
    np.testing.assert_array_equal(weights, given)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        TunedClassifier(**SMALL).fit(x, y, sample_weight=weights[:5])
    with pytest.raises(ValueError, match="y should be a 1d array"):
        TunedClassifier(**SMALL).fit(x, y, sample_weight=np.ones((90, 2)))


def test_rows_of_a_group_stay_in_one_part() -> None:
    x, y = people()
    groups = np.arange(90) // 6
    classifier = TunedClassifier(**SMALL).fit(x, y, groups=groups)
    split = classifier._run.folder.record["data"]["split"]
    assert all(count % 6 == 0 for count in split.values()), split
    assert any("stay in one part" in note for note in classifier.notes_)


def test_it_works_inside_scikit_learns_tools() -> None:
    random = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = np.c_[random.normal(size=60) + 2 * y, random.normal(size=60)]
    tiny = TunedClassifier(**{**SMALL, "trials": 1, "epochs": 8, "space": SURE})
    grid = {"tunedclassifier__trials": np.array([1, 2])}
    search = GridSearchCV(make_pipeline(StandardScaler(), tiny), grid, cv=2).fit(x, y)
    assert search.best_score_ > 0.6
    calibrated = CalibratedClassifierCV(clone(tiny), cv=2).fit(x, y)
    assert calibrated.score(x, y) > 0.6
    importance = permutation_importance(search.best_estimator_, x, y, n_repeats=3, random_state=0).importances_mean
    assert importance[0] > importance[1]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"trials": 0}, "trials: '0' was given; allowed are whole numbers from 1."),
        ({"budget": "soon"}, "budget: 'soon' was given; allowed are times such as 90s, 10m or 2h."),
        ({"engine": "jax"}, "engine: 'jax' was given; allowed are cohort, keras."),
        ({"space": {"dropot": 0.1}}, "space: 'dropot' is not a hyperparameter. Did you mean 'dropout'?"),
        ({"space": "nowhere.toml"}, "space: .*nowhere.toml"),
        ({"batch_size": 1000}, "batch_size: 1000 was given, but the training split has 54 rows"),
        ({"folds": 5, "ensemble": 2}, "ensemble"),
        ({"halving": True, "engine": "keras"}, "halving was given with engine keras"),
        ({"categorical": ["town"]}, "categorical: there is no column 'town'"),
        ({"keep_columns": ["ages"]}, r"keep_columns: there is no column 'ages'\. Did you mean 'age'\?"),
        ({"numbers": "log"}, "numbers: 'log' was given; allowed are auto, standard, robust, encoded."),
    ],
)
def test_wrong_parameters_are_told_in_the_classifiers_words(parameters: dict[str, Any], message: str) -> None:
    x, y = people()
    with pytest.raises(UserError, match=message) as raised:
        TunedClassifier(**{**SMALL, **parameters}).fit(x, y)
    assert "--" not in str(raised.value)
    assert ".py" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "keep", "is_kept"),
    [("dose", None, True), ("x0", None, True), ("Unnamed: 0", None, False), ("Unnamed: 0", ["Unnamed: 0"], True),
     ("dose", [], False), ("dose", ["dose"], True)],
)  # fmt: skip
def test_a_column_that_numbers_the_rows_is_learned_from_as_its_owner_chose(
    name: str, keep: list[str] | None, is_kept: bool
) -> None:
    numbers = pd.DataFrame({name: range(90)})
    rows = numbers.to_numpy() if name == "x0" else numbers
    # The batch is refused after the columns are, and nothing is trained.
    told = "batch_size: 1000 was given, but" if is_kept else "No column is left to learn from"
    with pytest.raises(UserError, match=told):
        TunedClassifier(**SMALL, keep_columns=keep, batch_size=1000).fit(rows, people()[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x, y.mask(y.index < 2)), "missing labels; leave those rows out"),
        (lambda x, y: (x, y[:-1]), "inconsistent numbers of samples"),
        (lambda x, y: (x, ["one"] * len(y)), "y has one class, 'one', in all of its 90 rows; two are needed"),
        (
            lambda x, y: (x, np.where(y == "buys", " a", "a")),
            "y holds labels that are one in a file: ' a', 'a'",
        ),
        (lambda x, y: (x, np.where(y == "buys", "", np.where(x.member, "a", "b"))), "y: the label '' is read as"),
        (lambda x, y: (x.assign(age=[1, "a"] * 45), y), "A column holds values of one kind"),
        (lambda x, y: (x.assign(age=[[1]] * 90), y), "column 'age' holds values of type list"),
        (lambda x, y: (x[[]], y), "X has no columns"),
        (lambda x, y: (x[:0], y[:0]), r"Found array with 0 sample\(s\) \(shape=\(0, .\)\) while a minimum of 1 is req"),
        (lambda x, y: (pa.Table.from_pandas(x[:0]), y[:0]), r"Found array with 0 sample\(s\)"),
        (lambda x, y: (np.zeros((0, 2)), y[:0]), r"Found array with 0 sample\(s\)"),
        (lambda x, y: (np.full((90, 2), np.inf), y), "infinity"),
        (lambda x, y: (x.to_numpy()[:, 0].astype(float), y), "Expected 2D array"),
    ],
)
def test_wrong_rows_and_labels_are_told(change: Callable[[Any, Any], tuple[Any, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        TunedClassifier(**SMALL).fit(*change(*people()))
    assert "--" not in str(raised.value)


def test_nothing_can_be_asked_before_a_fit_or_saved_over_something(fitted: TunedClassifier, tmp_path: Path) -> None:
    x, _ = people()
    for ask in (lambda it: it.predict(x), lambda it: it.report(), lambda it: it.save(tmp_path / "new")):
        with pytest.raises(NotFittedError):
            ask(TunedClassifier())
    for ask in (fitted.predict, fitted.predict_proba, fitted.explain):
        with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\) \(shape=\(0, 4\)\) while a minimum of 1"):
            ask(x[:0])
    with pytest.raises(UserError, match="is there already; give a new folder"):
        fitted.save(tmp_path)
    with pytest.raises(UserError, match="is not empty"):
        TunedClassifier(**SMALL, out=tmp_path.parent).fit(*people())
    with pytest.raises(UserError, match="There is no run folder"):
        TunedClassifier.load(tmp_path / "nothing")


def test_effects_of_columns_sum_to_the_probability(fitted: TunedClassifier) -> None:
    x, _ = people()
    found = fitted.explain(x[:4])
    probabilities = fitted.predict_proba(x[:4])
    for row, part in found.groupby("row"):
        assert set(part["column"]) <= set(x)
        assert part["label"].iloc[0] == fitted.predict(x[:4])[row]
        assert part["effect"].abs().is_monotonic_decreasing
        total = part["average_probability"].iloc[0] + part["effect"].sum()
        assert total == pytest.approx(probabilities[row].max(), abs=1e-5)
    elsewhere = pickle.loads(pickle.dumps(fitted))
    elsewhere._run.folder.record["options"]["data"] = "/nowhere/data.parquet"
    with pytest.raises(UserError, match="give some with background="):
        elsewhere.explain(x[:1])
    assert len(elsewhere.explain(x[:1], background=x)) == found["column"].nunique()


def test_polars_frames_are_tables() -> None:
    polars = pytest.importorskip("polars", reason="needs polars")
    x, y = people(40)
    ours = TunedClassifier(**{**SMALL, "trials": 1}).fit(polars.from_pandas(x), polars.Series(y.to_list()))
    theirs = TunedClassifier(**{**SMALL, "trials": 1}).fit(x, y)
    np.testing.assert_allclose(ours.predict_proba(polars.from_pandas(x)), theirs.predict_proba(x), atol=1e-6)


def test_the_report_outlives_its_classifier() -> None:
    x, y = people(40)
    shown = TunedClassifier(**{**SMALL, "trials": 1, "epochs": 1, "space": {"layers": np.int64(2)}}).fit(x, y).report()
    assert shown._repr_html_().startswith("<iframe")
    record = json.loads((shown.path.parent / "run.json").read_text())
    assert record["command"].endswith("--space space.toml")
    assert (shown.path.parent / "space.toml").read_text() == "layers = 2\n"


def test_pandas_own_types_of_labels() -> None:
    x, y = people(40)
    for kind, expected in (("boolean", np.dtype(bool)), ("Int64", np.dtype("int64"))):
        classifier = TunedClassifier(**{**SMALL, "trials": 1, "epochs": 1}).fit(x, (y == "buys").astype(kind))
        assert classifier.classes_.dtype == expected


def test_a_classifier_that_counts_rows_can_be_explained_and_gone_on_with(tmp_path: Path) -> None:
    x, y = people(60)
    weights = np.random.default_rng(0).integers(1, 4, 60)
    classifier = TunedClassifier(**SMALL, batch_size=(8, 16), out=tmp_path / "run")
    classifier.fit(x, y, sample_weight=weights)
    assert set(classifier.explain(x[:1])["column"]) <= set(x)
    assert train(["--resume", str(tmp_path / "run"), "--trials", "3", "--quiet"]) == 0
    again = TunedClassifier.load(tmp_path / "run")
    assert len(again.trials_) == 3
    assert again.batch_size == [8, 16]
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


def test_the_report_is_shown_in_a_notebook(fitted: TunedClassifier, tmp_path: Path) -> None:
    shown = fitted.report()
    assert shown._repr_html_().startswith('<iframe srcdoc="&lt;!')
    assert shown.save(tmp_path / "page.html").read_text() == shown.path.read_text()


INTERRUPTED = """
import os, signal, threading, time
import numpy as np
from tfcourse import TunedClassifier

def press() -> None:
    while not any("COMPLETED" in file.read_text() for file in path.glob("search/trial_*/trial.json")):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)

from pathlib import Path
path = Path("run")
random = np.random.default_rng(0)
y = np.arange(200) % 2
x = random.normal(size=(200, 3)) + y[:, None]
classifier = TunedClassifier(trials=2000, epochs=20, rounds=200, folds=1, halving=False, random_state=0, out=path)
threading.Thread(target=press, daemon=True).start()
try:
    classifier.fit(x, y)
except KeyboardInterrupt:
    print(len(classifier.trials_) < 2000, classifier.predict(x).shape, classifier.result_["trials"]["completed"] > 0)
"""


def test_an_interrupted_fit_is_fitted_by_what_was_done(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["True (200,) True"], done.stderr
