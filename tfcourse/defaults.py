"""What a search does unless told otherwise; numbers only, so that ``--help`` loads nothing."""

TRIALS = 32
ROUNDS = 2
SAMPLER = "random"
MOST_TRIALS = 100_000
"""Where a budget of time is given instead of a number of trials."""
