"""A3: coarse to fine. ``python scripts/slides/a3_coarse_to_fine.py``"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from frame import BLUE, GREY, ORANGE, Number, Outcome, Settings, Slide
from material import digits
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from probing import final_losses

from tfcourse.equations import scales
from tfcourse.models.spec import NetworkSpec, OptimizerSpec

SLIDE = Slide(
    row="A3",
    title="Coarse to fine",
    claim="Zoom into the region of the good points and sample it more densely.",
    criterion="A point of the second round is more than twice as often good (a loss within 1.5 times the best of all) "
    "as one of the first, and the second round's median loss is lower in nine repeats of ten.",
    size=(9.0, 4.2),
)


def values(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return α in 1e-4…1 (log scale) and β in 0.9…0.999 (log scale of 1 − β) of points p (..., 2) in [0, 1]."""
    return scales.log_from_unit(p[..., 0], 1e-4, 1.0), scales.one_minus_log_from_unit(p[..., 1], 0.9, 0.999)


def losses(p: np.ndarray, epochs: int) -> np.ndarray:
    """Train a network with momentum for each p (repeats, n, 2); return the losses (repeats, n)."""
    members = [
        (NetworkSpec(64, 10, (32,)), OptimizerSpec("sgd", learning_rate=alpha, momentum=beta), repeat)
        for repeat, row in enumerate(np.stack(values(p), axis=-1).tolist())
        for alpha, beta in row
    ]
    return final_losses(members, digits(), epochs).reshape(p.shape[:2])


def zoom(p: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return the box (2, 2), low and high corner, that holds the best fifth of the points p (n, 2)."""
    best = p[np.argsort(loss)[: max(3, len(p) // 5)]]
    return np.stack([best.min(axis=0), best.max(axis=0)])


def measure(settings: Settings) -> Outcome:
    """Search in two rounds, and in one with as many points, many times."""
    rng = np.random.default_rng(settings.seed)
    repeats, n, epochs = settings.pick((20, 25, 5), (2, 6, 1))
    once = rng.random((repeats, 2 * n, 2))  # its first half is the first round
    once_loss = losses(once, epochs)
    coarse, coarse_loss = once[:, :n], once_loss[:, :n]
    boxes = np.stack([zoom(p, loss) for p, loss in zip(coarse, coarse_loss, strict=True)])
    fine = boxes[:, :1] + rng.random((repeats, n, 2)) * (boxes[:, 1:] - boxes[:, :1])
    fine_loss = losses(fine, epochs)

    best = np.minimum(once_loss.min(axis=1), fine_loss.min(axis=1))[:, None]
    good = [float(np.mean(loss <= 1.5 * best)) for loss in (coarse_loss, fine_loss)]
    medians = [np.median(loss, axis=1) for loss in (coarse_loss, fine_loss)]
    lower = float(np.mean(medians[1] < medians[0]))
    gain = once_loss.min(axis=1) - np.minimum(coarse_loss.min(axis=1), fine_loss.min(axis=1))
    half = float(1.96 * gain.std(ddof=1) / np.sqrt(repeats))
    area = float(np.prod(boxes[:, 1] - boxes[:, 0], axis=1).mean())
    numbers = [
        Number("good points, first and second round", f"{good[0]:.0%}  {good[1]:.0%}", "more than twice as many"),
        Number("median loss, first and second round", f"{np.median(medians[0]):.3f}  {np.median(medians[1]):.3f}"),
        Number("second round's median is lower in", lower, "≥ 90 %", ".0%"),
        Number("zoom box, part of the (α, β) plane", area, "", ".0%"),
        Number(f"best of {n} + {n} against best of {2 * n}: gain, 95 %", f"{gain.mean():.4f} ± {half:.4f}"),
    ]
    better = "" if gain.mean() > half else "not "
    note = f"At equal budget two rounds' best is {better}measurably better than one round's."

    def draw(figure: Figure) -> None:
        box = boxes[0]
        for axes, zoomed in zip(figure.subplots(1, 2), (False, True), strict=True):
            for p, loss, colour, name in ((coarse, coarse_loss, GREY, "first"), (fine, fine_loss, BLUE, "second")):
                size = 12 + 90 * np.clip(fine_loss[0].min() / loss[0], 0, 1) ** 2
                axes.scatter(*p[0].T, s=size, color=colour, alpha=0.75, label=f"{name} round", linewidth=0)
            axes.add_patch(Rectangle(box[0], *(box[1] - box[0]), fill=False, color=ORANGE, linewidth=2))
            low, high = (box if zoomed else np.array([[0.0, 0.0], [1.0, 1.0]])) + np.array([[-0.03], [0.03]])
            ticks = np.linspace(np.clip(low, 0, 1), np.clip(high, 0, 1), 5)
            alpha, beta = values(ticks)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="learning rate α", ylabel="momentum β")
            axes.set_xticks(ticks[:, 0], [f"{a:.2g}" for a in alpha])
            axes.set_yticks(ticks[:, 1], [f"{b:.4f}" for b in beta])
            axes.set_title("inside the box" if zoomed else "both rounds and the zoom box; the larger, the better")
            axes.legend(loc="upper left")

    return Outcome(numbers, good[1] > 2 * good[0] and lower >= 0.9, draw, note)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
