"""The options ``--workers`` and ``--ray`` of a command: where its cohorts are trained, chosen at the edge."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tfcourse.errors import UserError
from tfcourse.process.command import whole_number
from tfcourse.process.quiet import quiet_start
from tfcourse.process.start_keras import start_keras

if TYPE_CHECKING:
    from tfcourse.executors.dispatch import Dispatch

OPTIONS = ("workers", "ray")


def add_options(add: Callable[..., object]) -> None:
    """Let a command take ``--workers`` and ``--ray``; ``add`` is the ``add_argument`` of its parser."""
    add(
        "--workers",
        metavar="N",
        type=whole_number(1),
        help="train in N processes of this machine instead of on threads of one; the result is the same",
    )
    add(
        "--ray",
        metavar="ADDRESS|auto|local",
        help="train on a Ray cluster: at an address, the one that this machine belongs to (auto), or one of this"
        ' machine alone (local); needs pip install "tfcourse[ray]"',
    )


def check_options(given: Mapping[str, Any]) -> None:
    """Refuse what does not go together, before anything is done.

    Raises:
        UserError: if it does not, or Ray is not installed.
    """
    workers, ray = given.get("workers"), given.get("ray")
    if workers is not None and ray is not None:
        raise UserError(
            f"--workers {workers} and --ray {ray} were given; cohorts train in one place: give one of them."
        )
    if given.get("engine") == "keras" and (workers is not None or ray is not None):
        flag = f"--workers {workers}" if workers is not None else f"--ray {ray}"
        raise UserError(f"{flag} was given with --engine keras, which trains in one process; use --engine cohort.")
    if ray is not None and importlib.util.find_spec("ray") is None:
        raise UserError(f'--ray {ray} needs Ray, which is not installed: pip install "tfcourse[ray]"')


@contextlib.contextmanager
def opened(given: Mapping[str, Any]) -> Iterator[Dispatch | None]:
    """Give the executor that was asked for, None for threads of this process; its workers end with the block.

    Raises:
        UserError: if a Ray cluster does not answer.
    """
    if all(given.get(option) is None for option in OPTIONS):
        yield None
        return
    if given.get("workers") is not None:
        from tfcourse.executors.processes import Processes

        with Processes(given["workers"]) as executor:  # they import TensorFlow while this process does
            yield executor
    else:
        with quiet_start():
            start_keras()
            from tfcourse.executors.ray_cluster import RayCluster
        with RayCluster(given["ray"]) as executor:
            yield executor
