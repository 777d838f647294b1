import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from tfcourse.equations.input_normalization import normalize, statistics


def test_by_hand() -> None:
    mu, variance = statistics([[1.0, 2.0, 3.0, 6.0]])
    assert mu.tolist() == [[3.0]]
    assert variance.tolist() == [[3.5]]  # (4 + 1 + 0 + 9) / 4
    assert normalize([[3.0 + 3.5**0.5]], mu, variance) == pytest.approx(1.0)


def test_train_statistics_on_test_rows_as_keras_and_scikit_learn_do() -> None:
    rows = load_wine().data
    train, test = rows[:100], rows[100:]
    ours = normalize(test.T, *statistics(train.T)).T
    np.testing.assert_allclose(ours, StandardScaler().fit(train).transform(test), rtol=1e-9, atol=1e-12)
    layer = keras.layers.Normalization(axis=-1)
    layer.adapt(train)
    np.testing.assert_allclose(ours, layer(test), rtol=1e-3, atol=1e-4)  # float32 sums of features up to 1680


def test_a_constant_feature_becomes_zero() -> None:
    x = [[7.0, 7.0, 7.0], [1.0, 2.0, 3.0]]
    assert normalize(x, *statistics(x))[0].tolist() == [0.0, 0.0, 0.0]
    assert normalize([[9.0], [2.0]], *statistics(x)).ravel().tolist() == [2.0, 0.0]


@given(arrays(np.float64, (3, 20), elements={"min_value": -1e3, "max_value": 1e3}))
def test_mean_zero_and_variance_one(x: np.ndarray) -> None:
    mu, variance = statistics(x)
    normal = normalize(x, mu, variance)
    moving = (variance > 1e-6).ravel()
    np.testing.assert_allclose(normal.mean(axis=1)[moving], 0.0, atol=1e-9)
    np.testing.assert_allclose(normal.var(axis=1)[moving], 1.0, rtol=1e-9)
