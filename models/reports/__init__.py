"""Shows what a run found, as a few lines for a terminal and as one page that can solve requests."""

from models.reports.page import write_report
from models.reports.summary import summary

__all__ = ["summary", "write_report"]
