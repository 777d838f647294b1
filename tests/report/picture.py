"""Take the README's picture of a report: its verdict, and beside it trials on the scales of their hyperparameters.

    python -m tfcourse.train --out digits
    python -m tests.report.picture digits/report.html tfcourse/report/example.png

It needs Chromium, as the tests of the page do.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

from PIL import Image

from tests.report.browser import Browser

WIDTH, HEIGHT, COLOURS = 1000, 900, 200


def region(browser: Browser, top: float) -> Image.Image:
    """Return a part of the page as a picture, from so many pixels below its top."""
    browser.evaluate(f"window.scrollTo(0, {top})")
    browser.evaluate("new Promise(resolve => setTimeout(resolve, 1500))")
    data = browser.call("Page.captureScreenshot", format="png")["data"]
    return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")


def main(page: Path, out: Path) -> None:
    """Write the picture of a page."""
    browser = Browser(WIDTH, HEIGHT)
    try:
        browser.open(page)
        charts = browser.evaluate(
            "[...document.querySelectorAll('figure')].find(each => each.innerText.startsWith('learning rate'))"
            ".getBoundingClientRect().top + window.scrollY"
        )
        picture = Image.new("RGB", (2 * WIDTH, HEIGHT))
        picture.paste(region(browser, 0), (0, 0))
        picture.paste(region(browser, charts - 20), (WIDTH, 0))
        picture.resize((WIDTH, HEIGHT // 2), Image.Resampling.LANCZOS).quantize(COLOURS).save(out, optimize=True)
    finally:
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
