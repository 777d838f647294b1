"""``fit_together`` on an executor: cohorts go out as pieces of work, and what comes back goes into the histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tfcourse.cohort.dataset import Examples
from tfcourse.cohort.history import MemberHistory
from tfcourse.cohort.layout import Layout
from tfcourse.cohort.member import Member, State
from tfcourse.cohort.plan import CohortPlan
from tfcourse.cohort.running import layouts_of
from tfcourse.cohort.work import Cohort, Executor, Shared, Trained, Watch, Work, portable
from tfcourse.errors import UserError


class Elsewhere:
    """Trains cohorts on an executor until every member has ended; in the place of a ``Scheduler``.

    Args:
        members: all members.
        histories: the history of each.
        plans: the cohorts.
        training: the training examples.
        validation: the validation examples, or None.
        watches: what follows each member; None for nothing.
        initial_epoch: the first epoch.
        seed: of the minibatch order.
        shuffle: whether there is one.
        jit_compile: whether XLA compiles the programs.
        on_members_end: called when members have ended, with those that have by then, in the caller's thread.
        on_progress: as for :class:`~tfcourse.cohort.work.Work`.
    """

    def __init__(
        self,
        members: Sequence[Member],
        histories: Sequence[MemberHistory],
        plans: Sequence[CohortPlan],
        training: Examples,
        validation: Examples | None,
        watches: Sequence[Watch] | None,
        *,
        initial_epoch: int,
        seed: int,
        shuffle: bool,
        jit_compile: bool,
        on_members_end: Callable[[list[MemberHistory]], object] | None,
        on_progress: Callable[[Mapping[int, int]], object] | None,
    ) -> None:
        self.members, self.histories, self.watches = members, histories, watches
        self.initial_epoch, self.seed, self.shuffle, self.jit_compile = initial_epoch, seed, shuffle, jit_compile
        self.on_members_end, self.on_progress = on_members_end, on_progress
        self._untold: list[MemberHistory] = []
        self._data: dict[str, Shared] = {}
        by_layers: dict[tuple[object, ...], str] = {}
        for member in members:
            if member.input_layers.key not in by_layers:
                data = Shared.of(training, validation, member.input_layers)
                self._data[data.digest] = data
                by_layers[member.input_layers.key] = data.digest
        layouts = layouts_of(plans, members, training, validation)
        self._cohorts = [
            self._cohort(plan, layout, by_layers[members[plan.indices[0]].input_layers.key])
            for plan, layout in zip(plans, layouts, strict=True)
        ]

    def _cohort(self, plan: CohortPlan, layout: Layout, data: str) -> Cohort:
        histories = [self.histories[index] for index in plan.indices]
        epochs = tuple(history.params["epochs"] for history in histories)
        more = max(epochs) - self.initial_epoch
        return Cohort(
            plan,
            layout,
            tuple(portable(self.members[index], layout.steps, more) for index in plan.indices),
            tuple(history.stopping for history in histories),
            tuple(self.watches[index] for index in plan.indices) if self.watches else (),
            epochs,
            self.initial_epoch,
            data,
            self.seed,
            self.shuffle,
            self.jit_compile,
        )

    def run(self, executor: Executor) -> None:
        """Train everything; what ended before an interrupt is told before it is raised.

        Raises:
            UserError: if members were lost, and nobody is told of each.
        """
        try:
            executor.submit(Work(self._cohorts, self._data, self._ended, self._progressed))
        finally:
            self._tell()
        lost = [history for history in self.histories if history.lost]
        if lost and self.on_members_end is None:
            which = ", ".join(str(history.index) for history in lost)
            raise UserError(f"Members {which} were not trained: {lost[0].lost}.")

    def _ended(self, cohort: Cohort, found: list[Trained] | str) -> None:
        for place, index in enumerate(cohort.plan.indices):
            history = self.histories[index]
            if isinstance(found, str):
                history.lost, history.finished = found, True
            else:
                self._take(index, found[place])
            self._untold.append(history)

    def _progressed(self, news: Mapping[int, int]) -> None:
        self._tell()
        if self.on_progress is not None:
            self.on_progress(news)

    def _tell(self) -> None:
        """Tell of the members that have ended since the last time."""
        ended, self._untold = self._untold, []
        if ended and self.on_members_end is not None:
            self.on_members_end(ended)

    def _take(self, index: int, trained: Trained) -> None:
        """Put what came of a member's training where a training here would have put it."""
        history, state = self.histories[index], trained.state or State([], [], [])
        history.history, history.epoch = trained.curves, trained.epochs
        history.best_epoch, history.diverged = trained.best_epoch, trained.diverged
        history.seconds, history.params["steps"] = trained.seconds, trained.steps
        history.ended_with(state)
        if self.watches is not None and trained.watch is not None:
            self.watches[index].take(trained.watch)
        self.members[index].finish(state, history.steps)
