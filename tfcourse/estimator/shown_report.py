"""The report of a run, as a notebook shows it."""

from __future__ import annotations

import html
import shutil
from pathlib import Path

HEIGHT = 900
"""Pixels of the frame that a notebook shows the page in."""


class ShownReport:
    """A report: a page in a notebook's cell, a path elsewhere.

    Args:
        path: of the page.
        run: whose page it is; the folder of a temporary one stays as long as this does.
    """

    def __init__(self, path: Path, run: object = None) -> None:
        self.path, self.run = path, run

    def save(self, path: str | Path) -> Path:
        """Copy the page to ``path`` and return that."""
        return Path(shutil.copyfile(self.path, path))

    def _repr_html_(self) -> str:
        page = html.escape(self.path.read_text(encoding="utf-8"), quote=True)
        return f'<iframe srcdoc="{page}" width="100%" height="{HEIGHT}" style="border: 0"></iframe>'

    def __repr__(self) -> str:
        return f"ShownReport({str(self.path)!r})"
