"""Babysit one training, live: ``python -m tfcourse.babysit start --data … --out DIR``, then change it while it runs.

.. code-block:: text

    DIR/run.json        how it was started: data, split, network, seed
    DIR/journal.jsonl   every epoch, change, revert and alarm, with time and step; only ever added to
    DIR/checkpoints/    whole states, thinned as they grow old
    DIR/commands/       what is asked of the training, until it has been done
    DIR/status.json     what it last said of itself
    DIR/model.keras     the best epoch's network, when it is stopped; DIR/result.json, DIR/report.html
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tfcourse.process.command import Parser, one_of, run_command, whole_number

EXAMPLE = "such as learning_rate=0.003 or patience=off"


def build_parser() -> Parser:
    """Return the command's parser, with one parser below it for each thing to do."""
    parser = Parser(
        prog="python -m tfcourse.babysit",
        description="Train one network for as long as it is left to, and watch and change it while it runs.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def add(name: str, words: str, folder: str = "the training's folder") -> Parser:
        command: Parser = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        if folder:
            command.add_argument("folder", metavar="DIR", help=folder)
        return command

    start = add("start", "begin a training, or go on with one from its last checkpoint", folder="")
    start.add_argument("--out", required=True, metavar="DIR", help="the training's folder")
    data = start.add_argument_group("data, when it begins", argument_default=argparse.SUPPRESS)
    data.add_argument("--data", metavar="NAME|PATH", help="as in python -m tfcourse.train (default digits)")
    data.add_argument("--target", metavar="COLUMN", help="the label column; needed for tables")
    data.add_argument("--drop", metavar="COLUMN", nargs="+", help="columns to leave out")
    data.add_argument(
        "--keep-columns", metavar="COLUMN", nargs="+", help="columns to learn from though they number the rows"
    )
    data.add_argument("--categorical", metavar="COLUMN", nargs="+", help="columns of numbers to read as categories")
    data.add_argument("--missing", metavar="TEXT", nargs="+", help="texts that stand for a missing value")
    data.add_argument("--not-missing", metavar="TEXT", nargs="+", help="texts that do not")
    data.add_argument("--reading", metavar="FILE.toml", help="how columns are to be read")
    data.add_argument("--time", metavar="COLUMN", help="with --split time: the column whose order it is")
    data.add_argument("--test-data", metavar="PATH", help="a separate test file; else a fifth of the rows")
    data.add_argument("--split", metavar="HOW", type=one_of("stratified", "time"), help="stratified (default) or time")
    data.add_argument("--group", metavar="COLUMN", help="rows with one value of this column stay in one part")
    data.add_argument("--seed", metavar="N", type=whole_number(0), help="seed of split, weights and data order")
    start.add_argument("--from", dest="winner", metavar="RUN", help="begin with the best hyperparameters of a search")
    _add_training(start)
    branch = add("branch", "begin a second training from a checkpoint of a first, to compare")
    branch.add_argument("--to", default="best", metavar="WHERE", help="EPOCH, best (default), or a time back: -1d")
    branch.add_argument("--out", required=True, metavar="DIR", help="the new training's folder")
    _add_training(branch)

    add("status", "show whether it is alive, where it is, its curves and last changes").add_argument(
        "--json", action="store_true", help="print everything as JSON"
    )
    add("watch", "keep the status on the screen until Ctrl-C").add_argument(
        "--every", default=2, metavar="SECONDS", type=whole_number(1), help="seconds between looks (default 2)"
    )
    change = add("set", "change hyperparameters from the next step on")
    change.add_argument("values", nargs="+", metavar="NAME=VALUE", help=EXAMPLE)
    revert = add("revert", "go back to a checkpoint: weights, optimizer, hyperparameters and data order")
    revert.add_argument(
        "--to", required=True, metavar="WHERE", help="EPOCH, best, a time back (-10m, -1d), or '#41' of the journal"
    )
    revert.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="and change, from there on")
    for command in (
        change,
        revert,
        add("pause", "pause before the next step"),
        add("resume", "go on after a pause"),
        add("stop", "finish the epoch, save, and export model.keras"),
    ):
        command.add_argument("--note", default="", metavar="TEXT", help="why, for the journal")
    add("journal", "print everything that was done to it, with the numbers that revert --to '#41' takes")
    again = add("replay", "train the journal again and see whether the same weights come out")
    again.add_argument("--data", metavar="PATH", help="where the data are now")
    again.add_argument("--test-data", metavar="PATH", help="where the test data are now")
    report = add("report", "write report.html: the loss curve with what was done to it", folder="")
    report.add_argument("folders", nargs="+", metavar="DIR", help="the training's folder; several are compared")
    report.add_argument("--out", metavar="FILE", help="where to (default DIR/report.html)")
    return parser


def _add_training(parser: Parser) -> None:
    """Add how a training runs, which may be another each time it goes on."""
    group = parser.add_argument_group("training")
    group.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help=f"hyperparameters, {EXAMPLE}; when it begins also the network's: units=100,50 optimizer=sgd",
    )
    group.add_argument(
        "--on-alarm",
        default="tell",
        metavar="WHAT",
        type=one_of("tell", "pause", "revert"),
        help="on an alarm: tell (default), pause, or revert to the best epoch and halve the learning rate;"
        " a loss that is not finite always pauses at least",
    )
    group.add_argument(
        "--checkpoint-every",
        default=1,
        metavar="N",
        type=whole_number(1),
        help="epochs between checkpoints (default 1)",
    )
    group.add_argument(
        "--keep", default=1000, metavar="MB", type=whole_number(1), help="disk for checkpoints in MB (default 1000)"
    )
    group.add_argument("--detach", action="store_true", help="train in the background; what it says goes to DIR.log")
    group.add_argument("--quiet", action="store_true", help="print nothing but errors")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 1 a replay differs, 2 the user's mistake, 130 interrupted."""
    return run_command(_run, argv, again="start it again with the same --out")


def _run(argv: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = build_parser().parse_args(_with_times_back(given))
    if arguments.command in ("start", "branch"):
        from tfcourse.babysitting import beginning

        begin: Callable[..., int] = getattr(beginning, arguments.command)
        return begin(arguments, given)
    from tfcourse.babysitting import asking

    ask: Callable[[argparse.Namespace], int] = getattr(asking, arguments.command)
    return ask(arguments)


def _with_times_back(words: Sequence[str]) -> list[str]:
    """Return the words with ``--to -1d`` as one, which argparse would take for two options.

    >>> _with_times_back(["revert", "nursery", "--to", "-1d"])
    ['revert', 'nursery', '--to=-1d']
    """
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--to" and word[:1] == "-" and word[1:2].isdigit():
            joined[-1] = f"--to={word}"
        else:
            joined.append(word)
    return joined


if __name__ == "__main__":
    sys.exit(main())
