"""What ``quality.py`` compares with: scikit-learn's models, and boosting of others where it is installed."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import loguniform, randint
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold
from sklearn.neural_network import MLPClassifier

from tfcourse.data.prepare import Prepared
from tfcourse.run.measure import log_loss
from tfcourse.verdict.calibration import expected_calibration_error

Labels = NDArray[np.int64]
DRAWS, MOST_FOLDS = 20, 5


def tuned(y: Labels) -> Any:
    """Return boosting tuned by random draws and cross-validation; with its defaults where a class has a single row."""
    folds = min(MOST_FOLDS, int(np.bincount(y)[np.bincount(y) > 0].min()))
    boosting = HistGradientBoostingClassifier(random_state=0)
    if folds < 2:
        return boosting
    draws = {
        "learning_rate": loguniform(0.01, 0.5),
        "max_leaf_nodes": randint(4, 64),
        "min_samples_leaf": randint(2, 64),
        "l2_regularization": loguniform(1e-6, 10),
        "max_iter": randint(20, 400),
        "max_features": [0.3, 0.5, 0.75, 1.0],
    }
    return RandomizedSearchCV(
        boosting, draws, n_iter=DRAWS, scoring="neg_log_loss", random_state=0,
        cv=StratifiedKFold(folds, shuffle=True, random_state=0),
    )  # fmt: skip


def lightgbm(y: Labels) -> Any:
    """Return LightGBM's classifier."""
    from lightgbm import LGBMClassifier  # type: ignore[import-not-found]

    return LGBMClassifier(random_state=0, verbose=-1)


def xgboost(y: Labels) -> Any:
    """Return XGBoost's classifier."""
    from xgboost import XGBClassifier  # type: ignore[import-not-found]

    return XGBClassifier(random_state=0)


def catboost(y: Labels) -> Any:
    """Return CatBoost's classifier."""
    from catboost import CatBoostClassifier

    return CatBoostClassifier(random_state=0, verbose=False, allow_writing_files=False)


OTHERS: dict[str, Callable[[Labels], Any]] = {
    "prior": lambda y: DummyClassifier(),
    "logistic": lambda y: LogisticRegression(max_iter=1000),
    "mlp": lambda y: MLPClassifier(random_state=0),
    "hgb": lambda y: HistGradientBoostingClassifier(random_state=0),
    "hgb-tuned": tuned,
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "catboost": catboost,
}


def fitted(way: str, data: Prepared) -> dict[str, Any]:
    """Return what a model reaches on the test rows after the rows of training and validation.

    Raises:
        ImportError: if its library is not installed.
    """
    x, y = np.concatenate([data.train.x, data.validation.x]), np.concatenate([data.train.y, data.validation.y])
    began, before = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations that did not suffice, and of classes with few rows
        model = OTHERS[way](y).fit(x, y)
        probabilities = np.asarray(model.predict_proba(data.test.x), dtype=np.float64)
    right = probabilities.argmax(axis=1) == data.test.y
    return {
        "accuracy": float(right.mean()),
        "log_loss": log_loss(probabilities, data.test.y),
        "ece": expected_calibration_error(probabilities.max(axis=1), right),
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - before,
    }
