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

from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.search.rounds import next_round
from tfcourse.space import Parameter, Round, SearchSpace

SLIDE = Slide(
    row="A3",
    title="Coarse to fine",
    claim="Zoom into the region of the good points and sample it more densely.",
    criterion="A point of the second round is more than twice as often good (a loss within 1.5 times the best of all) "
    "as one of the first, and the second round's median loss is lower in nine repeats of ten.",
)
ALPHA, BETA = Parameter("learning_rate", "log", 1e-4, 1.0), Parameter("momentum", "one_minus_log", 0.9, 0.999)


def values(point: np.ndarray) -> dict[str, float]:
    """Return α and β of a point in the unit square, by the package's scales; outside the square they go on."""
    return {parameter.name: parameter.reached(float(p)) for parameter, p in zip((ALPHA, BETA), point, strict=True)}


def losses(p: np.ndarray, epochs: int) -> np.ndarray:
    """Train a network with momentum for each p (repeats, n, 2); return the losses (repeats, n)."""
    members = [
        (NetworkSpec(64, 10, (32,)), OptimizerSpec("sgd", v["learning_rate"], momentum=v["momentum"]), repeat)
        for repeat, points in enumerate(p)
        for v in map(values, points)
    ]
    return final_losses(members, digits(), epochs).reshape(p.shape[:2])


def zoom(p: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Return the next round's box (2, 2), low and high corner in the unit square, from a round's points p (n, 2)."""
    completed = [values(point) for point in p[np.argsort(loss)]]
    space = next_round(Round(0, SearchSpace((ALPHA, BETA))), len(p), completed).space
    ends = [(old.to_unit(new.low), old.to_unit(new.high)) for old, new in zip((ALPHA, BETA), space, strict=True)]
    return np.array(ends).T


def measure(settings: Settings) -> Outcome:
    """Search in two rounds, as the package does, and in one with as many points, many times."""
    rng = np.random.default_rng(settings.seed)
    repeats, n, epochs = settings.pick((20, 25, 5), (2, 6, 1))
    once = rng.random((repeats, 2 * n, 2))  # its first half is the first round
    once_loss = losses(once, epochs)
    coarse, coarse_loss = once[:, :n], once_loss[:, :n]
    boxes = np.stack([zoom(p, loss) for p, loss in zip(coarse, coarse_loss, strict=True)])
    fine = boxes[:, :1] + rng.random((repeats, n, 2)) * (boxes[:, 1:] - boxes[:, :1])
    fine_loss = losses(fine, epochs)
    best = np.hstack([once_loss, fine_loss]).min(axis=1, keepdims=True)
    good = [float(np.mean(loss <= 1.5 * best)) for loss in (coarse_loss, fine_loss)]
    medians = [np.median(loss, axis=1) for loss in (coarse_loss, fine_loss)]
    lower = float(np.mean(medians[1] < medians[0]))
    gain = once_loss.min(axis=1) - np.hstack([coarse_loss, fine_loss]).min(axis=1)
    area = float(np.prod(boxes[:, 1] - boxes[:, 0], axis=1).mean())
    half = float(1.96 * gain.std(ddof=1) / np.sqrt(repeats))
    numbers = [
        Number("good points, first and second round", f"{good[0]:.0%}  {good[1]:.0%}", "more than twice as many"),
        Number("median loss, first and second round", f"{np.median(medians[0]):.3f}  {np.median(medians[1]):.3f}"),
        Number("second round's median is lower in", lower, "≥ 90 %", ".0%"),
        Number("zoom box, part of the (α, β) plane", area, "", ".0%"),
        Number(f"best of {n} + {n} against best of {2 * n}: gain, 95 %", f"{gain.mean():.4f} ± {half:.4f}"),
    ]
    note = f"At equal budget two rounds' best is {'' if gain.mean() > half else 'not '}measurably better than one's."

    def draw(figure: Figure) -> None:
        rounds = ((coarse[0], coarse_loss[0], GREY, "first round"), (fine[0], fine_loss[0], BLUE, "second round"))
        box, whole = boxes[0], np.stack([np.minimum(boxes[0, 0], 0), np.maximum(boxes[0, 1], 1)])
        parts = ((whole, "the larger, the better"), (box, "inside the zoom box"))
        for axes, (part, title) in zip(figure.subplots(1, 2), parts, strict=True):
            for p, loss, colour, name in rounds:
                size = 12 + 90 * np.clip(fine_loss[0].min() / loss, 0, 1) ** 2
                axes.scatter(*p.T, s=size, color=colour, alpha=0.75, label=name, linewidth=0)
            axes.add_patch(Rectangle(box[0], *(box[1] - box[0]), fill=False, color=ORANGE, linewidth=2))
            ticks, limits = np.linspace(part[0], part[1], 5), part + 0.04 * np.outer([-1, 1], part[1] - part[0])
            axes.set_xticks(ticks[:, 0], [f"{ALPHA.reached(tick):.2g}" for tick in ticks[:, 0]])
            axes.set_yticks(ticks[:, 1], [f"{BETA.reached(tick):.4f}" for tick in ticks[:, 1]])
            axes.set(xlim=limits[:, 0], ylim=limits[:, 1], xlabel="learning rate α", ylabel="momentum β", title=title)
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)

    return Outcome(numbers, good[1] > 2 * good[0] and lower >= 0.9, draw, note)


main = partial(SLIDE.main, measure)

if __name__ == "__main__":
    sys.exit(main())
