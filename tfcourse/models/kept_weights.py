"""Weights of a network as plain arrays in a file (``best_epoch.npz``), put back into it."""

from __future__ import annotations

from pathlib import Path

import keras

from tfcourse.errors import UserError
from tfcourse.files.arrays import read_arrays


def set_kept_weights(model: keras.Model, path: Path) -> None:
    """Set the weights of ``model`` to the arrays of ``path``, in their order.

    Raises:
        UserError: if the file is not there, is damaged, or holds another network's weights.
    """
    try:
        weights = list(read_arrays(path).values())
        model.set_weights(weights)
    except FileNotFoundError:
        raise UserError(f"The weights {str(path)!r} are not there. Restore them from a copy.") from None
    except (ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise UserError(f"{str(path)!r} is damaged ({reason}). Restore it from a copy.") from None
