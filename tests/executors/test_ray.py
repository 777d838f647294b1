"""A real Ray: actors and whole nodes go and come under way, and the result is that of threads."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.executors.examples import check_same, trained
from tfcourse.errors import UserError
from tfcourse.executors.dispatch import Waits
from tfcourse.executors.ray_cluster import RayCluster

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
EPOCHS = 300


@pytest.fixture(autouse=True, scope="module")
def signals_as_they_are() -> Iterator[None]:
    """A cluster's head leaves a handler of its own in this process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def wanted() -> list[Any]:
    return trained(workers=1, epochs=EPOCHS)


@pytest.fixture
def local() -> Iterator[RayCluster]:
    with RayCluster("local", Waits(silent=30.0, least_slow=1e9)) as cluster:
        yield cluster


def processes_of_ray() -> dict[int, str]:
    """Return the processes of a Ray of this machine, by their ids."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words.startswith("ray::") or "/ray/core/" in words.split(" ")[0]:
            found[int(path.name)] = words
    return found


def listening() -> set[str]:
    """Return the addresses, as the system writes them, at which this process and Ray's wait for connections."""
    inodes = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                inodes[f"socket:[{words[9]}]"] = words[1].split(":")[0]
    found = set()
    for pid in [os.getpid(), *processes_of_ray()]:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                found.add(inodes.get(os.readlink(descriptor), ""))
            except OSError:
                continue
    return found - {""}


def harm_once(executor: RayCluster, harm: Callable[[int], object]) -> Callable[[Any], None]:
    """Return what harms the first worker that is at something, once."""
    harmed: list[int] = []

    def under_way(news: Any) -> None:
        at_it = [run.worker for run in executor._runs.values()]
        if news and at_it and not harmed:
            harmed.append(at_it[0])
            harm(at_it[0])

    return under_way


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="what listens is read from Linux's tables")
def test_on_this_machine_alone_its_ports_are_on_loopback_and_a_killed_actor_is_replaced(
    local: RayCluster, wanted: list[Any]
) -> None:
    def kill(worker: int) -> None:
        for pid in [pid for pid, words in processes_of_ray().items() if words.startswith("ray::Actor")]:
            os.kill(pid, signal.SIGKILL)

    check_same(trained(executor=local, epochs=EPOCHS, on_progress=harm_once(local, kill)), wanted)
    assert local.tally.repeated >= 1
    assert listening()
    assert listening() <= LOOPBACK
    local.close()
    assert not processes_of_ray()


def test_nodes_that_go_and_come_under_way_change_nothing(wanted: list[Any]) -> None:
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 2, "health_check_initial_delay_ms": 0}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        first = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        with RayCluster("auto", Waits(silent=30.0, least_slow=1e9)) as executor:

            def swap(worker: int) -> None:
                cluster.remove_node(first, allow_graceful=False)
                cluster.add_node(num_cpus=2)

            found = trained(executor=executor, epochs=EPOCHS, on_progress=harm_once(executor, swap))
            assert executor.size == 2
        check_same(found, wanted)
        assert executor.tally.repeated == 1
        assert ray.is_initialized()  # it was the program's own connection
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_node_takes_what_its_memory_and_its_gpu_let_it(wanted: list[Any]) -> None:
    """The nodes only declare what they have; what a GPU computes is not tested here."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1, memory=2**20)  # less than a cohort needs
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        with RayCluster("auto", Waits(silent=30.0, least_slow=1e9)) as executor:

            def join(news: Any) -> None:
                if executor.tally.workers and executor.size == 1 and not executor._runs:
                    cluster.add_node(num_cpus=4, num_gpus=1, memory=2**30)
                    executor.workers._counted = -1e9  # type: ignore[attr-defined]

            check_same(trained(executor=executor, epochs=EPOCHS, on_progress=join), wanted)
            assert executor.size == 2  # one worker a GPU, not one a processor
        small, large = executor.tally.workers.values()
        assert (small.cohorts, large.cohorts) == (0, 3)
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_an_address_nobody_answers_at() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=rf"^No Ray cluster answers at 127\.0\.0\.1:{port} \(.*ray start --head --port"):
        RayCluster(f"127.0.0.1:{port}")
    with pytest.raises(UserError, match=r"^--ray somewhere was given; allowed are auto, local, or HOST:PORT"):
        RayCluster("somewhere")
    with pytest.raises(UserError, match=r"^No Ray cluster answers \(auto\).*give --ray local$"):
        RayCluster("auto")
