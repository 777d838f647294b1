"""The verdict: what a search may claim, computed from its trials by pure functions and said in plain sentences."""
