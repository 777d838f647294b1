"""The examples as the engine holds them: on the device once, with one weight each, and the order of the minibatches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.cohort.member import InputLayers
from tfcourse.cohort.refusal import NotFusableError
from tfcourse.data.minibatches import minibatch_order
from tfcourse.errors import UserError


class Examples:
    """Features, labels and weights of the training or the validation examples.

    Args:
        x: features, shape (m, ...).
        y: class numbers (m,) or (m, 1), or rows of probabilities (m, C).
        sample_weight: weight of each example, shape (m,); 1 when left out.
        class_weight: weight of each class by its number; 1 for a class it does not name.

    Raises:
        UserError: if the shapes do not fit, or both weights are given (as in ``Model.fit``).
        NotFusableError: if x or y is no array, or rows of y do not sum to 1.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self.x, y = np.asarray(x), np.asarray(y)
        if not (self.x.ndim and y.ndim):
            kinds = f"{type(x).__name__} and {type(y).__name__}"
            raise NotFusableError(f"a cohort needs x and y as arrays of one row an example, and got {kinds}.")
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if len(self.x) != len(y) or not len(y):
            raise UserError(f"x and y must have the same number of examples, at least 1; got {len(self.x)}, {len(y)}.")
        if y.ndim > 2:
            raise UserError(f"y must be class numbers (m,) or probabilities (m, C), but has shape {y.shape}.")
        self.sparse = y.ndim == 1
        if self.sparse and np.issubdtype(y.dtype, np.floating) and not np.array_equal(y, np.round(y)):
            raise UserError(f"Class numbers must be whole, but y holds {y[y != np.round(y)][0]}.")
        self.y: NDArray[Any] = np.ascontiguousarray(y, np.int32 if self.sparse else np.float32)
        if not self.sparse and not np.allclose(self.y.sum(axis=1), 1.0, atol=1e-5):
            raise NotFusableError(
                "a cohort needs rows of y that are probabilities and sum to 1, as keras.utils.to_categorical gives."
            )
        if class_weight is not None and sample_weight is not None:
            raise UserError("Give class_weight or sample_weight, not both (as in Model.fit).")
        if class_weight is not None:
            labels = self.y if self.sparse else self.y.argmax(axis=1)
            sample_weight = [class_weight.get(int(label), 1.0) for label in labels]
        self.weights = np.ones(len(y), np.float32)
        if sample_weight is not None:
            self.weights = np.ascontiguousarray(sample_weight, np.float32).reshape(-1)
            if len(self.weights) != len(y):
                raise UserError(f"sample_weight must have one weight an example, but has {len(self.weights)}.")
        self._tensors: dict[tuple[object, ...], tuple[tf.Tensor, ...]] = {}

    @property
    def rows(self) -> int:
        """Number of examples."""
        return len(self.y)

    def check_labels(self, classes: int, sparse: bool) -> None:
        """Raise UserError if a label is none of ``classes`` classes, or not of the kind that the loss takes."""
        if self.sparse != sparse:
            kinds = ("rows of probabilities", "class numbers")
            raise UserError(
                f"The loss takes {kinds[sparse]}, but y holds {kinds[self.sparse]}: compile with "
                f"{'sparse_' * self.sparse}categorical_crossentropy, or convert y."
            )
        if not self.sparse and self.y.shape[1] != classes:
            raise UserError(f"y has {self.y.shape[1]} columns, but the network has {classes} classes.")
        if self.sparse and not (self.y.min() >= 0 and self.y.max() < classes):
            raise UserError(
                f"Labels must be from 0 to {classes - 1}, but y holds {self.y.min()} to {self.y.max()}. "
                "Number the classes from 0, or give the network as many classes as there are."
            )

    def check_features(self, inputs: int, layers: InputLayers) -> None:
        """Raise UserError if, after ``layers``, there are not ``inputs`` features."""
        if (found := int(self.tensors(layers)[0].shape[1])) != inputs:
            raise UserError(f"x has {found} features, but the network takes {inputs}.")

    def tensors(self, layers: InputLayers) -> tuple[tf.Tensor, ...]:
        """Return features after ``layers`` (m, n), labels and weights as tensors, made once for each kind of input."""
        if layers.key not in self._tensors:
            features = layers.apply(self.x)
            if features.ndim != 2:
                raise UserError(
                    f"x must have shape (m, features), but has {features.shape}; put a Flatten layer first or reshape."
                )
            self._tensors[layers.key] = (tf.constant(features), tf.constant(self.y), tf.constant(self.weights))
        return self._tensors[layers.key]


def order_of_epoch(seed: int, epoch: int, rows: int, batch_size: int, shuffle: bool) -> NDArray[np.int32]:
    """Return the rows of each minibatch, shape (steps, B); a short last minibatch is filled up with row 0.

    >>> order_of_epoch(seed=0, epoch=0, rows=5, batch_size=3, shuffle=False).tolist()
    [[0, 1, 2], [3, 4, 0]]
    """
    order = minibatch_order(seed, epoch, rows) if shuffle else np.arange(rows)
    steps = -(-rows // batch_size)
    filled = np.zeros(steps * batch_size, np.int32)
    filled[:rows] = order
    return filled.reshape(steps, batch_size)
