"""Compare ways of searching: best validation and test log-loss against the number of trials and against seconds.

    python scripts/benchmarks/search.py --data ../shared/data --out search.json
    python scripts/benchmarks/search.py --data ../shared/data --seeds 3 --trials 32 --tables car-evaluation vehicle
    python scripts/benchmarks/search.py --report search.json                      (the tables of what was measured)

A measurement that was cut short goes on when it is started again with the same ``--out``.

Every way searches the same space on the same split with the same training for each trial, by the cohort engine. The
ways that learn from results (Bayesian optimization, TPE) are asked for 10 settings at a time, so that a cohort can
train them. Seconds: programs are compiled once for each table and way, by the first seed; what it takes longer than
the others is added to their seconds. Those of KerasTuner's and Optuna's ways are not the cohort's: they are what a
trial costs with ``Model.fit`` in ``keras_tuner``, as their users run them, measured on a sample, times the trials.
On a machine that others use as well, ``--processor-seconds`` counts seconds of processor time in place of the clock's.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from pathlib import Path

from rich.console import Console
from search_report import report
from search_task import DEFAULT_TABLES, TARGETS, Task
from search_ways import LEARNERS, OWN, count_processor_seconds, keras_tuner_seconds, measured

from tfcourse.files.writing import replacing


def main(argv: list[str] | None = None) -> int:
    """Measure, print tables, and write the JSON file when asked."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", choices=list(TARGETS), default=DEFAULT_TABLES)
    parser.add_argument("--ways", nargs="+", choices=[*OWN, *LEARNERS], default=[*OWN, *LEARNERS])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="tables of one seed have the same draws of settings")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--sample", type=int, default=4, help="trials timed in keras_tuner itself")
    parser.add_argument("--out", type=Path, help="file for the measurements as JSON")
    parser.add_argument("--processor-seconds", action="store_true", help="count processor time, not the clock's")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE", help="show what was measured, and stop")
    options = parser.parse_args(argv)
    console = Console()
    if options.report:
        results = [result for path in options.report for result in json.loads(path.read_text())]
        report(results, max(len(run["validation"]) for result in results for run in result["runs"]), console)
        return 0
    if options.data is None:
        parser.error("--data FOLDER is needed to measure; --report FILE shows what was measured")
    if options.processor_seconds:
        count_processor_seconds()
    how = {"trials": options.trials, "seeds": options.seeds, "processor_seconds": options.processor_seconds}
    how |= {"first_seed": options.first_seed} if options.first_seed else {}
    results = json.loads(options.out.read_text()) if options.out and options.out.exists() else []
    if any(result["how"] != how for result in results):
        parser.error(f"--out {options.out} holds measurements made otherwise: {results[0]['how']}; give another file")
    for table in options.tables:
        here = {result["way"]: result for result in results if result["table"] == table}
        left = [way for way in options.ways if way not in here]
        if not left:
            continue
        known = next((result["keras_tuner_seconds"] for result in here.values()), None)
        kt_seconds = known or keras_tuner_seconds(Task(options.data, table, 0), options.sample)
        for way in left:
            began = time.perf_counter()
            seeds = range(options.first_seed, options.first_seed + options.seeds)
            found = measured(options.data, table, way, seeds, options.trials, kt_seconds)
            results.append({**found, "how": how})
            console.print(f"{table}, {way}: {time.perf_counter() - began:.0f} s", highlight=False)
            if options.out:
                with replacing(options.out) as temporary:
                    temporary.write_text(json.dumps(results))
    report(results, options.trials, console)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
