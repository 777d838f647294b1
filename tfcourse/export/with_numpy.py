"""Class probabilities of raw columns by NumPy alone; ``python -m tfcourse.export`` put this file beside its model.

model = load("model.npz")
probabilities(model, {"weight": [4.2, nan], "colour": ["black", ""]})   # shape (rows, classes), as in model["classes"]
"""

import json
import math
import re
from typing import Any

import numpy as np

PLAIN = (
    "add subtract multiply divide mod floor sqrt exp sin cos tanh negative maximum clip where isnan equal not_equal"
    " less less_equal greater greater_equal logical_and logical_or logical_not any all sum max cumsum take pad matmul"
    " reshape transpose expand_dims"
)
OPERATIONS: dict[str, Any] = {name: getattr(np, name) for name in PLAIN.split()} | {
    "astype": lambda x, dtype: x.astype(dtype),
    "concatenate": lambda *parts, axis: np.concatenate(parts, axis),
    "slice": lambda x, bounds: x[tuple(slice(*pair) for pair in bounds)],
    "erf": np.vectorize(math.erf, [np.float32]),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softmax": lambda x, axis: np.exp(OPERATIONS["log_softmax"](x, axis)),
    "log_softmax": lambda x, axis: x - OPERATIONS["logsumexp"](x, axis, True),
    "logsumexp": lambda x, axis, keepdims: (
        np.log(np.sum(np.exp(x - x.max(axis, keepdims=True)), axis, keepdims=keepdims)) + x.max(axis, keepdims=keepdims)
    ),
    "lookup": lambda x, words: np.vectorize({w: i for i, w in enumerate(words, 1)}.get, [np.int64])(x, 0),
    "characters": lambda x, known, length: np.array(
        [([known.find(c) + 2 for c in text] + [0] * length)[:length] for text in x.ravel().tolist()]
    ),
    "matches": lambda x, patterns: np.array([[re.fullmatch(p, text) is not None for p in patterns] for text in x.flat]),
}


def load(path: Any) -> Any:
    """Return the model in a file."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def probabilities(model: Any, columns: Any) -> Any:
    """Return the classes' probabilities by columns: numbers, NaN where missing, and texts, empty where missing.

    A column that was read from a spelling, such as 102,61 or 5 kg, takes that text; what is none is a TypeError.
    """
    program, values = json.loads(str(model["program"])), dict(model)
    for name, column, dtype, shape in program["inputs"]:
        if dtype == "str" and not all(isinstance(each, str) for each in np.ravel(columns[column]).tolist()):
            raise TypeError(f"{column!r} takes texts as they stand in the file that the model was trained on.")
        values[name] = np.array(columns[column], dtype).reshape(-1, *shape)
    with np.errstate(all="ignore"):
        for result, operation, operands, settings in program["steps"]:
            values[result] = OPERATIONS[operation](*(values[name] for name in operands), **settings)
    return values[program["output"]]
