"""The task of a search: one table, split by one seed, with the space and the plan that ``train`` would make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfcourse.data.prepare import DataOptions, Prepared, prepare
from tfcourse.space import SearchSpace
from tfcourse.space.course import default_space
from tfcourse.tuning.plan import default_batch_size, default_epochs, default_patience, with_batch_size

TARGETS = {
    "car-evaluation": "class",
    "vehicle": "Class",
    "german-credit": "class",
    "segment": "class",
    "wine-quality-red": "quality",
    "spambase": "class",
    "credit-approval": "class",
    "ionosphere": "class",
    "breast-cancer-wisconsin": "class",
    "banknote": "class",
}
DEFAULT_TABLES = ("car-evaluation", "vehicle", "german-credit", "credit-approval", "wine-quality-red")


class Task:
    """One table, split by one seed, with the plan that ``train`` would make."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        options = DataOptions(data=str(folder / f"{name}.csv"), target=TARGETS[name], seed=seed)
        self.prepared: Prepared = prepare(options)
        rows = len(self.prepared.train)
        self.space: SearchSpace = with_batch_size(default_space(), None, rows)
        self.epochs = min(20, default_epochs(rows, default_batch_size(rows)))

    @property
    def size(self) -> tuple[int, int, int]:
        """Features, classes and training rows."""
        return self.prepared.features.width, len(self.prepared.classes), len(self.prepared.train)

    def examples(self) -> Any:
        """Return the training and validation examples."""
        from tfcourse.search.fit import TrainingData

        train, validation = self.prepared.train, self.prepared.validation
        return TrainingData(train.x, train.y, validation.x, validation.y)

    def schedule(self, halving: bool = False) -> Any:
        """Return how long each trial trains."""
        from tfcourse.search.fit import Schedule

        return Schedule(self.epochs, default_patience(self.epochs), order_seed=self.seed, halving=halving)

    def test_loss(self, model: Any) -> float:
        """Return a network's log-loss on the test split; it gives logits."""
        from tfcourse.retesting.train_again import softmax_of
        from tfcourse.run.measure import log_loss

        return log_loss(softmax_of(model, self.prepared.test.x), self.prepared.test.y)
