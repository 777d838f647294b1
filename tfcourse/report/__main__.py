"""Write a run's report, or set runs side by side: ``python -m tfcourse.report RUN [RUN ...]``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tfcourse.errors import UserError
from tfcourse.process.command import OK, Parser, run_command
from tfcourse.process.quiet import quiet_start
from tfcourse.run.folder import check_out


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.report",
        description="Write RUN/report.html, also while the search runs; or set several runs side by side.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a folder that a search wrote; several are compared")
    parser.add_argument(
        "--out", metavar="FILE", help="where to (default RUN/report.html; of several runs comparison.html)"
    )
    parser.add_argument(
        "--tensorboard", action="store_true", help="also write curves and HParams for tensorboard --logdir RUN"
    )
    parser.add_argument(
        "--mlflow",
        metavar="URI",
        nargs="?",
        const="",
        help="also log the run, with a run below it for each trial, to an MLflow store; by default MLflow's own",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    given = build_parser().parse_args(argv)
    runs = [Path(run) for run in given.runs]
    out = Path(given.out) if given.out else None
    if out is not None and out.is_dir():
        raise UserError(f"--out: {given.out!r} is a folder; give the file to write, such as {out / 'report.html'}.")
    if out is not None:
        check_out(out)
    for flag, is_given in (("--tensorboard", given.tensorboard), ("--mlflow", given.mlflow is not None)):
        if len(runs) > 1 and is_given:
            raise UserError(f"{flag} was given with several runs; give it with one run at a time.")
    if len({run.resolve() for run in runs}) < len(runs):
        raise UserError(f"{' '.join(given.runs)} was given; give each run once.")
    from tfcourse.report.mlflow_log import check_installed, log_run
    from tfcourse.report.page import write_comparison, write_report
    from tfcourse.report.summaries import FOLDER

    if len(runs) > 1:
        print(f"Written to {write_comparison(runs, out or Path('comparison.html'))}")
        return OK
    if given.mlflow is not None:
        check_installed()
    with quiet_start():  # TensorBoard's writer loads TensorFlow
        written = write_report(runs[0], out, tensorboard=given.tensorboard)
    print(f"Written to {written}")
    if given.tensorboard:
        print(f"Written to {runs[0] / FOLDER}; look with: tensorboard --logdir {shlex.quote(str(runs[0]))}")
    if given.mlflow is not None:
        print(f"Logged to MLflow as run {log_run(runs[0], given.mlflow or None)}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
