"""``fit_together``: what ``Model.fit`` does, for many members at once.

>>> import numpy as np
>>> from tfcourse.models.spec import NetworkSpec, OptimizerSpec
>>> x, y = np.random.default_rng(0).normal(size=(60, 4)).astype("float32"), np.arange(60) % 3
>>> pairs = [(NetworkSpec(4, 3, (8,)), OptimizerSpec("sgd", rate)) for rate in (0.1, 0.01)]
>>> histories = fit_together(pairs, x, y, validation_data=(x, y), epochs=2)
>>> sorted(histories[0].history), len(histories[1].history["loss"])
(['accuracy', 'loss', 'val_accuracy', 'val_loss'], 2)
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from tfcourse.cohort.dataset import Examples, order_of_epoch
from tfcourse.cohort.elsewhere import Elsewhere
from tfcourse.cohort.from_keras import member_of_model
from tfcourse.cohort.history import MemberHistory, Stopping
from tfcourse.cohort.member import Member, member_of_spec
from tfcourse.cohort.memory import available_memory, places_that_fit
from tfcourse.cohort.plan import CACHED, CPU_PLACES, GPU_PLACES, in_words, plan_cohorts
from tfcourse.cohort.refusal import NotFusableError
from tfcourse.cohort.scheduler import Scheduler
from tfcourse.cohort.work import Executor, Watch, looking_on
from tfcourse.errors import UserError, did_you_mean
from tfcourse.models.spec import NetworkSpec, OptimizerSpec
from tfcourse.process.start_keras import other_setting

Trainable: TypeAlias = keras.Model | tuple[NetworkSpec, OptimizerSpec] | tuple[NetworkSpec, OptimizerSpec, int] | Member


def fit_together(
    members: Sequence[Trainable],
    x: Any,
    y: Any,
    *,
    validation_data: tuple[Any, ...] | None = None,
    initial_epoch: int = 0,
    epochs: int | Sequence[int] = 1,
    batch_size: int | Sequence[int] | None = None,
    shuffle: bool = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    monitor: str = "val_loss",
    patience: int | Sequence[int | None] | None = None,
    min_delta: float = 0.0,
    restore_best_weights: bool = False,
    seed: int = 0,
    on_epoch_end: Callable[[MemberHistory], object] | None = None,
    on_member_end: Callable[[MemberHistory], object] | None = None,
    on_members_end: Callable[[list[MemberHistory]], object] | None = None,
    on_plan: Callable[[str], object] | None = None,
    watches: Sequence[Watch] | None = None,
    on_progress: Callable[[Mapping[int, int]], object] | None = None,
    executor: Executor | None = None,
    jit_compile: bool = True,
    places: int | None = None,
    workers: int | None = None,
    memory: int | None = None,
) -> list[MemberHistory]:
    """Train all members, as one ``Model.fit`` each would, in a few compiled programs; return one history each.

    Every member ends with the weights, moving statistics and curves of its own ``Model.fit`` on the same minibatches,
    to float32 rounding, whichever others train with it. Models get their weights and their optimizer's state put in; a
    spec's are in ``history.weights``, in the order of ``build_mlp(...).set_weights``.

    Args:
        members: compiled Keras models, or pairs ``(NetworkSpec, OptimizerSpec)``, or triples with the seed of the
            initial weights and the dropout masks, which is ``seed`` otherwise.
        x: features, shape (m, ...).
        y: class numbers (m,) or probabilities (m, C).
        validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, looked at after each epoch.
        initial_epoch: the epoch to begin at, to go on with a training: it decides the order of the minibatches.
        epochs: the epoch to end at, for all or for each member.
        batch_size: examples of a minibatch, for all or for each member; 32 when left out.
        shuffle: whether epoch e visits the rows in the order ``minibatch_order(seed, e, m)``, the same for all members,
            or as they come.
        class_weight: class number → weight in the loss.
        sample_weight: weight of each example in the loss, shape (m,).
        monitor: the curve for ``patience`` and ``restore_best_weights``.
        patience: epochs without improvement after which a member stops, for all or for each; None never stops.
        min_delta: the least improvement that counts.
        restore_best_weights: whether a member ends with the weights of its best epoch.
        seed: of the minibatch order.
        on_epoch_end: called with a member's history after each of its epochs; it may read ``index``, ``logs`` and
            ``weights`` and call ``stop()``. Calls come from other threads, but one at a time.
        on_member_end: called with a member's history when it has ended, in the caller's thread; members that ended
            before an interrupt are not lost to it.
        on_members_end: the same for who would hear of those that end at a time in one call.
        on_plan: called before training with a sentence: how many cohorts there are, and how much padding wastes.
        watches: what follows each member where it is trained, and ends it; see :class:`tfcourse.cohort.work.Watch`.
        on_progress: called now and then, one call at a time, with the epochs that members have reached, by position.
        executor: trains the cohorts in other processes, such as ``tfcourse.executors.Processes(2)``; on threads of this
            one when left out. The results are the same, for members of one fixed padding to the last bit.
        jit_compile: whether XLA compiles the programs; otherwise they run as TensorFlow graphs.
        places: members of a program at most; by the device, its cache and the free memory when left out.
        workers: programs run at the same time; one a core when left out, one on a GPU, or as the executor has it.
        memory: bytes that may be counted on; those free when left out.

    A member whose loss, or validation loss, becomes infinite or not a number stops at that epoch's end.

    Raises:
        NotFusableError: if a model has a part that a cohort cannot train, or not even one member fits into the memory;
            the message says which.
        UserError: if the data do not fit the members, two of them share what training changes, ``monitor`` is none of
            the curves, or an executor is given with ``on_epoch_end``, which must look on where members are trained.
    """
    if not members:
        return []
    if other := other_setting(("floatx", "max_epochs", "max_steps_per_epoch")):
        raise NotFusableError(f"a cohort trains as Keras does by default. {other}")
    if not isinstance(shuffle, bool | np.bool_):
        raise UserError(f"shuffle must be True or False, but {shuffle!r} was given.")
    if executor is not None and on_epoch_end is not None:
        raise UserError(
            "on_epoch_end and an executor were given, but members are then trained in other processes. Leave one out;"
            " patience stops members there too."
        )
    training = Examples(x, y, sample_weight, class_weight)
    validation = _validation(validation_data)
    _check_apart([member for member in members if isinstance(member, keras.Model)])
    everyone = [_member(member, training, seed) for member in members]
    for member in everyone:
        for examples in (training, validation):
            if examples is not None:
                examples.check_labels(member.classes, member.sparse)
                examples.check_features(member.inputs, member.input_layers)
    for member in everyone:
        _check_monitor(monitor, member.accuracy)
    if monitor.startswith("val_") and validation is None and (restore_best_weights or patience is not None):
        raise UserError(f"monitor={monitor!r} needs validation_data; give it, or monitor='loss'.")
    epoch_counts = _each(epochs, len(everyone), "epochs")
    if initial_epoch >= min(epoch_counts):
        raise UserError(
            f"initial_epoch < epochs must hold, but initial_epoch = {initial_epoch} and epochs = {min(epoch_counts)}"
            " were given."
        )
    patiences = _each(patience, len(everyone), "patience")
    batch_sizes = [32 if size is None else size for size in _each(batch_size, len(everyone), "batch_size")]
    if min(batch_sizes) < 1:
        raise UserError(f"batch_size must be at least 1, but {min(batch_sizes)} was given.")
    histories = [
        MemberHistory(index, Stopping(monitor, patiences[index], min_delta, restore_best_weights), epoch_counts[index])
        for index in range(len(everyone))
    ]
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    workers = executor.size if executor else workers or (1 if on_gpu else _cores())
    most = places or (GPU_PLACES if on_gpu else CPU_PLACES)
    most = places_that_fit(
        everyone, batch_sizes, memory or available_memory(), executor.beside if executor else workers, most
    )
    may_stop = on_epoch_end is not None or watches is not None or patience is not None
    order = functools.lru_cache(maxsize=8)(
        lambda epoch, size: order_of_epoch(seed, epoch, training.rows, size, shuffle)
    )
    plans = plan_cohorts(
        everyone,
        batch_sizes,
        examples=training.rows * max(epoch_counts),
        most=most,
        cached=math.inf if places or on_gpu else CACHED,
        workers=workers,
    )
    if on_plan is not None:
        on_plan(in_words(plans, everyone))
    members_end = _each_and_all(on_member_end, on_members_end)
    if executor is not None:
        Elsewhere(
            everyone, histories, plans, training, validation, watches, initial_epoch=initial_epoch, seed=seed,
            shuffle=bool(shuffle), jit_compile=jit_compile, on_members_end=members_end, on_progress=on_progress,
        ).run(executor)  # fmt: skip
    else:
        Scheduler(
            everyone, histories, plans, training, validation, order, jit_compile=jit_compile, workers=workers,
            open_at_once=4 * workers if may_stop else workers, initial_epoch=initial_epoch,
            on_epoch_end=looking_on(on_epoch_end, watches, on_progress), on_members_end=members_end,
        ).run()  # fmt: skip
    for history, given in zip(histories, members, strict=True):
        if isinstance(given, keras.Model):
            history.set_model(given)
            given.history = history
    _give_memory_back()
    return histories


def _each_and_all(
    one: Callable[[MemberHistory], object] | None, some: Callable[[list[MemberHistory]], object] | None
) -> Callable[[list[MemberHistory]], object] | None:
    """Return what tells of members that have ended: of each, and of all at once; None if nobody is to be told."""
    if one is None:
        return some

    def ended(histories: list[MemberHistory]) -> None:
        for history in histories:
            one(history)
        if some is not None:
            some(histories)

    return ended


def _check_apart(models: Sequence[keras.Model]) -> None:
    """Raise UserError if a model, or a part of one that training changes, was given twice."""
    if len({id(model) for model in models}) < len(models):
        raise UserError("The same model was given twice; clone it with keras.models.clone_model to train it twice.")
    parts = [model.variables for model in models]
    parts += [[model.optimizer] for model in models if getattr(model, "optimizer", None) is not None]
    changing = [id(part) for each in parts for part in each]
    if len(set(changing)) < len(changing):
        raise UserError(
            "Two of the models share a layer or an optimizer, so that training one would change the other; give each"
            " its own."
        )


def _member(member: Trainable, training: Examples, seed: int) -> Member:
    if isinstance(member, Member):
        return member
    if isinstance(member, keras.Model):
        return member_of_model(member, seed=seed)
    network, optimizer, *own = member
    return member_of_spec(network, optimizer, int(own[0]) if own else seed, sparse=training.sparse)


def _validation(data: Any) -> Examples | None:
    if data is None:
        return None
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        kind = f"a {type(data).__name__}" + (f" of {len(data)}" if isinstance(data, tuple | list) else "")
        raise NotFusableError(f"a cohort needs validation_data as (x, y) or (x, y, sample_weight), and got {kind}.")
    return Examples(*data)


def _check_monitor(monitor: str, accuracy: str | None) -> None:
    """Raise UserError if ``monitor`` is none of the curves of a member with this accuracy metric."""
    curves = ["loss", *([accuracy] if accuracy else [])]
    curves += [f"val_{name}" for name in curves]
    if monitor not in curves:
        names = ", ".join(curves)
        raise UserError(f"monitor={monitor!r} is none of the curves ({names}).{did_you_mean(monitor, curves)}")


def _each(value: Any, count: int, name: str) -> list[Any]:
    """Return one whole number (or None) a member, from one for all or a sequence of them."""
    if value is None or np.ndim(value) == 0:
        value = [value] * count
    if len(value) != count:
        raise UserError(f"{name} must be one value, or one for each of the {count} members; got {len(value)} values.")
    for each in value:
        if each is not None and not isinstance(each, int | np.integer):
            raise UserError(f"{name} must be a whole number, but {each!r} was given.")
    return list(value)


def _give_memory_back() -> None:
    """Return to the system what compiling freed; glibc keeps it otherwise, some 100 MB after a few programs."""
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _cores() -> int:
    """Return the number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
