"""What a babysat training switches on in TensorFlow for its whole process is off again for the other tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_op_determinism_after_these_tests() -> Iterator[None]:
    yield
    from tensorflow.python.framework import config

    config.disable_op_determinism()
