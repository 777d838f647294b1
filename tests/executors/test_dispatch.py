"""The driver's rules, on workers that are told when to die, to hang, to lie and to dawdle; they train for real."""

from __future__ import annotations

import copy
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.executors.examples import EPOCHS, check_same, trained
from tfcourse.cohort.work import Cohort, Shared, Trained, train_cohort
from tfcourse.errors import UserError
from tfcourse.executors.checking import all_finite
from tfcourse.executors.dispatch import Dispatch, Waits
from tfcourse.executors.merging import bytes_needed
from tfcourse.executors.workers import Beat, Done, Event, Lost, Ready, Stopped

pytestmark = pytest.mark.timeout(600)
Fault = Callable[["Scripted", int, int, Cohort, list[Trained]], Event | None]


class Scripted:
    """Workers in this process that train what they are handed at once, and answer as a fault has it."""

    def __init__(
        self,
        size: int,
        fault: Fault = lambda *_: None,
        has: Sequence[tuple[float, int]] = (),
        comes: tuple[float, int] = (math.inf, 0),
    ) -> None:
        self.size = self.beside = size
        self.comes = comes
        self.fault, self.now, self.closed = fault, 0.0, False
        self.told: list[Event] = [
            Ready(worker, "here", "a kind", *has) for worker, has in enumerate(has or [()] * size)
        ]
        self.handed: list[tuple[int, Cohort]] = []
        self.stopped: list[int] = []
        self.next = size

    def hand(self, worker: int, task: int, cohort: Cohort, data: Shared) -> None:
        self.handed.append((worker, cohort))
        sent = copy.deepcopy(cohort)  # as sending it would
        found = train_cohort(sent, data.examples(), lambda news: self.told.append(Beat(worker, task, dict(news))))
        event = self.fault(self, worker, task, cohort, found)
        self.told.append(event or Done(worker, task, found))

    def stop(self, worker: int, task: int) -> None:
        self.stopped.append(worker)
        self.told.append(Stopped(worker, task))

    def end(self, worker: int, why: str) -> None:
        self.told.append(Lost(worker, why))

    def events(self, seconds: float) -> list[Event]:
        self.now += 1.0
        found, self.told = self.told, []
        for event in found:
            if isinstance(event, Lost):
                self.told.append(Ready(self.next, "here", "a kind", *self.comes))
                self.next += 1
        return found

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def wanted() -> list[Any]:
    return trained(workers=1)


def executor(workers: Scripted, **waits: float) -> Dispatch:
    return Dispatch(workers, Waits(**waits), clock=lambda: workers.now)


def times(workers: Scripted) -> list[int]:
    """Return how often each cohort was handed out."""
    return sorted(Counter(cohort.plan.indices for _, cohort in workers.handed).values())


def test_every_cohort_is_trained_once_the_largest_first_as_on_threads(wanted: list[Any]) -> None:
    workers, ended, news = Scripted(2), list[int](), dict[int, int]()
    with executor(workers) as two:
        found = trained(executor=two, on_member_end=lambda h: ended.append(h.index), on_progress=news.update)
    check_same(found, wanted)
    assert times(workers) == [1, 1, 1]
    assert sorted(ended) == list(range(12))
    assert news == {index: len(history.epoch) for index, history in enumerate(wanted)}
    assert news[0] == EPOCHS
    operations = [cohort.operations for _, cohort in workers.handed]
    assert operations == sorted(operations, reverse=True)
    assert workers.closed
    assert two.tally.in_words().startswith("3 cohorts on 2 workers")


def test_a_cohort_that_is_lost_is_trained_again_elsewhere(wanted: list[Any]) -> None:
    def dies_once(workers: Scripted, worker: int, task: int, *_: Any) -> Event | None:
        return Lost(worker, "it was killed") if task in (0, 1) else None

    workers = Scripted(2, dies_once)
    with executor(workers) as two:
        check_same(trained(executor=two), wanted)
    assert times(workers) == [1, 2, 2]
    assert (two.tally.lost, two.tally.repeated, two.tally.given_up) == (2, 2, 0)
    assert "2 workers lost, 2 cohorts repeated" in two.tally.in_words()


def test_one_that_is_lost_four_times_is_given_up_by_name_and_the_others_go_on(wanted: list[Any]) -> None:
    def kills(workers: Scripted, worker: int, task: int, cohort: Cohort, *_: Any) -> Event | None:
        return Lost(worker, "it took too much memory") if 0 in cohort.plan.indices else None

    workers, ended = Scripted(2, kills), dict[int, str]()
    with executor(workers) as two:
        found = trained(executor=two, on_member_end=lambda h: ended.update({h.index: h.lost}))
        assert times(workers) == [1, 1, 4]
        lost = [index for index, why in ended.items() if why]
        assert 0 in lost
        assert len(lost) == 4
        assert ended[0] == (
            "a cohort of 4 in epochs 1 to 4 was lost 4 times, the last time because it took too much memory"
        )
        kept = [index for index in range(12) if index not in lost]
        check_same([found[index] for index in kept], [wanted[index] for index in kept])
        with pytest.raises(UserError, match=r"^Members 0, .* were not trained: a cohort of 4"):
            trained(executor=two)


