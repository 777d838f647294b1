"""A real Ray: actors and whole nodes go and come under way, and the result is that of threads."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.executors.examples import check_same, ended, outcome, trained
from tfcourse import train
from tfcourse.errors import UserError
from tfcourse.executors.dispatch import Waits
from tfcourse.executors.ray_cluster import RayCluster

ray = pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [
    pytest.mark.timeout(600),  # what hangs fails by name, with the stacks of all threads
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
EPOCHS = 300
SECONDS_TO_END, SECONDS_OF_RAYS_AGENTS = 30.0, 180.0
"""Ray's own agents look for a cluster that is gone for a minute; what trains ends at once."""


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


def processes_of_ray(driver: int | None = None) -> dict[int, str]:
    """Return the processes of the Ray that a process has started, this one when left out, by their ids."""
    words, parents = dict[int, str](), dict[int, int]()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parents[int(path.name)] = int((path / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue

    def is_below(pid: int) -> bool:
        while pid in parents and pid != (driver or os.getpid()):
            pid = parents[pid]
        return pid in parents

    return {pid: said for pid, said in words.items() if is_ray(said) and is_below(pid)}


def is_ray(words: str) -> bool:
    return words.startswith("ray::") or "/ray/core/" in words.split(" ")[0]


def everybody() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def gone_in_time(pids: Iterable[int], seconds: float = SECONDS_TO_END) -> bool:
    """Say whether processes have ended, after so many seconds at most."""
    left, until = set(pids), time.monotonic() + seconds
    while left and time.monotonic() < until:
        left = {pid for pid in left if is_ray(_words(pid))}
        time.sleep(0.1)
    return not left


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


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


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster whose head trains nothing, for the tests that follow; each leaves it without other nodes."""
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    soon = {"health_check_period_ms": 500, "health_check_failure_threshold": 2, "health_check_initial_delay_ms": 0}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    found = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield found
    finally:
        found.shutdown()


@contextmanager
def on(cluster: Any) -> Iterator[RayCluster]:
    """Give an executor on a cluster that this program has connected to."""
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        with RayCluster("auto", Waits(silent=30.0, least_slow=1e9)) as executor:
            yield executor
        assert ray.is_initialized()  # it was the program's own connection
    finally:
        ray.shutdown()
        for node in cluster.list_all_nodes()[1:]:
            cluster.remove_node(node)


def test_nodes_that_go_and_come_under_way_change_nothing(cluster: Any, wanted: list[Any]) -> None:
    first = cluster.add_node(num_cpus=1)
    with on(cluster) as executor:

        def swap(worker: int) -> None:
            cluster.remove_node(first, allow_graceful=False)
            cluster.add_node(num_cpus=2)

        found = trained(executor=executor, epochs=EPOCHS, on_progress=harm_once(executor, swap))
        assert executor.size == 2
    check_same(found, wanted)
    assert executor.tally.repeated == 1


def test_a_node_takes_what_its_memory_and_its_gpu_let_it(cluster: Any, wanted: list[Any]) -> None:
    """The nodes only declare what they have; what a GPU computes is not tested here."""
    cluster.add_node(num_cpus=1, memory=2**20)  # less than a cohort needs
    with on(cluster) as executor:

        def join(news: Any) -> None:
            if executor.tally.workers and executor.size == 1 and not executor._runs:
                cluster.add_node(num_cpus=4, num_gpus=1, memory=2**30)
                executor.workers._counted = -1e9  # type: ignore[attr-defined]

        check_same(trained(executor=executor, epochs=EPOCHS, on_progress=join), wanted)
        assert executor.size == 2  # one worker a GPU, not one a processor
    small, large = executor.tally.workers.values()
    assert (small.cohorts, large.cohorts) == (0, 3)


SEARCH = ["--target", "kind", "--trials", "12", "--epochs", "6", "--seed", "2", "--halving", "--single"]


def killed_under_way(words: list[str], run: Path) -> dict[int, str]:
    """Begin a search, kill its driver when trials have ended, and return the processes that it had started."""
    command = [sys.executable, "-m", "tfcourse.train", *words, "--quiet", "--out", str(run)]
    driver = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    started = dict[int, str]()
    try:
        while driver.poll() is None and not ended(run):
            started = processes_of_ray(driver.pid)
            time.sleep(0.02)
    finally:
        driver.kill()
        driver.wait()
    assert driver.returncode == -signal.SIGKILL, "it was over before it was killed"
    assert ended(run)
    assert not (run / "result.json").exists()
    return started


@pytest.fixture(scope="module")
def wanted_of_search(pets_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = tmp_path_factory.mktemp("threads") / "run"
    assert train.main(["--data", str(pets_csv), *SEARCH, "--quiet", "--out", str(run)]) == 0
    return outcome(run)


def test_a_driver_that_was_killed_goes_on_where_it_was_on_the_cluster_that_outlives_it(
    cluster: Any, wanted_of_search: dict[str, Any], pets_csv: Path, tmp_path: Path
) -> None:
    cluster.add_node(num_cpus=1)
    run, address = tmp_path / "run", cluster.address
    before = {pid for pid, words in processes_of_ray().items() if not words.startswith("ray::")}
    try:
        killed_under_way(["--data", str(pets_csv), *SEARCH, "--ray", address], run)
        assert train.main(["--resume", str(run), "--ray", address, "--quiet"]) == 0  # the old actors make room
        assert outcome(run) == wanted_of_search
        there = processes_of_ray()
        assert gone_in_time(pid for pid, words in there.items() if words.startswith("ray::Actor"))
        assert before <= there.keys()  # the cluster is not ours, and goes on
    finally:
        for node in cluster.list_all_nodes()[1:]:
            cluster.remove_node(node)


def test_a_driver_that_was_killed_leaves_no_process_of_its_own_ray_and_is_resumed_without(
    wanted_of_search: dict[str, Any], pets_csv: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    started = killed_under_way(["--data", str(pets_csv), *SEARCH, "--ray", "local"], run)
    trains = [pid for pid, words in started.items() if words.startswith("ray::Actor")]
    assert trains
    assert gone_in_time(trains)
    assert gone_in_time(started, SECONDS_OF_RAYS_AGENTS)
    assert train.main(["--resume", str(run), "--quiet"]) == 0
    assert outcome(run) == wanted_of_search


def test_an_address_nobody_answers_at() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=rf"^No Ray cluster answers at 127\.0\.0\.1:{port} \(.*ray start --head --port"):
        RayCluster(f"127.0.0.1:{port}")
    with pytest.raises(UserError, match=r"^--ray somewhere was given; allowed are auto, local, or HOST:PORT"):
        RayCluster("somewhere")
    if not any(map(is_ray, map(_words, everybody()))):  # somebody else's Ray would answer
        with pytest.raises(UserError, match=r"^No Ray cluster answers \(auto\).*give --ray local$"):
            RayCluster("auto")
