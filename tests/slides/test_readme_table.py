"""The README's table of the course's rows: every row once, in order, with code and a script that exist."""

import importlib
import re

import pytest

from tests.slides.conftest import SLIDES
from tests.slides.test_slides import ROWS, SCRIPTS

ROOT = SLIDES.parents[1]
TABLE = re.findall(
    r"^\| ([A-D]\d) \| (.+?) \| (.+?) \| (.+?) \|$",
    (ROOT / "scripts" / "slides" / "README.md").read_text("utf-8"),
    re.M,
)
NOTHING_TO_SHOW = ["B3", "C3"]


def links(cell: str) -> list[str]:
    """Return where the links of a cell lead; each must be named by the end of its address."""
    found: list[tuple[str, str]] = re.findall(r"\[`(.+?)`\]\((.+?)\)", cell)
    assert all(address.endswith(name) for name, address in found)
    return [address for _, address in found]


def test_the_table_has_every_row_in_order() -> None:
    assert [row for row, *_ in TABLE] == sorted(ROWS + NOTHING_TO_SHOW)


@pytest.mark.parametrize(("row", "title", "code", "script"), TABLE, ids=[row for row, *_ in TABLE])
def test_a_row_names_its_code_and_its_script(row: str, title: str, code: str, script: str) -> None:
    assert links(code)
    assert not [file for file in links(code) + links(script) if not (SLIDES / file).is_file()]
    if row in NOTHING_TO_SHOW:
        assert script == "nothing to measure"
        return
    stem = next(stem for stem in SCRIPTS if stem.startswith(f"{row.lower()}_"))
    assert links(script) == [f"{stem}.py"]
    assert title == importlib.import_module(stem).SLIDE.title