def test_who_is_killed_from_outside_says_nothing_against_its_cohort_for_long(wanted: list[Any]) -> None:
    def killed(times: int) -> Fault:
        def kill(workers: Scripted, worker: int, task: int, cohort: Cohort, *_: Any) -> Event | None:
            return Lost(worker, "it was killed", from_outside=True) if task < times else None

        return kill

    with executor(Scripted(1, killed(20))) as one:
        check_same(trained(executor=one), wanted)
    assert (one.tally.repeated, one.tally.given_up) == (20, 0)
    with executor(Scripted(1, killed(21))) as one, pytest.raises(UserError, match="was lost 21 times"):
        trained(executor=one)


def spoil_weights(found: list[Trained]) -> None:
    assert found[0].state is not None
    found[0].state.weights[0][0, 0] = np.nan


def spoil_shape(found: list[Trained]) -> None:
    assert found[0].state is not None
    found[0].state.first[0] = found[0].state.first[0][:1]


def shorten(found: list[Trained]) -> None:
    found[1].epochs.pop()
    for curve in found[1].curves.values():
        curve.pop()


SPOILT: dict[str, Callable[[list[Trained]], object]] = {
    "weights are not finite": spoil_weights,
    "other shapes": spoil_shape,
    "nothing told it to": shorten,
    "one result a member": list.pop,
    "sent a str": lambda found: found.__setitem__(0, "garbage"),  # type: ignore[call-overload]
    "and it went on": lambda found: found[0].curves["loss"].__setitem__(1, float("nan")),
    "a value an epoch": lambda found: found[0].curves.pop("loss"),
    "must be from 0 to 3": lambda found: found[0].epochs.__setitem__(0, 7),
}


@pytest.mark.parametrize("words", SPOILT)
def test_a_result_that_cannot_be_is_not_believed(words: str, wanted: list[Any]) -> None:
    def lies_once(workers: Scripted, worker: int, task: int, cohort: Cohort, found: list[Trained]) -> Event | None:
        if task == 0:
            SPOILT[words](found)
        return None

    workers = Scripted(1, lies_once)
    with executor(workers) as one:
        check_same(trained(executor=one), wanted)
    assert times(workers) == [1, 1, 2]
    assert words in one.tally.workers[0].lost


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45, 0.0])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 4)])
def test_a_weight_that_is_not_finite_is_found_whatever_the_others_are(value: float, shape: tuple[int, ...]) -> None:
    for others in (1.0, 3e38, -3e38):
        array = np.full(shape, others, np.float32)
        array[(-1,) * len(shape)] = value
        assert all_finite(array) == math.isfinite(value)


def test_a_worker_that_says_nothing_for_too_long_is_ended(wanted: list[Any]) -> None:
    def hangs_once(workers: Scripted, worker: int, task: int, *_: Any) -> Event | None:
        if task > 0:
            return None
        workers.told.clear()  # nor does it tell of its epochs
        return Beat(worker, task, {})

    workers = Scripted(1, hangs_once)
    with executor(workers, silent=20.0) as one:
        check_same(trained(executor=one), wanted)
    assert "said nothing for 20 seconds" in one.tally.workers[0].lost
    assert workers.now >= 20


def test_a_slow_cohort_is_trained_twice_when_no_other_waits_and_the_first_result_counts(wanted: list[Any]) -> None:
    late: list[Event] = []

    def dawdles(workers: Scripted, worker: int, task: int, cohort: Cohort, found: list[Trained]) -> Event | None:
        if task > 0:
            return None
        late.append(Done(worker, task, found))
        return Beat(worker, task, {})

    workers = Scripted(2, dawdles)
    with executor(workers, least_slow=5.0) as two:
        check_same(trained(executor=two), wanted)
        assert times(workers) == [1, 1, 2]
        assert workers.stopped == [0]  # the slow one need not go on
        assert two.tally.twice == 1
        workers.told += late  # it had ended before it heard of it
        check_same(trained(executor=two), wanted)


def test_workers_that_never_start_are_a_mistake_and_not_a_wait_for_ever() -> None:
    workers = Scripted(1)
    workers.told = [Lost(number, "No module named 'tfcourse'") for number in range(4)]
    with executor(workers) as none, pytest.raises(UserError, match=r"^The workers cannot be started: No module named"):
        trained(executor=none)
    workers.told = []
    with (
        executor(workers, starting=9.0) as none,
        pytest.raises(UserError, match=r"^No worker has started in 9 seconds"),
    ):
        trained(executor=none)


