"""From a spec to a Keras model: Dense → BatchNormalization → activation blocks under a softmax head.

Only ``keras`` is imported, so the builders run on its TensorFlow, JAX and PyTorch backends.
"""

from __future__ import annotations

import keras

from tfcourse.models.spec import NetworkSpec, OptimizerSpec


def build_mlp(spec: NetworkSpec, optimizer: OptimizerSpec | None = None, *, seed: int | None = None) -> keras.Model:
    """Return the compiled network of ``spec``; it takes (m, inputs) and gives (m, classes) logits.

    Each hidden layer is Dense without bias → BatchNormalization → activation (slides B2-B4), then dropout.
    The head gives logits, because cross-entropy is computed from logits and never from a rounded softmax
    (C5); :func:`with_softmax` puts the softmax on after training.

    Args:
        spec: the network.
        optimizer: its optimizer; Keras's way of Adam at 1e-3 when left out.
        seed: makes the initial weights and the dropout masks reproducible, whatever was drawn before.

    >>> model = build_mlp(NetworkSpec(inputs=4, classes=3, units=(8, 8)))
    >>> [layer.name for layer in model.layers][1:5]
    ['dense_1', 'batch_norm_1', 'activation_1', 'dense_2']
    >>> model.output_shape
    (None, 3)
    """
    inputs = keras.Input((spec.inputs,), name="features")
    a = inputs
    regularizer = keras.regularizers.L2(spec.l2) if spec.l2 else None
    for index, units in enumerate(spec.units, start=1):
        a = keras.layers.Dense(
            units,
            use_bias=not spec.batch_norm,
            kernel_initializer=keras.initializers.GlorotUniform(layer_seed(seed, 2 * index)),
            kernel_regularizer=regularizer,
            name=f"dense_{index}",
        )(a)
        normalize = keras.layers.BatchNormalization(
            momentum=spec.batch_norm_momentum, epsilon=spec.batch_norm_epsilon, name=f"batch_norm_{index}"
        )
        if spec.batch_norm and spec.normalize == "before":
            a = normalize(a)
        a = keras.layers.Activation(spec.activation, name=f"activation_{index}")(a)
        if spec.batch_norm and spec.normalize == "after":
            a = normalize(a)
        if spec.dropout:
            a = keras.layers.Dropout(spec.dropout, seed=layer_seed(seed, 2 * index + 1), name=f"dropout_{index}")(a)
    logits = keras.layers.Dense(
        spec.classes,
        kernel_initializer=keras.initializers.GlorotUniform(layer_seed(seed, 0)),
        kernel_regularizer=regularizer,
        name="logits",
    )(a)
    model = keras.Model(inputs, logits, name="mlp" if spec.units else "softmax_regression")
    model.compile(
        optimizer=build_optimizer(optimizer or OptimizerSpec()),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    return model


def layer_seed(seed: int | None, index: int) -> int | None:
    """Return the seed of one random part: index 0 is the head, 2l the kernel of layer l, 2l + 1 its dropout."""
    return None if seed is None else (seed * 1_000_003 + index) % 2**31


def build_softmax_regression(
    inputs: int, classes: int, optimizer: OptimizerSpec | None = None, *, seed: int | None = None
) -> keras.Model:
    """Return softmax regression: a network without hidden layers, linear between any two classes (C2).

    >>> build_softmax_regression(4, 3).count_params()
    15
    """
    return build_mlp(NetworkSpec(inputs, classes), optimizer, seed=seed)


def build_optimizer(spec: OptimizerSpec) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer of ``spec``, its learning rate decayed once an epoch when asked.

    >>> build_optimizer(OptimizerSpec("sgd", learning_rate=0.1, momentum=0.9)).momentum
    0.9
    """
    rate: float | keras.optimizers.schedules.LearningRateSchedule = spec.learning_rate
    if spec.decay_rate:
        rate = keras.optimizers.schedules.InverseTimeDecay(
            spec.learning_rate, decay_steps=spec.decay_steps, decay_rate=spec.decay_rate, staircase=True
        )
    if spec.name == "sgd":
        return keras.optimizers.SGD(rate, momentum=spec.momentum, nesterov=spec.nesterov)
    if spec.name == "rmsprop":
        return keras.optimizers.RMSprop(rate, rho=spec.rho, epsilon=spec.epsilon)
    betas = {"beta_1": spec.beta_1, "beta_2": spec.beta_2, "epsilon": spec.epsilon}
    if spec.name == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=spec.weight_decay, **betas)
    return keras.optimizers.Adam(rate, **betas)


def with_softmax(model: keras.Model) -> keras.Model:
    """Return ``model`` with a softmax on its logits: (m, classes) probabilities; the weights are shared, not copied.

    >>> import numpy as np
    >>> model = with_softmax(build_softmax_regression(4, 3))
    >>> bool(np.allclose(model.predict(np.ones((2, 4)), verbose=0).sum(axis=1), 1.0))
    True
    """
    probabilities = keras.layers.Softmax(name="probabilities")(model.output)
    return keras.Model(model.inputs, probabilities, name=f"{model.name}_probabilities")
