"""KerasTuner's public face: a tuner that trains its trials in cohorts, for any hypermodel and any oracle."""
