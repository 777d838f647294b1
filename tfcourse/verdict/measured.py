"""What the saved model's measures come to: its test score with its interval, and which model it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tfcourse.verdict.sentence import Finding, Sentence


def judge_test(test: Mapping[str, Any], baseline: Mapping[str, Any]) -> Finding:
    """Say how good the saved model is on the test split, beside softmax regression and the most frequent class.

    A warning is given when the interval (Wilson's, 95 %) reaches down to the share of the most frequent class.

    Args:
        test: the saved model's measures, from :func:`tfcourse.run.measure.measure`.
        baseline: the same of softmax regression.
    """
    low, high = test["accuracy_interval"]
    frequent = max(sum(row) for row in test["confusion"]) / test["n"]
    numbers = {
        "n": test["n"],
        "accuracy": test["accuracy"],
        "accuracy_interval": [low, high],
        "log_loss": test["log_loss"],
        "baseline_accuracy": baseline["accuracy"],
        "baseline_log_loss": baseline["log_loss"],
        "most_frequent_class": frequent,
    }
    sentences = [
        Sentence(
            "test",
            "good" if low > max(frequent, baseline["accuracy"]) else "note",
            f"On the test split ({test['n']} rows, used once, at the end) the saved model is right in"
            f" {test['accuracy']:.2%}, 95 % interval {low:.2%} to {high:.2%}; softmax regression in"
            f" {baseline['accuracy']:.2%}.",
        )
    ]
    if low <= frequent:
        sentences.append(
            Sentence(
                "test",
                "warning",
                f"Always naming the most frequent class would be right in {frequent:.2%}: the test does not show that"
                " the model is better than that.",
            )
        )
    return Finding(sentences, numbers)


def judge_model(model: Mapping[str, Any], objective: str) -> Finding:
    """Say which model is saved, and with an ensemble how it compares with the best single network.

    Args:
        model: ``saved`` in words, ``trials``, ``temperature`` or None, ``validation`` and ``test``; ``asked``, how
            many networks were to be averaged; ``single``, with ``validation`` and ``test``, if several are, else None.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    name = objective.removeprefix("val_")
    text = f"model.keras holds {model['saved']}"
    if model["temperature"] is not None:
        text += f", its logits divided by a temperature of {model['temperature']:.3g}"
    sentences = [Sentence("model", "note", text + ".")]
    single = model.get("single")
    if single is not None:
        tempered = "" if model["temperature"] is None else ", at its temperature,"
        own, other = model["validation"][name], single["validation"][name]
        better = own > other if name == "accuracy" else own < other
        written = [f"{value:.2%}" if name == "accuracy" else f"{value:.4f}" for value in (own, other)]
        text = (
            f"The average{tempered} has validation {name} {written[0]}, the best single network {written[1]}; on the"
            f" test split they are right in {model['test']['accuracy']:.2%} and {single['test']['accuracy']:.2%}, with"
            f" log-loss {model['test']['log_loss']:.4f} and {single['test']['log_loss']:.4f}."
        )
        sentences.append(Sentence("model", "good" if better else "warning", text))
    if len(model["trials"]) < model["asked"]:
        found = len(model["trials"])
        text = f"{model['asked']} networks were to be averaged, but {found} trial{'s' * (found > 1)} completed."
        sentences.append(Sentence("model", "warning", text))
    return Finding(sentences, dict(model))
