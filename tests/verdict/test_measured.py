"""What is said of the saved model: its score beside the baseline's, an average beside the best single network."""

from __future__ import annotations

from typing import Any

import pytest

from tfcourse.verdict.measured import judge_model, judge_test


def measured(right: float, low: float, high: float, confusion: list[list[int]]) -> dict[str, Any]:
    n = sum(map(sum, confusion))
    return {
        "n": n,
        "accuracy": right,
        "accuracy_interval": [low, high],
        "log_loss": 0.2,
        "macro_f1": 0.4962,
        "confusion": confusion,
    }


EVEN = [[90, 10], [10, 90]]
BASELINE = measured(0.85, 0.79, 0.89, EVEN)
TWO = ["a", "b"]


def test_the_score_is_told_with_its_interval_beside_the_baselines() -> None:
    (sentence,) = judge_test(measured(0.9, 0.8506, 0.9344, EVEN), BASELINE, TWO).sentences
    assert sentence.level == "good"
    assert sentence.text == (
        "On the test split (200 rows, used once, at the end) the saved model is right in 90.00%, 95 % interval 85.06%"
        " to 93.44%; softmax regression in 85.00%."
    )
    assert judge_test(measured(0.9, 0.8499, 0.9344, EVEN), BASELINE, TWO).sentences[0].level == "note"


def test_a_further_look_at_the_test_split_is_told() -> None:
    found = judge_test(measured(0.9, 0.8506, 0.9344, EVEN), BASELINE, TWO, looks=2)
    assert found.sentences[0].text.startswith(
        "On the test split (200 rows, used 2 times: the run went on after a first result) the saved model"
    )
    assert found.numbers["looks"] == 2


def test_a_model_that_may_be_no_better_than_the_most_frequent_class_is_warned_of() -> None:
    sentences = judge_test(measured(0.92, 0.87, 0.95, [[180, 0], [16, 4]]), BASELINE, TWO).sentences
    assert [sentence.level for sentence in sentences] == ["note", "warning"]
    assert sentences[1].text == (
        "Always naming the most frequent class would be right in 90.00%: the test does not show that the model is"
        " better than that."
    )


def test_a_class_that_is_never_predicted_is_warned_of() -> None:
    found = judge_test(measured(0.9921, 0.9844, 0.996, [[1000, 0], [8, 0]]), BASELINE, ["<=50K", ">50K"])
    assert found.sentences[-1].level == "warning"
    assert found.sentences[-1].text == (
        "Class '>50K' is never predicted: 8 of 1008 test rows are of it, and none is found. Accuracy hides that; look"
        " at macro-F1, 0.4962, which counts every class alike."
    )
    assert found.numbers["never_predicted"] == {">50K": 8}
    found = judge_test(measured(0.9, 0.85, 0.93, [[90, 10, 0], [10, 90, 0], [0, 0, 0]]), BASELINE, ["a", "b", "c"])
    assert found.numbers["never_predicted"] == {}, "no test row is of the third"
    assert len(found.sentences) == 1


def test_test_rows_that_stand_in_the_training_data_are_warned_of() -> None:
    test = measured(0.9, 0.85, 0.93, EVEN)
    assert judge_test(test, BASELINE, TWO).numbers["seen"] == 0
    others = measured(0.6, 0.5, 0.69, [[30, 20], [20, 30]])
    found = judge_test({**test, "seen": {"rows": 100, "others": others}}, BASELINE, TWO)
    assert found.numbers["seen"] == 100
    assert (found.sentences[-1].level, found.sentences[-1].text) == (
        "warning",
        "100 of the 200 test rows stand in the training data too, alike in every column that is used, so that the test"
        " score is too good. On the 100 other rows the saved model is right in 60.00%, 95 % interval 50.00% to 69.00%.",
    )
    found = judge_test({**test, "seen": {"rows": 200, "others": None}}, BASELINE, TWO)
    assert found.sentences[-1].text.endswith("too good: none of them tells how the model does on new rows.")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([1], "Class 'b' is never predicted: 1 of 101 test rows is of it, and none"),
        ([2, 3], "Classes 'c' and 'b' are never predicted: 5 of 105 test rows are of them, and none"),
        ([1, 4, 2, 3], "Classes 'c', 'e', 'd' and 1 other are never predicted: 10 of 110 test rows are of them, and"),
        ([1] * 5, "Classes 'b', 'c', 'd' and 2 others are never predicted: 5 of 105 test rows are of them, and none"),
    ],
)
def test_of_many_classes_the_three_with_the_most_rows_are_named(rows: list[int], said: str) -> None:
    nothing = [0] * len(rows)
    confusion = [[100, *nothing], *([count, *nothing] for count in rows)]
    *_, sentence = judge_test(measured(0.97, 0.9, 0.99, confusion), BASELINE, "abcdefg"[: len(confusion)]).sentences
    assert sentence.text.startswith(said)


def part(loss: float, accuracy: float) -> dict[str, float]:
    return {"loss": loss, "log_loss": loss, "accuracy": accuracy}


def model(average: tuple[float, float], single: tuple[float, float], **changes: Any) -> dict[str, Any]:
    """Return an average of three; each pair is the validation and the test loss."""
    both = {
        name: {"validation": part(losses[0], 0.9), "test": part(losses[1], 0.9)}
        for name, losses in (("average", average), ("single", single))
    }
    plain = {"saved": "the average of trials 1, 2 and 3", "trials": [1, 2, 3], "temperature": None, "asked": 3}
    return {**plain, **both, **changes}


def test_which_model_is_saved_is_said() -> None:
    one = {"saved": "trial 4", "trials": [4], "temperature": 1.25, "asked": 1, "average": None, "single": None}
    (sentence,) = judge_model(one, "val_loss").sentences
    assert sentence.text == "model.keras holds trial 4, its logits divided by a temperature of 1.25."


@pytest.mark.parametrize(
    ("average", "single", "level"),
    [((0.2, 0.3), (0.25, 0.35), "good"), ((0.2, 0.4), (0.25, 0.35), "note"), ((0.3, 0.3), (0.25, 0.35), "warning")],
)
def test_an_average_is_compared_with_the_best_single_network(
    average: tuple[float, float], single: tuple[float, float], level: str
) -> None:
    _, sentence = judge_model(model(average, single), "val_loss").sentences
    assert sentence.level == level
    assert sentence.text == (
        f"The average has validation loss {average[0]:.4f}, the best single network {single[0]:.4f}; on the test split"
        f" they are right in 90.00% and 90.00%, with log-loss {average[1]:.4f} and {single[1]:.4f}."
    )
    _, tempered = judge_model(model(average, single, temperature=0.5), "val_loss").sentences
    assert tempered.text.startswith("Before the temperature, the average has validation loss ")


def test_losses_near_zero_keep_their_digits() -> None:
    _, sentence = judge_model(model((0.0000231, 0.000412), (0.0, 0.5)), "val_loss").sentences
    assert "validation loss 2.31e-05, the best single network 0;" in sentence.text
    assert sentence.text.endswith("with log-loss 0.000412 and 0.5000.")


def test_fewer_networks_than_asked_for_are_told() -> None:
    sentences = judge_model(model((0.2, 0.3), (0.25, 0.35), asked=5), "val_accuracy").sentences
    assert sentences[-1].text == "5 networks were to be averaged, but 3 trials completed."
    assert "validation accuracy 90.00%, the best single network 90.00%" in sentences[1].text
