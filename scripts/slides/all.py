"""Run every script here and write one page. ``python scripts/slides/all.py [--out DIR] [--only a5 c1 ...]``"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page import write_page

HERE = Path(__file__).parent
SCRIPTS = sorted(path.stem for path in HERE.glob("[a-d][0-9]_*.py"))


def run(stem: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Run one script; return its record, or one that holds the error in place of a verdict."""
    out = Path(arguments[1])
    start = time.perf_counter()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(stem).main(arguments)
        record = json.loads((out / f"{stem}.json").read_text(encoding="utf-8"))
    except Exception:  # one broken script must not keep the others from the page; the page and the exit status tell
        slide = getattr(sys.modules.get(stem), "SLIDE", None)
        record = {key: getattr(slide, key, "") for key in ("title", "claim", "criterion")}
        record |= {
            "row": stem.split("_")[0].upper(),
            "stem": stem,
            "numbers": [],
            "holds": None,
            "note": traceback.format_exc(limit=-2),
        }
    return record | {"seconds": time.perf_counter() - start}


def verdict(record: dict[str, Any]) -> str:
    """Return the verdict in words."""
    return {True: "holds", False: "does not hold", None: "FAILED"}[record["holds"]]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 1 when a script failed (a claim that does not hold is no failure)."""
    parser = argparse.ArgumentParser(description="Measure every claim of the course and write one HTML page.")
    parser.add_argument("--out", type=Path, default=Path("runs/slides"), help="folder of the page and the figures")
    parser.add_argument("--quick", action="store_true", help="small settings; verdicts may differ")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="ROW", default=[], help="rows to run, such as a5 c1")
    options = parser.parse_args(argv)
    by_row = {stem.split("_")[0]: stem for stem in SCRIPTS}
    unknown = [row for row in options.only if row.lower() not in by_row]
    if unknown:
        print(f"all.py: error: --only {' '.join(unknown)} names no row; there are {' '.join(by_row)}.", file=sys.stderr)
        return 2
    chosen = sorted({by_row[row.lower()] for row in options.only}) or SCRIPTS
    arguments = ["--out", str(options.out), "--seed", str(options.seed), *(["--quick"] if options.quick else [])]
    records: list[dict[str, Any]] = []
    start = time.perf_counter()
    for number, stem in enumerate(chosen, start=1):
        print(f"[{number:2}/{len(chosen)}] {stem:<28}", end="", flush=True)
        records.append(run(stem, arguments))
        spent = time.perf_counter() - start
        left = spent / number * (len(chosen) - number)
        print(f"{verdict(records[-1]):<14}{records[-1]['seconds']:6.1f} s   about {left:3.0f} s left", flush=True)
    page = write_page(records, options.out)
    failed = [record["stem"] for record in records if record["holds"] is None]
    holding = sum(record["holds"] is True for record in records)
    print(f"{holding} of {len(records)} claims hold, {spent:.0f} s: {page}")
    if failed:
        print(f"all.py: error: failed: {', '.join(failed)}; the page says why.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
