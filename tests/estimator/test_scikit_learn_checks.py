"""scikit-learn's own checks of a classifier."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.utils.estimator_checks import parametrize_with_checks

from tfcourse import TunedClassifier


@parametrize_with_checks([TunedClassifier(trials=2, epochs=10, folds=1)])
def test_scikit_learns_checks(estimator: TunedClassifier, check: Callable[[TunedClassifier], None]) -> None:
    check(estimator)
