"""Tune a batch-norm + softmax classifier on a table or on images: ``python -m tfcourse.train``."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfcourse.command import INTERRUPTED, OK, Parser, duration, one_of, run_command, whole_number
from tfcourse.errors import UserError
from tfcourse.files import remove_leftovers
from tfcourse.interrupt import patient_interrupt

DEFAULT_TRIALS = 32
DEFAULT_ROUNDS = 2
DEFAULT_SAMPLER = "random"
LEAST_TRIALS_OF_A_ROUND = 8
"""Fewer leave no more than four leading trials, too few to narrow a space by."""
MOST_TRIALS = 100_000
"""Where a budget of time is given instead of a number of trials."""
FREE_ON_RESUME = (
    "resume", "trials", "budget", "quiet", "json", "data", "test_data", "ensemble", "calibrate", "tensorboard",
)  # fmt: skip
FINISHING_SHARE, MOST_FINISHING_SECONDS = 0.2, 5.0
"""Part of a budget that is kept for the test split and the export."""


def build_parser() -> Parser:
    """Return the command's parser; options that are not given are absent, to be told from given ones."""
    parser = Parser(
        prog="python -m tfcourse.train",
        description="Tune a batch-norm + softmax classifier by random search and leave a report and a model.",
        argument_default=argparse.SUPPRESS,
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        metavar="NAME|PATH",
        help="digits (default), mnist, fashion_mnist, cifar10, or a .csv, .tsv, .parquet or .npz file",
    )
    data.add_argument("--target", metavar="COLUMN", help="the label column; needed for tables")
    data.add_argument("--drop", metavar="COLUMN", nargs="+", help="columns to leave out")
    data.add_argument("--categorical", metavar="COLUMN", nargs="+", help="columns of numbers to read as categories")
    data.add_argument("--test-data", metavar="PATH", help="a separate test file; else a fifth of the rows")
    data.add_argument(
        "--split",
        metavar="HOW",
        type=one_of("stratified", "time"),
        help="how to split 60/20/20: stratified at random (default), or in the order of the rows",
    )
    search = parser.add_argument_group("search")
    search.add_argument("--space", metavar="FILE.toml", help="what to change in the default search space")
    search.add_argument(
        "--trials",
        metavar="N",
        type=whole_number(1),
        help=f"number of trials (default {DEFAULT_TRIALS}; with --budget as many as fit)",
    )
    search.add_argument(
        "--epochs", metavar="N", type=whole_number(1), help="most epochs of a trial (default: by the data's size)"
    )
    search.add_argument("--budget", metavar="TIME", type=duration, help="end the search after 90s, 10m or 2h")
    search.add_argument(
        "--batch-size",
        metavar="N",
        nargs="+",
        type=whole_number(2),
        help="minibatch size; several are searched (default: by the data's size)",
    )
    search.add_argument(
        "--objective",
        metavar="WHAT",
        type=one_of("val_loss", "val_accuracy"),
        help="what the best trial is best at: val_loss (default) or val_accuracy",
    )
    search.add_argument(
        "--rounds",
        metavar="N",
        type=whole_number(1),
        help=f"rounds, coarse to fine: each searches the region of the leading trials (default {DEFAULT_ROUNDS})",
    )
    search.add_argument(
        "--sampler",
        metavar="NAME",
        type=one_of("random", "quasi-random"),
        help=f"how trials are drawn: random, or evenly spread quasi-random points (default {DEFAULT_SAMPLER})",
    )
    search.add_argument("--first", metavar="FILE.toml", help="settings of your own to try first")
    search.add_argument(
        "--halving", action="store_true", help="give all trials a few epochs, and only the better third the next ones"
    )
    search.add_argument(
        "--repeats", metavar="N", type=whole_number(1), help="train every trial from N seeds and rank by the mean"
    )
    search.add_argument(
        "--engine",
        metavar="NAME",
        type=one_of("cohort", "keras"),
        help="what trains the trials: all together (cohort, default) or one by one with Model.fit (keras)",
    )
    search.add_argument(
        "--seed", metavar="N", type=whole_number(0), help="seed of split, draws, weights and minibatches (default 0)"
    )
    model = parser.add_argument_group("model")
    model.add_argument(
        "--ensemble", metavar="N", type=whole_number(1), help="save the average of the N best networks (default 1)"
    )
    model.add_argument(
        "--calibrate",
        action=argparse.BooleanOptionalAction,
        help="divide the saved model's logits by the temperature that fits the validation split best (default no)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", help="the run folder to write (default runs/NAME-TIME)")
    output.add_argument("--resume", metavar="DIR", help="go on with the search in a run folder")
    output.add_argument(
        "--tensorboard", action="store_true", help="also write curves and HParams for tensorboard --logdir"
    )
    output.add_argument("--quiet", action="store_true", help="print nothing but errors")
    output.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake, 130 interrupted."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    started = time.monotonic()
    given = vars(build_parser().parse_args(argv))
    from tfcourse.report.page import try_to_write_report
    from tfcourse.run.show import make_console, show_data, show_result

    console = make_console(quiet=given.get("quiet", False), stderr=given.get("json", False))
    if "resume" in given:
        folder, prepared, plan = _resume(given)
    else:
        folder, prepared, plan = _start(given, argv)
    if folder.record["status"] == "completed":
        result = folder.result()
    else:
        from tfcourse.data.prepare import rows_in_split

        show_data(console, prepared.name, rows_in_split(prepared), prepared.columns, prepared.notes)
        try:
            result = _search(folder, prepared, plan, console, started, given.get("budget"))
        except KeyboardInterrupt:
            folder.update(status="interrupted", seconds_before=_spent(folder, started))
            resume = f"python -m tfcourse.train --resume {shlex.quote(str(folder.path))}"
            print(f"Interrupted; the trials that ended are kept. Go on with: {resume}", file=sys.stderr)
            return INTERRUPTED
        try_to_write_report(folder.path, tensorboard=given.get("tensorboard", False))
    show_result(console, result, result["classes"])
    console.print(f"Written to {folder.path}: report.html, model.keras, result.json, run.json, search/", markup=False)
    if given.get("json"):
        print(json.dumps(result, indent=2))
    return OK


