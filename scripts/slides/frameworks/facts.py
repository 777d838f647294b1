"""The course's list of frameworks and JAX, as of November 2026: alive or not, what followed, licence, governance."""

from __future__ import annotations

from typing import NamedTuple


class Framework(NamedTuple):
    """One framework: its Python module (empty for none), whether it lives, since when not, and who is behind it."""

    name: str
    module: str
    alive: bool
    state: str
    followed_by: str
    licence: str
    governed_by: str


FACTS = (
    Framework("Caffe", "caffe", False, "last release 1.0 in 2017", "Caffe2", "BSD-2-Clause", "Berkeley (BAIR)"),
    Framework("Caffe2", "caffe2", False, "merged into PyTorch in 2018", "PyTorch", "Apache-2.0", "Facebook"),
    Framework("CNTK", "cntk", False, "ended with 2.7 in 2019", "ONNX Runtime", "MIT", "Microsoft"),
    Framework(
        "DL4J", "", False, "no release since 1.0.0-M2.1 in 2022", "nothing yet", "Apache-2.0", "Eclipse Foundation"
    ),
    Framework("Keras", "keras", True, "alive: 3.15 in July 2026", "", "Apache-2.0", "Google and community"),
    Framework("Lasagne", "lasagne", False, "last release 0.1 in 2015", "Keras", "MIT", "its volunteers"),
    Framework(
        "MXNet", "mxnet", False, "retired in 2023; 1.9.1 in 2022", "PyTorch, JAX", "Apache-2.0", "Apache Foundation"
    ),
    Framework("PaddlePaddle", "paddle", True, "alive: 3.3 in March 2026", "", "Apache-2.0", "Baidu"),
    Framework("TensorFlow", "tensorflow", True, "alive: 2.21 in March 2026", "", "Apache-2.0", "Google"),
    Framework(
        "Theano", "theano", False, "ended with 1.0 in 2017", "Aesara, PyTensor", "BSD-3-Clause", "Mila, Montréal"
    ),
    Framework("Torch (Lua)", "", False, "dormant since 2017", "PyTorch", "BSD-3-Clause", "its authors"),
    Framework("PyTorch", "torch", True, "alive: 2.15 in October 2026", "", "BSD-3-Clause", "Linux Foundation"),
    Framework("JAX", "jax", True, "alive: 0.12 in October 2026", "", "Apache-2.0", "Google"),
)
