"""How is it shown? What a run left behind, as a few lines, and as one page that solves."""

from models.reports.page import write_report
from models.reports.summary import summary

__all__ = ["summary", "write_report"]