def _start(given: dict[str, Any], argv: Sequence[str] | None) -> tuple[Any, Any, Any]:
    """Read the data, plan the search and make the run folder."""
    from tfcourse.course_space import default_space
    from tfcourse.data.prepare import DataOptions, prepare, rows_in_split
    from tfcourse.data.training_counts import training_counts
    from tfcourse.first_settings import read_first_settings
    from tfcourse.plan import Plan, default_epochs, default_patience, with_batch_size
    from tfcourse.run.folder import RunFolder, check_new, default_path
    from tfcourse.space_file import read_space

    if "out" in given:
        check_new(Path(given["out"]))
    space = read_space(given["space"]) if "space" in given else default_space()
    options = DataOptions(**{key: _frozen(given[key]) for key in DataOptions.__dataclass_fields__ if key in given})
    prepared = prepare(options)
    rows = len(prepared.train)
    space = with_batch_size(space, given.get("batch_size"), rows)
    epochs = given.get("epochs") or default_epochs(rows, int(space["batch_size"].from_unit(0.5)))
    trials = given.get("trials") or (MOST_TRIALS if "budget" in given else DEFAULT_TRIALS)
    first = tuple(read_first_settings(given["first"], space)) if "first" in given else ()
    engine = given.get("engine", "cohort")
    if given.get("halving") and engine == "keras":
        raise UserError(
            "--halving was given with --engine keras, which trains one trial at a time; use --engine cohort."
        )
    plan = Plan(
        space, trials, epochs, default_patience(epochs), given.get("objective", "val_loss"), engine, options.seed,
        sampler=given.get("sampler", DEFAULT_SAMPLER), starts=_round_starts(given, trials), first=first,
        repeats=given.get("repeats", 1), halving=given.get("halving", False),
    )  # fmt: skip
    folder = RunFolder.create(
        Path(given["out"]) if "out" in given else default_path(prepared.name),
        {
            "command": shlex.join(["python", "-m", "tfcourse.train", *(sys.argv[1:] if argv is None else argv)]),
            "status": "running",
            "options": {
                **options.to_json(),
                "data": _absolute(options.data),
                "test_data": _absolute(options.test_data),
            },
            "given": {key: value for key, value in given.items() if key not in FREE_ON_RESUME},
            "budget": given.get("budget"),
            "plan": {key: value for key, value in plan.to_json().items() if key != "space"},
            "space": plan.space.to_json(),
            "data": {
                "name": prepared.name, "fingerprint": prepared.fingerprint, "split": rows_in_split(prepared),
                "columns": prepared.columns, "notes": prepared.notes,
            },
            "model": _model_options(given),
            "classes": list(prepared.classes),
            "features": prepared.features.to_json(),
            "training": training_counts(prepared.features, prepared.train.x, prepared.train.y, prepared.classes),
            "seconds": 0.0,
            "seconds_before": 0.0,
        },
    )  # fmt: skip
    return folder, prepared, plan


