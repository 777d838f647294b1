"""Tune batch-norm + softmax classifiers by random search on the right scales."""

from __future__ import annotations

__version__ = "0.1.0"
