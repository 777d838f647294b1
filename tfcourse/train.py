"""Tune a batch-norm + softmax classifier on a table or on images: ``python -m tfcourse.train``."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfcourse.data.flags import add_data_flags
from tfcourse.errors import UserError
from tfcourse.executors.choose import add_options, check_options
from tfcourse.process.command import INTERRUPTED, OK, Parser, duration, one_of, run_command, whole_number
from tfcourse.run.folder import RunStatus
from tfcourse.run.lock import alone_in
from tfcourse.tuning import defaults

if TYPE_CHECKING:
    from rich.console import Console

    from tfcourse.tuning.tuning_run import TuningRun


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
        help="digits (default), mnist, fashion_mnist, cifar10, or a file: .csv, .tsv, .jsonl, .parquet, .xlsx, .npz",
    )
    add_data_flags(data.add_argument)
    search = parser.add_argument_group("search")
    search.add_argument(
        "--space", metavar="FILE.toml|wide", help="what to change in the default search space; wide: larger networks"
    )
    search.add_argument(
        "--trials",
        metavar="N",
        type=whole_number(1),
        help=f"number of trials (default {defaults.TRIALS}; with --budget as many as fit)",
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
        help=f"rounds, coarse to fine: each searches the region of the leading trials (default {defaults.ROUNDS})",
    )
    search.add_argument(
        "--sampler",
        metavar="NAME",
        type=one_of("random", "quasi-random"),
        help=f"how trials are drawn: random, or evenly spread quasi-random points (default {defaults.SAMPLER})",
    )
    search.add_argument("--first", metavar="FILE.toml", help="settings of your own to try first")
    search.add_argument(
        "--portfolio",
        action=argparse.BooleanOptionalAction,
        help="try settings that were good on many tables before any draw, as far as they lie in the space (default)",
    )
    search.add_argument(
        "--halving",
        action=argparse.BooleanOptionalAction,
        help="give all trials a few epochs, and only the better third the next ones"
        f" (default: in rounds of {defaults.LEAST_TRIALS_TO_HALVE} trials or more)",
    )
    search.add_argument(
        "--repeats", metavar="N", type=whole_number(1), help="train every trial from N seeds and rank by the mean"
    )
    search.add_argument(
        "--network",
        metavar="KIND",
        type=one_of("mlp", "conv"),
        help="fully connected networks (mlp, default), or convolutional ones, for images (conv)",
    )
    search.add_argument(
        "--engine",
        metavar="NAME",
        type=one_of("cohort", "keras"),
        help="what trains the trials: all together (cohort, default) or one by one with Model.fit (keras; always with"
        " --network conv)",
    )
    add_options(search.add_argument)
    search.add_argument(
        "--seed", metavar="N", type=whole_number(0), help="seed of split, draws, weights and minibatches (default 0)"
    )
    model = parser.add_argument_group("model")
    folds = model.add_mutually_exclusive_group()
    folds.add_argument(
        "--folds",
        metavar="K",
        type=whole_number(1),
        help="train the leading settings on each of K folds of all rows but the test's, and save their average weighted"
        " by what they say out of fold (default: by the data's size, 8, 5 or 1)",
    )
    folds.add_argument(
        "--single", action="store_true", help="save the best network alone: neither folds nor an ensemble"
    )
    model.add_argument(
        "--ensemble",
        metavar="N",
        type=whole_number(1),
        help="save the average of the N best networks as the search left them, without folds",
    )
    model.add_argument(
        "--calibrate",
        action=argparse.BooleanOptionalAction,
        help="divide the saved model's logits by the temperature that fits best, on the validation split or out of fold"
        " (default: with folds)",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", help="the run folder to write (default runs/NAME-TIME)")
    output.add_argument("--resume", metavar="DIR", help="go on with the search in a run folder")
    output.add_argument(
        "--slices",
        metavar="COLUMN",
        nargs="+",
        help="columns of which each value, or each quarter of the values, is measured by itself on the test split",
    )
    output.add_argument(
        "--tensorboard", action="store_true", help="also write curves and HParams for tensorboard --logdir"
    )
    output.add_argument("--quiet", action="store_true", help="print nothing but errors")
    output.add_argument("--json", action="store_true", help="print the result as JSON and nothing else")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake, 130 interrupted."""
    return run_command(_run, argv, again="go on with --resume")


def _run(argv: Sequence[str] | None) -> int:
    started = time.monotonic()
    given = vars(build_parser().parse_args(argv))
    check_options(given)
    from tfcourse.run.show import make_console
    from tfcourse.tuning.start import resume, start

    console = make_console(quiet=given.get("quiet", False), stderr=given.get("json", False))
    words = sys.argv[1:] if argv is None else argv
    say = functools.partial(console.print, markup=False)
    with contextlib.ExitStack() as held:
        if "resume" in given and Path(given["resume"], "run.json").exists():
            held.enter_context(alone_in(Path(given["resume"]), say))
        run = resume(given, words) if "resume" in given else start(given, words)
        if "resume" not in given:
            held.enter_context(run.folder.begun())
            held.enter_context(alone_in(run.folder.path, say))
        return _train(run, console, started, given)


def _train(run: TuningRun, console: Console, started: float, given: dict[str, Any]) -> int:
    """Search, unless that is done, and show what came of it."""
    folder = run.folder
    tensorboard = given.get("tensorboard", False)
    result = None
    if folder.record["status"] == RunStatus.COMPLETED:
        with contextlib.suppress(UserError):  # a damaged one is made again from the search
            result = folder.result()
    searched = result is None
    if result is None:
        from tfcourse.tuning.run import carry_out, show_beginning

        try:
            show_beginning(console, run.prepared)
            result = carry_out(run, console, started, given)
        except KeyboardInterrupt:
            again = f"python -m tfcourse.train --resume {shlex.quote(str(folder.path))}"
            print(f"Interrupted; the trials that ended are kept. Go on with: {again}", file=sys.stderr)
            return INTERRUPTED
    from tfcourse.report.page import PAGES, try_to_write_report
    from tfcourse.run.show import show_result

    # One that was killed when the run had ended left them unwritten.
    if searched or tensorboard or not all((folder.path / page).exists() for page in PAGES):
        try_to_write_report(folder.path, tensorboard=tensorboard)
    show_result(console, result, result["classes"])
    written = "report.html, model-card.md, model.keras, trials.csv, result.json, run.json, search/"
    console.print(f"Written to {folder.path}: {written}", markup=False)
    if given.get("json"):
        print(json.dumps(result, indent=2))
    return OK


if __name__ == "__main__":
    sys.exit(main())
