"""Kill the workers of trainings, at random moments or every few seconds, and compare with undisturbed ones.

    python scripts/faults/workers.py --kills 50                     the same small cohorts, again and again
    python scripts/faults/workers.py --kills 20 --on ray
    python scripts/faults/workers.py --every 10 --trials 300        one long search of the digits

There are two workers. Each kill is SIGKILL to one of them, whatever it is at: starting, compiling, training or idle.
Curves and weights, and of a search its trials, model and verdict as well, must be those on threads to the last bit, no
training may be given up, and no worker may be left. Kills, losses and repeated cohorts are counted and printed. Exit
status: 0 if no fault was found, else 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tiny

MARKS = {"processes": "tfcourse.executors.worker", "ray": "ray::Actor"}
FLAGS = {"processes": ["--workers", "2"], "ray": ["--ray", "local"]}
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_TO_END = 20.0


@dataclass
class Found:
    """What a campaign has come to."""

    kills: int = 0
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def workers_below(driver: int, mark: str) -> list[int]:
    """Return the process ids of a driver's workers, however far below it they are."""
    parents, marked = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parents[int(path.name)] = int((path / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if mark in words:
            marked.append(int(path.name))

    def below(pid: int) -> bool:
        while pid in parents and pid != driver:
            pid = parents[pid]
        return pid == driver

    return [pid for pid in marked if below(pid)]


def run(words: Sequence[str], mark: str, moments: Sequence[float], random: np.random.Generator) -> tuple[int, int, str]:
    """Run a search, killing a worker at each moment; return kills, exit status and what it said."""
    began, left, kills = time.monotonic(), list(moments), 0
    with tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "tfcourse.train", *words]
        driver = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while driver.poll() is None:
            if left and time.monotonic() - began >= left[0]:
                left.pop(0)
                if there := workers_below(driver.pid, mark):
                    os.kill(int(random.choice(there)), signal.SIGKILL)
                    kills += 1
            time.sleep(SECONDS_BETWEEN_LOOKS)
        said.seek(0)
        return kills, driver.returncode, said.read().decode(errors="replace").strip()[-500:]


def left_over(mark: str) -> int:
    """Return how many workers are left after a while; their driver is gone, so that they have another parent."""
    until = time.monotonic() + SECONDS_TO_END
    while (found := workers_below(1, mark)) and time.monotonic() < until:
        time.sleep(0.2)
    return len(found)


def check(out: Path, wanted: object, status: int, said: str, found: Found) -> None:
    """Compare a run with the undisturbed one, and count what its record says of the workers."""
    found.runs += 1
    if status != 0:
        found.faults.append(f"{out.name}: status {status}: {said}")
        return
    found.faults += [f"{out.name}: {line}" for line in tiny.differences(wanted, tiny.of_search(out))]
    for part in tiny.read(out / "run.json")["workers"]:
        found.counts["lost workers"] += sum(bool(worker["lost"]) for worker in part["workers"])
        for name in ("repeated", "twice", "given_up"):
            found.counts[f"{name.replace('_', ' ')} cohorts"] += part[name]


def at_random_moments(on: str, kills: int, random: np.random.Generator) -> Found:
    """Train the same small cohorts again and again on two workers, and kill workers until so many are killed."""
    from tfcourse.executors import Processes, RayCluster

    wanted, found = small_cohorts(None), Found()
    began = time.monotonic()
    with Processes(2) if on == "processes" else RayCluster("local") as executor:
        small_cohorts(executor)
        whole = time.monotonic() - began
        over = threading.Event()

        def kill() -> None:
            while found.kills < kills and not over.wait(random.uniform(0, whole)):
                if there := workers_below(os.getpid(), MARKS[on]):
                    os.kill(int(random.choice(there)), signal.SIGKILL)
                    found.kills += 1

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            while found.kills < kills:
                found.faults += tiny.differences(wanted, small_cohorts(executor))
                found.runs += 1
        finally:
            over.set()
            killer.join()
        found.faults += tiny.differences(wanted, small_cohorts(executor))
        found.runs += 1
        tally = executor.tally
        found.counts |= {"lost workers": tally.lost, "repeated cohorts": tally.repeated, "given up": tally.given_up}
    if left := workers_below(os.getpid(), MARKS[on]):
        found.faults.append(f"{len(left)} workers are left")
    return found


def small_cohorts(executor: Any) -> dict[str, Any]:
    """Return what training 24 small networks in six cohorts gives, by the number of each."""
    from tfcourse.cohort import fit_together
    from tfcourse.cohort.member import member_of_spec
    from tfcourse.models.spec import NetworkSpec, OptimizerSpec

    x = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)
    rates = np.geomspace(0.003, 0.3, 24)
    members = [
        member_of_spec(NetworkSpec(6, 3, (5 + n % 4,)), OptimizerSpec("adam", rate), n, pad_to=8)
        for n, rate in enumerate(rates)
    ]
    y = x[:, :3].argmax(axis=1)
    told: list[Any] = []
    histories = fit_together(
        members, x[:300], y[:300], validation_data=(x[300:], y[300:]), epochs=150, places=4, executor=executor,
        workers=None if executor else 1, on_member_end=told.append,
    )  # fmt: skip
    return {str(each.index): [each.history, tiny.digest(each.weights), each.lost] for each in histories}


def every_few_seconds(place: Path, on: str, seconds: float, trials: int, random: np.random.Generator) -> Found:
    """Kill a worker of one long search every so many seconds."""
    found, words = Found(), ["--trials", str(trials), "--quiet", "--out"]
    run([*words, str(place / "undisturbed")], MARKS[on], [], random)
    moments = [seconds * number for number in range(1, 1000)]
    out = place / "disturbed"
    found.kills, status, said = run([*words, str(out), *FLAGS[on]], MARKS[on], moments, random)
    check(out, tiny.of_search(place / "undisturbed"), status, said, found)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, metavar="N", help="how many, at random moments of small searches")
    parser.add_argument("--every", type=float, metavar="SECONDS", help="in one long search, a kill every so often")
    parser.add_argument("--trials", type=int, default=300, metavar="N", help="of the long search (default 300)")
    parser.add_argument("--on", choices=list(MARKS), default="processes", help="what the workers are")
    parser.add_argument("--seed", type=int, metavar="N", help="of the moments (default: another each time)")
    parser.add_argument("--place", type=Path, metavar="DIR", help="a new folder to keep everything in")
    options = parser.parse_args(argv)
    seed = int(time.time()) if options.seed is None else options.seed
    random, faults = np.random.default_rng(seed), 0
    with tempfile.TemporaryDirectory() as temporary:
        place = options.place or Path(temporary)
        place.mkdir(exist_ok=True)
        found = (
            every_few_seconds(place, options.on, options.every, options.trials, random)
            if options.every
            else at_random_moments(options.on, options.kills or 50, random)
        )
        if over := left_over(MARKS[options.on]):
            found.faults.append(f"{over} workers are left")
        faults += len(found.faults)
    counts = ", ".join(f"{count} {name}" for name, count in found.counts.items())
    print(f"{options.on}: {found.kills} kills, {found.runs} runs compared, {counts}, {faults} faults, seed {seed}")
    print("".join(f"  {fault}\n" for fault in found.faults[:20]), end="")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
