"""Are a run's hyperparameters still right on new data? ``python -m tfcourse.retest RUN --data new.csv``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tfcourse.command import Parser, run_command, whole_number


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.retest",
        description="Train a run's leading settings again on new data and say whether to keep, to retrain,"
        " or to search again. Exit status: 0 keep, 3 retrain, 4 search again.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that python -m tfcourse.train wrote")
    parser.add_argument("--data", required=True, metavar="NAME|PATH", help="the new data, with its labels")
    parser.add_argument(
        "--top", default=8, metavar="N", type=whole_number(1), help="leading settings of the run to train (default 8)"
    )
    parser.add_argument(
        "--repeats",
        default=5,
        metavar="N",
        type=whole_number(3),
        help="trainings of each setting, each from its own seed and with its own validation rows (default 5)",
    )
    parser.add_argument("--seed", default=0, metavar="N", type=whole_number(0), help="seed of parts, draws and weights")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 keep, 3 retrain, 4 search again, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    from tfcourse.quiet import quiet_start
    from tfcourse.retesting.new_data import read_new_data
    from tfcourse.retesting.retest import open_old_run, retest
    from tfcourse.run.folder import RunFolder

    run = open_old_run(RunFolder.open(Path(arguments.run)), arguments.top)
    new = read_new_data(arguments.data, run.folder.record, run.features)
    with quiet_start():
        import tensorflow  # noqa: F401
    found = retest(run, new, repeats=arguments.repeats, seed=arguments.seed)
    print(found.recommendation.action, *found.recommendation.reasons, sep="\n  ")
    print(found.rank, found.regret, found.correlation, found.excess, found.retraining.rows, found.retraining.diverged)
    return found.recommendation.status


if __name__ == "__main__":
    sys.exit(main())
