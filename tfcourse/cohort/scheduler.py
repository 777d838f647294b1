"""Which cohort trains its next epoch on which thread: a few cohorts at a time, merged as their members stop.

XLA runs the many small operations of one program one after the other, so one program leaves cores idle; two programs
on two threads do not. Cohorts of one group that reached the same epoch are merged as soon as their members fit into
one, so that late epochs do not carry the stopped.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import math
import queue
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tfcourse.cohort.dataset import Examples
from tfcourse.cohort.history import MemberHistory
from tfcourse.cohort.layout import Layout
from tfcourse.cohort.member import Member, State
from tfcourse.cohort.plan import CohortPlan, least_places
from tfcourse.cohort.program import cheapest, compiled, is_compiled
from tfcourse.cohort.running import RunningCohort, layouts_of
from tfcourse.process.interrupt import StopAtOnce


class Scheduler:
    """Trains cohorts on threads until every member has ended.

    Args:
        members: all members.
        histories: the history of each; it decides when its member ends.
        plans: the cohorts.
        training: the training examples.
        validation: the validation examples, or None.
        order: from the epoch and the batch size to the rows of each minibatch.
        jit_compile: whether XLA compiles the programs.
        workers: cohorts trained at the same time.
        open_at_once: cohorts that may be under way; more than ``workers`` lets thinned ones merge.
        initial_epoch: the first epoch.
        on_epoch_end: called after each epoch of each member, from the cohort's thread, never two calls at a time.
        on_members_end: called when members have ended, with those that have by then, from the caller's thread.
        layouts: of each plan, from :func:`layouts_of`; made here when left out.
    """

    def __init__(
        self,
        members: Sequence[Member],
        histories: Sequence[MemberHistory],
        plans: Sequence[CohortPlan],
        training: Examples,
        validation: Examples | None,
        order: Callable[[int, int], NDArray[np.int32]],
        *,
        jit_compile: bool,
        workers: int,
        open_at_once: int,
        initial_epoch: int,
        on_epoch_end: Callable[[MemberHistory], object] | None,
        on_members_end: Callable[[list[MemberHistory]], object] | None,
        layouts: Sequence[Layout] | None = None,
    ) -> None:
        self.members, self.histories = members, histories
        self.training, self.validation, self.order = training, validation, order
        self.jit_compile, self.workers, self.open_at_once = jit_compile, workers, open_at_once
        self.initial_epoch = initial_epoch
        self.on_epoch_end, self.on_members_end = on_epoch_end, on_members_end
        layouts = layouts or layouts_of(plans, members, training, validation)
        cohorts = collections.Counter(layouts)
        epochs = max(history.params["epochs"] for history in histories) - initial_epoch
        self._waiting = [
            (plan, self._cheapest(plan, layout, epochs * cohorts[layout]))
            for plan, layout in zip(plans, layouts, strict=True)
        ]
        self._idle: list[RunningCohort] = []
        self._running = 0
        self._compiled: set[Layout] = set()
        self._compiling: set[Layout] = set()
        self._last_seconds: dict[Layout, float] = {}
        self._changed = threading.Condition()
        self._ended: queue.SimpleQueue[MemberHistory | None] = queue.SimpleQueue()
        self._error: BaseException | None = None

    def _cheapest(self, plan: CohortPlan, layout: Layout, epochs: int) -> Layout:
        """Return the layout in which a cohort trains: its own, or one a little larger that is compiled already."""
        fixed = any(self.members[index].pad_to for index in plan.indices)
        return cheapest(layout, self.jit_compile, fixed=fixed, epochs=epochs)

    def run(self) -> None:
        """Train everything; on an interrupt or an error the present epochs end first, on a second interrupt not."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                self._tell_ended(timeout=0.5)
        except StopAtOnce as error:
            self._error = error  # without the lock, which a thread may hold that takes long
            raise
        except BaseException as error:
            self._fail(error)
        for thread in threads:
            thread.join()
        while not self._ended.empty():
            self._tell_ended(timeout=0)
        if self._error is not None:
            raise self._error

    def _tell_ended(self, timeout: float) -> None:
        """Call ``on_members_end`` with the members that have ended, in the caller's thread."""
        found: list[MemberHistory | None] = []
        with contextlib.suppress(queue.Empty):
            found.append(self._ended.get(timeout=timeout))
            while True:
                found.append(self._ended.get_nowait())
        ended = [history for history in found if history is not None]
        if ended and self.on_members_end is not None:
            self.on_members_end(ended)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _work(self) -> None:
        try:
            while (cohort := self._take()) is not None:
                self._train_epoch(cohort)
        except BaseException as error:
            self._fail(error)
        finally:
            self._ended.put(None)

    def _take(self) -> RunningCohort | None:
        """Return the next cohort to train, waiting for one if need be; None when there is no more."""
        with self._changed:
            while True:
                if self._error is not None or not (self._waiting or self._idle or self._running):
                    return None
                if self._waiting and len(self._idle) + self._running < self.open_at_once:
                    free = [i for i, (_, layout) in enumerate(self._waiting) if layout not in self._compiling]
                    if free or not self._idle:
                        plan, layout = self._waiting.pop(free[0] if free else 0)
                        self._running += 1
                        break
                if self._idle:
                    self._idle.sort(key=lambda cohort: (cohort.layout in self._compiling, cohort.epoch))
                    self._running += 1
                    return self._idle.pop(0)
                self._changed.wait()
            if layout not in self._compiled and not is_compiled(layout, self.jit_compile):
                self._compiling.add(layout)
        members = {index: self.members[index] for index in plan.indices}
        states = [member.start() for member in members.values()]
        return self._running_cohort(layout, members, states, self.initial_epoch)

    def _running_cohort(
        self, layout: Layout, members: dict[int, Member], states: Sequence[State], epoch: int
    ) -> RunningCohort:
        return RunningCohort(layout, members, states, epoch, self.jit_compile, self.initial_epoch)

    def _train_epoch(self, cohort: RunningCohort) -> None:
        program = compiled(cohort.layout, self.jit_compile)
        was_compiled, began = program.compile_seconds > 0, time.perf_counter()
        metrics = cohort.advance(
            self.training.tensors(cohort.input_layers),
            self.validation.tensors(cohort.input_layers) if self.validation else None,
            cohort.own_order() if cohort.layout.own_rows else self.order(cohort.epoch, cohort.layout.batch_size),
        )
        seconds = time.perf_counter() - began
        with self._changed:
            if was_compiled:
                self._last_seconds[cohort.layout] = seconds
            else:
                program.first_epoch_took(seconds)
            finished = set()
            for index, member in cohort.members.items():
                history = self.histories[index]
                history.seconds += seconds / len(cohort.places)
                history.params["steps"] = cohort.layout.steps
                values = {name: float(array[cohort.places[index]]) for name, array in metrics.items()}
                history.record(
                    cohort.epoch - 1,
                    _named(values, member.accuracy),
                    functools.partial(cohort.state, index),
                    functools.partial(cohort.weights, index),
                )
                if self.on_epoch_end is not None:
                    self.on_epoch_end(history)
                if history.finished:
                    finished.add(index)
                    member.finish(history.end(), history.steps)
                    self._ended.put(history)
            cohort.without(finished)
            self._running -= 1
            self._compiling.discard(cohort.layout)
            self._compiled.add(cohort.layout)
            if cohort.members:
                self._idle.append(self._merged(cohort))
            self._changed.notify_all()

    def _merged(self, cohort: RunningCohort) -> RunningCohort:
        """Return ``cohort`` together with the idle cohorts at the same epoch that fit into its places."""
        for other in list(self._idle):
            together = len(cohort.members) + len(other.members)
            # Layouts may be equal where the family is not: members of one share the features as they enter.
            alike = other.layout == cohort.layout and other.family == cohort.family
            at_once = (other.depth, other.epoch) == (cohort.depth, cohort.epoch)
            if alike and at_once and together <= cohort.layout.places:
                self._idle.remove(other)
                members = {**cohort.members, **other.members}
                states = [(cohort if index in cohort.members else other).state(index) for index in members]
                cohort = self._running_cohort(cohort.layout, members, states, cohort.epoch)
        return self._shrunk(cohort)

    def _shrunk(self, cohort: RunningCohort) -> RunningCohort:
        """Return ``cohort`` in a program with fewer places when that saves more time than compiling it takes.

        The first epoch of a program in this process compiled it, so that what an epoch takes is known from the second.
        """
        places = 2 ** math.ceil(math.log2(len(cohort.members)))
        places = max(places, least_places(cohort.members.values()))
        left = max(self.histories[index].params["epochs"] for index in cohort.members) - cohort.epoch
        last = self._last_seconds.get(cohort.layout, 0.0)
        smaller = dataclasses.replace(cohort.layout, places=places)
        here = compiled(cohort.layout, self.jit_compile)
        compiling = 0.0 if is_compiled(smaller, self.jit_compile) else here.compile_seconds
        if places > cohort.layout.places // 2 or left * last * (1 - places / cohort.layout.places) <= compiling:
            return cohort
        states = [cohort.state(index) for index in cohort.members]
        return self._running_cohort(smaller, cohort.members, states, cohort.epoch)


def _named(values: dict[str, float], accuracy: str | None) -> dict[str, float]:
    """Return the values of an epoch under the names that ``Model.fit`` gives them."""
    own = {"loss": "loss"} | ({"accuracy": accuracy} if accuracy is not None else {})
    names = dict(sorted(own.items(), key=lambda each: each[1]))  # Keras sorts the curves by name, the training's first
    names |= {f"val_{key}": f"val_{name}" for key, name in names.items()}
    return {name: values[key] for key, name in names.items() if key in values}
