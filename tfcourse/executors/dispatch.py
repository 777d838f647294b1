"""The driver's side: who trains what next, and what is done about workers that die, hang, lie or dawdle.

Nothing here knows what a worker is. The largest cohorts go first, each to the next worker that is free. What is lost
is trained again, elsewhere, a few times at most. When no cohort waits, one that takes much longer than it
should is given to a second worker as well, and the first result counts: it is the same from either.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfcourse.errors import UserError
from tfcourse.executors.checking import fault_in
from tfcourse.executors.merging import alike, apart, merged
from tfcourse.executors.pieces import Assignment, Piece
from tfcourse.executors.speed import Speed
from tfcourse.executors.tally import Tally, Worker
from tfcourse.executors.workers import Beat, Done, Event, Lost, Ready, Stopped, Workers

if TYPE_CHECKING:
    from tfcourse.cohort.work import Work

MOST_REPEATS, MOST_FROM_OUTSIDE = 3, 20
"""How often a cohort is trained again: where workers may be lost by its doing, and where somebody ends them."""
MOST_FAILED_STARTS = 4
"""Workers that die before any was ever ready."""
SECONDS_OF_A_LOOK = 0.1


@dataclass(frozen=True)
class Waits:
    """When a worker is given up, or a second one is asked.

    Args:
        starting: seconds that it may take to start.
        silent: seconds that it may say nothing, besides what the plan lets an epoch take.
        slow: how many times as long as expected a cohort may take before it is trained a second time.
        least_slow: seconds that it takes at least before that.
    """

    starting: float = 180.0
    silent: float = 120.0
    slow: float = 3.0
    least_slow: float = 10.0


class Dispatch:
    """An executor over workers of any kind; use it in a ``with`` block, which ends them.

    Args:
        workers: the workers.
        waits: when one is given up.
        clock: gives the time in seconds.

    Attributes:
        tally: what was done, and what was lost.
    """

    def __init__(
        self, workers: Workers, waits: Waits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.workers, self.waits, self.clock, self.tally = workers, waits or Waits(), clock, Tally()
        self._speed = Speed()
        self._tasks = itertools.count()
        self._idle: dict[int, None] = {}
        self._ready: dict[int, Ready] = {}
        self._runs: dict[int, Assignment] = {}
        self._failed_starts, self._heard = 0, clock()
        self._closed = False

    @property
    def size(self) -> int:
        """How many cohorts train at the same time."""
        return self.workers.size

    @property
    def beside(self) -> int:
        """How many of them train on one machine, and share its memory."""
        return self.workers.beside

    def __enter__(self) -> Dispatch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers; none is left when it returns."""
        if not self._closed:
            self._closed = True
            self.workers.close()

    def submit(self, batch: Work) -> None:
        """Train every cohort of a batch and tell of each; an interrupt has the workers put down what they are at.

        Raises:
            UserError: if workers cannot be started.
        """
        if self._closed:
            raise UserError("This executor was closed; use it inside its with block.")
        pieces = [Piece(cohort) for cohort in batch.cohorts]
        waiting = deque(sorted(pieces, key=lambda piece: -piece.cohort.operations))
        open_pieces = len(pieces)
        self._heard = self.clock()
        try:
            while open_pieces:
                self._hand_out(waiting, batch)
                news: dict[int, int] = {}
                for event in self.workers.events(SECONDS_OF_A_LOOK):
                    open_pieces -= self._take(event, waiting, batch, news)
                self._look_after()
                open_pieces -= self._give_up_what_fits_nobody(waiting, batch)
                if not waiting:
                    self._help_the_slow(batch)
                batch.progressed(news)
        finally:
            for task, run in self._runs.items():
                for piece in run.pieces:
                    piece.ended = True
                self._put_down(task, run)

    def _hand_out(self, waiting: deque[Piece], batch: Work) -> None:
        """Give each free worker the largest piece that fits into its memory, and one with many places more like it."""
        for worker in list(self._idle) if waiting else ():
            ready, taken = self._ready[worker], list[Piece]()
            memory = ready.memory
            for piece in list(waiting):
                places = sum(each.cohort.plan.places for each in taken) + piece.cohort.plan.places
                like = not taken or (
                    places <= ready.places and not piece.alone and alike(piece.cohort) == alike(taken[0].cohort)
                )
                if like and piece.fits(memory):
                    taken.append(piece)
                    memory -= 0.0 if math.isinf(memory) else piece.need
                    waiting.remove(piece)
                if taken and (places >= ready.places or taken[0].alone):
                    break
            if taken:
                self._give(worker, taken, batch)

    def _give(self, worker: int, pieces: list[Piece], batch: Work) -> None:
        del self._idle[worker]
        task, now, cohort = next(self._tasks), self.clock(), merged([piece.cohort for piece in pieces])
        self._runs[task] = Assignment(worker, pieces, cohort, now, now)
        for piece in pieces:
            piece.runs.add(task)
        self.workers.hand(worker, task, cohort, batch.data[cohort.data])

    def _give_up_what_fits_nobody(self, waiting: deque[Piece], batch: Work) -> int:
        """Give up the pieces that fit into no worker's memory when all have been free for long; return how many."""
        if self._runs or not self._idle or self.clock() - self._heard <= self.waits.starting:
            return 0
        given_up = list(waiting)
        waiting.clear()
        most = max(self._ready[worker].memory for worker in self._idle)
        for piece in given_up:
            self.tally.given_up += 1
            sizes = f"{piece.need / 2**20:,.0f} MiB, and the largest worker has {most / 2**20:,.0f} MiB"
            self._end(piece, batch, f"{piece.cohort.in_words} needs {sizes}")
        return len(given_up)

    def _take(self, event: Event, waiting: deque[Piece], batch: Work, news: dict[int, int]) -> int:
        """Take in what has happened and return how many pieces have ended by it."""
        match event:
            case Ready():
                self.tally.workers[event.worker] = Worker(event.host, event.kind)
                self._ready[event.worker] = event
                self._idle[event.worker] = None
                self._heard = self.clock()
            case Beat() if event.task in self._runs:
                run = self._runs[event.task]
                run.heard = self.clock()
                if not run.ended:
                    news.update(event.news)
            case Stopped() if event.task in self._runs:
                self._free(event.task)
            case Done() if event.task in self._runs:
                return self._done(event, waiting, batch)
            case Lost():
                return self._lost(event, waiting, batch)
        return 0

    def _free(self, task: int) -> Assignment:
        run = self._runs.pop(task)
        for piece in run.pieces:
            piece.runs.discard(task)
        self._idle[run.worker] = None
        self._heard = self.clock()
        return run

    def _done(self, event: Done, waiting: deque[Piece], batch: Work) -> int:
        run = self._runs[event.task]
        if fault := fault_in(run.cohort, event.found):
            self.workers.end(run.worker, fault)  # it is told as lost, and the pieces go elsewhere
            return 0
        self._free(event.task)
        cohort, seconds = run.cohort, self.clock() - run.since
        worker = self.tally.workers.setdefault(run.worker, Worker())
        worker.cohorts += len(run.pieces)
        worker.seconds += seconds
        worker.rows += cohort.layout.rows * sum(len(trained.epochs) for trained in event.found)
        if run.ended or run.stopping:
            return 0
        self._speed.took(cohort.operations, seconds)
        results = zip(run.pieces, apart(event.found, [piece.cohort for piece in run.pieces]), strict=True)
        ended = [(piece, found) for piece, found in results if not piece.ended]
        for piece, found in ended:
            self._end(piece, batch, found)
        return len(ended)

    def _end(self, piece: Piece, batch: Work, found: Any) -> None:
        piece.ended = True
        for task in piece.runs:
            if self._runs[task].ended:
                self._put_down(task, self._runs[task])
        batch.ended(piece.cohort, found)

    def _put_down(self, task: int, run: Assignment) -> None:
        if not run.stopping:
            run.stopping = True
            self.workers.stop(run.worker, task)

    def _lost(self, event: Lost, waiting: deque[Piece], batch: Work) -> int:
        self._idle.pop(event.worker, None)
        self._ready.pop(event.worker, None)
        if event.worker not in self.tally.workers:
            self._failed_starts += not self.tally.workers  # where one could start, others can
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise UserError(f"The workers cannot be started: {event.why}. Go on without them.")
            return 0
        self._heard = self.clock()
        self.tally.workers[event.worker].lost = event.why
        task = next((task for task, run in self._runs.items() if run.worker == event.worker), None)
        if task is None:
            return 0
        given_up = 0
        for piece in reversed(self._runs.pop(task).pieces):
            piece.runs.discard(task)
            if not (piece.ended or piece.runs):  # no other worker is at it
                given_up += self._again(piece, event, waiting, batch)
        return given_up

    def _again(self, piece: Piece, event: Lost, waiting: deque[Piece], batch: Work) -> int:
        """Have a piece that was lost trained again, before all others, or give it up; return 1 if it is given up."""
        piece.lost += not event.from_outside
        piece.from_outside += event.from_outside
        if piece.lost > MOST_REPEATS or piece.from_outside > MOST_FROM_OUTSIDE:
            self.tally.given_up += 1
            times = f"{piece.lost + piece.from_outside} times"
            self._end(piece, batch, f"{piece.cohort.in_words} was lost {times}, the last time because {event.why}")
            return 1
        self.tally.repeated += 1
        waiting.appendleft(piece)
        return 0

    def _look_after(self) -> None:
        """End the workers that have said nothing for too long.

        Raises:
            UserError: if there is none, and none has come for long.
        """
        now = self.clock()
        for run in self._runs.values():
            cohort = run.cohort
            epochs = max(cohort.epochs) - cohort.initial_epoch
            silent = self.waits.silent + self.waits.slow * self._speed.seconds(cohort.operations / epochs)
            if now - run.heard > silent:
                run.heard = now
                self.workers.end(run.worker, f"its worker said nothing for {silent:.0f} seconds")
        if not (self._idle or self._runs) and now - self._heard > self.waits.starting:
            raise UserError(f"No worker has started in {self.waits.starting:.0f} seconds. Go on without them.")

    def _help_the_slow(self, batch: Work) -> None:
        """Give cohorts that take much longer than others did to a second worker as well, while there is one free."""
        for run in list(self._runs.values()):
            expected = self._speed.seconds(run.cohort.operations) if self._speed.known else math.inf
            slow = self.clock() - run.since > max(self.waits.least_slow, self.waits.slow * expected)
            for piece in run.pieces if slow and not run.stopping else ():
                fits = (worker for worker in self._idle if piece.fits(self._ready[worker].memory))
                worker = next(fits, None)
                if worker is not None and len(piece.runs) == 1 and not piece.ended:
                    self.tally.twice += 1
                    self._give(worker, [piece], batch)
