"""Small self-contained HTML pages: templates of ``assets`` on one plain style, light or dark as the reader has it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

INK = "#123454"
"""Stands for the reader's text colour in a figure, and is replaced by it."""
BLUE, ORANGE, GREY = "#3b76c4", "#d9822b", "#8a94a3"


def templates() -> Environment:
    """Return the templates of ``assets``; whatever is put into one is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("tfcourse.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **context: Any) -> str:
    """Return a page on the plain style, from its template."""
    style = (files("tfcourse.report") / "assets" / "plain.css").read_text(encoding="utf-8")
    return templates().get_template(template).render(style=style, **context)


def svg(draw: Callable[[Any], None], height: float, title: str) -> Markup:
    """Return a figure as inline SVG in the reader's text colour."""
    import matplotlib
    from markupsafe import Markup
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK)
    style |= {"svg.fonttype": "none", "svg.hashsalt": title, "font.family": "sans-serif"}
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9, height), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        for axes in figure.axes:
            axes.set_facecolor("none")
            axes.spines[["top", "right"]].set_visible(False)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
    drawn = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1), count=1
    )
    opening = Markup('<figure style="margin:0" role="img" aria-label="{}">').format(title)
    return opening + Markup(drawn) + Markup("</figure>")
