"""scikit-learn's own checks of a classifier."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.utils.estimator_checks import parametrize_with_checks

from tfcourse import TunedClassifier

SPLIT_BY_ROWS = (
    "which rows train, which validate and which are kept for the test is drawn by row, so that a row of weight 2 is in"
    " one part and two equal rows draw minibatches otherwise: no model that holds rows back can be the same"
)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": SPLIT_BY_ROWS,
    "check_sample_weight_equivalence_on_sparse_data": SPLIT_BY_ROWS,
}


@parametrize_with_checks(
    [TunedClassifier(trials=2, epochs=10, folds=1)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learns_checks(estimator: TunedClassifier, check: Callable[[TunedClassifier], None]) -> None:
    check(estimator)
