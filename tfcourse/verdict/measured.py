"""What the saved model's measures come to: its test score, classes it never names, and which model it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tfcourse.space.objective import Objective
from tfcourse.verdict.sentence import Finding, Sentence
from tfcourse.words import listed, loss_said

MOST_NAMED = 3


def judge_test(
    test: Mapping[str, Any], baseline: Mapping[str, Any], classes: Sequence[str], *, looks: int = 1
) -> Finding:
    """Say how good the saved model is on the test split, beside softmax regression and the most frequent class.

    A warning is given when the interval (Wilson's, 95 %) reaches down to the share of the most frequent class, when a
    class that has test rows is never predicted, and when test rows stand in the training data too.

    Args:
        test: the saved model's measures, from :func:`tfcourse.run.measure.measure`.
        baseline: the same of softmax regression.
        classes: the classes' names.
        looks: how many models of the run the test split has judged, this one included.
    """
    missed = never_predicted(test["confusion"], classes)
    used = "used once, at the end" if looks == 1 else f"used {looks} times: the run went on after a first result"
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
        "never_predicted": missed,
        "looks": looks,
        "seen": (test.get("seen") or {}).get("rows", 0),
    }
    sentences = [
        Sentence(
            "test",
            "good" if low > max(frequent, baseline["accuracy"]) else "note",
            f"On the test split ({test['n']} rows, {used}) the saved model is right in"
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
    if missed:
        sentences.append(_missed(missed, test))
    if test.get("seen"):
        sentences.append(_seen(test["seen"], test["n"]))
    return Finding(sentences, numbers)


def _seen(seen: Mapping[str, Any], rows: int) -> Sentence:
    count, others = seen["rows"], seen["others"]
    text = (
        f"{count} of the {rows} test rows stand{'s' * (count == 1)} in the training data too, alike in every column"
        " that is used, so that the test score is too good"
    )
    if others is None:
        return Sentence("test", "warning", f"{text}: none of them tells how the model does on new rows.")
    low, high = others["accuracy_interval"]
    text += (
        f". On the {others['n']} other row{'s' * (others['n'] > 1)} the saved model is right in"
        f" {others['accuracy']:.2%}, 95 % interval {low:.2%} to {high:.2%}."
    )
    return Sentence("test", "warning", text)


def never_predicted(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> dict[str, int]:
    """Return the classes that have rows of which none is predicted as theirs, with their rows, the most rows first.

    >>> never_predicted([[9, 0, 1, 0], [2, 0, 0, 0], [3, 0, 1, 0], [0, 0, 0, 0]], ["a", "b", "c", "d"])
    {'b': 2}
    """
    rows = [sum(row) for row in confusion]
    missed = [k for k, column in enumerate(zip(*confusion, strict=True)) if rows[k] and not any(column)]
    return {classes[k]: rows[k] for k in sorted(missed, key=lambda k: -rows[k])}


def _missed(missed: Mapping[str, int], test: Mapping[str, Any]) -> Sentence:
    one, total = len(missed) == 1, sum(missed.values())
    names = [repr(name) for name in missed]
    others = len(names) - MOST_NAMED
    if others > 0:
        names = [*names[:MOST_NAMED], f"{others} other{'s' * (others > 1)}"]
    text = (
        f"{'Class' if one else 'Classes'} {listed(names)} {'is' if one else 'are'} never predicted: {total} of"
        f" {test['n']} test rows {'is' if total == 1 else 'are'} of {'it' if one else 'them'}, and none is found."
        f" Accuracy hides that; look at macro-F1, {test['macro_f1']:.4f}, which counts every class alike."
    )
    return Sentence("test", "warning", text)


def judge_model(model: Mapping[str, Any], objective: str) -> Finding:
    """Say which model is saved, and with an ensemble how it compares with the best single network.

    Args:
        model: ``saved`` in words, ``trials``, ``temperature`` or None, ``validation`` and ``test``; ``asked``, how
            many networks were to be averaged. If several are: ``average`` and ``single``, each with ``validation`` and
            ``test``, both without the temperature, so that they can be compared; else None.
        objective: ``val_loss`` or ``val_accuracy``.
    """
    measure = Objective(objective)
    text = f"model.keras holds {model['saved']}"
    if model["temperature"] is not None:
        text += f", its logits divided by a temperature of {model['temperature']:.3g}"
    sentences = [Sentence("model", "note", text + ".")]
    average, single = model.get("average"), model.get("single")
    if average is not None and single is not None:
        sentences.append(_average(average, single, measure, tempered=model["temperature"] is not None))
    if len(model["trials"]) < model["asked"] and "folds" not in model:
        found = len(model["trials"])
        text = f"{model['asked']} networks were to be averaged, but {found} trial{'s' * (found > 1)} completed."
        sentences.append(Sentence("model", "warning", text))
    return Finding(sentences, dict(model))


def _average(average: Mapping[str, Any], single: Mapping[str, Any], measure: Objective, *, tempered: bool) -> Sentence:
    """Compare the average with the best single network: good if it is no worse in any of the three."""
    name = measure.metric
    own, other = average["validation"][name], single["validation"][name]
    worse = measure.better(other, own)
    on_test, single_test = average["test"], single["test"]
    doubtful = on_test["log_loss"] > single_test["log_loss"] or on_test["accuracy"] < single_test["accuracy"]
    text = (
        f"{'Before the temperature, the' if tempered else 'The'} average has validation {name} {measure.said(own)}, the"
        f" best single network {measure.said(other)}; on the test split they are right in {on_test['accuracy']:.2%} and"
        f" {single_test['accuracy']:.2%}, with log-loss {loss_said(on_test['log_loss'])} and"
        f" {loss_said(single_test['log_loss'])}."
    )
    return Sentence("model", "warning" if worse else "note" if doubtful else "good", text)
