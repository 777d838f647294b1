"""What a babysat training switches on in TensorFlow for its whole process is off again for the other tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def off_again(no_op_determinism_after_these_tests: None) -> None:
    pass
