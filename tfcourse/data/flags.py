"""The flags that say how data are read and split: the same of every command that takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfcourse.process.command import one_of

OF_THE_SPLIT = ("test_data", "split", "time", "group", "weight", "seed")
"""Those that only a table with a target can have."""


def add_data_flags(add: Callable[..., Any]) -> None:
    """Add the flags to a parser, by its ``add_argument``; each is the field of its name of ``DataOptions``."""
    add("--target", metavar="COLUMN", help="the label column; needed for tables")
    add("--drop", metavar="COLUMN", nargs="+", help="columns to leave out")
    add("--keep-columns", metavar="COLUMN", nargs="+", help="columns to learn from though they number the rows")
    add("--categorical", metavar="COLUMN", nargs="+", help="columns of numbers to read as categories")
    add("--missing", metavar="TEXT", nargs="+", help="texts that stand for a missing value, in every column")
    add("--not-missing", metavar="TEXT", nargs="+", help="texts that do not, such as NA for Namibia or None as a label")
    add("--time", metavar="COLUMN", help="with --split time: the column whose order it is")
    add(
        "--reading", metavar="FILE.toml", help="how columns are to be read, as python -m tfcourse.look --write gives it"
    )
    add("--test-data", metavar="PATH", help="a separate test file; else a fifth of the rows")
    add(
        "--split",
        metavar="HOW",
        type=one_of("stratified", "time"),
        help="how to split 60/20/20: stratified at random (default), or in the order of the rows",
    )
    add(
        "--group",
        metavar="COLUMN",
        help="rows with one value of this column stay in one part; it is only learned from if --categorical names it",
    )
    add(
        "--weight",
        metavar="COLUMN",
        help="how much each row counts in the losses of training and validation, 0 or more; it is not learned from, and"
        " accuracies and the test split count every row once",
    )
    add(
        "--numbers",
        metavar="HOW",
        type=one_of("auto", "standard", "robust", "encoded"),
        help="how numbers of tables enter: standardized (standard), scaled by quartiles within a smooth bound (robust),"
        " or with columns of bins beside (encoded); by default (auto) standardized, and in the saved model also with"
        " bins, as far as that helps out of fold",
    )
