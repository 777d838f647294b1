"""The run of ``python -m tfcourse.train`` in people's own code: a scikit-learn classifier."""

from tfcourse.estimator.tuned_classifier import TunedClassifier

__all__ = ["TunedClassifier"]
