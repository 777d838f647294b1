"""Whether a run's hyperparameters are still right on new data: training again, comparing, and a recommendation."""
