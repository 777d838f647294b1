"""The report: a run as one self-contained HTML page, runs side by side, and summaries for TensorBoard.

The way is ``source`` (run folder → :class:`~tfcourse.report.source.Run`), then pure functions that make rows for charts
and words for people of it, then ``page`` (rows and words → HTML).
"""

from tfcourse.report.page import write_report

__all__ = ["write_report"]
