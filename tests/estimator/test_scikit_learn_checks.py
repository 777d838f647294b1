"""scikit-learn's own checks of a classifier."""

from __future__ import annotations

from collections.abc import Callable

from sklearn.utils.estimator_checks import parametrize_with_checks

from tfcourse import TunedClassifier

SPLIT_BY_ROWS = (
    "which rows train, which validate and which are kept for the test is drawn by row, so that a row of weight 2 is in"
    " one part and two equal rows draw minibatches otherwise: no model that holds rows back can be the same"
)
TWO_DIFFERENT_ROWS = (
    "each class has 8 rows of which 2 differ; equal rows stay in one part, so that a class needs three different ones:"
    " one to train, one to validate and one for the test. What is missing is said, with what to do"
)
EXPECTED = {
    "check_sample_weights_shape": TWO_DIFFERENT_ROWS,
    "check_sample_weights_not_overwritten": TWO_DIFFERENT_ROWS,
    "check_sample_weight_equivalence_on_dense_data": SPLIT_BY_ROWS,
    "check_sample_weight_equivalence_on_sparse_data": SPLIT_BY_ROWS,
}


@parametrize_with_checks(
    [TunedClassifier(trials=2, epochs=10, folds=1)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learns_checks(estimator: TunedClassifier, check: Callable[[TunedClassifier], None]) -> None:
    check(estimator)
