"""B7: the noise of batch norm. ``python scripts/slides/b7_minibatch_noise.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure

from tfcourse.equations import batch_norm

SLIDE = Slide(
    row="B7",
    title="Batch norm regularizes slightly",
    claim="Each minibatch's own μ and σ² add noise to z̃, the less the larger the minibatch: 64 → 512 means less noise.",
    criterion="The measured noise falls at every doubling from 16 to 512, and is within 2 % + 3/m of theory, which is "
    "of first order in 1/m, at each size m.",
)
SIZES = (16, 32, 64, 128, 256, 512)


def theory(z: np.ndarray, size: int) -> np.ndarray:
    r"""Return the variance of z_norm, shape of z (n, N), when z's companions are a random minibatch of the N examples.

    To first order in 1/m, by the delta method, with t = (z − μ)/σ, the skewness s and the kurtosis k of the unit:
    Var = (1/m) (1 + s t + t² (k − 1)/4) (N − m)/(N − 1); the last factor is that of drawing without replacement.
    """
    t = (z - z.mean(axis=1, keepdims=True)) / z.std(axis=1, keepdims=True)
    skewness, kurtosis = (np.mean(t**power, axis=1, keepdims=True) for power in (3, 4))
    count = z.shape[1]
    return (1 + skewness * t + t**2 * (kurtosis - 1) / 4) / size * (count - size) / (count - 1)


def measure(settings: Settings) -> Outcome:
    """Normalize all digits' z[1] with the μ and σ² of many random minibatches; compare the spread with theory."""
    data = digits()
    units, repeats = settings.pick((32, 400), (8, 60))
    rng = np.random.default_rng(settings.seed)
    z = rng.normal(0.0, 64**-0.5, (units, 64)) @ data.x.T
    measured, expected = [], []
    for size in SIZES:
        total, squares = np.zeros_like(z), np.zeros_like(z)
        for _ in range(repeats):
            mu, variance = batch_norm.statistics(z[:, rng.choice(z.shape[1], size, replace=False)])
            z_norm = batch_norm.predict(z, 1.0, 0.0, mu, variance, epsilon=1e-12)
            total += z_norm
            squares += z_norm**2
        variance_of_z_norm = (squares - total**2 / repeats) / (repeats - 1)
        measured.append(float(np.sqrt(variance_of_z_norm.mean())))
        expected.append(float(np.sqrt(theory(z, size).mean())))
    numbers = [
        Number(f"noise of z̃/γ, minibatch of {size}", m, f"theory {e:.4f}", ".4f")
        for size, m, e in zip(SIZES, measured, expected, strict=True)
    ]
    numbers.append(Number("noise of 64 over noise of 512", measured[2] / measured[5], "above 1", ".2f"))
    close = all(abs(m / e - 1) < 0.02 + 3 / size for size, m, e in zip(SIZES, measured, expected, strict=True))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(SIZES, expected, color=ORANGE, label="theory")
        axes.plot(SIZES, measured, "o", color=BLUE, label=f"measured, {repeats} minibatches of each size")
        axes.set(xscale="log", yscale="log", xlabel="minibatch size m", ylabel="standard deviation of z̃/γ")
        axes.set_xticks(SIZES, [str(size) for size in SIZES], minor=False)
        axes.set_yticks([0.05, 0.1, 0.2, 0.3], ["0.05", "0.1", "0.2", "0.3"])
        axes.minorticks_off()
        axes.set_title("Noise that the other examples of its minibatch give to one example, digits, first layer")
        axes.legend()

    return Outcome(numbers, bool((np.diff(measured) < 0).all() and close), draw)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
