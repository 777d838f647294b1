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
            many networks were to be averaged. If several are: ``average`` and ``single``, each with ``validation`` and
            ``test``, both without the temperature, so that they can be compared; else None.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    name = objective.removeprefix("val_")
    text = f"model.keras holds {model['saved']}"
    if model["temperature"] is not None:
        text += f", its logits divided by a temperature of {model['temperature']:.3g}"
    sentences = [Sentence("model", "note", text + ".")]
    average, single = model.get("average"), model.get("single")
    if average is not None and single is not None:
        sentences.append(_average(average, single, name, tempered=model["temperature"] is not None))
    if len(model["trials"]) < model["asked"]:
        found = len(model["trials"])
        text = f"{model['asked']} networks were to be averaged, but {found} trial{'s' * (found > 1)} completed."
        sentences.append(Sentence("model", "warning", text))
    return Finding(sentences, dict(model))


def _average(average: Mapping[str, Any], single: Mapping[str, Any], name: str, *, tempered: bool) -> Sentence:
    """Compare the average with the best single network: good if it is no worse in any of the three."""
    own, other = average["validation"][name], single["validation"][name]
    worse = own < other if name == "accuracy" else own > other
    on_test, single_test = average["test"], single["test"]
    doubtful = on_test["log_loss"] > single_test["log_loss"] or on_test["accuracy"] < single_test["accuracy"]
    written = [f"{value:.2%}" if name == "accuracy" else f"{value:.4f}" for value in (own, other)]
    text = (
        f"{'Before the temperature, the' if tempered else 'The'} average has validation {name} {written[0]}, the best"
        f" single network {written[1]}; on the test split they are right in {on_test['accuracy']:.2%} and"
        f" {single_test['accuracy']:.2%}, with log-loss {on_test['log_loss']:.4f} and {single_test['log_loss']:.4f}."
    )
    return Sentence("model", "warning" if worse else "note" if doubtful else "good", text)
