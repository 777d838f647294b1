"""Keras as this package trains by it: on TensorFlow, in float32, channels last, whatever ``keras.json`` says.

A command has Keras to itself and sets it so; in a program of somebody's own Keras is left as it is, and refused where
the results would be others.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable

from tfcourse.errors import UserError

BACKEND = "tensorflow"
SETTINGS = {
    "floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last",
    "max_epochs": None, "max_steps_per_epoch": None,
}  # fmt: skip
OTHERS_VARIABLES = ("KERASTUNER_", "KERAS_MAX_", "KERAS_NNX_")
"""How variables begin that are for one's own programs: limits to try them out, KerasTuner's chief and workers."""


class KerasError(UserError):
    """Keras or KerasTuner cannot be used as it is set; nothing has been done."""


def start_keras() -> None:
    """Import Keras for a command, with the settings that this package trains by.

    Raises:
        KerasError: if Keras cannot read its own settings, or a program has imported it before with other ones.

    >>> start_keras()
    """
    if "keras" in sys.modules:
        if other := other_setting():
            raise KerasError(other)
        return
    os.environ["KERAS_BACKEND"] = BACKEND
    for name in [name for name in os.environ if name.startswith(OTHERS_VARIABLES)]:
        del os.environ[name]
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        import keras
    except (ValueError, AttributeError, OSError) as error:
        file = os.path.join(home, "keras.json")
        if not os.path.exists(file):
            raise
        raise KerasError(
            f"Keras cannot read its settings in {file!r} ({str(error).splitlines()[0]}). Mend that file or remove it."
        ) from None
    for name, value in SETTINGS.items():
        getattr(keras.config, f"set_{name}")(value)
    if _is_a_command():  # in somebody's own program what is there by now may be theirs
        gc.freeze()  # what was imported stays; each full collection took a quarter of a second to look through it


def _is_a_command() -> bool:
    """Say whether this process was started as ``python -m tfcourse.…``."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec is not None and spec.name.startswith("tfcourse.")


def other_setting(names: Iterable[str] = SETTINGS) -> str:
    """Return which setting of Keras is another than this package trains by, and what to do; empty if none is.

    Args:
        names: those of :data:`SETTINGS` that count, besides the backend.

    >>> other_setting()
    ''
    """
    import keras

    if (backend := keras.config.backend()) != BACKEND:
        return f"Keras's backend is {backend}; set KERAS_BACKEND={BACKEND} before Keras is imported."
    for name in names:
        if (found := getattr(keras.config, name)()) != SETTINGS[name]:
            wanted = SETTINGS[name]
            return f"Keras's {name} is {found!r}, but must be {wanted!r}: call keras.config.set_{name}({wanted!r})."
    if "floatx" in names and (policy := keras.config.dtype_policy().name) != SETTINGS["floatx"]:
        return f"Keras's dtype policy is {policy!r}; call keras.config.set_dtype_policy({SETTINGS['floatx']!r})."
    return ""