def test_an_interrupt_has_the_workers_put_down_what_they_are_at(wanted: list[Any]) -> None:
    def interrupts(news: Any) -> None:
        if workers.handed:
            raise KeyboardInterrupt

    def silent(workers: Scripted, worker: int, task: int, *_: Any) -> Event | None:
        return Beat(worker, task, {}) if task == 0 else None

    workers = Scripted(1, silent)
    with executor(workers) as one:
        with pytest.raises(KeyboardInterrupt):
            trained(executor=one, on_progress=interrupts)
        assert workers.stopped == [0]
        check_same(trained(executor=one), wanted)
    with pytest.raises(UserError, match="was closed"):
        trained(executor=one)


def test_machines_of_different_kinds_are_told() -> None:
    workers = Scripted(2)
    workers.told = [Ready(0, "a", "an old processor"), Ready(1, "b", "a new processor")]
    with executor(workers) as two:
        trained(executor=two)
    assert two.tally.in_words().endswith("; on a new processor and an old processor, whose last digits differ")


def test_an_executor_and_what_looks_at_every_epoch_do_not_go_together() -> None:
    with executor(Scripted(1)) as one, pytest.raises(UserError, match=r"^on_epoch_end and an executor were given"):
        trained(executor=one, on_epoch_end=lambda history: None)


def test_a_worker_with_many_places_trains_several_cohorts_as_one_to_the_last_bit(wanted: list[Any]) -> None:
    workers, news = Scripted(1, has=[(math.inf, 256)]), dict[int, int]()
    with executor(workers) as one:
        check_same(trained(executor=one, on_progress=news.update), wanted)
    ((_, cohort),) = workers.handed
    assert (len(cohort.members), cohort.plan.places, cohort.layout.places) == (12, 12, 12)
    assert news == {index: len(history.epoch) for index, history in enumerate(wanted)}
    assert one.tally.workers[0].cohorts == 3


def test_as_many_cohorts_as_its_places_and_its_memory_hold(wanted: list[Any]) -> None:
    probe = Scripted(1)
    with executor(probe) as one:
        trained(executor=one)
    most = max(bytes_needed(cohort) for _, cohort in probe.handed)
    for has, sizes in (((math.inf, 8), [4, 8]), ((2 * most, 256), [4, 8]), ((1.5 * most, 256), [4, 4, 4])):
        workers = Scripted(1, has=[has])
        with executor(workers) as one:
            check_same(trained(executor=one), wanted)
        assert sorted(len(cohort.members) for _, cohort in workers.handed) == sizes


def test_what_was_trained_as_one_and_is_lost_is_trained_again_wherever_there_is_room(wanted: list[Any]) -> None:
    def dies(workers: Scripted, worker: int, *_: Any) -> Event | None:
        return Lost(worker, "its node is gone") if worker == 0 else None

    workers = Scripted(1, dies, has=[(math.inf, 256)])  # who comes in its place has places for one cohort
    with executor(workers) as one:
        check_same(trained(executor=one), wanted)
    assert [len(cohort.members) for _, cohort in workers.handed] == [12, 4, 4, 4]
    assert (one.tally.lost, one.tally.repeated) == (1, 3)


def test_a_cohort_that_kills_whoever_has_it_takes_no_other_with_it(wanted: list[Any]) -> None:
    def dies(workers: Scripted, worker: int, task: int, cohort: Cohort, found: Any) -> Event | None:
        return Lost(worker, "it died") if 0 in cohort.plan.indices else None

    places = (math.inf, 256)
    workers, lost = Scripted(1, dies, has=[places], comes=places), dict[int, str]()
    with executor(workers) as one:
        trained(executor=one, on_member_end=lambda h: lost.update({h.index: h.lost}) if h.lost else None)
    given_up = [cohort.plan.indices for _, cohort in workers.handed if 0 in cohort.plan.indices]
    assert len(given_up[0]) == 12
    assert set(lost) == set(given_up[-1])
    assert len(lost) == 4


def test_a_cohort_goes_to_no_worker_whose_memory_is_too_small(wanted: list[Any]) -> None:
    workers = Scripted(2, has=[(1000.0, 0), (math.inf, 0)])
    with executor(workers) as two:
        check_same(trained(executor=two), wanted)
    assert {worker for worker, _ in workers.handed} == {1}
    small, ended = Scripted(1, has=[(1000.0, 0)]), dict[int, str]()
    with executor(small, starting=9.0) as one:
        trained(executor=one, on_member_end=lambda h: ended.update({h.index: h.lost}))
    assert small.handed == []
    assert len(ended) == 12
    assert re.fullmatch(r"a cohort of 4 in epochs 1 to 4 needs \d+ MiB, and the largest worker has 0 MiB", ended[0])
