"""A run's model for other programs: ``python -m tfcourse.export RUN --to onnx``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tfcourse.process.command import OK, Parser, one_of, run_command

TO = ("savedmodel", "onnx", "litert", "numpy")


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.export",
        description="Write a run's model for other programs, from raw columns or images to probabilities: a SavedModel"
        " (TensorFlow Serving), ONNX, LiteRT, or one file of arrays for NumPy alone. It is written only if it gives the"
        " probabilities of model.keras.",
    )
    parser.add_argument("run", metavar="RUN", help="the folder that python -m tfcourse.train or tfcourse.babysit wrote")
    parser.add_argument("--to", required=True, metavar="FORMAT", type=one_of(*TO), help=f"one of {', '.join(TO)}")
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="what to write (default RUN/saved_model, RUN/model.onnx, RUN/model.tflite and .json, RUN/model.npz and"
        " .py)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    arguments: argparse.Namespace = build_parser().parse_args(argv)
    from tfcourse.export.export_run import export_run
    from tfcourse.run.folder import SEARCH, TRAINING, RunFolder

    folder = RunFolder.open(Path(arguments.run), SEARCH, TRAINING)
    out = Path(arguments.out) if arguments.out else None
    written = export_run(folder, arguments.to, out, print)
    print(f"Written: {', '.join(map(str, written))}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
