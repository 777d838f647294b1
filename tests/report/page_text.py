"""A page as its reader and a program find it: elements, texts and embedded data, by the standard library's parser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

EMPTY = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A parsed page.

    Attributes:
        elements: each element's name and attributes, in order.
        texts: what is read, in order, without scripts and styles.
        rows: the cells' texts of each table's rows, a list a table.
        data: the rows of the charts.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.rows: list[list[list[str]]] = []
        self.data: dict[str, Any] = {}
        self._open: list[str] = []
        self._raw = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)
        if tag == "table":
            self.rows.append([])
        elif tag == "tr":
            self.rows[-1].append([])
        elif tag in ("td", "th"):
            self.rows[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            if self.elements[-1][1].get("id") == "data":
                self.data = json.loads(data)
        elif self._open and self._open[-1] != "style" and data.strip():
            self.texts.append(" ".join(data.split()))
            if any(tag in ("td", "th") for tag in self._open):
                self.rows[-1][-1][-1] += " ".join(data.split())

    @property
    def text(self) -> str:
        """Everything that is read, a line a piece."""
        return "\n".join(self.texts)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def table(self, head: str) -> list[list[str]]:
        """Return the rows of the table whose first line names ``head``, that line first."""
        return next(rows for rows in self.rows if head in rows[0])
