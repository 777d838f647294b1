"""Where a run's cohorts are trained, and what its record says of the workers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tfcourse.executors.choose import check_options, opened
from tfcourse.executors.dispatch import Dispatch
from tfcourse.tuning.networks import check_goes_together
from tfcourse.tuning.tuning_run import TuningRun


@contextlib.contextmanager
def executing(run: TuningRun, given: Mapping[str, Any], say: Callable[[str], object]) -> Iterator[Dispatch | None]:
    """Give the executor that was asked for, None for threads; say and keep at the end what its workers did.

    Args:
        run: the run.
        given: the options that were given, by name.
        say: called with a line.

    Raises:
        UserError: if the run's engine has no workers, or they cannot be reached.
    """
    check_goes_together({**given, "network": run.plan.network})
    check_options({**given, "engine": run.plan.engine})
    folder = run.folder
    with opened(given) as executor:
        try:
            yield executor
        finally:
            if executor is not None and executor.tally.workers:
                folder.record["workers"] = [*folder.record.get("workers", []), executor.tally.to_json()]
                with contextlib.suppress(OSError):  # the disk may be what went wrong
                    folder.save()
                say(f"Workers: {executor.tally.in_words()}")


def workers_said(executor: Dispatch | None) -> Callable[[], str]:
    """Return what tells of the workers in a line of progress; nothing where there are none.

    >>> workers_said(None)()
    ''
    """
    return executor.tally.in_short if executor is not None else str
