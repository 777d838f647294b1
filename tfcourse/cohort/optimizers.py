r"""SGD, RMSprop, Adam and AdamW as one update with nine coefficients a member.

.. math::
    m &\leftarrow m + (c_1 g - d_1 m) \\
    v &\leftarrow v + (c_2 g^2 - d_2 v) \\
    w &\leftarrow w - \lambda w - \frac{a\,m + b\,g}{\sqrt{v + e_1} + e_2}

so that members with different optimizers share a program. The averages are written as a step from the old value,
because 1 - β is known to full precision only when it is rounded from float64; where Keras multiplies by the rounded
β instead (RMSprop's ρ, SGD's momentum), d is 1 - float32(β), which is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfcourse.models.spec import OptimizerSpec

COEFFICIENTS = ("c1", "d1", "c2", "d2", "a", "b", "e1", "e2", "decay")


@dataclass(frozen=True)
class Optimizer:
    """A member's optimizer.

    Args:
        spec: its numbers in the course's terms.
        schedule: from steps, shape (n,), to learning rates α, shape (n,), float32; that of ``spec`` when left out.
        weight_decay: λ of the decoupled weight decay, per unit of learning rate.
        iterations: steps already taken.
    """

    spec: OptimizerSpec
    schedule: Callable[[NDArray[np.int64]], NDArray[np.float32]] | None = None
    weight_decay: float = 0.0
    iterations: int = 0

    @property
    def squares(self) -> bool:
        """Whether it keeps an average v of the gradient's squares."""
        return self.spec.name != "sgd"

    @classmethod
    def from_spec(cls, spec: OptimizerSpec) -> Optimizer:
        """Return the optimizer that ``build_optimizer(spec)`` is."""
        return cls(spec, weight_decay=spec.weight_decay if spec.name == "adamw" else 0.0)

    def rates(self, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the learning rates at ``steps``, counted from 0, in Keras's float32 arithmetic."""
        if self.schedule is not None:
            return self.schedule(steps)
        spec, one = self.spec, np.float32(1)
        epoch = np.floor(steps.astype(np.float32) / np.float32(spec.decay_steps))
        return np.float32(spec.learning_rate) / (one + np.float32(spec.decay_rate) * epoch)

    def coefficients(self, first: int, count: int) -> NDArray[np.float32]:
        """Return the coefficients of ``count`` steps from the ``first`` of this training on, shape (count, 9).

        >>> sgd = Optimizer.from_spec(OptimizerSpec("sgd", learning_rate=0.5))
        >>> dict(zip(COEFFICIENTS, sgd.coefficients(0, 1)[0].tolist()))["b"]
        0.5
        """
        spec = self.spec
        steps = np.arange(first, first + count, dtype=np.int64) + self.iterations
        rates = self.rates(steps)
        table: dict[str, Any] = dict.fromkeys(COEFFICIENTS, np.float32(0))
        if spec.name == "sgd":
            # The momentum holds -α g, so the step subtracts -m; without momentum it is α g itself.
            table |= {"e1": np.float32(1)}
            if spec.momentum:
                table |= {"c1": -rates, "d1": 1 - np.float32(spec.momentum)}
                table |= {"a": -np.float32(spec.momentum), "b": rates} if spec.nesterov else {"a": np.float32(-1)}
            else:
                table |= {"b": rates}
        elif spec.name == "rmsprop":
            table |= {"c2": np.float32(1 - spec.rho), "d2": 1 - np.float32(spec.rho)}
            table |= {"b": rates, "e1": np.float32(spec.epsilon)}
        else:
            power_1, power_2 = _powers(spec.beta_1, steps + 1), _powers(spec.beta_2, steps + 1)
            table |= dict.fromkeys(("c1", "d1"), np.float32(1 - spec.beta_1))
            table |= dict.fromkeys(("c2", "d2"), np.float32(1 - spec.beta_2))
            table |= {"a": rates * np.sqrt(1 - power_2) / (1 - power_1), "e2": np.float32(spec.epsilon)}
        table["decay"] = np.float32(self.weight_decay) * rates
        return np.stack([np.broadcast_to(table[name], (count,)) for name in COEFFICIENTS], axis=1).astype(np.float32)


def _powers(beta: float, steps: NDArray[np.int64]) -> NDArray[np.float32]:
    return (np.float64(np.float32(beta)) ** steps).astype(np.float32)


def resting(count: int) -> NDArray[np.float32]:
    """Return the coefficients of an empty place, shape (count, 9): nothing moves and nothing divides by zero."""
    return np.tile(np.array([name == "e1" for name in COEFFICIENTS], np.float32), (count, 1))


def update(
    weight: tf.Tensor, gradient: tf.Tensor, first: tf.Tensor, *second: tf.Tensor, coefficients: Sequence[tf.Tensor]
) -> tuple[tf.Tensor, ...]:
    """Return the new weight, m and v, each (k, i, o), from the nine ``coefficients``, each (k, 1, 1).

    Where every member has SGD there is no v: it stays 0, and the step is divided by √(0 + 1) + 0.
    """
    c1, d1, c2, d2, a, b, e1, e2, decay = coefficients
    first = first + (c1 * gradient - d1 * first)
    step = a * first + b * gradient
    if not second:
        return weight - weight * decay - step, first
    [v] = second
    v = v + (c2 * tf.square(gradient) - d2 * v)
    return weight - weight * decay - step / (tf.sqrt(v + e1) + e2), first, v
