"""What a search does unless told otherwise; numbers only, so that ``--help`` loads nothing."""

TRIALS = 64
ROUNDS = 2
SAMPLER = "random"
LEAST_TRIALS_TO_HALVE = 27
"""A round of fewer is not thinned unless asked: not even three of its trials would train to the end."""
FOLDS = {5000: 8, 50_001: 5, 200_001: 3}
"""Folds that the leaders are trained on, where there are fewer training and validation rows than the key; else 1."""
MOST_TRIALS = 100_000
"""Where a budget of time is given instead of a number of trials."""
NUMBERS = "auto"
