"""The real data of the scripts: scikit-learn's bundled sets, split once and for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.model_selection import train_test_split


@dataclass(frozen=True)
class Split:
    """Training and test examples as rows, x of shape (m, n) in float32, y of shape (m,)."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]


def split(x: NDArray[np.float64], y: NDArray[np.int64], test: int) -> Split:
    """Return a split that keeps the classes' shares, always the same."""
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=test, stratify=y, random_state=0)
    return Split(x_train.astype("float32"), y_train, x_test.astype("float32"), y_test)


def digits(test: int = 597) -> Split:
    """Return the 1797 handwritten digits, 8 × 8 pixels scaled to [0, 1]: 1200 to train on unless told otherwise."""
    images = datasets.load_digits()
    return split(images.data / 16.0, images.target, test)


def wine(test: int = 58) -> Split:
    """Return the 178 wines: 13 features whose ranges go from 0.1 to 1680, three classes."""
    wines = datasets.load_wine()
    return split(wines.data, wines.target, test)


def breast_cancer(test: int = 169) -> Split:
    """Return the 569 tumours, standardized with the training examples' statistics: 30 features, two classes."""
    tumours = datasets.load_breast_cancer()
    raw = split(tumours.data, tumours.target, test)
    mu, sigma = raw.x.mean(axis=0), raw.x.std(axis=0)
    return Split((raw.x - mu) / sigma, raw.y, (raw.x_test - mu) / sigma, raw.y_test)


def coloured(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the white-on-black digits x (m, 64) as fainter ink on grey paper, every image its own shades."""
    paper, ink = rng.uniform(0.2, 0.6, (len(x), 1)), rng.uniform(0.3, 0.4, (len(x), 1))
    return (paper + ink * x).astype("float32")
