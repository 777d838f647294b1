"""Models and weights as the bytes of their files, made in memory: on a full disk HDF5 may end the whole process.

HDF5 keeps a file that it cannot write and tries again when it is closed, or at the process's end, where it crashes.
Bytes are written by Python, which raises an OSError. It takes the memory of the file once, of a model twice for a
moment, beside a network whose training took four times the weights.
"""

from __future__ import annotations

import io

import keras
from keras.src.saving import saving_lib


class _Content(io.BytesIO):
    """A file in memory under a name, at whose end Keras looks to know what to write."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __str__(self) -> str:
        return self.name


def model_content(model: keras.Model) -> memoryview:
    """Return the content of the ``.keras`` file of a model.

    >>> import zipfile
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> sorted(zipfile.ZipFile(io.BytesIO(model_content(model))).namelist())
    ['config.json', 'metadata.json', 'model.weights.h5']
    """
    content = io.BytesIO()
    saving_lib.save_model(model, content)
    return content.getbuffer()


def weights_content(model: keras.Model) -> memoryview:
    """Return the content of the ``.weights.h5`` file of a model's weights.

    >>> bytes(weights_content(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]))[1:4])
    b'HDF'
    """
    content = _Content("model.weights.h5")
    model.save_weights(content)
    return content.getbuffer()
