"""A scikit-learn classifier that tunes batch-norm + softmax networks: the run of ``python -m tfcourse.train``."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from tfcourse.estimator.explained import explained
from tfcourse.estimator.fitted_run import FittedRun
from tfcourse.estimator.kept import KEPT, kept_of, plain_value
from tfcourse.estimator.labels import classes_and_texts, places_of
from tfcourse.estimator.options import flags_of, given_by, in_own_words
from tfcourse.estimator.rows import is_frame, rows_of
from tfcourse.estimator.shown_report import ShownReport
from tfcourse.estimator.training import Fit
from tfcourse.executors.choose import check_options
from tfcourse.run.trials_table import trials_table
from tfcourse.space import SearchSpace


class TunedClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of tables, or of images, whose hyperparameters are searched for in every ``fit``.

    A ``fit`` does what ``python -m tfcourse.train`` does with a file that holds ``X`` and ``y``: columns are read by
    the same rules, a fifth of the rows is kept as a test part that is looked at once, the search goes coarse to fine,
    the leaders are trained on folds, and the report says what may be claimed. The parameters are that command's
    options; what is left at None is as there.

    Args:
        trials: number of trials; None is 64, or with a budget as many as fit.
        budget: how long a ``fit`` may take: seconds, or ``"90s"``, ``"10m"``, ``"2h"``.
        epochs: most epochs of a trial; None is by the number of rows.
        batch_size: minibatch size; several are searched; None is by the number of rows.
        objective: what the best trial is best at: ``"val_loss"`` or ``"val_accuracy"``.
        space: what to change in the default search space: the path of a TOML file, or what it would hold, as
            ``{"dropout": 0.0, "learning_rate": {"low": 1e-3, "high": 0.1}}``.
        rounds: rounds, coarse to fine.
        sampler: ``"random"`` or ``"quasi-random"``.
        portfolio: whether settings that were good on many tables are tried before any draw; None is that they are.
        halving: whether only the better third of the trials goes on after a few epochs.
        repeats: seeds that every trial is trained from.
        network: ``"mlp"`` searches fully connected networks, ``"conv"`` convolutional ones, for images.
        engine: ``"cohort"`` trains all trials together, ``"keras"`` one by one, as convolutional networks always are.
        folds: folds that the leading settings are trained on; 1 saves the best network alone.
        ensemble: save the average of so many of the search's networks, without folds.
        calibrate: whether the logits are divided by the temperature that fits best.
        numbers: how numbers of tables enter: ``"auto"``, ``"standard"``, ``"robust"`` or ``"encoded"``.
        categorical: names of columns of numbers to read as categories.
        keep_columns: names of columns to learn from though they number the rows; None is every column but "Unnamed: 0".
        slices: names of columns of which each value, or each quarter of the values, is measured by itself.
        workers: train in so many processes of this machine instead of on threads of one; the result is the same.
        ray: train on a Ray cluster: its address, ``"auto"`` or ``"local"``.
        out: the run folder to leave; None is a temporary one, which goes when the classifier does.
        random_state: the seed of split, draws, weights and minibatches: the same gives the same model. None draws one.
        verbose: whether to show progress and the result.

    Attributes:
        classes_: the labels, in the order of the columns of ``predict_proba``, shape (classes,).
        n_features_in_: number of columns, or the length of an image's first axis.
        feature_names_in_: the columns' names, where ``X`` was a data frame.
        best_params_: the hyperparameters of the best trial.
        best_score_: its objective on the validation part.
        trials_: a row a trial, as :func:`tfcourse.run.trials_table.trials_table` gives it.
        verdict_: what the search may claim, in sentences.
        result_: everything that came of it, as the run's ``result.json``; ``result_["test"]`` is measured on the rows
            that were kept.
        notes_: how the columns were read, a line each.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> classifier = TunedClassifier(trials=2, epochs=5, folds=1, random_state=0).fit(X, y)
    >>> classifier.predict_proba(X[:2]).shape, classifier.classes_.tolist()
    ((2, 3), [0, 1, 2])
    """

    def __init__(
        self,
        *,
        trials: int | None = None,
        budget: str | float | None = None,
        epochs: int | None = None,
        batch_size: int | Sequence[int] | None = None,
        objective: str = "val_loss",
        space: str | Path | Mapping[str, Any] | None = None,
        rounds: int | None = None,
        sampler: str | None = None,
        portfolio: bool | None = None,
        halving: bool | None = None,
        repeats: int | None = None,
        network: str = "mlp",
        engine: str | None = None,
        folds: int | None = None,
        ensemble: int | None = None,
        calibrate: bool | None = None,
        numbers: str = "auto",
        categorical: Sequence[str] | None = None,
        keep_columns: Sequence[str] | None = None,
        slices: Sequence[str] | None = None,
        workers: int | None = None,
        ray: str | None = None,
        out: str | Path | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ) -> None:
        self.trials = trials
        self.budget = budget
        self.epochs = epochs
        self.batch_size = batch_size
        self.objective = objective
        self.space = space
        self.rounds = rounds
        self.sampler = sampler
        self.portfolio = portfolio
        self.halving = halving
        self.repeats = repeats
        self.network = network
        self.engine = engine
        self.folds = folds
        self.ensemble = ensemble
        self.calibrate = calibrate
        self.numbers = numbers
        self.categorical = categorical
        self.keep_columns = keep_columns
        self.slices = slices
        self.workers = workers
        self.ray = ray
        self.out = out
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search, and keep the model that is best.

        Args:
            X: rows: a data frame (pandas, polars, Arrow), an array of shape (rows, columns), a sparse matrix, or
                images, an array of shape (rows, height, width[, channels]). Missing values are allowed in tables.
            y: labels, shape (rows,): texts, numbers or booleans.
            sample_weight: how much each row of a table counts in training and in what is chosen, 0 or more, shape
                (rows,); the test part counts every row once.
            groups: rows with one value stay in one part of the split and in one fold, shape (rows,).

        Raises:
            ValueError: if rows, labels or parameters do not allow the search; the message says what to do.
            KeyboardInterrupt: if it was interrupted. If a trial had ended by then, the classifier is fitted all the
                same, by what was done; a second Ctrl-C ends at once.
        """
        started = time.monotonic()
        rows = self._checked(X, y)
        classes, texts = classes_and_texts(rows, y)
        beside = {name: of for name, of in (("group", groups), ("weight", sample_weight)) if of is not None}
        for name, values in beside.items():
            check_consistent_length(rows, beside[name])
            beside[name] = column_or_1d(values, dtype=np.float64 if name == "weight" else None)
        parameters = self.get_params(deep=False)
        with in_own_words():
            flags = [*flags_of(parameters), "--seed", str(self._seed())]
            given = given_by(flags)
            check_options(given)
        if self.space is not None:
            given["space"] = plain_value(self.space if isinstance(self.space, Mapping) else Path(self.space))
            flags += ["--space", "space.toml" if isinstance(self.space, Mapping) else given["space"]]
        temporary = self.out is None
        path = Path(tempfile.mkdtemp(prefix="tfcourse-"), "run") if self.out is None else Path(self.out)
        try:
            with in_own_words():
                own = kept_of(parameters, classes, self)
                fit = Fit(rows, texts, beside, given, flags, path, own,
                          lambda names: places_of(classes, names), verbose=bool(self.verbose))  # fmt: skip
                interrupt = fit.run(started)
                run = FittedRun(path, temporary=temporary)
                places = places_of(classes, run.folder.record["classes"])
        except BaseException:
            if temporary:
                shutil.rmtree(path.parent, ignore_errors=True)
            raise
        self._run, self._places, self.classes_ = run, places, classes
        self._tell(run)
        if interrupt is not None:
            raise interrupt
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class, shape (rows, classes), in the order of ``classes_``.

        Raises:
            NotFittedError: before a ``fit``.
            ValueError: if the rows have other columns than those of the ``fit``.
        """
        check_is_fitted(self)
        rows = self._checked(X)
        with in_own_words():
            return self._run.probabilities(rows)[:, self._places]

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each row, shape (rows,); raises as :meth:`predict_proba`."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def explain(self, X: Any, background: Any = None) -> pd.DataFrame:
        """Return how far each column moved each row's probability away from the average: Shapley values.

        Args:
            X: rows of a table.
            background: rows to compare with; the training rows when left out.

        Returns:
            A row for each row and column: ``row`` (from 0), ``label`` (the most probable one, whose probability is
            explained), ``average_probability`` (over the background), ``column``, ``value`` and ``effect``, the largest
            effect first; average and effects of a row sum to its probability.

        Raises:
            NotFittedError: before a ``fit``.
            ValueError: for arrays, or if there are no rows to compare with.
        """
        check_is_fitted(self)
        rows, others = self._checked(X), None if background is None else self._checked(background)
        with in_own_words():
            return explained(self._run, rows, others, self.classes_, self._places)

    def report(self) -> ShownReport:
        """Return the report of the search: in a notebook its page is shown."""
        check_is_fitted(self)
        from tfcourse.report.page import write_report

        return ShownReport(write_report(self._run.path), self._run)

    def save(self, path: str | Path) -> Path:
        """Copy the run folder, the training's rows in it, to a new ``path``, for :meth:`load` and the commands.

        Raises:
            ValueError: if something is there already.
        """
        check_is_fitted(self)
        self._run.copy_to(Path(path))
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the classifier of a run folder, saved by :meth:`save` or written by ``python -m tfcourse.train``.

        No pickle is read. Labels are what the folder holds: those of a run of the command are texts.

        Raises:
            ValueError: if it is no run folder, damaged, or not ended.
        """
        run = FittedRun(Path(path), temporary=False)
        kept = run.folder.record.get("estimator", {})
        classifier = cls(**kept.get("parameters", {}))
        names = run.folder.record["classes"]
        classifier.classes_ = np.array(kept.get("classes", names), dtype=kept.get("kind"))
        classifier._run, classifier._places = run, places_of(classifier.classes_, names)
        for name in KEPT.intersection(kept):
            setattr(classifier, name, kept[name] if name == "n_features_in_" else np.array(kept[name], dtype=object))
        classifier._tell(run)
        return classifier

    def _seed(self) -> int:
        state = self.random_state
        return int(state if isinstance(state, int | np.integer) else check_random_state(state).randint(2**31 - 1))

    def _checked(self, X: Any, y: Any = "no_validation") -> pa.Table | NDArray[Any]:
        """Return the rows, their columns compared with those of the fit, or kept where ``y`` says that this is one."""
        is_fit = not (isinstance(y, str) and y == "no_validation")
        if not is_fit and not hasattr(self, "n_features_in_"):  # a run of the command, which knows columns by name
            return rows_of(X)
        if is_frame(X):
            validate_data(self, X, y, reset=is_fit, skip_check_array=True)
            return rows_of(X)
        rows = rows_of(X)
        validate_data(self, X if hasattr(X, "shape") else np.asarray(X), y, reset=is_fit, skip_check_array=True)
        return rows

    def _tell(self, run: FittedRun) -> None:
        record, result, best = run.folder.record, run.result, run.result["best"]
        self.result_ = result
        self.best_params_ = best["hyperparameters"]
        self.best_score_ = best["validation"][record["plan"]["objective"].removeprefix("val_")]
        self.trials_: pd.DataFrame = trials_table(run.trials(), SearchSpace.from_json(record["space"]))
        self.verdict_ = [sentence["text"] for sentence in result["verdict"]["sentences"]]
        self.notes_ = [*record["data"]["notes"], *record["data"]["columns"]]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = True
        tags.input_tags.sparse = tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags
