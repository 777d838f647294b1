"""B2: the equations of batch norm. ``python scripts/slides/b2_batch_norm_equations.py``"""

from __future__ import annotations

import sys
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide, plot_agreement
from material import digits
from matplotlib.figure import Figure

from tfcourse.equations import batch_norm

SLIDE = Slide(
    row="B2",
    title="Batch norm of z",
    claim="z_norm = (z − μ)/√(σ² + ε), z̃ = γ z_norm + β; with γ = √(σ² + ε) and β = μ it is the identity.",
    criterion="Against Keras in float32, z̃ and the gradients dz, dγ, dβ differ by at most 1e-5 of their largest value; "
    "the identity case returns z to 1e-12 of it.",
)


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference, as a part of the largest value."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def measure(settings: Settings) -> Outcome:
    """Run z[1] of a minibatch of digits through the equations and through Keras, forward and backward."""
    rng = np.random.default_rng(settings.seed)
    x = digits().x[: settings.pick(256, 32)].T
    units = settings.pick(64, 8)
    z = rng.normal(0.0, 64**-0.5, (units, 64)) @ x + rng.normal(0.0, 1.0, (units, 1))
    gamma, beta = rng.normal(1.0, 0.3, (units, 1)), rng.normal(0.0, 1.0, (units, 1))
    dz_tilde = rng.normal(0.0, 1.0, z.shape)

    layer = keras.layers.BatchNormalization(epsilon=batch_norm.EPSILON)
    layer.build((None, units))
    layer.gamma.assign(gamma.ravel())
    layer.beta.assign(beta.ravel())
    keras_z = tf.constant(z.T, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(keras_z)
        keras_z_tilde = layer(keras_z, training=True)
        J = tf.reduce_sum(keras_z_tilde * tf.constant(dz_tilde.T, tf.float32))
    gradients = tape.gradient(J, [keras_z, layer.gamma.value, layer.beta.value])
    theirs = dict(zip(("dz", "dγ", "dβ"), (g.numpy().T.reshape(units, -1) for g in gradients), strict=True))
    theirs["z̃"] = keras_z_tilde.numpy().T

    z_tilde, cache = batch_norm.forward(z, gamma, beta)
    ours = dict(zip(("dz", "dγ", "dβ"), batch_norm.backward(dz_tilde, cache), strict=True)) | {"z̃": z_tilde}
    errors = {name: relative(ours[name], theirs[name]) for name in ("z̃", "dz", "dγ", "dβ")}
    identity, _ = batch_norm.forward(z, *batch_norm.identity_parameters(z))
    identity_error = relative(identity, z)
    numbers = [Number(f"{name}: largest difference from Keras", errors[name], "≤ 1e-5", ".1e") for name in errors]
    numbers.append(Number("identity case: largest difference from z", identity_error, "≤ 1e-12", ".1e"))
    for name, values in (("z before", z), ("z_norm", cache.z_norm)):
        spread = f"{values.mean(axis=1).min():.2f}…{values.mean(axis=1).max():.2f}"
        deviations = f"{values.std(axis=1).min():.2f}…{values.std(axis=1).max():.2f}"
        numbers.append(Number(f"{name}: means; deviations of the units", f"{spread}; {deviations}"))

    def draw(figure: Figure) -> None:
        for axes, name, colour in zip(figure.subplots(1, 2), ("z̃", "dz"), (BLUE, ORANGE), strict=True):
            plot_agreement(axes, theirs[name].ravel()[:3000], ours[name].ravel()[:3000], colour)
            axes.set(xlabel=f"{name} by Keras", ylabel=f"{name} by the equations")
            axes.set_title(f"{name}: differs by {errors[name]:.0e}")

    return Outcome(numbers, max(errors.values()) <= 1e-5 and identity_error <= 1e-12, draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