def _round_starts(given: dict[str, Any], trials: int) -> tuple[int, ...]:
    """Return the number of each round's first trial; few trials make one round unless more are asked for."""
    from tfcourse.plan import round_starts

    rounds = given.get("rounds", DEFAULT_ROUNDS if trials >= LEAST_TRIALS_OF_A_ROUND * DEFAULT_ROUNDS else 1)
    if rounds > trials:
        raise UserError(f"--rounds: {rounds} rounds were given, but only {trials} trials; give at most {trials}.")
    return round_starts(trials, rounds)


def _resume(given: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Open a run folder and read its data again, refusing what would make it another search."""
    from tfcourse.data.prepare import DataOptions, prepare
    from tfcourse.plan import plan_from_json
    from tfcourse.run.folder import RunFolder

    folder = RunFolder.open(Path(given["resume"]))
    remove_leftovers(folder.path)
    record = folder.record
    record["seconds_before"] = max(record["seconds_before"], record["seconds"])  # it was killed, not interrupted
    for key, value in given.items():
        if key not in FREE_ON_RESUME and record["given"].get(key) != value:
            flag = "--" + key.replace("_", "-")
            was = f"with {flag} {_words(record['given'][key])}" if key in record["given"] else f"without {flag}"
            raise UserError(
                f"--resume: {flag} {_words(value)} was given, but the search was started {was}."
                " Leave it out to go on with that search, or start a new one with --out."
            )
    options = folder.parse(lambda record: DataOptions(**{k: _frozen(v) for k, v in record["options"].items()}))
    options = replace(options, **{key: given[key] for key in ("data", "test_data") if key in given})
    plan = folder.parse(lambda record: plan_from_json({**record["plan"], "space": record["space"]}))
    fingerprint = folder.parse(lambda record: record["data"]["fingerprint"])
    for flag, path in (("--data", options.data), ("--test-data", options.test_data)):
        if path is not None and Path(path).is_absolute() and not Path(path).exists():
            raise UserError(f"--resume: the search's data is no longer at {path!r}; give its new place with {flag}.")
    prepared = prepare(options)
    if prepared.fingerprint != fingerprint:
        raise UserError(
            f"--resume: {options.data!r} holds other data than the search in {given['resume']!r} was started with."
            " Give that data with --data, or start a new search with --out."
        )
    more = given.get("trials", plan.trials)
    if more > plan.trials or ("budget" in given and record["status"] == "completed"):
        plan = replace(plan, trials=max(more, plan.trials))
        folder.update(status="running", plan={k: v for k, v in plan.to_json().items() if k != "space"})
    if (model := {**record.get("model", {}), **_model_options(given)}) != record.get("model", {}):
        folder.update(status="running", model=model)  # the search is done; another model is saved from it
    return folder, prepared, plan


def _search(
    folder: Any, prepared: Any, plan: Any, console: Any, started: float, budget: float | None
) -> dict[str, Any]:
    """Search, measure and export, with progress; TensorFlow is imported here and not before."""
    from tfcourse.quiet import quiet_start

    if budget is None and folder.record["budget"] is not None:
        budget = folder.record["budget"] - folder.record["seconds_before"]
    deadline = finishing = math.inf
    folder.update(status="running")
    with quiet_start():
        from tfcourse import tune
        from tfcourse.finishing import retraining_seconds
        from tfcourse.run.show import SearchProgress, show_round

        tuner = tune.open_search(folder, prepared, plan, on_round=lambda began: show_round(console, began.notes))
    if budget is not None:
        finishing = started + budget - min(FINISHING_SHARE * budget, MOST_FINISHING_SECONDS)
        deadline = finishing - retraining_seconds(budget)
    total = plan.trials if plan.trials < MOST_TRIALS else None
    done = len(tuner.oracle.end_order)
    with patient_interrupt() as interrupted:
        with SearchProgress(console, total, done, deadline) as progress:
            tune.search(
                folder,
                prepared,
                plan,
                tuner,
                on_trial=progress.trials_done,
                on_progress=progress.trials_under_way,
                deadline=deadline,
                interrupted=interrupted,
            )
        not_retrained = tune.retrain_leaders(
            folder, prepared, plan, tuner, say=console.print, deadline=finishing, interrupted=interrupted
        )
    return tune.finish(folder, prepared, plan, tuner, started, not_retrained)


def _spent(folder: Any, started: float) -> float:
    return float(folder.record["seconds_before"]) + time.monotonic() - started


def _model_options(given: dict[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("ensemble", "calibrate") if key in given}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _absolute(path: str | None) -> str | None:
    return str(Path(path).resolve()) if path is not None and Path(path).exists() else path


if __name__ == "__main__":
    sys.exit(main())
