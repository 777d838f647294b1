"""Write a run's report, or set runs side by side: ``python -m tfcourse.report RUN [RUN ...]``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tfcourse.command import OK, Parser, run_command


def build_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        prog="python -m tfcourse.report",
        description="Write RUN/report.html, also while the search runs; or set several runs side by side.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a folder that a search wrote; several are compared")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0 done, 2 the user's mistake."""
    return run_command(_run, argv)


def _run(argv: Sequence[str] | None) -> int:
    given = build_parser().parse_args(argv)
    from tfcourse.report.page import write_report

    print(f"Written to {write_report(Path(given.runs[0]))}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
