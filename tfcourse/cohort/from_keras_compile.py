"""What ``Model.compile`` was given: the loss and the metrics, as far as a cohort can compute them."""

from __future__ import annotations

from typing import Any

import keras

from tfcourse.cohort.refusal import NotFusableError, refuse_replaced_methods, refuse_unless_equal, refuse_unless_plain

# Whether each takes class numbers (True) or rows of probabilities.
LOSSES = {
    keras.losses.SparseCategoricalCrossentropy: True, keras.losses.sparse_categorical_crossentropy: True,
    keras.losses.CategoricalCrossentropy: False, keras.losses.categorical_crossentropy: False,
}  # fmt: skip
METRICS = {keras.metrics.SparseCategoricalAccuracy: True, keras.metrics.CategoricalAccuracy: False}
ACCURACIES = {
    "accuracy": None, "acc": None, "sparse_categorical_accuracy": True, "categorical_accuracy": False,
}  # fmt: skip


def loss_of(model: keras.Model, softmax: bool) -> bool:
    """Return whether the loss takes class numbers (True) or rows of probabilities.

    Args:
        model: compiled.
        softmax: whether the network ends in a softmax.

    Raises:
        NotFusableError: if the loss is another one than the plain mean categorical cross-entropy.
    """
    # What fit uses: a second compile without a loss keeps the first one's, and model.loss may be set to anything.
    compiled = model._compile_loss
    given = None if compiled is None else compiled._user_loss
    loss = given
    if isinstance(given, str):
        try:
            loss = keras.losses.get(given)
        except ValueError:
            loss = None
    kind: Any = type(loss) if isinstance(loss, keras.losses.Loss) else loss
    sparse = next((sparse for known, sparse in LOSSES.items() if known is kind), None)
    if sparse is None:
        name = given if isinstance(given, str) else getattr(kind, "__name__", kind)
        raise NotFusableError(f"loss {name!r} cannot be trained in a cohort: only categorical cross-entropy can.")
    from_logits = False
    if isinstance(loss, keras.losses.Loss):
        function = keras.losses.sparse_categorical_crossentropy if sparse else keras.losses.categorical_crossentropy
        if loss.fn is not function:
            raise NotFusableError("the loss cannot be trained in a cohort: its fn was replaced.")
        same = ("reduction",) if loss.reduction == "mean" else ()  # another name of the default
        refuse_unless_plain(loss, ("fn", "name", "dtype", "from_logits", *same), "the loss")
        from_logits = bool(loss._fn_kwargs["from_logits"])
    for each in (compiled, loss):
        refuse_unless_equal(getattr(each, "dtype", "float32"), "float32", "dtype", "the loss")
    if from_logits == softmax:
        given = "a softmax head and from_logits=True" if softmax else "logits and a loss that expects probabilities"
        raise NotFusableError(
            f"{given} cannot be trained in a cohort; use a softmax head, or logits and from_logits=True."
        )
    if compiled._user_loss_weights is not None:
        raise NotFusableError("loss_weights cannot be trained in a cohort.")
    return sparse


def accuracy_of(model: keras.Model, sparse: bool) -> str | None:
    """Return the name of the accuracy metric, None without one.

    Raises:
        NotFusableError: if the model has any other metric.
    """
    compiled = model._compile_metrics
    others = [each.name for each in model.metrics if each is not model._loss_tracker and each is not compiled]
    if others:
        raise NotFusableError(f"metric {others[0]!r} of the model itself cannot be computed in a cohort.")
    if compiled is None:
        return None
    if compiled._user_weighted_metrics:
        raise NotFusableError("weighted_metrics cannot be computed in a cohort.")
    metrics = compiled._user_metrics or []
    if isinstance(metrics, dict):
        raise NotFusableError("metrics by the output's name cannot be computed in a cohort; give metrics=['accuracy'].")
    if not metrics:
        return None
    if len(metrics) > 1:
        raise NotFusableError("a cohort computes the loss and one accuracy metric; give metrics=['accuracy'].")
    [metric] = metrics
    if isinstance(metric, str):
        name, known, wanted = metric, metric in ACCURACIES, ACCURACIES.get(metric)
    else:
        name = getattr(metric, "name", getattr(metric, "__name__", str(metric)))
        known, wanted = type(metric) in METRICS, METRICS.get(type(metric))
    if not known or wanted not in (None, sparse):
        raise NotFusableError(f"metric {name!r} cannot be computed in a cohort; the accuracy that fits the loss can.")
    if not isinstance(metric, str):
        refuse_replaced_methods(metric, f"metric {name!r}")
        if metric.dtype != "float32":
            raise NotFusableError(f"metric {name!r} cannot be computed in a cohort: its dtype is {metric.dtype}.")
    if "acc" not in name:
        raise NotFusableError(
            f"metric {name!r} cannot be computed in a cohort: only a name with 'acc' tells that higher is better."
        )
    return name
