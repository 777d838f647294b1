"""Stacked networks give what each gives by itself: batch normalization is in the kernels, the average is exact."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy.special import softmax

from tfcourse.models.builders import build_mlp, with_softmax
from tfcourse.models.ensemble import with_temperature
from tfcourse.models.model_config import NotOursError, _weights
from tfcourse.models.spec import NetworkSpec
from tfcourse.models.stacked import EACH_BY_ITS_OWN, folded_layers, logits_model, stacked, weighted_average
from tfcourse.space.names import ACTIVATIONS

X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)


def trained(network: NetworkSpec, seed: int) -> keras.Model:
    """Return a network whose statistics and vectors are not those of the beginning."""
    model = build_mlp(network, seed=seed)
    random = np.random.default_rng([seed, 1])
    weights = []
    for variable in model.weights:
        value = np.asarray(variable)
        weights.append(
            value * random.uniform(0.5, 2, value.shape)
            if "variance" in variable.name
            else value + random.normal(0, 0.2, value.shape)
        )
    model.set_weights(weights)
    return model


def networks(network: NetworkSpec, count: int = 3) -> list[keras.Model]:
    return [trained(network, seed) for seed in range(count)]


SPECS = [
    NetworkSpec(5, 3, (8, 6), normalize="before"),
    NetworkSpec(5, 3, (8, 6, 4), "tanh", normalize="after"),
    NetworkSpec(5, 3, (7,), "elu", batch_norm=False, dropout=0.3),
    NetworkSpec(5, 3, (7, 9), batch_norm_epsilon=0.5, l2=0.1),
    NetworkSpec(5, 3),
    *(NetworkSpec(5, 3, (6, 6), activation, normalize="after") for activation in ACTIVATIONS),
]


@pytest.mark.parametrize("network", SPECS, ids=lambda network: f"{network.units}-{network.activation}")
def test_a_stack_gives_the_logits_of_each_of_its_networks(network: NetworkSpec) -> None:
    models = networks(network)
    logits = logits_model(stacked(network, [model.get_weights() for model in models])).predict(X, verbose=0)
    assert logits.shape == (40, 3, 3)
    for place, model in enumerate(models):
        np.testing.assert_allclose(logits[:, place], model.predict(X, verbose=0), rtol=1e-5, atol=1e-5)


def test_batch_normalization_is_folded_by_its_formula() -> None:
    kernel, head = np.array([[2.0], [3.0]]), np.array([[1.0, -1.0]])
    gamma, beta, mean, variance, bias = (np.array([value]) for value in (4.0, 0.5, 1.0, 2.999, 0.25))
    weights = [kernel, gamma, beta, mean, variance, head, np.repeat(bias, 2)]
    before = folded_layers(NetworkSpec(2, 2, (1,)), weights)
    factor = 4 / np.sqrt(3)  # γ / √(σ² + ε), ε = 0.001
    np.testing.assert_allclose(before[0][0], kernel * factor, rtol=1e-15)
    np.testing.assert_allclose(before[0][1], [0.5 - factor], rtol=1e-15)
    after = folded_layers(NetworkSpec(2, 2, (1,), normalize="after"), weights)
    np.testing.assert_array_equal(after[0][0], kernel)
    np.testing.assert_allclose(after[1][0], head * factor, rtol=1e-15)
    np.testing.assert_allclose(after[1][1], 0.25 + (0.5 - factor) * head[0], rtol=1e-15)


@pytest.mark.parametrize("which", [slice(0, 1), slice(0, 4), slice(0, 5)])
def test_the_average_is_the_weighted_mean_of_the_probabilities(which: slice) -> None:
    specs = SPECS[which]
    weights = np.arange(1, len(specs) + 1) / sum(range(1, len(specs) + 1))
    models = [networks(network, 2 + place) for place, network in enumerate(specs)]
    stacks = [stacked(spec, [m.get_weights() for m in each]) for spec, each in zip(specs, models, strict=True)]
    each = [np.mean([softmax(m.predict(X, verbose=0).astype(float), axis=1) for m in some], axis=0) for some in models]
    expected = np.tensordot(weights, each, 1)
    model = weighted_average(stacks, weights.tolist())
    np.testing.assert_allclose(with_softmax(model).predict(X, verbose=0), expected, atol=1e-5)
    cold = softmax(np.log(expected) / 0.5, axis=1)
    found = with_softmax(with_temperature(model, 0.5)).predict(X, verbose=0)
    np.testing.assert_allclose(found, cold, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "shape", "words"),
    [
        ({"equation": "bki,kio->bio"}, [None, 2, 4], "of another equation"),
        ({"bias_axes": None}, [None, 2, 4], "of another equation"),
        ({"output_shape": [2, 2**40, 1]}, [None, 2, 4], "of no size"),
        ({"output_shape": [3, 5]}, [None, 2, 4], "of no size"),
        ({"output_shape": [2, -5]}, [None, 2, 4], "of no size"),
        ({}, [None, 4], "of no size"),
    ],
)
def test_a_stacked_layer_of_a_file_is_of_the_size_that_its_weights_explain(
    changes: dict[str, object], shape: list[int | None], words: str
) -> None:
    name, config = "keras.layers.EinsumDense", {"equation": EACH_BY_ITS_OWN, "bias_axes": "ko", "output_shape": [2, 5]}
    assert _weights(name, config, [None, 2, 4]) == 2 * 4 * 5 + 2 * 5
    with pytest.raises(NotOursError, match=words):
        _weights(name, {**config, **changes}, shape)
