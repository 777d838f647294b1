"""What a search makes best: a curve by its name, and whether more or less of it is better."""

from __future__ import annotations

from dataclasses import dataclass

from tfcourse.words import loss_said


@dataclass(frozen=True)
class Objective:
    """A curve by its name; accuracies are better high, anything else is a loss and better low.

    >>> accuracy = Objective("val_accuracy")
    >>> accuracy.metric, accuracy.words, accuracy.sign, accuracy.better(0.9, 0.8)
    ('accuracy', 'validation accuracy', -1.0, True)
    >>> Objective("val_loss").better(0.9, 0.8)
    False
    """

    name: str

    @property
    def higher_is_better(self) -> bool:
        """Return whether more is better."""
        return "accuracy" in self.name

    @property
    def sign(self) -> float:
        """Return what makes a value one of which less is better: -1 for accuracies, 1 for losses."""
        return -1.0 if self.higher_is_better else 1.0

    @property
    def metric(self) -> str:
        """Return the key of its value on any part: ``accuracy`` or ``loss``."""
        return "accuracy" if self.higher_is_better else "loss"

    @property
    def words(self) -> str:
        """Return the curve as people call it."""
        return f"{'validation ' if self.name.startswith('val_') else ''}{self.metric}"

    def better(self, value: float, other: float) -> bool:
        """Return whether a value is better than another."""
        return self.sign * value < self.sign * other

    def said(self, value: float) -> str:
        """Return a value as people write it: accuracies in percent, losses by :func:`~tfcourse.words.loss_said`.

        >>> Objective("val_accuracy").said(0.98765), Objective("val_loss").said(0.030688)
        ('98.77%', '0.0307')
        """
        return f"{value:.2%}" if self.higher_is_better else loss_said(value)

    def gap_said(self, gap: float) -> str:
        """Return a difference of two values as people write it.

        >>> Objective("val_accuracy").gap_said(0.046), Objective("val_loss").gap_said(0.0082)
        ('4.60 percentage points', '0.0082')
        """
        return f"{100 * gap:.2f} percentage points" if self.higher_is_better else self.said(gap)
