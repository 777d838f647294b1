"""What a verdict is made of: sentences, each with a topic and a level, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Topic = Literal[
    "winner", "test", "model", "out_of_fold", "portfolio", "edges", "diverged", "importance", "enough", "curves",
    "calibration",
]  # fmt: skip
Level = Literal["good", "note", "warning"]


@dataclass(frozen=True)
class Sentence:
    """One plain sentence.

    Args:
        topic: what it is about.
        level: ``good`` when nothing needs doing, ``note`` to know, ``warning`` when there is something to mind.
        text: the sentence.
    """

    topic: Topic
    level: Level
    text: str


@dataclass
class Finding:
    """What one topic comes to: its sentences and the JSON-ready numbers behind them."""

    sentences: list[Sentence] = field(default_factory=list)
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass
class Verdict:
    """All sentences in the order of the topics, and the numbers by topic."""

    sentences: list[Sentence]
    numbers: dict[str, dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return the verdict JSON-ready, as it stands in ``result.json``."""
        return {"sentences": [asdict(sentence) for sentence in self.sentences], "numbers": self.numbers}

    @classmethod
    def of(cls, findings: Mapping[str, Finding]) -> Verdict:
        """Return the verdict made of findings by topic, in their order."""
        return cls(
            [sentence for finding in findings.values() for sentence in finding.sentences],
            {topic: finding.numbers for topic, finding in findings.items()},
        )
